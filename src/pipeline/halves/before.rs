//! The halves before the last: their run as the source of the last, and what is known of it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::handed::{Handed, hand_on};
use crate::engine::outlet::remote::Remote;
use crate::engine::road::source::{EndSource, Source};
use crate::error::Error;
use crate::observe::accounts::Accounts;
use crate::observe::progress::Progress;
use crate::observe::report::Report;
use crate::observe::timeline::Timeline;
use crate::pipeline::{Run, drop_each};
use crate::place::Position;

/// What is known of the halves before the last.
pub(super) struct Before<D> {
    remote: Option<Arc<dyn Remote>>,
    /// How long before the last half they began; none while that is opened.
    earlier: OnceLock<Duration>,
    /// Once they have ended.
    ended: Mutex<Option<Ended<D>>>,
}

pub(super) struct Ended<D> {
    pub(super) accounts: Accounts,
    pub(super) report: Report,
    /// Documents that did not come into the last half.
    pub(super) left: Vec<(Position, D)>,
}

impl<D> Drop for Ended<D> {
    fn drop(&mut self) {
        drop_each(self.left.drain(..).map(|(_, document)| document));
    }
}

impl<D> Before<D> {
    pub(super) fn new(remote: Option<Arc<dyn Remote>>) -> Self {
        Self { remote, earlier: OnceLock::new(), ended: Mutex::new(None) }
    }

    /// The last half has begun as well.
    pub(super) fn last_began(&self, last: Duration) {
        let first = self.remote.as_ref().map_or(Duration::ZERO, |run| run.progress().elapsed);
        let _ = self.earlier.set(first.saturating_sub(last));
    }

    fn earlier(&self) -> Duration {
        self.earlier.get().copied().unwrap_or_default()
    }

    pub(super) fn with<R>(&self, ask: impl FnOnce(&mut Option<Ended<D>>) -> R) -> R {
        ask(&mut self.ended.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn accounts(&self) -> Accounts {
        let known = self.with(|ended| ended.as_ref().map(|ended| ended.accounts));
        known.unwrap_or_else(|| self.remote.as_ref().map(|run| run.accounts()).unwrap_or_default())
    }

    fn report(&self) -> Report {
        let known = self.with(|ended| ended.as_ref().map(|ended| ended.report.clone()));
        known.unwrap_or_else(|| self.remote.as_ref().map_or_else(Report::not_started, |run| run.report()))
    }

    /// Accounts over all halves, by those of the last: a document is in flight until it came out of that, or is
    /// known not to.
    pub(super) fn accounts_over(&self, last: Accounts) -> Accounts {
        let before = self.accounts();
        let mut all =
            Accounts { pulled: before.pulled, stuck: before.stuck + last.stuck, cancelled: 0, ..last };
        if last.balance() && self.with(|ended| ended.is_some()) {
            all.cancelled = all.in_flight();
        }
        all
    }

    /// The report of all halves, by that of the last.
    pub(super) fn report_over(&self, last: Report) -> Report {
        let mut first = self.report();
        let mut before = std::mem::take(&mut first.before);
        before.push(first);
        Report { accounts: self.accounts_over(last.accounts), before, ..last }
    }

    /// How far all halves have come, by the accounts and the progress of the last.
    pub(super) fn progress_over(&self, accounts: Accounts, last: Progress) -> Progress {
        let in_flight = self.accounts_over(accounts).in_flight();
        Progress { in_flight, elapsed: last.elapsed + self.earlier(), ..last }.paced()
    }

    /// The recording of all halves, by that of the last.
    pub(super) fn timeline_over(&self, last: Timeline) -> Timeline {
        match self.remote.as_ref().and_then(|run| run.timeline()) {
            Some(before) => last.behind(before, self.earlier()),
            None => last,
        }
    }
}

/// A run of the halves before, as the source of the last.
pub(super) struct FromRun<D, B> {
    pub(super) run: Option<Run<D, B>>,
    /// Documents of a batch that have not been pulled.
    pub(super) waiting: VecDeque<Handed<D, B>>,
    pub(super) shared: Arc<Before<D>>,
}

impl<D: Send, B: Send + Sync> Source<Handed<D, B>> for FromRun<D, B> {
    fn next(&mut self, _: Position) -> Result<Option<Handed<D, B>>, Error> {
        loop {
            if let Some(handed) = self.waiting.pop_front() {
                return Ok(Some(handed));
            }
            match self.run.as_mut().and_then(Iterator::next) {
                Some(Ok(batch)) => self.waiting = hand_on(batch),
                Some(Err(error)) => return Err(error),
                None => return Ok(None),
            }
        }
    }

    fn length(&self) -> Option<u64> {
        self.run.as_ref().and_then(|run| run.progress().total)
    }

    fn end(&self) -> Option<EndSource> {
        let remote = self.shared.remote.clone()?;
        Some(Box::new(move || remote.stop()))
    }
}

impl<D, B> Drop for FromRun<D, B> {
    fn drop(&mut self) {
        let Some(mut run) = self.run.take() else { return };
        run.stop();
        let mut left = run.take_back();
        left.extend(self.waiting.drain(..).filter_map(Handed::into_left));
        let ended = Ended { accounts: run.accounts(), report: run.report_of_last(), left };
        self.shared.with(|known| *known = Some(ended));
    }
}
