//! The engine behind an iterator, as a method of it.

use super::builder::{Parallel, parallel};
use crate::pipeline::{Pipeline, Run};
use crate::stage::{CpuStage, GpuStage};

/// What every iterator of documents can be asked for, where this trait is in scope: to be the source of a run.
///
/// ```
/// use gapless::{Cause, IteratorExt};
///
/// let cpu = |n: &mut u64| Ok::<_, Cause>(*n);
/// let gpu = |batch: &[u64]| Ok::<_, Cause>(batch.iter().map(|n| n * n).collect::<Vec<_>>());
/// let squares: Vec<(u64, u64)> = (1..=3).gapless(cpu, gpu).flat_map(|batch| batch.unwrap()).collect();
/// assert_eq!(squares, [(1, 1), (2, 4), (3, 9)]);
/// ```
pub trait IteratorExt: Iterator + Send + Sized + sealed::Sealed + 'static {
    /// Runs the items through both halves, with the default settings; with others it is
    /// `Pipeline::new(cpu, gpu).batch_size(32).run(items)`.
    fn gapless<C, G>(self, cpu: C, gpu: G) -> Run<Self::Item, G::Output>
    where
        Self::Item: Send + 'static,
        C: CpuStage<Self::Item> + 'static,
        G: GpuStage<C::Prepared> + 'static,
        G::Output: 'static,
    {
        Pipeline::new(cpu, gpu).run(self)
    }

    /// Works on the items on all cores and gives the results in order while the rest still runs: see
    /// [`parallel()`], whose settings it has.
    ///
    /// ```
    /// use gapless::{Cause, IteratorExt};
    /// let cubes = (1..=3).parallel_map(|n: &mut u64| Ok::<_, Cause>(n.pow(3))).workers(2).collect()?;
    /// assert_eq!(cubes, [1, 8, 27]);
    /// # Ok::<(), gapless::parallel::Failed<u64>>(())
    /// ```
    fn parallel_map<C>(self, stage: C) -> Parallel<Self::Item, C, Self>
    where
        Self::Item: Send + 'static,
        C: CpuStage<Self::Item>,
    {
        parallel(stage, self)
    }
}

impl<I: Iterator + Send + 'static> IteratorExt for I {}

mod sealed {
    pub trait Sealed {}
    impl<I: Iterator> Sealed for I {}
}
