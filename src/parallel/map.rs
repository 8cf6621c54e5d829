//! `map`: results of a function on every document, while the rest still runs.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rayon::ThreadPool;

use super::chunks::Chunks;
use super::read::ReadRun;
use super::task::{Keep, Task, failure};
use crate::engine::settings::{OnFailure, Order, WorkerCount};
use crate::engine::settings::Watchdog;
use crate::error::stalled::Stalled;
use crate::error::{Error, Failure};
use crate::observe::accounts::Accounts;
use crate::observe::progress::Progress;
use crate::pipeline::{Batch, NoDevice, Pipeline, Run};
use crate::place::Position;
use crate::stage::CpuStage;

/// Works on every document of a source, on several workers, and gives the results in order.
///
/// The source is pulled lazily and never further ahead than [`ahead`](Map::ahead) allows, so it may be
/// endless. A document that fails is an `Err` in its place, with the document inside, and the others go on;
/// `?` ends the run there.
///
/// ```
/// use gapless::{Cause, parallel};
///
/// let square = |number: &mut u64| Ok::<_, Cause>(*number * *number);
/// let mut squares = Vec::new();
/// for result in parallel::map(1.., square).workers(2).run().take(5) {
///     let (number, square) = result?;
///     squares.push((number, square));
/// }
/// assert_eq!(squares, [(1, 1), (2, 4), (3, 9), (4, 16), (5, 25)]);
/// # Ok::<(), parallel::MapError<u64>>(())
/// ```
pub fn map<I, C>(documents: I, stage: C) -> Map<I::Item, C>
where
    I: IntoIterator,
    I::IntoIter: Send + 'static,
    I::Item: Send + 'static,
    C: CpuStage<I::Item>,
{
    Map::new(Box::new(documents.into_iter()), stage)
}

/// Works on whole batches of a source; only the last may be short.
///
/// A batch is one call of the stage, so the first comes out after one worker has done all of it. Where
/// the work can be done document by document, [`map`] starts sooner. 0 documents a batch is a setting error.
///
/// ```
/// use gapless::{Cause, parallel};
///
/// let sum = |batch: &mut Vec<u64>| Ok::<_, Cause>(batch.iter().sum::<u64>());
/// let sums = parallel::map_batch(0..10, 4, sum).workers(2).run();
/// let sums: Vec<u64> = sums.map(|result| result.unwrap().1).collect();
/// assert_eq!(sums, [0 + 1 + 2 + 3, 4 + 5 + 6 + 7, 8 + 9]);
/// ```
pub fn map_batch<I, B, C>(documents: I, batch_size: usize, stage: C) -> Map<B, C>
where
    I: IntoIterator,
    I::IntoIter: Send + 'static,
    I::Item: Send + 'static,
    B: FromIterator<I::Item> + Send + 'static,
    C: CpuStage<B>,
{
    let source = Chunks::new(documents.into_iter(), batch_size);
    let mut map = Map::new(Box::new(source), stage).ahead(BATCHES_AHEAD);
    map.broken = (batch_size == 0).then(|| Error::Setting {
        name: "batch_size",
        reason: "0 documents a batch would never fill one; give 1 or more".into(),
    });
    map
}

/// Batches that are on their way by default, beside one a worker.
const BATCHES_AHEAD: usize = 2;

type Source<D> = Box<dyn Iterator<Item = D> + Send>;

/// What is to be done with every document, and how: see [`map`]. It does nothing until it is run.
#[must_use = "a map does nothing until it is run"]
pub struct Map<D, C: CpuStage<D>>
where
    D: Send + 'static,
{
    source: Source<D>,
    pipeline: Pipeline<Task<D, C::Prepared>, Keep<C>, NoDevice>,
    broken: Option<Error>,
    on_progress: Option<OnProgress>,
}

type OnProgress = Box<dyn FnMut(&Progress) + Send>;

