//! What the work of workers and caller is counted and recorded as.

use std::ops::Range;
use std::sync::atomic::Ordering;

use super::caller::Caller;
use super::job::Job;
use super::seam::{Moment, rank};
use super::shared::Shared;
use crate::observe::record::{Kind, Span};
use crate::place::{BatchIndex, Position};

/// A group was prepared.
pub(super) fn prepared<J: Job>(shared: &Shared<J>, first: Position, time: Range<Moment>, items: usize) {
    let meters = &shared.meters;
    let taken = time.end - time.start;
    if meters.prepared.fetch_add(items as u64, Ordering::Relaxed) == 0 {
        meters.first_item.add(taken);
        meters.first_prepare.set(time.start);
    }
    meters.prepare.add(taken);
    meters.prepare_times.add(taken, items);
    meters.last_work.set(time.end);
    if let Some(chooser) = &shared.chooser {
        chooser.prepared(taken, items);
    }
    shared.record(|| Span::new(Kind::Prepare, time.start, time.end).about(first.0, items).in_lane(rank()));
}

/// Rows of a batch were worked on after the device.
pub(super) fn worked_on<J: Job>(shared: &Shared<J>, batch: BatchIndex, time: Range<Moment>, rows: usize) {
    shared.meters.then.add(time.end - time.start);
    shared.meters.then_times.add(time.end - time.start, rows);
    shared.meters.last_work.set(time.end);
    shared.record(|| Span::new(Kind::Then, time.start, time.end).about(batch.0, rows).in_lane(rank()));
}

impl<J: Job> Caller<J> {
    /// The caller has done what it wanted with its last result, at the latest by `now`.
    pub(super) fn caller_is_back(&mut self, now: Moment) {
        let asked = self.shared.meters.caller_asked.take().unwrap_or(now);
        let Some((handed, batch)) = self.turn.handed.take() else { return };
        // A caller that does the work, or is polled, cannot be told from its work here.
        if self.only_takes && !self.turn.polled {
            let end = asked.max(handed);
            self.shared.meters.caller_times.add(end - handed, 1);
            self.shared.record(|| Span::new(Kind::Caller, handed, end).about(batch.0, 1));
        }
    }
}
