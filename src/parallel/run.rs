//! A run whose results come out item by item.

use std::fmt;
use std::iter::FusedIterator;
use std::path::Path;

use super::items::Items;
use super::shape::{Alone, Outcomes, Shape};
use crate::error::Error;
use crate::observe::accounts::Accounts;
use crate::observe::progress::Progress;
use crate::observe::report::Report;
use crate::observe::timeline::Timeline;
use crate::place::Position;

/// A run without a GPU half: an iterator over items and their results, in order, while the rest still runs.
///
/// It is given by [`Parallel::run`](super::Parallel::run); with pairs instead of outcomes it is a
/// [`MapRun`](super::MapRun), with results alone [`Results`].
///
/// # How a run ends
/// As any [`Run`](crate::Run): by the end of the source, by a failure that is not skipped, stopped, or dropped; the
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
pub struct ParallelRun<D, R, S = Outcomes>(pub(super) Items<'static, D, R, S>);

/// The results alone, in order: what iterating over a [`Parallel`](super::Parallel) gives.
pub type Results<D, R> = ParallelRun<D, R, Alone>;

impl<D, R, S> ParallelRun<D, R, S> {
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
        self.0.stop();
    }

    /// Where the items pulled so far went.
    pub fn accounts(&self) -> Accounts {
        self.0.accounts()
    }

    /// Most items that may be in flight at once.
    pub fn tokens(&self) -> usize {
        self.0.run.tokens()
    }

    /// Takes back the items that were pulled and did not come out, by their place in the source. Where an
    /// item is a batch, documents that were pulled for one that was never full are the last.
    ///
    /// Empty while the run goes on. A second call gives nothing.
    pub fn take_back(&mut self) -> Vec<(Position, D)> {
        self.0.take_back()
    }

    /// Where the time went so far, and what to change.
    pub fn report(&self) -> Report {
        self.0.report()
    }

    /// Who did what when, so far.
    ///
    /// # Errors
    /// [`Error::Setting`] where the run is not recorded: see [`trace`](super::Parallel::trace).
    pub fn timeline(&self) -> Result<Timeline, Error> {
        self.0.run.timeline()
    }

    /// Writes who did what when, so far, into a file: see [`Run::trace`](crate::Run::trace).
    ///
    /// # Errors
    /// As [`timeline`](Self::timeline), and [`Error::Output`] where the file cannot be written.
    pub fn trace(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.timeline()?.save(path.as_ref())
    }

    /// Draws the run so far as SVG: see [`Run::timeline_svg`](crate::Run::timeline_svg).
    ///
    /// # Errors
    /// As [`timeline`](Self::timeline).
    pub fn timeline_svg(&self) -> Result<String, Error> {
        Ok(self.timeline()?.svg())
    }

    /// How far the run has come.
    pub fn progress(&self) -> Progress {
        self.0.progress()
    }
}

impl<D, R, S: Shape<D, R>> Iterator for ParallelRun<D, R, S> {
    type Item = S::Item;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
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
