//! Settings that are a number, or are left to gapless.

use crate::engine::seam::cores;

/// Let gapless choose.
///
/// What it chose, and why, stands in [`Report::decisions`](crate::Report::decisions). A choice that rests on
/// measured time moves the cuts between batches: with a batch size or a ramp that is left to gapless, the
/// same documents may be cut differently in another run, as with
/// [`max_wait`](crate::Pipeline::max_wait). Results do not depend on it where the GPU half works on every
/// item for itself.
///
/// ```
/// use gapless::{Auto, Cause, Pipeline};
/// let cpu = |n: &mut u64| Ok::<_, Cause>(*n);
/// let gpu = |batch: &[u64]| Ok::<_, Cause>(batch.to_vec());
/// let pipeline = Pipeline::new(cpu, gpu).workers(Auto).batch_size(Auto.up_to(64)).ahead(Auto).ramp(Auto);
/// let mut run = pipeline.run(0..1000);
/// let numbers: Vec<u64> = run.by_ref().flat_map(|batch| batch.unwrap().into_parts().0).collect();
/// assert_eq!(numbers, Vec::from_iter(0..1000));
/// println!("{}", run.report()); // chosen  batch_size 64: …
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Auto;

impl Auto {
    /// Let gapless choose a batch size from 1 to this one. Everything is allocated for the largest when the
    /// run starts. 0 is an error.
    ///
    /// ```
    /// use gapless::{Auto, BatchSize};
    /// assert_eq!(BatchSize::from(Auto.up_to(64)), BatchSize::UpTo(64));
    /// ```
    pub fn up_to(self, documents: usize) -> UpTo {
        UpTo(documents)
    }
}

/// A batch size that gapless chooses, with the largest that it may choose: see [`Auto::up_to`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpTo(pub(crate) usize);

/// How many workers prepare documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WorkerCount {
    /// One a core that this process may use.
    #[default]
    Auto,
    /// So many threads; 0 runs everything inline in the caller, serially and deterministically.
    Exactly(usize),
}

impl From<Auto> for WorkerCount {
    fn from(Auto: Auto) -> Self {
        Self::Auto
    }
}

impl From<usize> for WorkerCount {
    fn from(workers: usize) -> Self {
        Self::Exactly(workers)
    }
}

impl WorkerCount {
    pub(super) fn resolve(self) -> usize {
        match self {
            Self::Auto => cores(),
            Self::Exactly(workers) => workers,
        }
    }
}

/// How many documents are in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BatchSize {
    /// So many.
    Exactly(usize),
    /// As many as the measured costs ask for, and at most this many.
    UpTo(usize),
}

impl From<usize> for BatchSize {
    fn from(documents: usize) -> Self {
        Self::Exactly(documents)
    }
}

impl From<UpTo> for BatchSize {
    fn from(UpTo(documents): UpTo) -> Self {
        Self::UpTo(documents)
    }
}

/// How many batches may be prepared ahead of the devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ahead {
    /// As many as the measured costs ask for, from 1 to 8.
    Auto,
    /// So many.
    Exactly(usize),
}

impl From<Auto> for Ahead {
    fn from(Auto: Auto) -> Self {
        Self::Auto
    }
}

impl From<usize> for Ahead {
    fn from(batches: usize) -> Self {
        Self::Exactly(batches)
    }
}

/// Whether the first batches are small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ramp {
    /// The measured costs decide.
    Auto,
    /// No.
    Off,
    /// 1, 2, 4, … documents, up to the batch size.
    On,
}

impl From<Auto> for Ramp {
    fn from(Auto: Auto) -> Self {
        Self::Auto
    }
}

impl From<bool> for Ramp {
    fn from(ramp: bool) -> Self {
        if ramp { Self::On } else { Self::Off }
    }
}

/// The memory that prepared items may take: see [`Pipeline::memory`](crate::Pipeline::memory).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    pub(crate) bytes: usize,
    pub(crate) item: Option<usize>,
}

impl Memory {
    /// So many bytes in all.
    pub fn of(bytes: usize) -> Self {
        Self { bytes, item: None }
    }

    /// Most bytes that one prepared item takes, where the CPU stage does not say it itself
    /// ([`CpuStage::prepared_bytes`](crate::CpuStage::prepared_bytes)). 0 counts as 1.
    pub fn item(mut self, bytes: usize) -> Self {
        self.item = Some(bytes);
        self
    }
}

impl From<usize> for Memory {
    fn from(bytes: usize) -> Self {
        Self::of(bytes)
    }
}

/// What is left to gapless.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked {
    /// The batch size; the setting is then the largest.
    pub(crate) batch_size: bool,
    pub(crate) ahead: bool,
    pub(crate) ramp: bool,
    /// Whether the ramp was set, to whatever: else it is left to gapless with the batch size.
    pub(crate) ramp_is_set: bool,
}

impl Asked {
    /// Whether measured costs decide where batches are cut.
    pub(crate) fn cuts(self) -> bool {
        self.batch_size || self.ramp
    }

    /// Whether measured costs decide anything.
    pub(crate) fn anything(self) -> bool {
        self.cuts() || self.ahead
    }

    /// Whether gapless decides if the run ramps up.
    pub(crate) fn ramp(self) -> bool {
        self.ramp || (self.batch_size && !self.ramp_is_set)
    }
}
