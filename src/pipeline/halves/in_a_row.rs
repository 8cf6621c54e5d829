//! A run of several halves: what drives it is the last, and what is said of it is said of all.

use std::sync::Arc;
#[cfg(feature = "stream")]
use std::task::{Poll, Waker};

use super::before::Before;
use super::handed::{Came, Handed};
use crate::engine::outlet::remote::Remote;
use crate::error::{Error, Failure, Stage};
use crate::observe::accounts::Accounts;
use crate::observe::progress::Progress;
use crate::observe::report::Report;
use crate::observe::timeline::Timeline;
use crate::pipeline::Batch;
use crate::pipeline::drive::{Drive, Driven};
use crate::place::{Position, in_order};

/// A run of several halves.
pub(super) struct InARow<D, B, O> {
    pub(super) before: Arc<Before<D>>,
    pub(super) last: Driven<'static, Handed<D, B>, O>,
    /// Failures that came out last.
    pub(super) failed: Vec<Placed>,
}

/// A failure that came out.
pub(super) struct Placed {
    /// Its place in the last half.
    place: Position,
    /// That in the source.
    position: Position,
    stage: Stage,
}

impl<D, B, O> InARow<D, B, O> {
    fn unpacked(&mut self, next: Result<Batch<Handed<D, B>, O>, Error>) -> Result<Batch<D, O>, Error> {
        let batch = next.map_err(|error| self.in_source(error))?;
        let Batch { index, documents, output, failures, .. } = batch;
        self.failed.clear();
        let positions = documents.iter().map(|handed| handed.position).collect();
        let documents =
            documents.into_iter().filter_map(Handed::into_left).map(|(_, document)| document).collect();
        let failures = failures.into_iter().filter_map(|failure| self.failure(failure)).collect();
        Ok(Batch { index, documents, positions, output, failures, taken: Vec::new() })
    }

    /// The failure of a document, in the half in which it failed.
    fn failure(&mut self, failure: Failure<Handed<D, B>>) -> Option<Failure<D>> {
        let Failure { document: handed, position: place, stage, cause } = failure;
        let stage = if let Came::Failed(before, _) = handed.came { before } else { stage };
        let (position, document) = handed.into_left()?;
        self.failed.push(Placed { place, position, stage });
        Some(Failure { document, position, stage, cause })
    }

    /// The same error with a place in the source, and the half in which the document failed. One of the halves
    /// before speaks of those already, and of no failure that came out here.
    fn in_source(&self, error: Error) -> Error {
        let Error::Stopped { position: place, stage, cause } = error else { return error };
        let failed = self.failed.iter().find(|failed| failed.place == place);
        let (position, stage) = failed.map_or((place, stage), |failed| (failed.position, failed.stage));
        Error::Stopped { position, stage, cause }
    }
}

impl<D: Send + 'static, B: Send + Sync, O: Send> Drive<D, O> for InARow<D, B, O> {
    fn next(&mut self) -> Option<Result<Batch<D, O>, Error>> {
        let next = self.last.next()?;
        Some(self.unpacked(next))
    }

    fn stop(&mut self) {
        self.last.stop();
    }

    fn accounts(&self) -> Accounts {
        self.before.accounts_over(self.last.accounts())
    }

    fn tokens(&self) -> usize {
        self.last.tokens()
    }

    fn take_back(&mut self) -> Vec<(Position, D)> {
        let left = self.last.take_back().into_iter();
        let left = left.filter_map(|(_, handed)| handed.into_left());
        let before = self.before.with(|ended| ended.as_mut().map(|ended| std::mem::take(&mut ended.left)));
        in_order(left.chain(before.into_iter().flatten()), |(position, _)| position.whole())
    }

    fn report(&self) -> Report {
        self.before.report_over(self.last.report())
    }

    fn timeline(&self) -> Option<Timeline> {
        Some(self.before.timeline_over(self.last.timeline().ok()?))
    }

    fn progress(&self) -> Progress {
        self.before.progress_over(self.last.accounts(), self.last.progress())
    }

    fn watched(&self) -> bool {
        self.last.watched()
    }

    fn alive(&self) {
        self.last.alive();
    }

    fn remote(&self) -> Option<Arc<dyn Remote>> {
        let last = self.last.remote()?;
        Some(Arc::new(Both { before: self.before.clone(), last }))
    }

    #[cfg(feature = "stream")]
    fn never_wait(&mut self) {
        self.last.never_wait();
    }

    #[cfg(feature = "stream")]
    fn poll_next(&mut self, waker: &Waker) -> Poll<Option<Result<Batch<D, O>, Error>>> {
        let next = std::task::ready!(self.last.poll_next(waker));
        Poll::Ready(next.map(|next| self.unpacked(next)))
    }
}

/// All halves, as they are seen from other threads.
struct Both<D> {
    before: Arc<Before<D>>,
    last: Arc<dyn Remote>,
}

impl<D: Send> Remote for Both<D> {
    fn stop(&self) {
        self.last.stop();
    }

    fn accounts(&self) -> Accounts {
        self.before.accounts_over(self.last.accounts())
    }

    fn progress(&self) -> Progress {
        self.before.progress_over(self.last.accounts(), self.last.progress())
    }

    fn report(&self) -> Report {
        self.before.report_over(self.last.report())
    }

    fn timeline(&self) -> Option<Timeline> {
        Some(self.before.timeline_over(self.last.timeline()?))
    }
}
