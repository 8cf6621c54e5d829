//! The engine: source → feeder → queue → workers → line → device thread → caller.
//!
//! Only the feeder waits for tokens, only a device thread waits for batches and its device, only the
//! caller waits for results; a worker never waits. No lock is held and nothing of ours is waited for
//! while user code runs, and user code runs under `catch_unwind`.
//!
//! It never knows what a document is, what a device is, or who asked.
//!
//! Its rooms, bottom first; an import never goes up: `guard` and `seam` (user code, and everything that waits),
//! `settings`, `ledger` (what is known of a run without its types), `watch`, `measure` and `auto` (which read it),
//! `road` (what documents go through), `outlet` (where results are taken), `start`.

mod auto;
pub(crate) mod guard;
pub(crate) mod ledger;
mod measure;
pub(crate) mod outlet;
pub(crate) mod road;
pub(crate) mod seam;
pub(crate) mod settings;
pub(crate) mod start;
#[cfg(test)]
mod tests;
pub(crate) mod watch;
