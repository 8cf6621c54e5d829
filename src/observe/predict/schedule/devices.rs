//! Device threads on one channel of batches, with the waits that they have in the engine.
//!
//! With room and a batch in flight a device thread alternates a short wait for a batch and a look at the
//! device, so a result may lie there until the next look. When full, or when no batch will follow, it
//! waits for the device itself.

use std::collections::VecDeque;

use super::super::rules::Time;
use super::{Batch, Schedule};
use crate::schedule::turns::short_wait_nanos;

#[derive(Clone, Debug, Default)]
pub(super) struct Device {
    pub(super) flights: VecDeque<Flight>,
    pub(super) busy_until: Time,
    pub(super) last_took: Time,
    pub(super) drained: bool,
    pub(super) wait: Wait,
    /// When it began to wait.
    pub(super) since: Time,
}

/// A batch on the device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    pub(super) index: u64,
    pub(super) items: u64,
    pub(super) submitted: Time,
    pub(super) done: Time,
}

/// What a device thread waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Wait {
    /// For a batch; nothing is in flight.
    #[default]
    Batch,
    /// For a batch, with looks at the device between.
    Short,
    /// For the device.
    Device,
    Ended,
}

impl Device {
    /// When it will do something by itself.
    pub(super) fn due(&self) -> Option<Time> {
        let done = self.flights.front()?.done;
        match self.wait {
            Wait::Device => Some(done),
            Wait::Short => {
                let looks = done.saturating_sub(self.since).div_ceil(self.short()).max(1);
                Some(self.since + looks * self.short())
            }
            Wait::Batch | Wait::Ended => None,
        }
    }

    fn short(&self) -> Time {
        short_wait_nanos(self.last_took)
    }

    /// Since when it stands in the queue for the next batch; every look puts it at the end.
    pub(super) fn queued(&self, now: Time) -> Option<Time> {
        match self.wait {
            Wait::Batch => Some(self.since),
            Wait::Short => Some(now - (now - self.since) % self.short()),
            Wait::Device | Wait::Ended => None,
        }
    }

    fn launch(&mut self, batch: Batch, now: Time) {
        self.busy_until = self.busy_until.max(now) + batch.cost;
        let Batch { index, items, .. } = batch;
        self.flights.push_back(Flight { index, items, submitted: now, done: self.busy_until });
    }
}

impl Schedule<'_> {
    pub(super) fn run_devices(&mut self) -> bool {
        let mut moved = false;
        for rank in 0..self.devices.len() {
            if self.devices[rank].due().is_some_and(|due| due <= self.now) {
                #[cfg(test)]
                self.device_looks(rank);
                self.collect(rank);
                self.run_device(rank);
                moved = true;
            }
        }
        while !self.batches.is_empty() || self.released() {
            #[cfg(test)]
            self.devices_woken();
            let now = self.now;
            let queued = |device: &Device| device.queued(now);
            let waiting =
                self.devices.iter().enumerate().filter_map(|(rank, device)| Some((queued(device)?, rank)));
            let Some((_, rank)) = waiting.min() else { break };
            self.run_device(rank);
            moved = true;
        }
        moved
    }

    /// What a device thread does until it waits.
    fn run_device(&mut self, rank: usize) {
        loop {
            let (depth, released) = (self.rules.depth, self.released());
            let device = &mut self.devices[rank];
            device.since = self.now;
            if device.flights.len() < depth && !device.drained {
                if let Some(batch) = self.batches.pop_front() {
                    if batch.index == 0 {
                        self.outcome.first_submit = self.now;
                    }
                    device.launch(batch, self.now);
                    continue;
                }
                if !released {
                    device.wait = if device.flights.is_empty() { Wait::Batch } else { Wait::Short };
                    return;
                }
                device.drained = true;
            }
            let Some(oldest) = device.flights.front() else {
                device.wait = Wait::Ended;
                return;
            };
            if oldest.done > self.now {
                device.wait = Wait::Device;
                return;
            }
            self.collect(rank);
        }
    }

    fn collect(&mut self, rank: usize) {
        let device = &mut self.devices[rank];
        let Some(Flight { index, items, submitted, .. }) = device.flights.pop_front() else { return };
        device.last_took = self.now - submitted;
        #[cfg(test)]
        self.device_ended();
        self.outcome.last_collect = self.now;
        if self.rules.then.is_some() {
            self.start_rows(index, items);
        } else {
            self.ready.insert(index, items);
        }
    }
}
