//! A run without a GPU half, item by item.

use std::fmt;
use std::iter::{FusedIterator, Peekable};
use std::vec::IntoIter;

use super::Failed;
use crate::error::Failure;
use crate::observe::accounts::Accounts;
use crate::observe::progress::Progress;
use crate::observe::report::Report;
use crate::pipeline::{Batch, Run};
use crate::place::Position;

pub(super) type OnProgress = Box<dyn FnMut(&Progress) + Send>;

/// An item that came through, and what the stage made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome<D, R> {
    /// Its place in the source.
    pub position: Position,
    /// The item, with whatever the stage changed in it.
    pub document: D,
    /// What the stage returned.
    pub result: R,
}

/// A run without a GPU half: an iterator over items and their results, while the rest still runs.
///
/// It is given by [`Parallel::run`](super::Parallel::run) and ends as any [`Run`] does: by the end of the
/// source, by a failure, stopped, or dropped; the threads are joined, and every item that was pulled is
/// accounted for. Items that were ready and not yet asked for count as in flight.
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
pub struct ParallelRun<D, R> {
    pub(super) run: Run<D, Vec<R>>,
    pub(super) ready: Ready<D, R>,
    stopped: bool,
    on_progress: Option<OnProgress>,
}

impl<D, R> ParallelRun<D, R> {
    pub(super) fn new(run: Run<D, Vec<R>>, on_progress: Option<OnProgress>) -> Self {
        Self { run, ready: Ready::default(), stopped: false, on_progress }
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
        self.stopped = true;
    }

    /// Where the items pulled so far went.
    pub fn accounts(&self) -> Accounts {
        let mut accounts = self.run.accounts();
        accounts.delivered -= self.ready.good();
        accounts.failed -= self.ready.failures.len() as u64;
        if self.stopped {
            accounts.cancelled += self.ready.len();
        }
        accounts
    }

    /// Most items that may be in flight at once.
    pub fn tokens(&self) -> usize {
        self.run.tokens()
    }

    /// Takes back the items that were pulled and did not come out, by their place in the source.
    ///
    /// Empty while the run goes on. A second call gives nothing.
    pub fn take_back(&mut self) -> Vec<(Position, D)> {
        let mut left = self.run.take_back();
        if self.stopped {
            left.extend(std::mem::take(&mut self.ready).into_items());
            left.sort_by_key(|(position, _)| *position);
        }
        left
    }

    /// Where the time went so far, and what to change.
    pub fn report(&self) -> Report {
        self.run.report()
    }

    /// How far the run has come.
    pub fn progress(&self) -> Progress {
        let ready = self.ready.len();
        let progress = self.run.progress();
        Progress {
            delivered: progress.delivered - self.ready.good(),
            failed: progress.failed - self.ready.failures.len() as u64,
            in_flight: progress.in_flight + ready,
            in_line: progress.in_line + ready,
            ..progress
        }
        .paced()
    }

    /// The next item, where it came out of the engine before.
    pub(super) fn take_ready(&mut self) -> Option<Result<Outcome<D, R>, Failed<D>>> {
        let item = self.ready.pop()?;
        self.run.alive();
        self.tell();
        Some(item.map_err(Failed::Item))
    }

    fn tell(&mut self) {
        if let Some(mut on_progress) = self.on_progress.take() {
            on_progress(&self.progress());
            self.on_progress = Some(on_progress);
        }
    }
}

impl<D, R> Iterator for ParallelRun<D, R> {
    type Item = Result<Outcome<D, R>, Failed<D>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.stopped {
            return None;
        }
        loop {
            if let Some(item) = self.take_ready() {
                return Some(item);
            }
            match self.run.next()? {
                Ok(batch) => self.ready = Ready::new(batch),
                Err(error) => return Some(Err(Failed::Run(error))),
            }
        }
    }
}

impl<D, R> FusedIterator for ParallelRun<D, R> {}

impl<D, R> fmt::Debug for ParallelRun<D, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParallelRun").field("accounts", &self.accounts()).finish_non_exhaustive()
    }
}

/// What came out of the engine at once, given on item by item in the order of the source.
pub(super) struct Ready<D, R> {
    positions: Peekable<IntoIter<Position>>,
    documents: IntoIter<D>,
    results: IntoIter<R>,
    failures: Peekable<IntoIter<Failure<D>>>,
}

impl<D, R> Default for Ready<D, R> {
    fn default() -> Self {
        Self {
            positions: Vec::new().into_iter().peekable(),
            documents: Vec::new().into_iter(),
            results: Vec::new().into_iter(),
            failures: Vec::new().into_iter().peekable(),
        }
    }
}

impl<D, R> Ready<D, R> {
    pub(super) fn new(batch: Batch<D, Vec<R>>) -> Self {
        let Batch { documents, positions, output, failures, .. } = batch;
        Self {
            positions: positions.into_iter().peekable(),
            documents: documents.into_iter(),
            results: output.unwrap_or_default().into_iter(),
            failures: failures.into_iter().peekable(),
        }
    }

    fn good(&self) -> u64 {
        self.documents.len() as u64
    }

    fn len(&self) -> u64 {
        self.good() + self.failures.len() as u64
    }

    fn pop(&mut self) -> Option<Result<Outcome<D, R>, Failure<D>>> {
        match (self.positions.peek(), self.failures.peek()) {
            (good, Some(failure)) if good.is_none_or(|good| failure.position < *good) => {
                self.failures.next().map(Err)
            }
            _ => {
                let (position, document) = (self.positions.next()?, self.documents.next()?);
                self.results.next().map(|result| Ok(Outcome { position, document, result }))
            }
        }
    }

    fn into_items(self) -> impl Iterator<Item = (Position, D)> {
        let failed = self.failures.map(|failure| (failure.position, failure.document));
        self.positions.zip(self.documents).chain(failed)
    }
}

/// The results alone, in order: what iterating over a [`Parallel`](super::Parallel) gives.
#[derive(Debug)]
#[must_use = "the run ends when this is dropped; iterate over it"]
pub struct Results<D, R>(pub(super) ParallelRun<D, R>);

impl<D, R> Results<D, R> {
    /// The run behind the results, to ask for its report or to stop it.
    pub fn run(&mut self) -> &mut ParallelRun<D, R> {
        &mut self.0
    }
}

impl<D, R> Iterator for Results<D, R> {
    type Item = Result<R, Failed<D>>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.0.next()?.map(|outcome| outcome.result))
    }
}

impl<D, R> FusedIterator for Results<D, R> {}
