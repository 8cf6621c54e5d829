//! Devices without a thread of their own: they stand here while they idle, and the workers run them.
//!
//! For a stage that computes on the CPU: then whoever has nothing to prepare runs a batch, and no thread of a device
//! takes a core from the workers. A device belongs to whoever took it from here, so it is run by one at a time.

use std::sync::atomic::{Ordering, fence};

use super::device_state::Device;
use super::job::Job;
use crate::engine::ledger::Ledger;
use crate::engine::seam::atomics::AtomicUsize;
use crate::engine::seam::{Mutex, Seam};

pub(crate) struct IdleDevices<J: Job> {
    devices: Mutex<Vec<Device<J>>>,
    /// Those that stand here. Written under the lock.
    count: AtomicUsize,
    /// Whether any ever will.
    used: bool,
}

impl<J: Job> IdleDevices<J> {
    pub(crate) fn new(seam: &Seam, used: bool) -> Self {
        Self { devices: seam.mutex(Vec::new()), count: AtomicUsize::new(0), used }
    }

    /// Whether a device idles for which a batch is there.
    pub(crate) fn wanted(&self, ledger: &Ledger) -> bool {
        if !self.used {
            return false;
        }
        // Asked by whoever has cut a batch, given a device back, or given a ticket back: the last of them sees what
        // the others did.
        fence(Ordering::SeqCst);
        self.count.load(Ordering::Relaxed) > 0 && ledger.backlog.batches.load(Ordering::Relaxed) > 0
    }

    /// A device for which a batch is there.
    pub(super) fn take(&self) -> Option<Device<J>> {
        let mut devices = self.devices.lock();
        let device = devices.pop();
        self.count.store(devices.len(), Ordering::Relaxed);
        device
    }

    /// Has a device stand here, unless the run is over.
    pub(crate) fn put(&self, device: Device<J>, ledger: &Ledger) {
        let mut devices = self.devices.lock();
        if ledger.stopped() {
            drop(devices);
            return device.end();
        }
        devices.push(device);
        self.count.store(devices.len(), Ordering::Relaxed);
    }

    /// Ends those that stand here, once the run is stopped.
    pub(super) fn close(&self) {
        let mut devices = self.devices.lock();
        let idle = std::mem::take(&mut *devices);
        self.count.store(0, Ordering::Relaxed);
        drop(devices);
        idle.into_iter().for_each(Device::end);
    }
}
