//! The rules of the schedule: where cuts fall, how many items may be in flight, who goes next.
//!
//! Counts and durations only: no documents, no threads, no clock, no locks. The engine keeps these rules with
//! threads and a prediction keeps them without, and since both ask here they cannot drift apart.
//!
//! Uses: `error`. Used by: `observe::predict`, `engine`.

pub(crate) mod cutter;
pub(crate) mod refused;
pub(crate) mod tokens;
pub(crate) mod turns;
