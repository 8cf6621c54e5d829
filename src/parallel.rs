//! Work on many items without a GPU: the engine with its CPU half alone.
//!
//! [`parallel()`] runs a [`CpuStage`](crate::CpuStage) (a closure, a loader, one with state a worker) over
//! items and gives the results in order while the rest still runs; [`Vectorizer`] is the same for one
//! list of items after another. [`map`] gives documents beside their results, [`apply`] changes documents
//! in place. All are lazy, bounded and ordered as a [`Pipeline`](crate::Pipeline) is, since they are one
//! without a device: a failure names its item and gives it back, and a run can be stopped or dropped at
//! any time.
//!
//! They are faces of one run: [`Map`] and [`Parallel`] are one type, as are their runs ([`MapRun`],
//! [`Results`], [`ParallelRun`]), which differ in the [`Shape`] of what they give. The settings of all have
//! the same names and meanings.

// Nothing here starts a thread or holds a queue of its own.
//
// Uses: `pipeline`. Used by: `doc`.

mod apply;
mod builder;
mod ended;
mod failed;
mod items;
mod iterator;
mod map;
#[cfg(unix)]
pub mod process;
mod put_back;
mod read;
mod ready;
mod run;
mod settings;
mod shape;
#[cfg(feature = "stream")]
mod stream;
#[cfg(test)]
mod tests;
mod vectorizer;

pub use self::apply::{Applied, Apply, ApplyError, apply, apply_batch};
pub use self::builder::{Chunk, Parallel, parallel};
pub use self::ended::Ended;
pub use self::failed::{Failed, MapError, Outcome};
pub use self::iterator::IteratorExt;
pub use self::map::{Map, MapRun, map, map_batch};
#[cfg(feature = "doc")]
pub(crate) use self::put_back::{PutBack, spill_one};
pub use self::read::ReadRun;
pub use self::run::{ParallelRun, Results};
pub use self::shape::{Alone, Outcomes, Pairs, Shape};
#[cfg(feature = "stream")]
pub use self::stream::ParallelStream;
pub use self::vectorizer::Vectorizer;
pub use crate::engine::watch::Late;
