//! What the device thread does, as it is counted and recorded.

use std::ops::Range;
use std::time::Duration;

use super::{BatchOf, DeviceLoop, Flight};
use crate::engine::measure::Sampled;
use crate::engine::road::job::Job;
use crate::engine::seam::Moment;
use crate::observe::record::{Kind, Span};

impl<J: Job> DeviceLoop<J> {
    /// The first of the slots that is not taken.
    pub(super) fn free_slot(&self) -> usize {
        let taken = |slot: &usize| self.at.in_flight.iter().any(|flight| flight.slot == *slot);
        (0..).find(|slot| !taken(slot)).unwrap_or(0)
    }

    /// `submit` has returned.
    pub(super) fn was_submitting(&self, batch: &BatchOf<J>, since: Moment, sampled: Sampled) {
        let now = self.ledger().now();
        sampled.end(&self.ledger().seam, now, &self.at.meter.worked);
        self.at.meter.submitting.add(now.since(since));
        self.record(|| Span::new(Kind::Submit, since, now).about(batch.index.0, batch.items.good()));
    }

    /// `try_collect` has returned, with a result or after it waited for one; a look in passing is not recorded.
    pub(super) fn was_collecting(&self, time: Range<Moment>, there: bool, waited: bool) {
        self.at.meter.collecting.add(time.end.since(time.start));
        if (there || waited)
            && let Some(flight) = self.at.in_flight.front()
        {
            let (batch, items) = (flight.batch.index.0, if there { flight.batch.items.good() } else { 0 });
            self.record(|| Span::new(Kind::Collect, time.start, time.end).about(batch, items));
        }
    }

    /// A batch has left the device, for better or worse.
    pub(super) fn has_left(&self, flight: &Flight<J>, now: Moment) {
        let Flight { batch, submitted, slot, .. } = flight;
        let (first, items) = (batch.index.0, batch.items.good());
        // A batch that was submitted before the one before it was done begins when that is done.
        self.at.meter.batch_times.add(now.since(self.at.busy_since.max(*submitted)), 1);
        self.record(|| Span::new(Kind::InFlight, *submitted, now).about(first, items).in_lane(*slot));
        let (Some(recorder), Some(clock)) = (&self.ledger().recorder, self.at.clock) else { return };
        let Some(spans) = self.at.meter.times.take_spans() else { return };
        recorder.set_clock(clock, now, spans.batch.end);
        let on_clock = |kind, time: &Range<Duration>| {
            Span::new(kind, Moment::at(time.start), Moment::at(time.end)).in_lane(clock)
        };
        self.record(|| on_clock(Kind::OnDevice, &spans.batch).about(first, items));
        for (kernel, time) in spans.kernels.iter().enumerate() {
            self.record(|| on_clock(Kind::Kernel, time).about(kernel as u64, items));
        }
    }

    /// The device was made again: it may count its time anew.
    pub(super) fn was_rebuilt(&mut self, since: Moment, now: Moment) {
        self.record(|| Span::new(Kind::Rebuild, since, now));
        self.at.clock = self.ledger().recorder.as_ref().map(|recorder| recorder.new_clock());
    }

    fn record(&self, span: impl FnOnce() -> Span) {
        self.ledger().record(|| span().on_device(self.at.meter.rank));
    }
}
