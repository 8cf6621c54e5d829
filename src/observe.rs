//! What a run tells about itself: a prediction before it, counters while it goes on, a report afterwards.
//!
//! Nothing here decides anything; the engine writes, people and programs read.

pub(crate) mod accounts;
mod advice;
pub(crate) mod bound;
pub(crate) mod changes;
pub(crate) mod fit;
pub(crate) mod meters;
pub mod predict;
pub(crate) mod progress;
pub(crate) mod report;
