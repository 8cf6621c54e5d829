//! A run whose results come out item by item.

use std::fmt;
use std::iter::FusedIterator;
use std::marker::PhantomData;
use std::path::Path;

use super::failed::{Failed, Outcome};
use super::ready::Ready;
use super::shape::{Alone, Outcomes, Shape};
use crate::error::{Error, Failure};
use crate::observe::accounts::Accounts;
use crate::observe::progress::Progress;
use crate::observe::report::Report;
use crate::observe::timeline::Timeline;
use crate::pipeline::gather::Gathered;
use crate::pipeline::how::Hook;
use crate::pipeline::{Batch, Run};
use crate::place::Position;

/// A run without a GPU half: an iterator over items and their results, in order, while the rest still runs.
///
/// It is given by [`Parallel::run`](super::Parallel::run); with pairs instead of outcomes it is a
/// [`MapRun`](super::MapRun), with results alone [`Results`].
///
/// # How a run ends
/// As any [`Run`]: by the end of the source, by a failure that is not skipped, stopped, or dropped; the
/// threads are joined, and every item that was pulled is accounted for and can be taken back where it did not
/// come out. Items that were ready and not yet asked for count as in flight.
///
/// ```
/// use gapless::{Cause, parallel};
/// let upper = |text: &mut String| {
///     text.make_ascii_uppercase();
///     Ok::<_, Cause>(text.len())
/// };
/// let words = ["a", "list", "of", "words"].map(String::from);
/// for outcome in parallel(upper, words).workers(2).run() {
///     let outcome = outcome?;
///     println!("{}: {} has {} letters", outcome.position, outcome.document, outcome.result);
/// }
/// # Ok::<(), gapless::parallel::Failed<String>>(())
/// ```
#[must_use = "a run does nothing more once it is dropped; iterate over it"]
pub struct ParallelRun<D, R, S = Outcomes> {
    pub(super) run: Run<D, Vec<R>>,
    ready: Ready<D, R>,
    over: bool,
    on_progress: Option<Hook<Progress>>,
    /// Where an item is a batch: documents that are in none yet.
    gathered: Option<Box<dyn Gathered<D>>>,
    /// Batches that were made of those at the end.
    /// Items that stood ready when the run ended, and were taken back.
    kept: (u64, u64),
    made: u64,
    gives: PhantomData<fn() -> S>,
}

/// The results alone, in order: what iterating over a [`Parallel`](super::Parallel) gives.
pub type Results<D, R> = ParallelRun<D, R, Alone>;

impl<D, R, S> ParallelRun<D, R, S> {
    pub(super) fn new(
        run: Run<D, Vec<R>>,
        on_progress: Option<Hook<Progress>>,
        gathered: Option<Box<dyn Gathered<D>>>,
    ) -> Self {
        let ready = Ready::default();
        Self { run, ready, over: false, on_progress, gathered, made: 0, kept: (0, 0), gives: PhantomData }
    }

    /// Ends the run: nothing new starts, what is in flight is cancelled, and nothing comes out afterwards.
    ///
    /// ```
    /// use gapless::{Cause, parallel};
    /// let mut run = parallel(|n: &mut u64| Ok::<_, Cause>(*n), 0..).run();
    /// assert_eq!(run.next().unwrap()?.document, 0);
    /// run.stop();
    /// assert!(run.next().is_none());
    /// assert!(run.accounts().balance());
    /// assert_eq!(run.take_back()[0].1, 1, "the next one in the source");
    /// # Ok::<(), gapless::parallel::Failed<u64>>(())
    /// ```
    pub fn stop(&mut self) {
        self.run.stop();
        self.end();
    }

    /// Where the items pulled so far went.
    pub fn accounts(&self) -> Accounts {
        let mut accounts = self.run.accounts();
        let (good, failed) = self.not_out();
        accounts.delivered -= good;
        accounts.failed -= failed;
        if self.over {
            let last = self.made + u64::from(self.gathered.as_ref().is_some_and(|rest| rest.holds()));
            accounts.pulled += last;
            accounts.cancelled += good + failed + last;
        }
        accounts
    }

    /// Most items that may be in flight at once.
    pub fn tokens(&self) -> usize {
        self.run.tokens()
    }

    /// Takes back the items that were pulled and did not come out, by their place in the source. Where an
    /// item is a batch, documents that were pulled for one that was never full are the last.
    ///
    /// Empty while the run goes on. A second call gives nothing.
    pub fn take_back(&mut self) -> Vec<(Position, D)> {
        let mut left = self.run.take_back();
        if self.over {
            self.kept = self.not_out();
            left.extend(self.ready.take_items());
            left.sort_by_key(|(position, _)| *position);
            left.extend(self.take_gathered());
        }
        left
    }

