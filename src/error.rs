//! Errors, sorted by who acts next, and what a failed document leaves behind.

mod cause;
pub(crate) mod guard;
mod kept;
pub(crate) mod stalled;
#[cfg(test)]
mod tests;
mod text;

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

pub use self::cause::{Cause, CauseError};
use self::stalled::Stalled;
pub(crate) use self::text::OneLine;
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

impl<D> Failure<D> {
    /// What an error says of it, which has the source of the cause as its own.
    pub(crate) fn fmt_own(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "document {} failed in the {}: ", self.position, self.stage)?;
        self.cause.fmt_own(f)
    }
}

/// Why a run ended before its source did. It never stands for one document: see [`Failure`].
///
/// It says what happened, and what the cause says of itself; [`source`](StdError::source) is the source of the error
/// that the cause holds, as with [`std::io::Error`]. So whoever prints an error and its sources prints each once, and
/// `{:#}` prints all in one line. The cause itself is at [`cause`](Self::cause).
///
/// ```
/// use gapless::{Error, Pipeline};
/// let parse = |text: &mut String| text.parse::<u32>();
/// let gpu = |batch: &[u32]| batch.to_vec();
/// let documents = ["1", "two", "3"].map(String::from);
/// let batches: Result<Vec<_>, Error> = Pipeline::new(parse, gpu).run(documents).collect();
/// let error = batches.unwrap_err();
/// assert_eq!(error.to_string(), "stopped: document 1 failed in the CPU stage: invalid digit found in string");
/// assert!(error.cause().unwrap().downcast_ref::<std::num::ParseIntError>().is_some());
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// A setting cannot work; nothing was started. Change the setting.
    #[non_exhaustive]
    Setting {
        /// The method that made the setting.
        name: &'static str,
        /// Why it cannot work, and what would.
        reason: String,
    },
    /// Documents could not be read or written.
    #[non_exhaustive]
    Documents {
        /// Which, and why.
        cause: Cause,
    },
    /// A stage could not be opened; nothing was started.
    #[non_exhaustive]
    Open {
        /// What the stage said.
        cause: Cause,
    },
    /// A document failed and the failure policy ends the run. Its failure, with the document, is in the batch before
    /// this error; where a share of failures is looked at after the whole source, in one before that.
    #[non_exhaustive]
    Stopped {
        /// Place of the document that failed.
        position: Position,
        /// Where it failed.
        stage: Stage,
        /// Why.
        cause: Cause,
    },
    /// The source panicked. Everything before it came out.
    #[non_exhaustive]
    Source {
        /// Place of the document that the source did not give.
        position: Position,
        /// What the panic said.
        cause: Cause,
    },
    /// A batch failed as a whole on the device. Its documents can be taken back from the run.
    #[non_exhaustive]
    Batch {
        /// The batch.
        batch: BatchIndex,
        /// What the stage said.
        cause: Cause,
    },
    /// The device is gone, and could not be made again or was lost many times in a row. Batches already
    /// delivered are valid. See [`GpuStage::reopen`](crate::GpuStage::reopen).
    #[non_exhaustive]
    DeviceLost {
        /// The device's name.
        device: String,
        /// The first batch that did not come out.
        batch: BatchIndex,
        /// What was noticed.
        cause: Cause,
    },
    /// The caller waits for results inside a rayon pool, nested too deeply to go on.
    #[non_exhaustive]
    Nested {
        /// Waits that were nested.
        depth: usize,
    },
    /// The run ended in a way that only a bug in gapless explains. Please report it.
    #[non_exhaustive]
    Bug {
        /// What was noticed.
        cause: Cause,
    },
    /// The run was not over in the time that it had. What came out before is valid.
    #[non_exhaustive]
    Deadline {
        /// The time that it had.
        after: Duration,
    },
    /// A file about the run could not be written.
    #[non_exhaustive]
    Output {
        /// Which, and why.
        cause: Cause,
    },
    /// Nothing moved for as long as the watchdog's patience, and it was to end the run then: see
    /// [`Pipeline::watchdog`](crate::Pipeline::watchdog). What came out before is valid.
    #[non_exhaustive]
    Stalled {
        /// Who waits for whom.
        stalled: Box<Stalled>,
    },
    /// The operating system gave no thread.
    #[non_exhaustive]
    Thread {
        /// What it said.
        cause: Cause,
    },
}

impl Error {
    /// Why, where it was not gapless itself that ended the run.
    pub fn cause(&self) -> Option<&Cause> {
        match self {
            Self::Documents { cause }
            | Self::Open { cause }
            | Self::Stopped { cause, .. }
            | Self::Source { cause, .. }
            | Self::Batch { cause, .. }
            | Self::DeviceLost { cause, .. }
            | Self::Bug { cause }
            | Self::Output { cause }
            | Self::Thread { cause } => Some(cause),
            Self::Setting { .. } | Self::Nested { .. } | Self::Deadline { .. } | Self::Stalled { .. } => None,
        }
    }

    /// The same error where places are counted otherwise.
    pub(crate) fn at(mut self, place: impl FnOnce(Position) -> Position) -> Self {
        if let Self::Stopped { position, .. } | Self::Source { position, .. } = &mut self {
            *position = place(*position);
        }
        self
    }

    /// What happened; the cause is said behind it.
    fn fmt_what(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting { name, reason } => write!(f, "{name}: {}", OneLine(reason)),
            Self::Documents { .. } | Self::Output { .. } => Ok(()),
            Self::Open { .. } => f.write_str("the GPU stage could not be opened: "),
            Self::Stopped { position, stage, .. } => {
                write!(f, "stopped: document {position} failed in the {stage}: ")
            }
            Self::Source { position, .. } => write!(f, "the source ended the run at document {position}: "),
            Self::Batch { batch, .. } => write!(f, "batch {batch} failed: "),
            Self::DeviceLost { device, batch, .. } => {
                write!(f, "the device {} was lost at batch {batch}: ", OneLine(device))
            }
            Self::Nested { depth } => write!(
                f,
                "{depth} waits for results are nested in one thread of a rayon pool: give each run its own \
                 thread, or start fewer runs at once in the pool"
            ),
            Self::Bug { .. } => f.write_str("a bug in gapless, please report it: "),
            Self::Deadline { after } => {
                write!(f, "the run was not over after {after:?}, which is all it had")
            }
            Self::Stalled { stalled } => write!(f, "{stalled}"),
            Self::Thread { .. } => f.write_str("a thread could not be started: "),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_what(f)?;
        self.cause().map_or(Ok(()), |cause| cause.fmt_own(f))
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause()?.behind()
    }
}
