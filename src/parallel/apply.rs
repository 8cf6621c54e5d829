//! `apply`: a function on every document, in place.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rayon::ThreadPool;

use super::map::{Map, MapError, MapRun, map, map_batch};
use crate::engine::settings::{OnFailure, WorkerCount};
use crate::error::{Cause, Error, Failure};
use crate::observe::progress::Progress;
use crate::place::Position;
use crate::stage::CpuStage;

/// Works on every document in place, on several workers; what the stage returns is dropped.
///
/// Documents go into the engine and come back to their places on every ending: success, failure, a panic of
/// the stage or of a progress function. A stage that never returns holds `apply` up as it would a loop.
///
/// ```
/// use gapless::{Cause, parallel};
///
/// let mut words = vec!["a".to_string(), "b".to_string()];
/// let shout = |word: &mut String| { word.push('!'); Ok::<_, Cause>(()) };
/// parallel::apply(&mut words, shout).workers(2).run()?;
/// assert_eq!(words, ["a!", "b!"]);
/// # Ok::<(), parallel::ApplyError>(())
/// ```
pub fn apply<D, C>(documents: &mut Vec<D>, stage: C) -> Apply<'_, D, D, C>
where
    D: Send + 'static,
    C: CpuStage<D>,
{
    Apply::each(documents, stage)
}

/// Works on whole batches in place; only the last may be short. Batches come back in their order, with
/// whatever documents the stage left in them: it may drop some, or add some.
///
/// ```
/// use gapless::{Cause, parallel};
///
/// let mut numbers = vec![3, 1, 2, 5, 4];
/// let sort = |batch: &mut Vec<i32>| { batch.sort(); Ok::<_, Cause>(()) };
/// parallel::apply_batch(&mut numbers, 3, sort).run()?;
/// assert_eq!(numbers, [1, 2, 3, 4, 5]);
/// # Ok::<(), parallel::ApplyError>(())
/// ```
pub fn apply_batch<D, B, C>(documents: &mut Vec<D>, batch_size: usize, stage: C) -> Apply<'_, D, B, C>
where
    D: Send + 'static,
    B: FromIterator<D> + IntoIterator<Item = D> + Send + 'static,
    C: CpuStage<B>,
{
    Apply::batches(documents, batch_size, stage)
}

/// What is to be done with every document in place, and how: see [`apply`]. It does nothing until it is run.
#[must_use = "an apply does nothing until it is run"]
pub struct Apply<'a, D, T, C>
where
    T: Send + 'static,
    C: CpuStage<T>,
{
    documents: &'a mut Vec<D>,
    map: Map<T, C>,
    rest: Rest<D>,
    batch_size: usize,
    spill: fn(T, &mut Vec<D>),
}

impl<'a, D, C> Apply<'a, D, D, C>
where
    D: Send + 'static,
    C: CpuStage<D>,
{
    fn each(documents: &'a mut Vec<D>, stage: C) -> Self {
        let rest = Rest::default();
        let map = map(rest.clone(), stage);
        Self { documents, map, rest, batch_size: 1, spill: |document, into| into.push(document) }.slowly()
    }
}

impl<'a, D, B, C> Apply<'a, D, B, C>
where
    D: Send + 'static,
    B: FromIterator<D> + IntoIterator<Item = D> + Send + 'static,
    C: CpuStage<B>,
{
    fn batches(documents: &'a mut Vec<D>, batch_size: usize, stage: C) -> Self {
        let rest = Rest::default();
        let map = map_batch(rest.clone(), batch_size, stage);
        Self { documents, map, rest, batch_size, spill: |batch, into| into.extend(batch) }.slowly()
    }
}

