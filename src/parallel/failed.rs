//! What stands in the place of a result.

use std::error::Error as StdError;
use std::fmt;

use crate::error::{Error, Failure};

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
            Self::Item(failure) => failure.fmt(f),
            Self::Run(error) => error.fmt(f),
        }
    }
}

impl<D: fmt::Debug> StdError for Failed<D> {}
