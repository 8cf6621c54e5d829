//! `parallel`: a stage, items, and how they are to run.

use std::fmt;
use std::marker::PhantomData;

use super::items::Items;
use super::shape::{Outcomes, Pairs};
use super::{Failed, MapRun, ParallelRun, Results};
use crate::engine::settings::{Auto, Settings};
use crate::engine::start::Free;
use crate::pipeline::gather::Gathered;
use crate::pipeline::how::How;
use crate::pipeline::without_device;
use crate::stage::CpuStage;

/// Runs a stage over items, on all cores, and gives the results in order while the rest still runs.
///
/// The stage is a [`CpuStage`]: a closure from `&mut` item to a result, a loader, or
/// [`with_state`](crate::with_state). The items are pulled lazily, on a thread of their own, and no
/// further ahead than the tokens allow; the source may be endless. Nothing starts before the results
/// are iterated over, collected, or [`run`](Parallel::run).
///
/// ```
/// use gapless::{Cause, parallel};
///
/// let square = |n: &mut u64| Ok::<_, Cause>(*n * *n);
/// let mut sum = 0;
/// for result in parallel(square, 0..1000).workers(2) {
///     sum += result?;
/// }
/// assert_eq!(sum, 332_833_500);
/// assert_eq!(parallel(square, [1, 2, 3]).collect()?, [1, 4, 9]);
/// # Ok::<(), gapless::parallel::Failed<u64>>(())
/// ```
///
/// # When not to use it
/// Where one item costs less than about a microsecond and all are in memory, a plain loop or rayon's
/// `par_iter` is as fast or faster: always take profiles.
pub fn parallel<D, C, I>(stage: C, items: I) -> Parallel<D, C, I::IntoIter>
where
    D: Send + 'static,
    C: CpuStage<D>,
    I: IntoIterator<Item = D>,
    I::IntoIter: Send + 'static,
{
    Parallel::over(stage, items.into_iter(), None)
}

/// A stage, items, and how they are to run: see [`parallel()`], and [`map`](super::map), whose [`Map`] is one.
///
/// An item is a document; with [`map_batch`](super::map_batch) it is a whole batch, wherever documents are
/// spoken of here.
///
/// [`Map`]: super::Map
#[must_use = "nothing runs until it is iterated over, collected or run"]
pub struct Parallel<D, C, I, S = Outcomes> {
    stage: C,
    items: I,
    pub(super) how: How,
    /// Items that a worker takes in one go; `None` where measured time decides.
    chunk: Option<usize>,
    batches: Option<Batches<D>>,
    gives: PhantomData<fn() -> S>,
}

/// Where an item is a batch.
pub(super) struct Batches<D> {
    pub(super) batch_size: usize,
    /// Documents that are in no batch yet.
    pub(super) gathered: Box<dyn Gathered<D>>,
}

/// How many items a worker takes in one go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Chunk {
    /// One at first, then about 50 µs of measured work, and never so many that another worker idles.
    #[default]
    Auto,
    /// So many.
    Exactly(usize),
}

impl From<Auto> for Chunk {
    fn from(Auto: Auto) -> Self {
        Self::Auto
    }
}

impl From<usize> for Chunk {
    fn from(items: usize) -> Self {
        Self::Exactly(items)
    }
}

impl<D, C, I, S> Parallel<D, C, I, S> {
    pub(super) fn over(stage: C, items: I, batches: Option<Batches<D>>) -> Self {
        Self { stage, items, how: How::default(), chunk: None, batches, gives: PhantomData }
    }

    /// Items that a worker takes in one go: a number, or [`Auto`]. Default `Auto`: one at first, then about
    /// 50 µs of measured work. 0 is an error.
    ///
    /// A source that waits for results of its own run needs `chunk(1)`: else an item may wait for its
    /// neighbours before it is begun.
    ///
    /// ```
    /// use gapless::{Auto, Cause, parallel};
    /// let stage = |n: &mut u64| Ok::<_, Cause>(*n + 1);
    /// assert_eq!(parallel(stage, 0..100).chunk(25).collect().unwrap().len(), 100);
    /// assert_eq!(parallel(stage, 0..100).chunk(Auto).collect().unwrap()[99], 100);
    /// assert!(parallel(stage, 0..100).chunk(0).collect().is_err());
    /// ```
    pub fn chunk(mut self, items: impl Into<Chunk>) -> Self {
        self.chunk = match items.into() {
            Chunk::Auto => None,
            Chunk::Exactly(items) => Some(items),
        };
        self
    }
}

impl<D, C, I, S> Parallel<D, C, I, S>
where
    D: Send + 'static,
    C: CpuStage<D> + 'static,
    I: Iterator<Item = D> + Send + 'static,
{
    /// Starts the run, which gives each item beside its result, with its position.
    ///
    /// A setting that cannot work is the first item, and then no thread was started.
    pub fn run(self) -> ParallelRun<D, C::Prepared, S> {
        ParallelRun(self.start())
    }

    pub(super) fn start<T>(self) -> Items<'static, D, C::Prepared, T> {
        let Self { stage, items, mut how, chunk, batches, .. } = self;
        let mut settings = Settings { chunk, ..Settings::without_device() };
        let (batch_size, gathered) = batches.map(|batches| (batches.batch_size, batches.gathered)).unzip();
        if batch_size == Some(0) {
            // What is refused of any batch; how many documents an item holds is not the engine's.
            settings.batch_size = 0;
        }
        let on_progress = how.hooks.on_progress.take();
        Items::new(without_device::run(Free, stage, how.over(settings), items), on_progress, gathered)
    }
}

impl<D, C, I> Parallel<D, C, I>
where
    D: Send + 'static,
    C: CpuStage<D> + 'static,
    I: Iterator<Item = D> + Send + 'static,
{
    /// Runs all items and gives their results, in order.
    ///
    /// # Errors
    /// The first item that failed, or what ended the run. What had come out before it is dropped: where it
    /// is wanted, iterate.
    pub fn collect(self) -> Result<Vec<C::Prepared>, Failed<D>> {
        self.into_iter().collect()
    }
}

impl<D, C, I> IntoIterator for Parallel<D, C, I>
where
    D: Send + 'static,
    C: CpuStage<D> + 'static,
    I: Iterator<Item = D> + Send + 'static,
{
    type Item = Result<C::Prepared, Failed<D>>;
    type IntoIter = Results<D, C::Prepared>;

    fn into_iter(self) -> Self::IntoIter {
        ParallelRun(self.start())
    }
}

impl<D, C, I> IntoIterator for Parallel<D, C, I, Pairs>
where
    D: Send + 'static,
    C: CpuStage<D> + 'static,
    I: Iterator<Item = D> + Send + 'static,
{
    type Item = <MapRun<D, C::Prepared> as Iterator>::Item;
    type IntoIter = MapRun<D, C::Prepared>;

    fn into_iter(self) -> Self::IntoIter {
        self.run()
    }
}

impl<D, C, I, S> fmt::Debug for Parallel<D, C, I, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parallel").field("total", &self.how.settings.total).finish_non_exhaustive()
    }
}
