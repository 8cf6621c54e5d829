//! Finds schedules in which threads of the engine that wake at the same moment decide what comes next.

use super::super::rules::{Rules, Time};
use super::devices::Wait;
use super::{Outcome, Schedule};

/// What has happened at the moment, and whether chance has had a part in it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Chance {
    seen: bool,
    /// When a worker ended a unit last, and when a device ended a batch.
    worker: Option<Time>,
    device: Option<Time>,
}

/// A schedule, and in how many steps it was computed.
pub(crate) fn schedule(rules: &Rules) -> (Outcome, u64) {
    let mut schedule = Schedule::new(rules);
    while schedule.step() {}
    (schedule.end(), schedule.steps)
}

/// Whether chance decides anything in this schedule.
pub(crate) fn left_to_chance(rules: &Rules) -> bool {
    let mut schedule = Schedule::new(rules);
    schedule.past.found = true;
    while schedule.step() {}
    schedule.chance.seen
}

/// The schedule step by step to the end.
pub(crate) fn without_skips(rules: &Rules) -> (Outcome, u64) {
    let mut schedule = Schedule::new(rules);
    schedule.past.found = true;
    while schedule.step() {}
    (schedule.end(), schedule.steps)
}

impl Schedule<'_> {
    /// A worker has ended a unit: with `then`, a device that ends now may put rows before its next one, or not.
    pub(super) fn worker_ended(&mut self) {
        self.chance.worker = Some(self.now);
        self.chance.seen |= self.rules.then.is_some() && self.chance.device == Some(self.now);
    }

    /// A device has ended a batch: with `then`, whose rows come first may be open.
    pub(super) fn device_ended(&mut self) {
        let same = [self.chance.device, self.chance.worker].contains(&Some(self.now));
        self.chance.seen |= self.rules.then.is_some() && same;
        self.chance.device = Some(self.now);
    }

    /// A device looks for a batch just when one comes.
    pub(super) fn device_looks(&mut self, rank: usize) {
        self.chance.seen |= self.devices[rank].wait == Wait::Short && !self.batches.is_empty();
    }

    /// Batches, or the end, come to devices that wait: which device gets what is open where they differ.
    pub(super) fn devices_woken(&mut self) {
        let mut waiting: Vec<_> =
            self.devices.iter().filter_map(|device| Some((device.queued(self.now)?, device.wait))).collect();
        waiting.sort_by_key(|(since, _)| *since);
        let several = waiting.len() > 1 && self.rules.depth > 1 && !self.batches.is_empty();
        let at_once = self.batches.len() > 1 || self.released();
        let tie = waiting.windows(2).any(|pair| pair[0].0 == pair[1].0 && pair[0].1 != pair[1].1);
        self.chance.seen |= several && (at_once || tie);
    }
}
