//! Runs whose stages and documents borrow, within a scope that waits for them.

use std::fmt;

use super::{Mode, Pipeline, ScopedRun};
use crate::engine::road::job::After;
use crate::engine::start::Scoped;
use crate::stage::{CpuStage, GpuStage};

/// Where runs may borrow what lives longer than the scope: see [`scope`].
#[derive(Clone, Copy)]
pub struct Scope<'scope, 'env>(&'scope std::thread::Scope<'scope, 'env>);

/// A scope in which stages and documents may borrow from around it, as threads may in [`std::thread::scope`]. Every run
/// of it has ended when it returns.
///
/// The price is that no call can be left behind: a stage that never returns keeps the scope. And workers are threads
/// of the run; those of a [`pool`](Pipeline::pool) each have one of them wait.
///
/// ```
/// use gapless::{Cause, Pipeline};
///
/// let words = ["borrowed", "for", "a", "while"].map(String::from);
/// let longest = std::sync::atomic::AtomicUsize::new(0);
/// let cpu = |word: &mut &String| {
///     longest.fetch_max(word.len(), std::sync::atomic::Ordering::Relaxed);
///     Ok::<_, Cause>(word.len())
/// };
/// let gpu = |batch: &[usize]| Ok::<_, Cause>(batch.to_vec());
///
/// let letters: usize = gapless::scope(|scope| {
///     let run = scope.run(Pipeline::new(cpu, gpu).batch_size(2), &words);
///     run.map(|batch| batch.unwrap().output().unwrap().iter().sum::<usize>()).sum()
/// });
/// assert_eq!((letters, longest.into_inner()), (17, 8));
/// ```
pub fn scope<'env, T>(within: impl for<'scope> FnOnce(Scope<'scope, 'env>) -> T) -> T {
    std::thread::scope(|scope| within(Scope(scope)))
}

impl<'scope> Scope<'scope, '_> {
    /// Starts a run, as [`Pipeline::run`] does. Stages, documents and functions may borrow what lives as long as the
    /// scope; what is prepared owns what it holds.
    pub fn run<D, C, G, A, M, I>(
        self,
        pipeline: Pipeline<D, C, G, A, M>,
        documents: I,
    ) -> ScopedRun<'scope, D, A::Delivered>
    where
        D: Send + 'scope,
        M: Mode<D>,
        C: CpuStage<M::Item, Prepared: 'static> + 'scope,
        G: GpuStage<C::Prepared> + 'scope,
        A: After<M::Item, G::Output> + 'scope,
        I: IntoIterator<Item = D>,
        I::IntoIter: Send + 'scope,
    {
        pipeline.start(Scoped(self.0), documents.into_iter(), false)
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}
