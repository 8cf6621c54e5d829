//! What a run counts while it goes on. Written by the threads of the engine, read by the report.
//!
//! A counter is a relaxed atomic: it is read for people, and no decision of the engine depends on it.

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

pub(crate) use super::counters::{Mark, Total, Worked};
use super::fit::{DeviceFit, Fit};
use super::histogram::Histogram;
use super::stalls::{StallMeter, TokenWaits};
use crate::stage::{DeviceInfo, DeviceTimes};

/// Begins a line of the caches, and the one beside it: processors fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct NewLine;

/// Counters of everything but the devices.
///
/// They stand by who writes them, each group on lines of its own: a thread that counts must not take the line
/// away under one that counts something else. So a new counter belongs to the group of its writer.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Meters {
    _workers: NewLine,
    pub(crate) prepare: Total,
    pub(crate) prepared: AtomicU64,
    /// Time of the first group: one item.
    pub(crate) first_item: Total,
    pub(crate) first_prepare: Mark,
    pub(crate) last_work: Mark,
    pub(crate) then: Total,
    /// Preparation and `then` that was looked at.
    pub(crate) worked: Worked,
    /// Each item's time with a worker, and in `then`.
    pub(crate) prepare_times: Histogram,
    pub(crate) then_times: Histogram,

    _feeder: NewLine,
    pub(crate) source: Total,
    /// Each item's time in the source.
    pub(crate) source_times: Histogram,
    /// The feeder had no token: the device or the caller is behind.
    pub(crate) feeder_waited: Total,
    /// What the feeder waited for tokens, by who had them.
    pub(crate) token_waits: TokenWaits,

    _devices: NewLine,
    /// Items that devices took out of the line.
    pub(crate) taken: AtomicU64,

    _caller: NewLine,
    /// The caller waited for a result.
    pub(crate) caller_waited: Total,
    /// When the caller asked for the result that it has not got yet, and since when it waits, where it does.
    pub(crate) caller_asked: Mark,
    pub(crate) caller_waits: Mark,
    /// The last result stood ready when the caller asked for it.
    pub(crate) caller_was_late: AtomicBool,
    /// The caller's time between two results.
    pub(crate) caller_times: Histogram,
    /// The caller ended the run.
    pub(crate) stopping: Total,
    pub(crate) first_result: Mark,
    pub(crate) ended: Mark,
    /// Of a live source: from when an item was pulled until it was handed over, and the same without the time in
    /// which its batch waited for others.
    pub(crate) latency: Histogram,
    pub(crate) latency_without_wait: Histogram,
}

/// Counters of one device, which its thread alone writes.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct DeviceMeter {
    pub(crate) info: DeviceInfo,
    pub(crate) depth: usize,
    /// Most batches that it could be told to have in flight.
    pub(crate) most_depth: usize,
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
    /// Calls of the stage that were looked at.
    pub(crate) worked: Worked,
    /// Why nothing was in flight.
    pub(crate) stalls: StallMeter,
    /// What batches cost. The device thread alone writes it, once a batch.
    fit: Mutex<DeviceFit>,
}

impl DeviceMeter {
    /// `depths` are the batches in flight, as it is and at most.
    pub(crate) fn new(info: DeviceInfo, rank: usize, depths: (usize, usize), times: DeviceTimes) -> Self {
        let depth = depths.0.max(1);
        Self {
            info,
            depth,
            most_depth: depths.1.max(depth),
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
            worked: Worked::default(),
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::mem::{align_of, offset_of, size_of};

    use super::*;

    /// The lines that counters at these places lie on, by the place of the first and the last byte of each.
    fn lines(counters: &[(usize, usize)]) -> BTreeSet<usize> {
        counters.iter().flat_map(|(start, size)| start / 128..=(start + size - 1) / 128).collect()
    }

    macro_rules! lines {
        ($($counter:ident: $of:ty),*) => {
            lines(&[$((offset_of!(Meters, $counter), size_of::<$of>())),*])
        };
    }

    #[test]
    fn no_two_kinds_of_threads_count_on_one_line() {
        let groups = [
            lines!(prepare: Total, prepared: AtomicU64, last_work: Mark, then: Total, worked: Worked, then_times: Histogram),
            lines!(source: Total, source_times: Histogram, feeder_waited: Total, token_waits: TokenWaits),
            lines!(taken: AtomicU64),
            lines!(caller_waited: Total, caller_asked: Mark, caller_was_late: AtomicBool, ended: Mark),
        ];
        let all: BTreeSet<usize> = groups.iter().flatten().copied().collect();
        assert_eq!(all.len(), groups.iter().map(BTreeSet::len).sum::<usize>(), "{groups:?}");
        assert_eq!(
            [align_of::<Meters>(), size_of::<Meters>() % 128, align_of::<DeviceMeter>()],
            [128, 0, 128]
        );
    }
}
