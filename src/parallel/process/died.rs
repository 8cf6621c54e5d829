//! How a child ended, as a cause says it.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::error::OneLine;

/// A child process ended in the middle of a call. It stands in a [`Cause`](crate::Cause), from where
/// [`Cause::downcast_ref`](crate::Cause::downcast_ref) gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Died {
    /// How it ended.
    pub ending: Ending,
    /// The last lines that it wrote to stderr.
    pub stderr: Vec<String>,
}

impl Died {
    pub(super) fn new(ending: Ending, stderr: Vec<String>) -> Self {
        Self { ending, stderr }
    }
}

/// How a child process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// By this signal: 6 is an abort, 9 a kill (often for memory), 11 a segmentation fault.
    Signal(i32),
    /// It left with this exit code.
    Exit(i32),
    /// It took longer than this and was killed.
    TimedOut(Duration),
    /// The run was stopped, and it was killed.
    Stopped,
    /// It answered with what is no answer, and was killed.
    Garbled,
    /// It closed its connection, did not end, and was killed.
    Closed,
    /// It ended, and how is not known: another part of this program waits for all processes.
    Unknown,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal(signal) => write!(f, "the child process was ended by signal {signal}"),
            Self::Exit(code) => write!(f, "the child process left with exit code {code}"),
            Self::TimedOut(limit) => {
                write!(f, "the child process took longer than {limit:?} and was killed")
            }
            Self::Stopped => f.write_str("the run was stopped and the child process killed"),
            Self::Garbled => f.write_str("the child process gave what is no answer and was killed"),
            Self::Closed => f.write_str("the child process closed its connection and was killed"),
            Self::Unknown => f.write_str("the child process ended, and how is not known"),
        }
    }
}

impl fmt::Display for Died {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.ending)?;
        if !self.stderr.is_empty() {
            write!(f, "; it said: {}", OneLine(self.stderr.join(" / ")))?;
        }
        Ok(())
    }
}

impl StdError for Died {}
