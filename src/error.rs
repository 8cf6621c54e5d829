//! Errors, sorted by who acts next, and what a failed document leaves behind.

mod cause;
pub(crate) mod guard;
pub(crate) mod stalled;
#[cfg(test)]
mod tests;
mod text;

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

pub use self::cause::Cause;
use self::stalled::Stalled;
use crate::place::{BatchIndex, Position};

/// The part of a pipeline in which something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Stage {
    /// The source: the iterator given to `run`.
    Source,
    /// The CPU stage, on a worker.
    Cpu,
    /// The GPU stage, on a device thread.
    Gpu,
    /// The function given to `then`, on a worker.
    Then,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Cpu => "CPU stage",
            Self::Gpu => "GPU stage",
            Self::Then => "then",
        })
    }
}

/// One document that could not be processed. The others are unaffected.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Failure<D> {
    /// The document, as the stage left it.
    pub document: D,
    /// Its place in the source.
    pub position: Position,
    /// Where it failed.
    pub stage: Stage,
    /// Why.
    pub cause: Cause,
}

impl<D> fmt::Display for Failure<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "document {} failed in the {}: {}", self.position, self.stage, self.cause)
    }
}

/// Why a run ended before its source did. It never stands for one document: see [`Failure`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// A setting cannot work; nothing was started. Change the setting.
    Setting {
        /// The method that made the setting.
        name: &'static str,
        /// Why it cannot work, and what would.
        reason: String,
    },
    /// Documents could not be read or written.
    Documents {
        /// Which, and why.
        cause: Cause,
    },
    /// A stage could not be opened; nothing was started.
    Open {
        /// What the stage said.
        cause: Cause,
    },
    /// A document failed and the failure policy ends the run. Its failure is in the batch before this
    /// error; where a share of failures is looked at after the whole source, in one before that.
    Stopped {
        /// Place of the document that failed.
        position: Position,
    },
    /// The source panicked. Everything before it came out.
    Source {
        /// Place of the document that the source did not give.
        position: Position,
        /// What the panic said.
        cause: Cause,
    },
    /// A batch failed as a whole on the device. Its documents can be taken back from the run.
    Batch {
        /// The batch.
        batch: BatchIndex,
        /// What the stage said.
        cause: Cause,
    },
    /// The device is gone, and could not be made again or was lost many times in a row. Batches already
    /// delivered are valid. See [`GpuStage::reopen`](crate::GpuStage::reopen).
    DeviceLost {
        /// The device's name.
        device: String,
        /// The first batch that did not come out.
        batch: BatchIndex,
        /// What was noticed.
        cause: Cause,
    },
    /// The caller waits for results inside a rayon pool, nested too deeply to go on.
    Nested {
        /// Waits that were nested.
        depth: usize,
    },
    /// The run ended in a way that only a bug in gapless explains. Please report it.
    Bug {
        /// What was noticed.
        cause: Cause,
    },
    /// The run was not over in the time that it had. What came out before is valid.
    Deadline {
        /// The time that it had.
        after: Duration,
    },
    /// A file about the run could not be written.
    Output {
        /// Which, and why.
        cause: Cause,
    },
    /// Nothing moved for as long as the watchdog's patience, and it was to end the run then: see
    /// [`Pipeline::watchdog`](crate::Pipeline::watchdog). What came out before is valid.
    Stalled {
        /// Who waits for whom.
        stalled: Box<Stalled>,
    },
    /// The operating system gave no thread.
    Thread {
        /// What it said.
        cause: Cause,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting { name, reason } => write!(f, "{name}: {reason}"),
            Self::Documents { cause } | Self::Output { cause } => cause.fmt(f),
            Self::Open { cause } => write!(f, "the GPU stage could not be opened: {cause}"),
            Self::Stopped { position } => write!(f, "stopped: document {position} failed"),
            Self::Source { position, cause } => {
                write!(f, "the source ended the run at document {position}: {cause}")
            }
            Self::Batch { batch, cause } => write!(f, "batch {batch} failed: {cause}"),
            Self::DeviceLost { device, batch, cause } => {
                write!(f, "the device {device} was lost at batch {batch}: {cause}")
            }
            Self::Nested { depth } => write!(
                f,
                "{depth} waits for results are nested in one thread of a rayon pool: give each run its own \
                 thread, or start fewer runs at once in the pool"
            ),
            Self::Bug { cause } => write!(f, "a bug in gapless: {cause}; please report it"),
            Self::Deadline { after } => {
                write!(f, "the run was not over after {after:?}, which is all it had")
            }
            Self::Stalled { stalled } => stalled.fmt(f),
            Self::Thread { cause } => write!(f, "a thread could not be started: {cause}"),
        }
    }
}

impl StdError for Error {}
