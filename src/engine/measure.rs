//! From the counters of a run to its report, and how work is counted. It reads the ledger, and decides nothing.
//!
//! Uses: `ledger`, the crate's `observe`. Used by: `road` (counts), `outlet` (reports).

mod figures;
mod marks;
mod processor;
mod rerun;
mod sampled;

pub(crate) use self::figures::{report, timeline};
pub(crate) use self::marks::{arrived, came_later, prepared, worked_on};
pub(crate) use self::sampled::{Sampled, Work};
