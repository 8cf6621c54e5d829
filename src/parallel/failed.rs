//! What comes out of each item, or stands in its place.

use std::error::Error as StdError;
use std::fmt;

use crate::error::{Error, Failure};
use crate::place::Position;

/// What stands in the place of a result: one item that failed, or the end of the run. [`MapError`] says the
/// same of a [`map`](super::map).
///
/// [`MapError`]: super::MapError
#[derive(Clone, Debug)]
pub enum Failed<D> {
    /// One item failed; it is given back with its position and the cause. Whether the others go on is
    /// decided by `on_failure`.
    Item(Failure<D>),
    /// The run ended before its source did. Nothing follows.
    Run(Error),
}

impl<D> Failed<D> {
    /// The item that failed, where it was one.
    ///
    /// ```
    /// use gapless::{Cause, parallel};
    /// let parse = |text: &mut &str| Ok::<_, Cause>(text.parse::<u32>()?);
    /// let failed = parallel(parse, ["1", "two", "3"]).collect().unwrap_err();
    /// let failure = failed.item().unwrap();
    /// assert_eq!((failure.position.get(), failure.document), (1, "two"));
    /// ```
    pub fn item(&self) -> Option<&Failure<D>> {
        match self {
            Self::Item(failure) => Some(failure),
            Self::Run(_) => None,
        }
    }
}

impl<D> fmt::Display for Failed<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Item(failure) => failure.fmt_own(f),
            Self::Run(error) => error.fmt(f),
        }
    }
}

impl<D: fmt::Debug> StdError for Failed<D> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Item(failure) => failure.cause.behind(),
            Self::Run(error) => error.source(),
        }
    }
}

/// What stands in the place of a result of [`map`](super::map()): what [`Failed`] is, as an error whatever the documents are.
#[non_exhaustive]
pub enum MapError<D> {
    /// One document failed; the others go on.
    Document(Failure<D>),
    /// The run has ended before its source did.
    Run(Error),
}

impl<D> From<Failed<D>> for MapError<D> {
    fn from(failed: Failed<D>) -> Self {
        match failed {
            Failed::Item(failure) => Self::Document(failure),
            Failed::Run(error) => Self::Run(error),
        }
    }
}

impl<D> fmt::Display for MapError<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(failure) => failure.fmt_own(f),
            Self::Run(error) => error.fmt(f),
        }
    }
}

// A result can be unwrapped, and an error be any `Error`, whatever the documents are.
impl<D> fmt::Debug for MapError<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MapError({self:#})")
    }
}

impl<D> StdError for MapError<D> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Document(failure) => failure.cause.behind(),
            Self::Run(error) => error.source(),
        }
    }
}

/// An item that came through, and what the stage made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome<D, R> {
    /// Its place in the source.
    pub position: Position,
    /// The item, with whatever the stage changed in it.
    pub document: D,
    /// What the stage returned.
    pub result: R,
}