    /// Where the time went so far, and what to change.
    pub fn report(&self) -> Report {
        Report { accounts: self.accounts(), ..self.run.report() }
    }

    /// Who did what when, so far.
    ///
    /// # Errors
    /// [`Error::Setting`] where the run is not recorded: see [`trace`](super::Parallel::trace).
    pub fn timeline(&self) -> Result<Timeline, Error> {
        self.run.timeline()
    }

    /// Writes who did what when, so far, into a file: see [`Run::trace`].
    ///
    /// # Errors
    /// As [`timeline`](Self::timeline), and [`Error::Output`] where the file cannot be written.
    pub fn trace(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.run.trace(path)
    }

    /// Draws the run so far as SVG: see [`Run::timeline_svg`].
    ///
    /// # Errors
    /// As [`timeline`](Self::timeline).
    pub fn timeline_svg(&self) -> Result<String, Error> {
        self.run.timeline_svg()
    }

    /// Items that left the engine and do not come out: with a result, and failed.
    fn not_out(&self) -> (u64, u64) {
        let (good, failed) = self.ready.counts();
        (good + self.kept.0, failed + self.kept.1)
    }

    /// How far the run has come.
    pub fn progress(&self) -> Progress {
        self.progress_before(self.not_out())
    }

    /// Where so many items with a result, and so many that failed, are not out yet.
    fn progress_before(&self, (good, failed): (u64, u64)) -> Progress {
        let progress = self.run.progress();
        Progress {
            delivered: progress.delivered - good,
            failed: progress.failed - failed,
            in_flight: progress.in_flight + good + failed,
            in_line: progress.in_line + good + failed,
            ..progress
        }
        .paced()
    }

    /// Nothing comes out any more.
    fn end(&mut self) {
        self.over = true;
        if let Some(gathered) = &self.gathered {
            gathered.close();
        }
    }

    fn take_gathered(&mut self) -> Vec<(Position, D)> {
        let (pulled, mut left) = (self.run.accounts().pulled, Vec::new());
        let gathered = self.gathered.as_ref().filter(|rest| rest.holds());
        while let Some(batch) = gathered.filter(|rest| rest.holds()).and_then(|rest| rest.batch()) {
            left.push((Position(pulled + self.made), batch));
            self.made += 1;
        }
        left
    }

    /// The next item, where it came out of the engine before. Who is told of it is told first: should that
    /// panic, the item is not lost.
    fn take_ready(&mut self) -> Option<Result<Outcome<D, R>, Failure<D>>> {
        let failed = self.ready.next_failed()?;
        self.run.alive();
        if let Some(on_progress) = &self.on_progress {
            let (good, bad) = self.ready.counts();
            on_progress.call(&self.progress_before((good - u64::from(!failed), bad - u64::from(failed))));
        }
        self.ready.pop()
    }
}

impl<D, R, S: Shape<D, R>> ParallelRun<D, R, S> {
    /// What comes next where that is known without the engine.
    pub(super) fn known(&mut self) -> Option<Option<S::Item>> {
        if self.over {
            return Some(None);
        }
        Some(Some(match self.take_ready()? {
            Ok(outcome) => S::good(outcome),
            Err(failure) => S::bad(Failed::Item(failure)),
        }))
    }

    /// Takes in what the engine gave; the last item, where nothing follows.
    pub(super) fn take_in(&mut self, next: Option<Result<Batch<D, Vec<R>>, Error>>) -> Option<S::Item> {
        let ended = match next {
            Some(Ok(batch)) => {
                self.ready = Ready::new(batch);
                return None;
            }
            Some(Err(error)) => Some(S::bad(Failed::Run(error))),
            None => None,
        };
        self.end();
        ended
    }
}

impl<D, R, S: Shape<D, R>> Iterator for ParallelRun<D, R, S> {
    type Item = S::Item;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.known() {
                return item;
            }
            let next = self.run.next();
            if let Some(last) = self.take_in(next) {
                return Some(last);
            }
        }
    }
}

impl<D, R, S: Shape<D, R>> FusedIterator for ParallelRun<D, R, S> {}

impl<D, R> Results<D, R> {
    /// The run that gives the results, to ask for its report or to stop it.
    pub fn run(&mut self) -> &mut Self {
        self
    }
}

impl<D, R, S> fmt::Debug for ParallelRun<D, R, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParallelRun").field("accounts", &self.accounts()).finish_non_exhaustive()
    }
}
