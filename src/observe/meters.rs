//! What a run counts while it goes on. Written by the threads of the engine, read by the report.
//!
//! A counter is a relaxed atomic: it is read for people, and no decision of the engine depends on it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::fit::{DeviceFit, Fit};
use super::histogram::Histogram;
use super::stalls::{StallMeter, TokenWaits};
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

    pub(crate) fn clear(&self) {
        self.0.store(u64::MAX, Ordering::Relaxed);
    }

    /// What was set, once.
    pub(crate) fn take(&self) -> Option<Duration> {
        let nanos = self.0.swap(u64::MAX, Ordering::Relaxed);
        (nanos != u64::MAX).then(|| Duration::from_nanos(nanos))
    }

    pub(crate) fn get(&self) -> Option<Duration> {
        let nanos = self.0.load(Ordering::Relaxed);
        (nanos != u64::MAX).then(|| Duration::from_nanos(nanos))
    }
}

pub(crate) fn nanos(time: Duration) -> u64 {
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
    /// When the caller began to wait for the result that it has not got yet.
    pub(crate) caller_asked: Mark,
    /// The caller ended the run.
    pub(crate) stopping: Total,
    /// Items that devices took out of the line.
    pub(crate) taken: AtomicU64,
    pub(crate) first_result: Mark,
    pub(crate) ended: Mark,
    /// What the feeder waited for tokens, by who had them.
    pub(crate) token_waits: TokenWaits,
    /// The last result stood ready when the caller asked for it.
    pub(crate) caller_was_late: AtomicBool,
    /// Each item's time in the source, with a worker, and in `then`.
    pub(crate) source_times: Histogram,
    pub(crate) prepare_times: Histogram,
    pub(crate) then_times: Histogram,
    /// The caller's time between two results.
    pub(crate) caller_times: Histogram,
}

/// Counters of one device.
#[derive(Debug)]
pub(crate) struct DeviceMeter {
    pub(crate) info: DeviceInfo,
    pub(crate) depth: usize,
    /// Its place among the devices of the run.
    pub(crate) rank: usize,
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
    /// The device thread was inside `submit`.
    pub(crate) submitting: Total,
    /// The device thread was inside `try_collect`.
    pub(crate) collecting: Total,
    /// Each batch's time on the device.
    pub(crate) batch_times: Histogram,
    /// Why nothing was in flight.
    pub(crate) stalls: StallMeter,
    /// What batches cost. The device thread alone writes it, once a batch.
    fit: Mutex<DeviceFit>,
}

impl DeviceMeter {
    pub(crate) fn new(info: DeviceInfo, rank: usize, depth: usize, times: DeviceTimes) -> Self {
        Self {
            info,
            depth,
            rank,
            times,
            busy: Total::default(),
            starved: Total::default(),
            first_submit: Mark::default(),
            last_collect: Mark::default(),
            batches: AtomicU64::new(0),
            items: AtomicU64::new(0),
            losses: AtomicU64::new(0),
            rebuilding: Total::default(),
            submitting: Total::default(),
            collecting: Total::default(),
            batch_times: Histogram::default(),
            stalls: StallMeter::default(),
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
