//! `Vectorizer`: a stage and its workers' states, to be used on one list of items after another.

use std::fmt;
use std::sync::Arc;

use super::run::OnProgress;
use super::{Failed, parallel};
use crate::engine::settings::WorkerCount;
use crate::error::Cause;
use crate::observe::progress::Progress;
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
    workers: WorkerCount,
    callback: Option<OnProgress>,
    #[cfg(feature = "progress")]
    bar: bool,
}

impl<C> Vectorizer<C> {
    /// A vectorizer of this stage.
    pub fn new(stage: C) -> Self {
        Self {
            stage: Arc::new(stage),
            workers: WorkerCount::Auto,
            callback: None,
            #[cfg(feature = "progress")]
            bar: false,
        }
    }

    /// Threads that work: a number, or [`Auto`](crate::Auto). Default `Auto`: one a core. With 0 everything
    /// runs inline in the caller.
    pub fn workers(mut self, workers: impl Into<WorkerCount>) -> Self {
        self.workers = workers.into();
        self
    }

    /// Calls this on the caller's thread with every item that is done, also with `workers(0)`. Default none.
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
    pub fn callback(mut self, callback: impl FnMut(&Progress) + Send + 'static) -> Self {
        self.callback = Some(Box::new(callback));
        self
    }

    /// Shows on a terminal's stderr how far each [`process`](Self::process) has come, with the feature
    /// `progress`. Default off. See [`Pipeline::progress_bar`](crate::Pipeline::progress_bar).
    #[cfg(feature = "progress")]
    pub fn progress_bar(mut self) -> Self {
        self.bar = true;
        self
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
        C: CpuStage<D>,
        I: IntoIterator<Item = D>,
        I::IntoIter: Send + 'static,
    {
        let items = items.into_iter();
        let mut results = Vec::with_capacity(items.size_hint().0.min(RESERVED));
        let run = parallel(Lent(self.stage.clone()), items).workers(self.workers);
        #[cfg(feature = "progress")]
        let run = if self.bar { run.progress_bar() } else { run };
        let mut run = run.run();
        while let Some(outcome) = run.next() {
            if let Some(callback) = &mut self.callback {
                callback(&run.progress());
            }
            results.push(outcome?.result);
        }
        Ok(results)
    }
}

/// Results that memory is taken for at once; beyond them it is taken as they come.
const RESERVED: usize = 1 << 16;

impl<C> fmt::Debug for Vectorizer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vectorizer").field("workers", &self.workers).finish_non_exhaustive()
    }
}

/// The stage, lent to one run.
struct Lent<C>(Arc<C>);

impl<D, C: CpuStage<D>> CpuStage<D> for Lent<C> {
    type Prepared = C::Prepared;

    fn prepare(&self, document: &mut D) -> Result<C::Prepared, Cause> {
        self.0.prepare(document)
    }

    fn recycle(&self, used: C::Prepared) {
        self.0.recycle(used);
    }

    fn interrupt(&self) {
        self.0.interrupt();
    }
}
