//! The engine: source → feeder → workers → line → channel of batches → device thread → caller.
//!
//! Only the feeder waits for tokens, only a device thread waits for batches and its device, only the
//! caller waits for results; a worker never waits. No lock is held and nothing of ours is waited for
//! while user code runs, and user code runs under `catch_unwind`.
//!
//! It never knows what a document is, what a device is, or who asked.

mod alarm;
mod auto;
pub(crate) mod batch;
mod blame;
mod budget;
pub(crate) mod caller;
mod check;
mod device;
mod feed;
mod figures;
mod groups;
pub(crate) mod job;
pub(crate) mod late;
pub(crate) mod ledger;
pub(crate) mod limits;
mod line;
mod measure;
mod plain;
#[cfg(feature = "stream")]
mod poll;
mod ran;
mod redraw;
pub(crate) mod seam;
pub(crate) mod settings;
pub(crate) mod shared;
pub(crate) mod start;
mod stations;
#[cfg(test)]
mod tests;
mod then;
mod tokens;
mod waiting;
pub(crate) mod watchdog;
mod work;
mod yielding;
