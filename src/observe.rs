//! What a run tells about itself: a prediction before it, counters while it goes on, a report afterwards.
//!
//! Nothing here decides anything; the engine writes, people and programs read.

pub(crate) mod accounts;
mod advice;
pub(crate) mod bar;
pub(crate) mod bound;
pub(crate) mod changes;
mod counters;
pub(crate) mod decision;
pub(crate) mod fit;
pub(crate) mod histogram;
mod memory;
pub(crate) mod meters;
pub mod predict;
pub(crate) mod progress;
pub(crate) mod record;
pub(crate) mod report;
#[cfg_attr(not(feature = "tracing"), path = "observe/no_spans.rs")]
pub(crate) mod spans;
pub(crate) mod stalls;
pub(crate) mod timeline;