impl<D: Send + 'static, C: CpuStage<D>> Map<D, C> {
    pub(crate) fn new(source: Source<D>, stage: C) -> Self {
        let pipeline = Pipeline::without_device(Keep(stage)).on_failure(OnFailure::Skip);
        Self { source, pipeline, broken: None, on_progress: None }
    }

    fn with(
        self,
        change: impl FnOnce(
            Pipeline<Task<D, C::Prepared>, Keep<C>, NoDevice>,
        ) -> Pipeline<Task<D, C::Prepared>, Keep<C>, NoDevice>,
    ) -> Self {
        Self { pipeline: change(self.pipeline), ..self }
    }

    /// Workers: a number, or [`Auto`](crate::Auto). Default `Auto`: one a core. With 0 everything runs
    /// inline in the caller, serially and deterministically.
    ///
    /// ```
    /// # use gapless::{Cause, parallel};
    /// let caller = std::thread::current().id();
    /// let here = move |_: &mut u8| Ok::<_, Cause>(std::thread::current().id() == caller);
    /// assert!(parallel::map([1, 2], here).workers(0).run().all(|result| result.unwrap().1));
    /// ```
    pub fn workers(self, workers: impl Into<WorkerCount>) -> Self {
        self.with(|pipeline| pipeline.workers(workers))
    }

    /// Documents that may be on their way beside one a worker. Default 64 (and more where they and their
    /// results own no memory), and 2 batches with [`map_batch`]; with 0 a worker takes the next when the caller has taken a result.
    ///
    /// It bounds memory: so many are in flight, and at most as many more stand in the iterator to be
    /// handed out. Few of them make tiny documents dearer, since those are then not taken in groups.
    pub fn ahead(self, documents: usize) -> Self {
        self.with(|pipeline| pipeline.ahead(documents))
    }

    /// In which order results come out. Default [`Order::Source`].
    ///
    /// ```
    /// # use gapless::{Cause, Order, parallel};
    /// let run = parallel::map(0..100, |n: &mut u32| Ok::<_, Cause>(*n)).order(Order::Completion).run();
    /// let mut numbers: Vec<u32> = run.map(|result| result.unwrap().1).collect();
    /// numbers.sort();
    /// assert_eq!(numbers, Vec::from_iter(0..100));
    /// ```
    pub fn order(self, order: Order) -> Self {
        self.with(|pipeline| pipeline.order(order))
    }

    /// Calls this on the caller's thread whenever results come out. Default none.
    ///
    /// ```
    /// # use gapless::{Cause, parallel};
    /// let show = |progress: &gapless::Progress| println!("{} done", progress.delivered);
    /// let run = parallel::map(0..100, |n: &mut u32| Ok::<_, Cause>(*n)).progress(show).run();
    /// assert_eq!(run.count(), 100);
    /// ```
    pub fn progress(self, on_progress: impl FnMut(&Progress) + Send + 'static) -> Self {
        Self { on_progress: Some(Box::new(on_progress)), ..self }
    }

    /// Shows on a terminal's stderr how far the run has come, with the feature `progress`. Default off. See
    /// [`Pipeline::progress_bar`](crate::Pipeline::progress_bar).
    #[cfg(feature = "progress")]
    pub fn progress_bar(self) -> Self {
        self.with(Pipeline::progress_bar)
    }

    /// Says who waits for whom where nothing has moved for this long, and may end the run then. Default none.
    /// See [`Parallel::watchdog`](super::Parallel::watchdog).
    pub fn watchdog(self, patience: Duration, then: Watchdog) -> Self {
        self.with(|pipeline| pipeline.watchdog(patience, then))
    }

    /// Calls this for each stall, once, on a thread of its own, instead of writing it to stderr. Default none;
    /// nothing without [`watchdog`](Self::watchdog).
    pub fn on_stall(self, on_stall: impl FnMut(&Stalled) + Send + 'static) -> Self {
        self.with(|pipeline| pipeline.on_stall(on_stall))
    }

    /// Uses the threads of this pool as workers; it is never closed by us. Default: a pool of the run's
    /// own. To set `workers` too is an error: the pool has its own.
    pub fn pool(self, pool: &Arc<ThreadPool>) -> Self {
        self.with(|pipeline| pipeline.pool(pool))
    }

    /// How long the end of a run waits for user code that has not returned. Default 5 s.
    pub fn grace(self, grace: Duration) -> Self {
        self.with(|pipeline| pipeline.grace(grace))
    }

    /// Whether a failed document ends the run, where the caller does not decide that.
    pub(crate) fn on_failure(self, on_failure: OnFailure) -> Self {
        self.with(|pipeline| pipeline.on_failure(on_failure))
    }

    /// Starts the run. A setting that cannot work is its first item, and then no thread was started.
    pub fn run(self) -> MapRun<D, C::Prepared> {
        let Self { source, pipeline, broken, on_progress } = self;
        let run = match broken {
            None => pipeline.run(source.map(Task::new)),
            Some(error) => Run::not_started(error),
        };
        MapRun { run, ready: VecDeque::new(), on_progress }
    }
}

impl<D: Send + 'static, C: CpuStage<D>> IntoIterator for Map<D, C> {
    type Item = Result<(D, C::Prepared), MapError<D>>;
    type IntoIter = MapRun<D, C::Prepared>;

    fn into_iter(self) -> Self::IntoIter {
        self.run()
    }
}

impl<D: Send + 'static, C: CpuStage<D>> fmt::Debug for Map<D, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").finish_non_exhaustive()
    }
}

