//! The settings of a run that is predicted.
//!
//! They mean what they mean in a [`Pipeline`](crate::Pipeline), have the same defaults, and are refused for
//! the same reasons: both ask [`schedule`](crate::schedule).

use crate::error::Error;
use crate::schedule::refused::{check_ahead, check_batch_size, check_depths, refuse, too_many_workers};
use crate::schedule::tokens::{self, AHEAD, BATCH_SIZE};

/// How the halves are brought together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Way {
    /// Document by document, as [`Pipeline::new`](crate::Pipeline::new) does.
    #[default]
    PerDocument,
    /// A batch is one call of the CPU half, as in [`Pipeline::per_batch`](crate::Pipeline::per_batch).
    PerBatch,
    /// All CPU work first, then all GPU work: [`Pipeline::run_sequential`](crate::Pipeline::run_sequential).
    Sequential,
}

/// The settings of a run that is predicted, with the defaults of a [`Pipeline`](crate::Pipeline).
///
/// ```
/// use gapless::predict::Settings;
/// let settings = Settings::new(1_000_000).batch_size(32).workers(8).ramp(true);
/// assert_eq!((settings.ahead, settings.depth, settings.tokens(false)), (2, 1, 128));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Settings {
    /// Documents in all.
    pub documents: u64,
    /// Documents a batch. Default 16; 0 is an error.
    pub batch_size: usize,
    /// Workers of a pipeline. Default one a core of this machine; 0 is an error here, since a run inline
    /// in the caller overlaps nothing.
    pub workers: usize,
    /// Batches prepared ahead. Default 2; 0 is an error.
    pub ahead: usize,
    /// Whether the first batches are 1, 2, 4, … documents. Default off.
    pub ramp: bool,
    /// Batches in flight on each device. Default 1; 0 is taken as 1.
    pub depth: usize,
    /// Devices that share the batches of a pipeline, all of the same speed. Default 1; 0 is an error.
    pub devices: usize,
    /// Pipelines beside each other, each on an equal share of the documents, and each with workers and
    /// devices of its own. Default 1; 0 is an error.
    pub pipelines: u64,
    /// How the halves are brought together. Default document by document.
    pub way: Way,
    /// Bytes of one item in flight. Default 0: not known, so no memory is predicted.
    pub item_bytes: u64,
    /// Tokens of a pipeline. Default 0: as many as follow from the other settings. Plain items have more:
    /// see [`Pipeline::ahead`](crate::Pipeline::ahead); `Run::tokens` and `Report::tokens` say how many.
    pub tokens: usize,
}

impl Settings {
    /// A run over so many documents.
    pub fn new(documents: u64) -> Self {
        Self {
            documents,
            batch_size: BATCH_SIZE,
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            ahead: AHEAD,
            ramp: false,
            depth: 1,
            devices: 1,
            pipelines: 1,
            way: Way::default(),
            item_bytes: 0,
            tokens: 0,
        }
    }

    /// Documents a batch. Default 16; 0 is an error.
    #[must_use]
    pub fn batch_size(self, batch_size: usize) -> Self {
        Self { batch_size, ..self }
    }

    /// Workers of a pipeline. Default one a core of this machine; 0 is an error here.
    #[must_use]
    pub fn workers(self, workers: usize) -> Self {
        Self { workers, ..self }
    }

    /// Batches prepared ahead. Default 2; 0 is an error.
    #[must_use]
    pub fn ahead(self, ahead: usize) -> Self {
        Self { ahead, ..self }
    }

    /// Whether the first batches are 1, 2, 4, … documents. Default off.
    #[must_use]
    pub fn ramp(self, ramp: bool) -> Self {
        Self { ramp, ..self }
    }

    /// Batches in flight on each device. Default 1; 0 is taken as 1.
    #[must_use]
    pub fn depth(self, depth: usize) -> Self {
        Self { depth: depth.max(1), ..self }
    }

    /// Devices that share the batches of a pipeline. Default 1; 0 is an error.
    #[must_use]
    pub fn devices(self, devices: usize) -> Self {
        Self { devices, ..self }
    }

    /// Pipelines, each on an equal share of the documents. Default 1; 0 is an error.
    #[must_use]
    pub fn pipelines(self, pipelines: u64) -> Self {
        Self { pipelines, ..self }
    }

    /// How the halves are brought together. Default document by document.
    #[must_use]
    pub fn way(self, way: Way) -> Self {
        Self { way, ..self }
    }

    /// Bytes of one item in flight. Default 0: not known.
    #[must_use]
    pub fn item_bytes(self, item_bytes: u64) -> Self {
        Self { item_bytes, ..self }
    }

    /// Tokens of a pipeline. Default 0: as many as follow from the other settings.
    #[must_use]
    pub fn with_tokens(self, tokens: usize) -> Self {
        Self { tokens, ..self }
    }

    /// Items that may be in flight in one pipeline, with or without `then`; batches, with
    /// [`Way::PerBatch`]. A sequential run holds all of its documents whatever this says.
    pub fn tokens(&self, then: bool) -> usize {
        if self.tokens > 0 {
            return self.tokens;
        }
        if self.way == Way::PerBatch {
            return tokens::for_whole_batches(self.workers, self.ahead, self.depths());
        }
        let batches = self.ahead.saturating_add(tokens::beside(self.depths(), then));
        tokens::for_batches(batches, self.batch_size, self.workers)
    }

    /// Batches in flight on all devices of a pipeline.
    fn depths(&self) -> usize {
        self.depth.max(1).saturating_mul(self.devices)
    }

    /// Every setting that cannot work, as the engine finds it before anything starts.
    pub(super) fn check(&self, then: bool) -> Result<(), Error> {
        check_batch_size(self.batch_size)?;
        check_ahead(self.ahead, self.batch_size)?;
        if self.workers == 0 || too_many_workers(self.workers) {
            return refuse("workers", "a run is predicted for 1 to 4096 workers");
        }
        if self.devices == 0 {
            return refuse("devices", "0 devices run nothing; give 1 or more");
        }
        if self.pipelines == 0 {
            return refuse("pipelines", "0 pipelines run nothing; give 1 or more");
        }
        check_depths(self.depths(), self.batch_size)?;
        if self.tokens(then) < self.batch_size && self.way == Way::PerDocument {
            return refuse("tokens", "fewer tokens than documents a batch would never fill one; give more");
        }
        self.check_way(then)
    }

    fn check_way(&self, then: bool) -> Result<(), Error> {
        match self.way {
            Way::PerBatch if self.ramp => {
                refuse("ramp", "per_batch cuts its batches before anything is prepared; leave ramp out")
            }
            Way::PerBatch if then => refuse("then", "per_batch has no then; leave it out"),
            Way::Sequential if then => refuse("then", "a sequential run with then is not predicted"),
            _ => Ok(()),
        }
    }
}
