//! The outlet: where results are taken, in order, by a caller that waits or polls, and where a run ends.
//!
//! There is one way to take results. What differs is who waits: the caller in its thread (`hands`, which also does
//! the work itself where there are no threads for it), or a task that is woken (`poll`).
//!
//! Uses: `road`, `watch`, `measure`. Used by: `start`, the faces.

pub(crate) mod caller;
mod ending;
pub(crate) mod hands;
#[cfg(feature = "stream")]
pub(crate) mod poll;
pub(crate) mod remote;
pub(crate) mod turn;
pub(crate) mod yielding;

pub(crate) use self::ending::FEEDER;
