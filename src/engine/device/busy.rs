//! When the device has work and when it has none.

use std::time::Duration;

use super::DeviceLoop;
use crate::engine::job::Job;
use crate::engine::seam::Moment;

impl<J: Job> DeviceLoop<J> {
    /// A batch is about to be submitted; says when.
    pub(super) fn begin_busy(&mut self) -> Moment {
        let now = self.shared.seam.now();
        self.meter.first_submit.set_first(now);
        if let Some(since) = self.idle_since.take() {
            self.meter.starved.add(now.saturating_sub(since));
            self.busy_since = now;
        } else if self.in_flight.is_empty() {
            self.busy_since = now;
        }
        now
    }

    /// Called when a batch has left the device, for better or worse.
    pub(super) fn end_busy(&mut self) {
        let now = self.shared.seam.now();
        self.end_busy_at(now);
    }

    /// As `end_busy`, at a moment that is known; says for how long the device worked on the batch alone.
    pub(super) fn end_busy_at(&mut self, now: Moment) -> Duration {
        if self.idle_since.is_some() || self.meter.first_submit.get().is_none() {
            return Duration::ZERO;
        }
        let took = now.saturating_sub(self.busy_since);
        self.meter.busy.add(took);
        self.meter.last_collect.set(now);
        self.busy_since = now;
        self.idle_since = self.in_flight.is_empty().then_some(now);
        took
    }
}
