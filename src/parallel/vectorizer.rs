//! `Vectorizer`: a stage and its workers' states, to be used on one list of items after another.

use std::fmt;
use std::sync::Arc;

use std::marker::PhantomData;
use std::time::Duration;

use super::apply::{Borrows, Owns};
use super::items::Items;
use super::shape::Alone;
use super::{Ended, Failed};
use crate::engine::settings::{OnFailure, Settings};
use crate::engine::start::{Crew, Free, Scoped};
use crate::observe::progress::Progress;
use crate::pipeline::how::How;
use crate::pipeline::setters::setters;
use crate::pipeline::without_device::{self, WithoutDevice};
use crate::pipeline::{drop_each, drop_user, guard};
use crate::stage::CpuStage;

/// Replaces a loop over items by the same on several workers, again and again.
///
/// The stage is a [`CpuStage`]: a closure, or [`with_state`](crate::with_state) where each worker needs
/// something made once, by its rank: a model, a connection. States are kept from one
/// [`process`](Self::process) to the next.
///
/// Stage and items may borrow, as for [`apply`](super::apply()): then whatever the stage does is waited for, and so is
/// a source that waits. With a [`grace`](Self::grace) they own what they work with, and may be left behind.
///
/// ```
/// use gapless::parallel::Vectorizer;
/// use gapless::{Cause, with_state};
///
/// let tokenize = with_state(
///     |rank| format!("worker {rank}"),
///     |_state: &mut String, text: &mut &str| Ok::<_, Cause>(text.split(' ').count()),
/// );
/// let mut vectorizer = Vectorizer::new(tokenize).workers(2);
/// assert_eq!(vectorizer.process(["a b c", "", "d e"])?, [3, 1, 2]);
/// assert_eq!(vectorizer.process(["f"])?, [1], "fewer items than workers are no matter");
///
/// let (words, longest) = (["one", "three"], std::sync::atomic::AtomicUsize::new(0));
/// let measure = |word: &mut &&str| longest.fetch_max(word.len(), std::sync::atomic::Ordering::Relaxed);
/// Vectorizer::new(measure).process(&words).unwrap();
/// assert_eq!(longest.into_inner(), 5);
/// # Ok::<(), gapless::parallel::Failed<&str>>(())
/// ```
#[must_use = "nothing runs until items are processed"]
pub struct Vectorizer<C, W = Borrows> {
    stage: Arc<C>,
    how: How,
    last: Option<Ended>,
    life: PhantomData<fn() -> W>,
}

impl<C> Vectorizer<C> {
    /// A vectorizer of this stage.
    pub fn new(stage: C) -> Self {
        Self { stage: Arc::new(stage), how: How::default(), last: None, life: PhantomData }
    }

    /// How long the end of a run waits for a call of user code that has not returned, before it is left behind, with
    /// 0 not at all. Then the stage and the items own what they work with. Default as long as it takes.
    pub fn grace(self, grace: Duration) -> Vectorizer<C, Owns> {
        let Self { stage, mut how, last, .. } = self;
        how.settings.grace = grace;
        Vectorizer { stage, how, last, life: PhantomData }
    }
}

impl<C, W> Vectorizer<C, W> {
    /// Calls this on the caller's thread with every item that is done: another name of
    /// [`progress`](Self::progress). Default none.
    ///
    /// ```
    /// use gapless::Cause;
    /// use gapless::parallel::Vectorizer;
    /// use std::sync::mpsc;
    ///
    /// for workers in [0, 2] {
    ///     let (tick, ticks) = mpsc::channel();
    ///     let mut vectorizer = Vectorizer::new(|n: &mut u32| Ok::<_, Cause>(*n + 1)).workers(workers);
    ///     vectorizer = vectorizer.callback(move |progress| tick.send(progress.delivered).unwrap());
    ///     vectorizer.process([1, 2, 3]).unwrap();
    ///     drop(vectorizer);
    ///     assert_eq!(Vec::from_iter(ticks), [1, 2, 3]);
    /// }
    /// ```
    pub fn callback(self, callback: impl FnMut(&Progress) + Send + 'static) -> Self {
        self.progress(callback)
    }

