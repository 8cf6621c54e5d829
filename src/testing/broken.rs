//! The laws by name, and what is said where one is broken.

use std::fmt;

use crate::error::OneLine;

/// What gapless relies on in a GPU stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Law {
    /// Three items or more are given, and neighbours give rows that differ. A law for the check itself.
    Items,
    /// The stage opens for batches of one and of as many as there are items.
    Open,
    /// At least one batch may be in flight, and how many does not change once the stage is open.
    Depth,
    /// Items that it takes are accepted, and those that it does not are refused.
    Accepts,
    /// A batch is submitted, and its result comes.
    Result,
    /// An output has a row an item.
    Rows,
    /// Rows stand in the order of their items.
    Order,
    /// The row of an item is the same in a batch of any size, and however often it is asked for.
    Sizes,
    /// With as many batches in flight as may be, each ticket gives the result of its own batch.
    InFlight,
    /// The stage and its tickets may change threads between two calls.
    Threads,
    /// The stage, its tickets and its outputs may be dropped after any call and in any order, and an output
    /// outlives its stage.
    Drops,
    /// A batch that fails is an error that is no loss, and leaves the others and the stage as they were.
    Failures,
    /// A device that is gone is told as [`StageError::Lost`](crate::StageError::Lost); afterwards the stage can be made
    /// again and is as it was.
    Loss,
    /// No call panics.
    Panics,
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Items => "items",
            Self::Open => "open",
            Self::Depth => "depth",
            Self::Accepts => "accepts",
            Self::Result => "result",
            Self::Rows => "rows",
            Self::Order => "order",
            Self::Sizes => "sizes",
            Self::InFlight => "in flight",
            Self::Threads => "threads",
            Self::Drops => "drops",
            Self::Failures => "failures",
            Self::Loss => "loss",
            Self::Panics => "panics",
        })
    }
}

/// A law that a stage breaks, and how.
#[derive(Clone, PartialEq, Eq)]
pub struct BrokenLaw {
    law: Law,
    said: String,
}

impl BrokenLaw {
    /// What broke a law while another was looked at breaks that one, since the stage was right before.
    pub(super) fn of(law: Law, other: &Self) -> Self {
        Self { law, said: format!("{}: {}", other.law, other.said) }
    }

    /// Which law it is.
    pub fn law(&self) -> Law {
        self.law
    }
}

impl fmt::Display for BrokenLaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.law, OneLine(&self.said))
    }
}

// What a test prints that unwraps it.
impl fmt::Debug for BrokenLaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for BrokenLaw {}

/// How a check ends.
pub(super) type Checked<T = ()> = Result<T, BrokenLaw>;

/// The law is broken, so.
pub(super) fn broken<T>(law: Law, said: impl Into<String>) -> Checked<T> {
    Err(BrokenLaw { law, said: said.into() })
}

/// Breaks the law unless this is so.
pub(super) fn ensure(law: Law, holds: bool, said: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { broken(law, said()) }
}
