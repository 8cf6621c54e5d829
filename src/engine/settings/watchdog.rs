//! What is asked of a watchdog.

use std::time::Duration;

/// What a watchdog does where nothing moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Watchdog {
    /// It says so, once a stall: to the function given to `on_stall`, else on stderr.
    #[default]
    Tell,
    /// It says so, and ends the run with [`Error::Stalled`](crate::Error::Stalled). A run that stands still
    /// since its caller does not ask for results is told about only: the caller is who would be told.
    End,
}

/// How long nothing may move, and what then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) patience: Duration,
    pub(crate) then: Watchdog,
}