impl<D, T, C> Apply<'_, D, T, C>
where
    D: Send + 'static,
    T: Send + 'static,
    C: CpuStage<T>,
{
    /// No document may be left behind: the end waits for every call of the stage.
    fn slowly(self) -> Self {
        self.with(|map| map.grace(Duration::MAX).on_failure(OnFailure::Stop))
    }

    fn with(self, change: impl FnOnce(Map<T, C>) -> Map<T, C>) -> Self {
        Self { map: change(self.map), ..self }
    }

    /// Workers: a number, or [`Auto`](crate::Auto). Default `Auto`: one a core. With 0 everything runs
    /// inline in the caller, serially and deterministically.
    pub fn workers(self, workers: impl Into<WorkerCount>) -> Self {
        self.with(|map| map.workers(workers))
    }

    /// Documents that may be on their way beside one a worker: see [`Map::ahead`].
    pub fn ahead(self, documents: usize) -> Self {
        self.with(|map| map.ahead(documents))
    }

    /// What happens when a document fails. Default [`OnFailure::Stop`]: what was done stays done, and what
    /// was not begun is left as it was. When skipping, failures are in [`Applied`].
    ///
    /// ```
    /// use gapless::{Cause, OnFailure, parallel};
    /// let mut texts = vec!["1".to_string(), "one".to_string(), "2".to_string()];
    /// let double = |text: &mut String| { *text = (2 * text.parse::<u32>()?).to_string(); Ok::<_, Cause>(()) };
    /// let applied = parallel::apply(&mut texts, double).on_failure(OnFailure::Skip).run()?;
    /// assert_eq!(texts, ["2", "one", "4"]);
    /// assert_eq!(applied.failures[0].position.get(), 1);
    /// # Ok::<(), parallel::ApplyError>(())
    /// ```
    pub fn on_failure(self, on_failure: OnFailure) -> Self {
        self.with(|map| map.on_failure(on_failure))
    }

    /// Calls this on the caller's thread whenever documents are done. Default none.
    pub fn progress(self, on_progress: impl FnMut(&Progress) + Send + 'static) -> Self {
        self.with(|map| map.progress(on_progress))
    }

    /// Shows on a terminal's stderr how far the work has come, with the feature `progress`. Default off. See
    /// [`Pipeline::progress_bar`](crate::Pipeline::progress_bar).
    #[cfg(feature = "progress")]
    pub fn progress_bar(self) -> Self {
        self.with(Map::progress_bar)
    }

    /// Uses the threads of this pool as workers; it is never closed by us. Default: a pool of the call's
    /// own. To set `workers` too is an error: the pool has its own.
    pub fn pool(self, pool: &Arc<ThreadPool>) -> Self {
        self.with(|map| map.pool(pool))
    }

    /// Works on all documents, and returns when they are back in their places.
    ///
    /// # Errors
    /// A setting that cannot work, or failures that [`on_failure`](Self::on_failure) does not skip.
    pub fn run(self) -> Result<Applied, ApplyError> {
        self.run_with(|_| Ok(()))
    }

    /// As [`run`](Self::run), and gives every result, in order, to a function on the caller's thread. An `Err`
    /// of it ends the work as a failure does.
    ///
    /// # Errors
    /// As [`run`](Self::run), or the function's.
    ///
    /// ```
    /// use gapless::{Cause, parallel};
    /// let mut words = vec!["a".to_string(), "bb".to_string()];
    /// let mut lengths = Vec::new();
    /// let length = |word: &mut String| Ok::<_, Cause>(word.len());
    /// parallel::apply(&mut words, length).run_with(|length| Ok(lengths.push(length)))?;
    /// assert_eq!(lengths, [1, 2]);
    /// # Ok::<(), parallel::ApplyError>(())
    /// ```
    pub fn run_with(self, each: impl FnMut(C::Prepared) -> Result<(), Cause>) -> Result<Applied, ApplyError> {
        let Self { documents, map, rest, batch_size, spill } = self;
        rest.fill(std::mem::take(documents));
        let mut back = PutBack { documents, run: map.run(), rest, done: Vec::new(), spill };
        let mut failures = Vec::new();
        let ended = back.work(each, |Failure { position, stage, cause, .. }| {
            let position = Position(position.0 * batch_size as u64);
            failures.push(Failure { document: (), position, stage, cause });
        });
        match ended {
            Ok(()) => Ok(Applied { failures }),
            Err(error) => Err(ApplyError { error, failures }),
        }
    }
}

