//! A function over many items, on all cores, without a GPU.
//!
//! [`parallel()`] runs a [`CpuStage`](crate::CpuStage) (a closure, a loader, one with state a worker) over
//! items and gives the results in order while the rest still runs. It is the engine of a pipeline
//! without the device: the source is pulled lazily, tokens bound what is in flight, a failure names its
//! item and gives it back, and a run can be stopped or dropped at any time.
//!
//! [`Vectorizer`] is the same for one list of items after another.
//!
//! Uses: `pipeline` for the run without a device. It never schedules anything itself.

mod builder;
mod failed;
#[cfg(unix)]
pub mod process;
mod run;
#[cfg(feature = "stream")]
mod stream;
mod vectorizer;

pub use self::builder::{Chunk, Parallel, parallel};
pub use self::failed::Failed;
pub use self::run::{Outcome, ParallelRun, Results};
#[cfg(feature = "stream")]
pub use self::stream::ParallelStream;
pub use self::vectorizer::Vectorizer;
pub use crate::engine::late::Late;
