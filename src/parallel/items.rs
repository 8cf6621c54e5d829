//! A run without a device, item by item: what stands behind every face of it.
//!
//! What came out of the engine in one go stands ready here, and is told of and counted as it is asked for.

use std::marker::PhantomData;

use super::failed::{Failed, Outcome};
use super::ready::Ready;
use super::shape::Shape;
use crate::error::{Error, Failure};
use crate::observe::accounts::Accounts;
use crate::observe::progress::Progress;
use crate::observe::report::Report;
use crate::pipeline::gather::Gathered;
use crate::pipeline::how::Hook;
use crate::pipeline::{Batch, Driven};
use crate::place::{Position, in_order};

/// Items of a run, whose stage and documents live for `'a`.
pub(crate) struct Items<'a, D, R, S> {
    pub(super) run: Driven<'a, D, Vec<R>>,
    ready: Ready<D, R>,
    over: bool,
    on_progress: Option<Hook<Progress>>,
    /// Where an item is a batch: documents that are in none yet.
    gathered: Option<Box<dyn Gathered<D>>>,
    /// Items that stood ready when the run ended, and were taken back.
    kept: (u64, u64),
    /// Batches that were made of those at the end.
    made: u64,
    gives: PhantomData<fn() -> S>,
}

impl<'a, D, R, S> Items<'a, D, R, S> {
    pub(super) fn new(
        run: Driven<'a, D, Vec<R>>,
        on_progress: Option<Hook<Progress>>,
        gathered: Option<Box<dyn Gathered<D>>>,
    ) -> Self {
        let ready = Ready::default();
        Self { run, ready, over: false, on_progress, gathered, made: 0, kept: (0, 0), gives: PhantomData }
    }

    pub(crate) fn stop(&mut self) {
        self.run.stop();
        self.end();
    }

    pub(crate) fn accounts(&self) -> Accounts {
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

    pub(crate) fn take_back(&mut self) -> Vec<(Position, D)> {
        let mut left = self.run.take_back();
        if self.over {
            self.kept = self.not_out();
            left =
                in_order(left.into_iter().chain(self.ready.take_items()), |(position, _)| position.whole());
            left.extend(self.take_gathered());
        }
        left
    }

    pub(crate) fn report(&self) -> Report {
        Report { accounts: self.accounts(), ..self.run.report() }
    }

    pub(crate) fn progress(&self) -> Progress {
        self.progress_before(self.not_out())
    }

    /// Items that left the engine and do not come out: with a result, and failed.
    fn not_out(&self) -> (u64, u64) {
        let (good, failed) = self.ready.counts();
        (good + self.kept.0, failed + self.kept.1)
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

impl<D, R, S: Shape<D, R>> Items<'_, D, R, S> {
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

impl<D, R, S: Shape<D, R>> Iterator for Items<'_, D, R, S> {
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