impl<D, T: Send + 'static, C: CpuStage<T>> fmt::Debug for Apply<'_, D, T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Apply").field("documents", &self.documents.len()).finish_non_exhaustive()
    }
}

/// Documents that are not in the engine yet: what it does not pull is taken back from here.
pub(crate) struct Rest<D>(Arc<Mutex<std::vec::IntoIter<D>>>);

impl<D> Rest<D> {
    fn with<R>(&self, change: impl FnOnce(&mut std::vec::IntoIter<D>) -> R) -> R {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn fill(&self, documents: Vec<D>) {
        self.with(|rest| *rest = documents.into_iter());
    }

    pub(crate) fn left(&self) -> std::vec::IntoIter<D> {
        self.with(|rest| std::mem::replace(rest, Vec::new().into_iter()))
    }
}

impl<D> Default for Rest<D> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Vec::new().into_iter())))
    }
}

impl<D> Clone for Rest<D> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<D> Iterator for Rest<D> {
    type Item = D;

    fn next(&mut self) -> Option<D> {
        self.with(Iterator::next)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.with(|rest| rest.size_hint())
    }
}

/// Puts every document back when it is dropped, whatever ended the work.
struct PutBack<'a, D, T, R> {
    documents: &'a mut Vec<D>,
    run: MapRun<T, R>,
    rest: Rest<D>,
    done: Vec<T>,
    spill: fn(T, &mut Vec<D>),
}

impl<D, T, R> PutBack<'_, D, T, R> {
    fn work(
        &mut self,
        mut each: impl FnMut(R) -> Result<(), Cause>,
        mut failed: impl FnMut(Failure<()>),
    ) -> Result<(), Error> {
        for result in self.run.by_ref() {
            match result {
                Ok((document, result)) => {
                    self.done.push(document);
                    each(result).map_err(|cause| Error::Documents { cause })?;
                }
                Err(MapError::Document(Failure { document, position, stage, cause })) => {
                    self.done.push(document);
                    failed(Failure { document: (), position, stage, cause });
                }
                Err(MapError::Run(error)) => return Err(error),
            }
        }
        Ok(())
    }
}

impl<D, T, R> Drop for PutBack<'_, D, T, R> {
    /// Results come in the order of the source, then what the run had not given out, then what it had not
    /// taken in.
    fn drop(&mut self) {
        self.run.stop();
        let ready = std::mem::take(&mut self.run.ready).into_iter().filter_map(|result| match result {
            Ok((document, _)) | Err(MapError::Document(Failure { document, .. })) => Some(document),
            Err(MapError::Run(_)) => None,
        });
        let mut taken = self.run.take_back();
        taken.sort_by_key(|(position, _)| *position);
        let taken = taken.into_iter().map(|(_, document)| document);
        for unit in self.done.drain(..).chain(ready).chain(taken) {
            (self.spill)(unit, self.documents);
        }
        self.documents.extend(self.rest.left());
    }
}

/// What [`Apply::run`] did.
#[derive(Debug)]
#[non_exhaustive]
pub struct Applied {
    /// Documents (with [`apply_batch`], batches by their first document) that failed and were skipped;
    /// they stand in their places as the stage left them.
    pub failures: Vec<Failure<()>>,
}

/// Why [`Apply::run`] ended before all documents were done. All of them are back in their places.
#[derive(Debug)]
#[non_exhaustive]
pub struct ApplyError {
    /// What ended it.
    pub error: Error,
    /// Documents that failed, the last of them the one that ended it, where one did.
    pub failures: Vec<Failure<()>>,
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.error, self.failures.last()) {
            (Error::Stopped { .. }, Some(failure)) => failure.fmt(f),
            (error, _) => error.fmt(f),
        }
    }
}

impl std::error::Error for ApplyError {}
