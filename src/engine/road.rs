//! The road: what documents go through. Source → feeder → queue → workers → line → device → `then` → caller.
//!
//! The only generic room but for the `outlet` behind it: everything that need not know a document stands in the
//! `ledger` and in the rooms that read it. Data first (`job`, `batch`, `queue`, `line`, `then`), then the steps
//! that move it (`feed`, `work`, `device`); this file holds what they share.
//!
//! Uses: `ledger`, `watch`, `measure`, `auto`. Used by: `outlet`, `start`.

pub(crate) mod batch;
mod blame;
mod check;
pub(crate) mod device;
pub(crate) mod device_state;
pub(crate) mod feed;
pub(crate) mod futures;
pub(crate) mod idle_devices;
pub(crate) mod job;
pub(crate) mod later;
pub(crate) mod line;
pub(crate) mod plain;
mod prepare;
pub(crate) mod queue;
pub(crate) mod shared;
pub(crate) mod source;
pub(crate) mod then;
mod then_work;
pub(crate) mod work;
