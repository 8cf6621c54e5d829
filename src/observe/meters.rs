//! What a run counts while it goes on. Written by the threads of the engine, read by the report.
//!
//! A counter is a relaxed atomic: it is read for people, and no decision of the engine depends on it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::fit::{DeviceFit, Fit};
use crate::stage::{DeviceInfo, DeviceTimes};

/// A sum of durations.
#[derive(Debug, Default)]
pub(crate) struct Total(AtomicU64);

impl Total {
    pub(crate) fn add(&self, time: Duration) {
        self.0.fetch_add(nanos(time), Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

/// A moment that is set once, or moved on.
#[derive(Debug)]
pub(crate) struct Mark(AtomicU64);

impl Default for Mark {
    fn default() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }
}

impl Mark {
    pub(crate) fn set_first(&self, moment: Duration) {
        let _already_set =
            self.0.compare_exchange(u64::MAX, nanos(moment), Ordering::Relaxed, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, moment: Duration) {
        self.0.store(nanos(moment), Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> Option<Duration> {
        let nanos = self.0.load(Ordering::Relaxed);
        (nanos != u64::MAX).then(|| Duration::from_nanos(nanos))
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX - 1)
}

/// Counters of everything but the devices.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    pub(crate) prepare: Total,
    pub(crate) prepared: AtomicU64,
    /// Time of the first group: one item.
    pub(crate) first_item: Total,
    pub(crate) first_prepare: Mark,
    pub(crate) last_work: Mark,
    pub(crate) then: Total,
    pub(crate) source: Total,
    /// The feeder had no token: the device or the caller is behind.
    pub(crate) feeder_waited: Total,
    /// The caller waited for a result.
    pub(crate) caller_waited: Total,
    /// The caller ended the run.
    pub(crate) stopping: Total,
    pub(crate) first_result: Mark,
    pub(crate) ended: Mark,
}

/// Counters of one device.
#[derive(Debug)]
pub(crate) struct DeviceMeter {
    pub(crate) info: DeviceInfo,
    pub(crate) depth: usize,
    /// What the stage measures itself.
    pub(crate) times: DeviceTimes,
    /// At least one batch was submitted and not yet collected.
    pub(crate) busy: Total,
    /// Nothing was in flight, after the first batch and before the source's end.
    pub(crate) starved: Total,
    pub(crate) first_submit: Mark,
    pub(crate) last_collect: Mark,
    pub(crate) batches: AtomicU64,
    pub(crate) items: AtomicU64,
    /// Times that the device was lost.
    pub(crate) losses: AtomicU64,
    /// A lost device was made again.
    pub(crate) rebuilding: Total,
    /// What batches cost. The device thread alone writes it, once a batch.
    fit: Mutex<DeviceFit>,
}

impl DeviceMeter {
    pub(crate) fn new(info: DeviceInfo, depth: usize, times: DeviceTimes) -> Self {
        Self {
            info,
            depth,
            times,
            busy: Total::default(),
            starved: Total::default(),
            first_submit: Mark::default(),
            last_collect: Mark::default(),
            batches: AtomicU64::new(0),
            items: AtomicU64::new(0),
            losses: AtomicU64::new(0),
            rebuilding: Total::default(),
            fit: Mutex::default(),
        }
    }

    /// A batch of so many documents took the device so long, from its submission or from the end of the batch before.
    pub(crate) fn learn(&self, documents: usize, took: Duration) {
        let mut fit = self.fit.lock().unwrap_or_else(PoisonError::into_inner);
        fit.add(documents as u64, took.as_secs_f64());
    }

    /// What batches cost so far.
    pub(crate) fn fit(&self) -> Fit {
        self.fit.lock().unwrap_or_else(PoisonError::into_inner).fit()
    }
}