/// A run of [`map`]: an iterator over documents with their results, in order, while the rest still runs.
///
/// # How a run ends
/// 1. *Finished*: the source ends; every result comes out, then `None`. A failed document is an
///    [`MapError::Document`] in its place, and no end.
/// 2. *Stopped* by a panic of the source or a setting that cannot work: [`MapError::Run`], then `None`.
/// 3. *Stopped by the caller* ([`stop`](Self::stop)) or *dropped*: nothing new starts.
///
/// On every ending the threads are joined, and what did not come out can be taken back.
#[must_use = "a run does nothing more once it is dropped; iterate over it"]
pub struct MapRun<D, R> {
    run: Run<Task<D, R>, ()>,
    pub(super) ready: VecDeque<Result<(D, R), MapError<D>>>,
    on_progress: Option<OnProgress>,
}

impl<D, R> MapRun<D, R> {
    /// Ends the run: nothing new starts, and what is in flight is cancelled. Results that were there
    /// already still come out.
    ///
    /// ```
    /// # use gapless::{Cause, parallel};
    /// let mut run = parallel::map(0.., |n: &mut u64| Ok::<_, Cause>(*n)).workers(2).run();
    /// assert_eq!(run.next().unwrap().unwrap(), (0, 0));
    /// run.stop();
    /// let ready = run.by_ref().count() as u64;
    /// let accounts = run.accounts();
    /// assert!(accounts.balance());
    /// assert_eq!((run.take_back().len() as u64, accounts.delivered), (accounts.cancelled, 1 + ready));
    /// ```
    pub fn stop(&mut self) {
        self.run.stop();
    }

    /// Takes back the documents that were pulled and did not come out, by their place in the source.
    pub fn take_back(&mut self) -> Vec<(Position, D)> {
        let tasks = self.run.take_back().into_iter();
        tasks.map(|(position, task)| (position, task.document)).collect()
    }

    /// Where the documents pulled so far went.
    pub fn accounts(&self) -> Accounts {
        self.run.accounts()
    }

    /// Most documents that may be in flight at once.
    pub fn tokens(&self) -> usize {
        self.run.tokens()
    }

    fn ready(&mut self, batch: Batch<Task<D, R>, ()>) {
        let Batch { documents, positions, failures, .. } = batch;
        let mut failures = failures.into_iter().peekable();
        for (task, position) in documents.into_iter().zip(positions) {
            while let Some(earlier) = failures.next_if(|failure| failure.position < position) {
                self.ready.push_back(Err(MapError::Document(failure(earlier))));
            }
            if let Task { document, result: Some(result) } = task {
                self.ready.push_back(Ok((document, result)));
            }
        }
        self.ready.extend(failures.map(|later| Err(MapError::Document(failure(later)))));
        // Should it panic, the results are where they can be found.
        if let Some(on_progress) = &mut self.on_progress {
            on_progress(&self.run.progress());
        }
    }
}

impl<D, R> fmt::Debug for MapRun<D, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapRun").field("accounts", &self.accounts()).finish_non_exhaustive()
    }
}

impl<D, R> Iterator for MapRun<D, R> {
    type Item = Result<(D, R), MapError<D>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(result) = self.ready.pop_front() {
                self.run.alive();
                return Some(result);
            }
            match self.run.next()? {
                Ok(batch) => self.ready(batch),
                Err(error) => return Some(Err(MapError::Run(error))),
            }
        }
    }
}

impl<D, R> std::iter::FusedIterator for MapRun<D, R> {}

impl<D, R: AsRef<[u8]>> MapRun<D, R> {
    /// The results, one after another, as a stream of bytes: the body of a request, a file.
    ///
    /// While one is read the next are made. A failure is an [`std::io::Error`] where its bytes would be.
    ///
    /// ```
    /// use std::io::Read;
    /// # use gapless::{Cause, parallel};
    /// let line = |n: &mut u32| Ok::<_, Cause>(format!("{n}\n").into_bytes());
    /// let mut text = String::new();
    /// parallel::map(1..4, line).run().into_read().read_to_string(&mut text)?;
    /// assert_eq!(text, "1\n2\n3\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_read(self) -> ReadRun<D, R> {
        ReadRun::new(self)
    }
}

/// What stands in the place of a result.
#[non_exhaustive]
pub enum MapError<D> {
    /// One document failed; the others go on.
    Document(Failure<D>),
    /// The run has ended before its source did.
    Run(Error),
}

impl<D> fmt::Display for MapError<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(failure) => failure.fmt(f),
            Self::Run(error) => error.fmt(f),
        }
    }
}

// A result can be unwrapped, and an error be any `Error`, whatever the documents are.
impl<D> fmt::Debug for MapError<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MapError({self})")
    }
}

impl<D> std::error::Error for MapError<D> {}
