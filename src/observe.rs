//! What a run tells about itself: counters while it goes on, a report afterwards.
//!
//! Nothing here decides anything; the engine writes, people and programs read.

pub(crate) mod accounts;
mod advice;
pub(crate) mod bound;
pub(crate) mod histogram;
mod memory;
pub(crate) mod meters;
pub(crate) mod progress;
pub(crate) mod record;
pub(crate) mod report;
pub(crate) mod stalls;
pub(crate) mod timeline;
