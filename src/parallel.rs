//! Work on many items without a GPU: the engine with its CPU half alone.
//!
//! [`parallel()`] runs a [`CpuStage`](crate::CpuStage) (a closure, a loader, one with state a worker) over
//! items and gives the results in order while the rest still runs; [`Vectorizer`] is the same for one
//! list of items after another. [`map`] gives documents beside their results, [`apply`] changes documents
//! in place. All are lazy, bounded and ordered as a [`Pipeline`](crate::Pipeline) is, since they are one
//! without a device: a failure names its item and gives it back, and a run can be stopped or dropped at
//! any time. Nothing here starts a thread or holds a queue of its own.
//!
//! Uses: `pipeline`. Used by: `doc`.

mod apply;
mod builder;
mod chunks;
mod failed;
mod map;
#[cfg(unix)]
pub mod process;
mod read;
mod run;
#[cfg(feature = "stream")]
mod stream;
mod task;
mod vectorizer;

#[cfg(feature = "doc")]
pub(crate) use self::apply::Rest;
pub use self::apply::{Applied, Apply, ApplyError, apply, apply_batch};
pub use self::builder::{Chunk, Parallel, parallel};
pub use self::failed::Failed;
pub use self::map::{Map, MapError, MapRun, map, map_batch};
pub use self::read::ReadRun;
pub use self::run::{Outcome, ParallelRun, Results};
#[cfg(feature = "stream")]
pub use self::stream::ParallelStream;
pub use self::vectorizer::Vectorizer;
pub use crate::engine::watch::Late;
