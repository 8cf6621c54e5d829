//! `Vectorizer`: a stage and its workers' states, to be used on one list of items after another.

use std::fmt;
use std::sync::Arc;

use super::shape::Alone;
use super::{Ended, Failed, parallel};
use crate::engine::settings::OnFailure;
use crate::observe::progress::Progress;
use crate::pipeline::how::How;
use crate::pipeline::setters::setters;
use crate::pipeline::{drop_each, drop_user, guard};
use crate::stage::CpuStage;

/// Replaces a loop over items by the same on several workers, again and again.
///
/// The stage is a [`CpuStage`]: a closure, or [`with_state`](crate::with_state) where each worker needs
/// something made once, by its rank: a model, a connection. States are kept from one
/// [`process`](Self::process) to the next.
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
/// # Ok::<(), gapless::parallel::Failed<&str>>(())
/// ```
#[must_use = "nothing runs until items are processed"]
pub struct Vectorizer<C> {
    stage: Arc<C>,
    how: How,
    last: Option<Ended>,
}

impl<C> Vectorizer<C> {
    /// A vectorizer of this stage.
    pub fn new(stage: C) -> Self {
        Self { stage: Arc::new(stage), how: How::default(), last: None }
    }

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
        on_failure:
        /// Default [`OnFailure::Stop`](crate::OnFailure::Stop), and `process` gives the failure. When skipping, the
        /// results are those of the other documents.
        grace: /// Default 5 s.
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
        D: Send + 'static,
        C: CpuStage<D> + 'static,
        I: IntoIterator<Item = D>,
        I::IntoIter: Send + 'static,
    {
        let items = items.into_iter();
        // What items say of themselves is the user's code, and no promise.
        let least = guard(|| items.size_hint().0).unwrap_or(0);
        let mut results = Vec::with_capacity(least.min(RESERVED / size_of::<C::Prepared>().max(1)));
        let mut run = parallel(self.stage.clone(), items).how(self.how.clone()).start::<Alone>();
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

/// Bytes of results that memory is taken for at once; beyond them it is taken as they come.
const RESERVED: usize = 1 << 20;

impl<C> fmt::Debug for Vectorizer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vectorizer").field("workers", &self.how.settings.workers).finish_non_exhaustive()
    }
}