    setters! {
        no order: "results are a list in the order of the items"
        no grace: "what may be left behind must not borrow"
        on_failure:
        /// Default [`OnFailure::Stop`](crate::OnFailure::Stop), and `process` gives the failure. When skipping, the
        /// results are those of the other documents.
        trace: /// The recording stands in [`last`](Self::last).
        progress: /// It is told of each document, also with `workers(0)`.
    }

    /// What is known of the run of the last [`process`](Self::process), where there was one.
    ///
    /// ```
    /// use gapless::Cause;
    /// use gapless::parallel::Vectorizer;
    /// let mut vectorizer = Vectorizer::new(|n: &mut u32| Ok::<_, Cause>(*n + 1));
    /// assert!(vectorizer.last().is_none());
    /// vectorizer.process([1, 2, 3]).unwrap();
    /// assert_eq!(vectorizer.last().unwrap().accounts().delivered, 3);
    /// ```
    pub fn last(&self) -> Option<&Ended> {
        self.last.as_ref()
    }

    fn process_by<'s, D, I>(
        &mut self,
        crew: impl Crew<'s, WithoutDevice<'s, D, Arc<C>>>,
        items: I,
    ) -> Result<Vec<C::Prepared>, Failed<D>>
    where
        D: Send + 's,
        C: CpuStage<D> + 's,
        I: Iterator<Item = D> + Send + 's,
    {
        // What items say of themselves is the user's code, and no promise.
        let least = guard(|| items.size_hint().0).unwrap_or(0);
        let mut results = Vec::with_capacity(least.min(RESERVED / size_of::<C::Prepared>().max(1)));
        let (mut how, stage) = (self.how.clone(), self.stage.clone());
        let on_progress = how.hooks.on_progress.take();
        let run = without_device::run(crew, stage, how.over(Settings::without_device()), items);
        let mut run = Items::<_, _, Alone>::new(run, on_progress, None);
        let failed = loop {
            match run.next() {
                Some(Ok(result)) => results.push(result),
                Some(Err(Failed::Item(failure))) if self.skips() => drop_user(failure),
                other => break other.and_then(Result::err),
            }
        };
        run.stop();
        self.last = Some(Ended::of(&run));
        results.shrink_to_fit();
        match failed {
            None => Ok(results),
            Some(failed) => {
                drop_each(results);
                Err(failed)
            }
        }
    }

    /// Whether a failure is none of `process`.
    fn skips(&self) -> bool {
        self.how.settings.on_failure != OnFailure::Stop
    }
}

impl<C> Vectorizer<C> {
    /// Works on these items and gives the results in their order.
    ///
    /// # Errors
    /// The first item that failed, with its position, the item and the cause, or what ended the run. The
    /// vectorizer can be used again.
    ///
    /// ```
    /// use gapless::Cause;
    /// use gapless::parallel::Vectorizer;
    /// let mut vectorizer = Vectorizer::new(|text: &mut &str| Ok::<_, Cause>(text.parse::<u8>()?));
    /// let failed = vectorizer.process(["1", "300"]).unwrap_err();
    /// assert_eq!(failed.item().unwrap().document, "300");
    /// assert_eq!(vectorizer.process(["1", "2"]).unwrap(), [1, 2]);
    /// ```
    pub fn process<D, I>(&mut self, items: I) -> Result<Vec<C::Prepared>, Failed<D>>
    where
        D: Send,
        C: CpuStage<D>,
        I: IntoIterator<Item = D, IntoIter: Send>,
    {
        std::thread::scope(|scope| self.process_by(Scoped(scope), items.into_iter()))
    }
}

impl<C> Vectorizer<C, Owns> {
    /// The same; a call that does not return within the [grace period](Vectorizer::grace) is left behind.
    ///
    /// # Errors
    /// As without it.
    pub fn process<D, I>(&mut self, items: I) -> Result<Vec<C::Prepared>, Failed<D>>
    where
        D: Send + 'static,
        C: CpuStage<D> + 'static,
        I: IntoIterator<Item = D, IntoIter: Send + 'static>,
    {
        self.process_by(Free, items.into_iter())
    }
}

/// Bytes of results that memory is taken for at once; beyond them it is taken as they come.
const RESERVED: usize = 1 << 20;

impl<C, W> fmt::Debug for Vectorizer<C, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vectorizer").field("workers", &self.how.settings.workers).finish_non_exhaustive()
    }
}
