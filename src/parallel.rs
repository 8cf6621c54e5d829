//! Work on many documents without a GPU: the engine with its CPU half alone.
//!
//! [`map`] gives results while the rest still runs, [`apply`] changes documents in place. Both are
//! lazy, bounded and ordered as a [`Pipeline`](crate::Pipeline) is, since they are one without a device.
//! Nothing here starts a thread or holds a queue of its own.
//!
//! Uses: `pipeline`. Used by: `doc`.

mod apply;
mod chunks;
mod map;
mod read;
mod task;

#[cfg(feature = "doc")]
pub(crate) use apply::Rest;
pub use apply::{Applied, Apply, ApplyError, apply, apply_batch};
pub use map::{Map, MapError, MapRun, map, map_batch};
pub use read::ReadRun;
