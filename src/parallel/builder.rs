//! `parallel`: a stage, items, and how they are to run.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rayon::ThreadPool;

use super::run::OnProgress;
use super::{Failed, ParallelRun, Results};
use crate::engine::watch::Late;
use crate::engine::watch::OnLate;
use crate::engine::settings::{Auto, OnFailure, Order, Settings, WorkerCount};
use crate::engine::settings::{Patience, Watchdog};
use crate::engine::watch::OnStall;
use crate::error::stalled::Stalled;
use crate::observe::progress::Progress;
use crate::pipeline::direct;
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
    Parallel {
        stage,
        items: items.into_iter(),
        settings: Settings::without_device(),
        on_progress: None,
        on_late: None,
        on_stall: None,
    }
}

/// A stage, items, and how they are to run: see [`parallel()`].
#[must_use = "nothing runs until it is iterated over, collected or run"]
pub struct Parallel<D, C: CpuStage<D>, I> {
    stage: C,
    items: I,
    settings: Settings<C::Prepared>,
    on_progress: Option<OnProgress>,
    on_late: Option<OnLate>,
    on_stall: Option<OnStall>,
}

/// How many items a worker takes in one go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

impl<D, C, I> Parallel<D, C, I>
where
    C: CpuStage<D>,
{
    /// Threads that work: a number, or [`Auto`]. Default `Auto`: one a core. With 0 everything runs inline
    /// in the caller, serially and deterministically, which is good for debugging.
    ///
    /// ```
    /// use gapless::{Cause, parallel};
    /// let here = std::thread::current().id();
    /// let stage = |_: &mut u8| Ok::<_, Cause>(std::thread::current().id());
    /// assert_eq!(parallel(stage, [1]).workers(0).collect().unwrap(), [here]);
    /// assert_ne!(parallel(stage, [1]).workers(1).collect().unwrap(), [here]);
    /// ```
    pub fn workers(mut self, workers: impl Into<WorkerCount>) -> Self {
        self.settings.workers = workers.into();
        self
    }

    /// Uses the threads of this pool; it is never closed by us. Default: threads of the run's own. To set
    /// `workers` too is an error: the pool has its own.
    pub fn pool(mut self, pool: &Arc<ThreadPool>) -> Self {
        self.settings.pool = Some(pool.clone());
        self
    }

    /// Items that may be in flight beyond one a worker: begun, or finished and not yet taken. Default: 64
    /// and at least four a worker, and about 512 in all where neither item nor result owns memory. With 0
    /// an item is pulled when a worker is free for it.
    ///
    /// It bounds memory: [`ParallelRun::tokens`] says how many there are.
    ///
    /// ```
    /// use gapless::{Cause, parallel};
    /// let run = parallel(|n: &mut u64| Ok::<_, Cause>(*n), 0..).workers(2).ahead(1).run();
    /// assert_eq!(run.tokens(), 3);
    /// ```
    pub fn ahead(mut self, items: usize) -> Self {
        self.settings.ahead = Some(items);
        self
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
        self.settings.chunk = match items.into() {
            Chunk::Auto => None,
            Chunk::Exactly(items) => Some(items),
        };
        self
    }

    /// In which order results come out. Default [`Order::Source`]. With [`Order::Completion`] they come as
    /// they are ready, and [`run`](Self::run) says which item each belongs to.
    ///
    /// ```
    /// use gapless::{Cause, Order, parallel};
    /// let squares = parallel(|n: &mut usize| Ok::<_, Cause>(*n * *n), 0..100).order(Order::Completion);
    /// for square in squares.run() {
    ///     let square = square.unwrap();
    ///     let index = square.position.get() as usize;
    ///     assert_eq!(square.result, index * index);
    /// }
    /// ```
    pub fn order(mut self, order: Order) -> Self {
        self.settings.order = order;
        self
    }

    /// What happens when an item fails. Default [`OnFailure::Stop`]: its failure comes out in its place,
    /// then an error that says where the run stopped. With [`OnFailure::Skip`] the others go on.
    ///
    /// ```
    /// use gapless::{Cause, OnFailure, parallel};
    /// let parse = |text: &mut &str| Ok::<_, Cause>(text.parse::<u32>()?);
    /// let texts = ["1", "two", "3"];
    /// let all: Vec<_> = parallel(parse, texts).on_failure(OnFailure::Skip).into_iter().collect();
    /// assert_eq!(*all[2].as_ref().unwrap(), 3);
    /// let failure = all[1].as_ref().unwrap_err().to_string();
    /// assert_eq!(failure, "document 1 failed in the CPU stage: invalid digit found in string");
    /// ```
    pub fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.settings.on_failure = on_failure;
        self
    }

    /// How long the end of a run waits for a call that has not returned. Default 5 s; with 0 it does not
    /// wait. What is left behind is named in the report.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.settings.grace = grace;
        self
    }

    /// Least time between the starts of two items: a rate limit, for a server that wants one. Default none.
    ///
    /// An item starts when this has passed since the one before and a worker is free; nothing is held
    /// meanwhile, and a stop ends the wait.
    ///
    /// ```
    /// use gapless::{Cause, parallel};
    /// use std::time::{Duration, Instant};
    /// let start = Instant::now();
    /// let ask = |n: &mut u64| Ok::<_, Cause>(*n);
    /// parallel(ask, 0..5).workers(4).pause(Duration::from_millis(2)).collect().unwrap();
    /// assert!(start.elapsed() >= Duration::from_millis(8), "four gaps");
    /// ```
    pub fn pause(mut self, least: Duration) -> Self {
        self.settings.pause = Some(least);
        self
    }

    /// Time that the whole run has, from its start. Default none. Once it has passed, the next result that
    /// is asked for is [`Error::Deadline`](crate::Error::Deadline), the last; what came out before is valid.
    ///
    /// Calls that have not returned are waited for no longer than [`grace`](Self::grace).
    ///
    /// ```
    /// use gapless::parallel::Failed;
    /// use gapless::{Cause, Error, parallel};
    /// use std::time::Duration;
    /// let run = parallel(|n: &mut u64| Ok::<_, Cause>(*n), 0..).deadline(Duration::from_millis(5));
    /// assert!(matches!(run.collect(), Err(Failed::Run(Error::Deadline { .. }))));
    /// ```
    pub fn deadline(mut self, after: Duration) -> Self {
        self.settings.deadline = Some(after);
        self
    }

    /// Time that one item may take. Default none. An item that takes longer fails when it returns, and is
    /// given back as any other that fails; a thread cannot be killed, so one that does not return is only
    /// told about, see [`on_late`](Self::on_late). Where that is not enough there is
    /// `parallel::process`, whose children can be killed.
    ///
    /// ```
    /// use gapless::{Cause, OnFailure, parallel};
    /// use std::time::{Duration, Instant};
    /// let limit = Duration::from_millis(2);
    /// let work = move |slow: &mut bool| {
    ///     let start = Instant::now();
    ///     while *slow && start.elapsed() <= limit {}
    ///     Ok::<_, Cause>(())
    /// };
    /// let run = parallel(work, [false, true]).workers(1).item_timeout(limit).on_failure(OnFailure::Skip);
    /// let results: Vec<_> = run.into_iter().collect();
    /// assert!(results[1].as_ref().unwrap_err().to_string().contains("more than the 2ms that an item may take"));
    /// ```
    pub fn item_timeout(mut self, after: Duration) -> Self {
        self.settings.item_timeout = Some(after);
        self
    }

    /// Calls this on the caller's thread for an item that has not returned after
    /// [`item_timeout`](Self::item_timeout), once an item, while the caller waits for a result. Default none.
    pub fn on_late(mut self, on_late: impl FnMut(&Late) + Send + 'static) -> Self {
        self.on_late = Some(Box::new(on_late));
        self
    }

    /// Looks whether anything moves in the run, and says who waits for whom where nothing has for this long:
    /// which item, which stage, which thread, which token. Default none; 0 is an error.
    ///
    /// Everything counts as moving that begins or returns: a call of the source, of a stage, of `then`, of the
    /// caller. So patience is to be longer than the longest of them. With [`Watchdog::Tell`] each stall is told
    /// once, to the function given to [`on_stall`](Self::on_stall), else on stderr; with [`Watchdog::End`] the run
    /// ends as well, with [`Error::Stalled`](crate::Error::Stalled), and what has not returned after the grace
    /// period is left behind.
    ///
    /// A source that waits for its next item is a stall too: give a source that may wait long a longer
    /// patience. A run that waits for its caller alone is told about and never ended.
    ///
    /// It costs a thread that sleeps, and one short lock for each group of items; nothing for each item
    /// of it but a store.
    ///
    /// ```
    /// use gapless::parallel::Failed;
    /// use gapless::{Cause, Error, Watchdog, parallel};
    /// use std::time::Duration;
    /// let work = |hangs: &mut bool| {
    ///     while *hangs { std::thread::park() } // it never returns
    ///     Ok::<_, Cause>(())
    /// };
    /// let run = parallel(work, [false, true, false]).workers(1).grace(Duration::ZERO);
    /// let run = run.watchdog(Duration::from_millis(50), Watchdog::End);
    /// let ended = run.on_stall(|stalled| println!("{stalled}")).collect();
    /// assert!(matches!(ended, Err(Failed::Run(Error::Stalled { .. }))));
    /// ```
    pub fn watchdog(mut self, patience: Duration, then: Watchdog) -> Self {
        self.settings.watchdog = Some(Patience { patience, then });
        self
    }

    /// Calls this for each stall, once, on a thread of its own, instead of writing it to stderr. Default none;
    /// nothing without [`watchdog`](Self::watchdog).
    pub fn on_stall(mut self, on_stall: impl FnMut(&Stalled) + Send + 'static) -> Self {
        self.on_stall = Some(Box::new(on_stall));
        self
    }

    /// Items that there are in all, for whoever shows [`progress`](Self::progress). Default: what the
    /// items say of themselves.
    pub fn total(mut self, items: u64) -> Self {
        self.settings.total = Some(items);
        self
    }

    /// Calls this on the caller's thread with every item that comes out, also with `workers(0)`. Default none.
    ///
    /// ```
    /// use gapless::{Cause, parallel};
    /// use std::sync::mpsc;
    /// let (told, heard) = mpsc::channel();
    /// let stage = |n: &mut u64| Ok::<_, Cause>(*n);
    /// let run = parallel(stage, 0..3).progress(move |progress| {
    ///     told.send((progress.delivered, progress.total)).unwrap();
    /// });
    /// run.collect().unwrap();
    /// assert_eq!(Vec::from_iter(heard), [(1, Some(3)), (2, Some(3)), (3, Some(3))]);
    /// ```
    pub fn progress(mut self, on_progress: impl FnMut(&Progress) + Send + 'static) -> Self {
        self.on_progress = Some(Box::new(on_progress));
        self
    }

    /// Shows on a terminal's stderr how far the run has come, with the feature `progress`. Default off. See
    /// [`Pipeline::progress_bar`](crate::Pipeline::progress_bar).
    ///
    /// ```
    /// use gapless::{Cause, parallel};
    /// let squares = parallel(|n: &mut u64| Ok::<_, Cause>(*n * *n), 0..100).progress_bar().collect();
    /// assert_eq!(squares.unwrap()[9], 81);
    /// ```
    #[cfg(feature = "progress")]
    pub fn progress_bar(mut self) -> Self {
        self.settings.bar = true;
        self
    }
}

impl<D, C, I> Parallel<D, C, I>
where
    D: Send + 'static,
    C: CpuStage<D>,
    I: Iterator<Item = D> + Send + 'static,
{
    /// Starts the run, which gives each item beside its result, with its position.
    ///
    /// A setting that cannot work is the first item, and then no thread was started.
    pub fn run(self) -> ParallelRun<D, C::Prepared> {
        let Self { stage, items, mut settings, on_progress, on_late, on_stall } = self;
        settings.learn_total(items.size_hint());
        ParallelRun::new(direct::run(stage, settings, items, on_late, on_stall), on_progress)
    }

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
    C: CpuStage<D>,
    I: Iterator<Item = D> + Send + 'static,
{
    type Item = Result<C::Prepared, Failed<D>>;
    type IntoIter = Results<D, C::Prepared>;

    fn into_iter(self) -> Self::IntoIter {
        Results(self.run())
    }
}

impl<D, C: CpuStage<D>, I> fmt::Debug for Parallel<D, C, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parallel").field("total", &self.settings.total).finish_non_exhaustive()
    }
}
