//! `apply`: a function on every document, in place.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use super::Ended;
use super::map::BATCHES_AHEAD;
use super::put_back::{PutBack, Spill, spill_batch, spill_one};
use crate::engine::settings::Settings;
use crate::engine::start::{Crew, Free, Scoped};
use crate::error::{Error, Failure};
use crate::pipeline::drop_user;
use crate::pipeline::gather::{Gather, Rest};
use crate::pipeline::how::{How, Late};
use crate::pipeline::setters::lent_setters;
use crate::pipeline::without_device::{self, WithoutDevice};
use crate::stage::{CpuStage, IntoResult};

/// Works on every document in place, on several workers; what the stage returns is dropped.
///
/// Documents go into the engine and come back to their places on every ending: success, failure, a panic of
/// the stage or of a progress function. A stage that never returns holds `apply` up as it would a loop,
/// unless it is told when to give up ([`Apply::grace`]).
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
    D: Send,
    C: CpuStage<D>,
{
    Apply {
        documents,
        stage,
        how: How::lent(),
        batch_size: 1,
        source: one_by_one,
        spill: spill_one,
        life: PhantomData,
    }
}

/// Works on whole batches in place; only the last may be short. Batches come back in their order, with
/// whatever documents the stage left in them: it may drop some, or add some.
///
/// A batch type that takes fewer documents than it is offered leaves the others to the next batch; one that takes
/// none, or panics, ends the work, and what it had not taken is back. What its own `IntoIterator` does not give
/// out is gone, and where it panics that is an error.
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
    D: Send,
    B: FromIterator<D> + IntoIterator<Item = D> + Send,
    C: CpuStage<B>,
{
    let (how, spill, life) = (How::lent(), spill_batch, PhantomData);
    Apply { documents, stage, how, batch_size, source: in_batches, spill, life }.ahead(BATCHES_AHEAD)
}

/// What is to be done with every document in place, and how: see [`apply`]. It does nothing until it is run.
///
/// With [`apply_batch`] a whole batch is one document of the run, wherever settings speak of documents.
///
/// The stage and the documents may borrow whatever lives longer than the call:
///
/// ```
/// use gapless::{Cause, parallel};
/// let ending = String::from("!");
/// let text = String::from("a list of words");
/// let mut words: Vec<(&str, String)> = text.split(' ').map(|word| (word, String::new())).collect();
/// parallel::apply(&mut words, |(word, shout): &mut (&str, String)| {
///     *shout = format!("{word}{ending}");
///     Ok::<_, Cause>(())
/// })
/// .run()?;
/// assert_eq!(words[3], ("words", "words!".into()));
/// # Ok::<(), parallel::ApplyError>(())
/// ```
#[must_use = "an apply does nothing until it is run"]
pub struct Apply<'a, D, T, C, W = Borrows> {
    documents: &'a mut Vec<D>,
    stage: C,
    how: How,
    batch_size: usize,
    /// What the stage is given, of documents that are lent.
    source: MakeSource<D, T>,
    spill: Spill<D, T>,
    life: PhantomData<fn() -> W>,
}

/// Said of a face whose stage and documents may borrow: it waits until every call has returned.
#[derive(Debug)]
pub enum Borrows {}

/// Said of a face that owns all: calls that do not return within [`grace`](Apply::grace) are left behind.
#[derive(Debug)]
pub enum Owns {}

/// What the stage is given; it lives no longer than what it borrows.
type MakeSource<D, T> = for<'s> fn(Rest<D>, usize, PhantomData<&'s (D, T)>) -> Lent<'s, T>;

type Lent<'s, T> = Box<dyn Iterator<Item = T> + Send + 's>;

fn one_by_one<'s, D: Send>(rest: Rest<D>, _: usize, _: PhantomData<&'s (D, D)>) -> Lent<'s, D> {
    Box::new(rest)
}

fn in_batches<'s, D, B>(rest: Rest<D>, batch_size: usize, _: PhantomData<&'s (D, B)>) -> Lent<'s, B>
where
    D: Send,
    B: FromIterator<D> + Send,
{
    Box::new(Gather::list(rest, batch_size))
}

impl<D, T, C, W> Apply<'_, D, T, C, W> {
    lent_setters! {
        no grace: "what may be left behind must not borrow"
        on_failure:
        /// Default [`OnFailure::Stop`](crate::OnFailure::Stop): what was done stays done, and what was not begun is
        /// left as it was. When skipping, failures are in [`Applied`].
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
    }
}

