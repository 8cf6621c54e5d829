//! How far a run has come, for whoever shows it.

use std::time::Duration;

/// How far a run has come. Given to the function set by `progress`, on the caller's thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Documents that came out with a result.
    pub delivered: u64,
    /// Documents that came out as failures.
    pub failed: u64,
    /// Documents that are in flight: pulled, and not out yet.
    pub in_flight: u64,
    /// Documents that there are in all, where that is known: see `Parallel::total`.
    pub total: Option<u64>,
    /// Time since the run started.
    pub elapsed: Duration,
}
