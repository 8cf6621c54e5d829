//! When the device has work and when it has none.

use std::time::Duration;

use super::DeviceLoop;
use crate::engine::road::job::{After, Job};
use crate::engine::seam::Moment;
use crate::observe::stalls::{Before, Gap, Trail};

impl<J: Job> DeviceLoop<J> {
    /// A batch is about to be submitted; says when.
    pub(super) fn begin_busy(&mut self, trail: Option<&Trail>) -> Moment {
        let now = self.ledger().now();
        self.at.meter.first_submit.set_first(now);
        if let Some(since) = self.at.idle_since.take() {
            self.at.meter.starved.add(now.since(since));
            let gap = Gap::new(since..now, &self.at.before, trail, self.then_came_first());
            self.at.meter.stalls.add(&gap);
            self.at.busy_since = now;
        } else if self.at.in_flight.is_empty() {
            self.at.busy_since = now;
        }
        now
    }

    /// Called when a batch has left the device, for better or worse.
    pub(super) fn end_busy(&mut self) {
        let now = self.ledger().now();
        self.end_busy_at(now);
    }

    /// As `end_busy`, at a moment that is known; says for how long the device worked on the batch alone.
    pub(super) fn end_busy_at(&mut self, now: Moment) -> Duration {
        if self.at.idle_since.is_some() || self.at.meter.first_submit.get().is_none() {
            return Duration::ZERO;
        }
        let took = now.since(self.at.busy_since);
        self.at.meter.busy.add(took);
        self.at.meter.last_collect.set(now);
        self.at.busy_since = now;
        if self.at.in_flight.is_empty() {
            self.at.idle_since = Some(now);
            self.at.before = self.now_idle(now);
        }
        took
    }

    fn now_idle(&self, now: Moment) -> Before {
        let meters = &self.ledger().meters;
        let before = Before::new(&meters.token_waits, now);
        if J::After::PER_ROW { before.with_work(meters.prepare.get(), meters.then.get()) } else { before }
    }

    fn then_came_first(&self) -> bool {
        let meters = &self.ledger().meters;
        J::After::PER_ROW && self.at.before.mostly_then(meters.prepare.get(), meters.then.get())
    }
}
