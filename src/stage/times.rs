//! What a stage measures of its device, for the report.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a stage measures while it runs: time by the clock of its device for whole batches, and for each
/// kernel where that is known; bytes that are moved and held. A clone is the same record; the report reads it at any time.
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
    /// Whether spans are kept for whoever records the run.
    keep: bool,
    /// Bytes of items that went up and of rows that came down; `None` where nothing was moved.
    pub(crate) moved: Option<(u64, u64)>,
    /// Bytes that the stage holds on the device.
    pub(crate) memory: Option<u64>,
    /// What is to be known of the device.
    pub(crate) notes: Vec<String>,
    /// Those of the batch that was measured last.
    spans: Option<Spans>,
}

/// When the device worked on a batch, by its own clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spans {
    pub(crate) batch: Range<Duration>,
    /// One a kernel, where they were timed.
    pub(crate) kernels: Vec<Range<Duration>>,
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

    /// Adds a batch, and its kernels where they were timed, by when they began and ended: on a clock of the
    /// device's own, whose zero means nothing, but which does not jump. To be called in the
    /// [`try_collect`](crate::GpuStage::try_collect) that gives the batch's result; a run that is recorded
    /// then shows them.
    ///
    /// ```
    /// use std::time::Duration;
    /// use gapless::DeviceTimes;
    /// let at = |millis| Duration::from_millis(millis);
    /// let times = DeviceTimes::new(["blur".into(), "edges".into()]);
    /// times.spans(at(10)..at(15), &[at(10)..at(11), at(12)..at(15)]);
    /// ```
    pub fn spans(&self, batch: Range<Duration>, kernels: &[Range<Duration>]) {
        let length = |span: &Range<Duration>| span.end.saturating_sub(span.start);
        self.batch(length(&batch));
        if !kernels.is_empty() {
            self.kernels(&kernels.iter().map(length).collect::<Vec<_>>());
        }
        let mut record = self.lock();
        if record.keep {
            record.spans = Some(Spans { batch, kernels: kernels.to_vec() });
        }
    }

    /// Adds the bytes that went up to the device and came down from it for one batch.
    ///
    /// ```
    /// let times = gapless::DeviceTimes::default();
    /// times.moved(16 * 224 * 224 * 3, 16 * 4_000);
    /// ```
    pub fn moved(&self, up: u64, down: u64) {
        let mut record = self.lock();
        let (before_up, before_down) = record.moved.unwrap_or_default();
        record.moved = Some((before_up + up, before_down + down));
    }

    /// Says how many bytes the stage holds on its device, all batches that may be in flight included.
    pub fn memory(&self, bytes: u64) {
        self.lock().memory = Some(bytes);
    }

    /// Says what whoever reads the report has to know of the device, such as what of it is not used, and why.
    ///
    /// ```
    /// let times = gapless::DeviceTimes::default();
    /// times.notes(["the second engine is left out: it gives 1 and not 2".to_owned()]);
    /// ```
    pub fn notes(&self, notes: impl IntoIterator<Item = String>) {
        self.lock().notes = notes.into_iter().collect();
    }

    /// From now on the spans of each batch are kept until they are taken.
    pub(crate) fn keep_spans(&self) {
        self.lock().keep = true;
    }

    pub(crate) fn take_spans(&self) -> Option<Spans> {
        self.lock().spans.take()
    }

    pub(crate) fn record(&self) -> Record {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