impl<'a, D, T, C> Apply<'a, D, T, C> {
    /// How long the end waits for a call of user code that has not returned: with 0 not at all. Default as long as
    /// it takes, since a document inside such a call cannot be put back, and is named as stuck. Nothing that may
    /// be left behind may borrow.
    ///
    /// ```
    /// use gapless::{Cause, parallel};
    /// use std::time::Duration;
    /// let mut words = vec!["a".to_string(), "b".to_string()];
    /// let shout = |word: &mut String| Ok::<_, Cause>(word.push('!'));
    /// parallel::apply(&mut words, shout).grace(Duration::from_secs(1)).run()?;
    /// assert_eq!(words, ["a!", "b!"]);
    /// # Ok::<(), parallel::ApplyError>(())
    /// ```
    pub fn grace(self, grace: Duration) -> Apply<'a, D, T, C, Owns> {
        let Self { documents, stage, how, batch_size, source, spill, .. } = self;
        let mut how = how;
        how.settings.grace = grace;
        Apply { documents, stage, how, batch_size, source, spill, life: PhantomData }
    }
}

impl<D, T, C> Apply<'_, D, T, C>
where
    D: Send,
    T: Send,
    C: CpuStage<T>,
{
    /// Works on all documents, and returns when they are back in their places.
    ///
    /// # Errors
    /// A setting that cannot work, or failures that [`on_failure`](Self::on_failure) does not skip.
    pub fn run(self) -> Result<Applied, ApplyError> {
        self.run_with(drop_user)
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
    /// parallel::apply(&mut words, length).run_with(|length| lengths.push(length))?;
    /// assert_eq!(lengths, [1, 2]);
    /// # Ok::<(), parallel::ApplyError>(())
    /// ```
    pub fn run_with<R>(self, each: impl FnMut(C::Prepared) -> R) -> Result<Applied, ApplyError>
    where
        R: IntoResult<Value = ()>,
    {
        std::thread::scope(|scope| self.run_by(Scoped(scope), each))
    }
}

impl<D, T, C> Apply<'_, D, T, C, Owns>
where
    D: Send + 'static,
    T: Send + 'static,
    C: CpuStage<T> + 'static,
{
    /// As without a [`grace`](Apply::grace), and returns when that is over.
    ///
    /// # Errors
    /// A setting that cannot work, or failures that [`on_failure`](Self::on_failure) does not skip.
    pub fn run(self) -> Result<Applied, ApplyError> {
        self.run_with(drop_user)
    }

    /// As [`run`](Self::run), and gives every result, in order, to a function on the caller's thread. An `Err`
    /// of it ends the work as a failure does.
    ///
    /// # Errors
    /// As [`run`](Self::run), or the function's.
    pub fn run_with<R>(self, each: impl FnMut(C::Prepared) -> R) -> Result<Applied, ApplyError>
    where
        R: IntoResult<Value = ()>,
    {
        self.run_by(Free, each)
    }
}

impl<D, T, C, W> Apply<'_, D, T, C, W> {
    fn run_by<'s, R>(
        self,
        crew: impl Crew<'s, WithoutDevice<'s, T, C>>,
        each: impl FnMut(C::Prepared) -> R,
    ) -> Result<Applied, ApplyError>
    where
        R: IntoResult<Value = ()>,
        D: Send + 's,
        T: Send + 's,
        C: CpuStage<T> + 's,
    {
        let Self { documents, stage, mut how, batch_size, source, spill, .. } = self;
        let on_progress = how.hooks.on_progress.take();
        let start = |rest: Rest<D>| {
            let places = rest.places().clone();
            let in_documents = move |late: &Late| Late { position: places.first_of(late.position), ..*late };
            how.hooks.on_late = how.hooks.on_late.map(|told| told.of(in_documents));
            let settings = Settings { documents: batch_size as u64, ..Settings::without_device() };
            // 0 documents a batch are refused as any 0 is.
            let settings = if batch_size == 0 { Settings { batch_size, ..settings } } else { settings };
            without_device::run(crew, stage, how.over(settings), source(rest, batch_size, PhantomData))
        };
        PutBack::lend(documents, spill, on_progress, start).work(each)
    }
}

impl<D, T, C, W> fmt::Debug for Apply<'_, D, T, C, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Apply").field("documents", &self.documents.len()).finish_non_exhaustive()
    }
}

/// What [`Apply::run`] did.
#[derive(Debug)]
#[non_exhaustive]
pub struct Applied {
    /// Documents (with [`apply_batch`], batches by their first document) that failed and were skipped;
    /// they stand in their places as the stage left them.
    pub failures: Vec<Failure<()>>,
    /// What is known of the run.
    pub run: Ended,
}

/// Why [`Apply::run`] ended before all documents were done. All of them are back in their places.
#[derive(Debug)]
#[non_exhaustive]
pub struct ApplyError {
    /// What ended it.
    pub error: Error,
    /// Documents that failed, the last of them the one that ended it, where one did.
    pub failures: Vec<Failure<()>>,
    /// What is known of the run.
    pub run: Ended,
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for ApplyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}
