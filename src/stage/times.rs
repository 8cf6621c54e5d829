//! What a stage measures by the clock of its device, for the report.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a stage measures by the clock of its device while it runs: time for whole batches, and for each
/// kernel where that is known. A clone is the same record; the report reads it at any time.
///
/// ```
/// use std::time::Duration;
/// use gapless::DeviceTimes;
/// let times = DeviceTimes::new(["blur".into(), "edges".into()]);
/// times.batch(Duration::from_millis(5));
/// times.kernels(&[Duration::from_millis(1), Duration::from_millis(3)]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct DeviceTimes(Arc<Mutex<Record>>);

/// What was measured so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    pub(crate) batches: u64,
    pub(crate) worked: Duration,
    /// Batches in which the kernels were timed, each on its own.
    pub(crate) timed: u64,
    pub(crate) kernels: Vec<(String, Duration)>,
}

impl DeviceTimes {
    /// A record for kernels with these names, in the order in which they run.
    pub fn new(kernels: impl IntoIterator<Item = String>) -> Self {
        let kernels = kernels.into_iter().map(|name| (name, Duration::ZERO)).collect();
        Self(Arc::new(Mutex::new(Record { kernels, ..Record::default() })))
    }

    /// Adds the time of one batch.
    pub fn batch(&self, time: Duration) {
        let mut record = self.lock();
        record.batches += 1;
        record.worked += time;
    }

    /// Adds the times of all kernels for one batch. Not every batch needs to be timed so.
    ///
    /// Times past the last kernel, and kernels without a time, are left out.
    pub fn kernels(&self, times: &[Duration]) {
        let mut record = self.lock();
        record.timed += 1;
        record.kernels.iter_mut().zip(times).for_each(|((_, sum), time)| *sum += *time);
    }

    pub(crate) fn record(&self) -> Record {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
