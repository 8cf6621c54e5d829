//! What drives a run: the engine with its types forgotten, and who is told of what comes out of it.
//!
//! Uses: `engine`, `mode`. Used by: `run`, `halves`, `parallel`.

use std::sync::Arc;
#[cfg(feature = "stream")]
use std::task::{Poll, Waker};

use crate::engine::outlet::caller::Caller;
use crate::engine::outlet::remote::Remote;
use crate::engine::road::batch::Delivery;
use crate::engine::road::job::Job;
use crate::error::Error;
use crate::observe::accounts::Accounts;
use crate::observe::progress::Progress;
use crate::observe::report::Report;
use crate::observe::timeline::Timeline;
use crate::pipeline::batch::Batch;
use crate::pipeline::gather::Rest;
use crate::pipeline::mode::{self, Mode};
use crate::place::Position;

type OnProgress = Box<dyn FnMut(&Progress) + Send>;

/// A run, and who is told of what comes out of it. Its stages and documents live for `'a`.
pub(crate) struct Driven<'a, D, O> {
    drive: Box<dyn Drive<D, O> + 'a>,
    on_progress: Option<OnProgress>,
    /// The item that is told of and not handed out yet.
    untold: Option<Result<Batch<D, O>, Error>>,
    /// Whether there is a watchdog.
    watched: bool,
}

/// A run whose types of stages and source are forgotten.
pub(crate) trait Drive<D, O>: Send {
    fn next(&mut self) -> Option<Result<Batch<D, O>, Error>>;
    fn stop(&mut self);
    fn accounts(&self) -> Accounts;
    fn tokens(&self) -> usize;
    fn take_back(&mut self) -> Vec<(Position, D)>;
    fn report(&self) -> Report;
    fn timeline(&self) -> Option<Timeline>;
    fn progress(&self) -> Progress;
    fn watched(&self) -> bool;
    fn alive(&self);
    fn remote(&self) -> Option<Arc<dyn Remote>>;
    #[cfg(feature = "stream")]
    fn never_wait(&mut self);
    #[cfg(feature = "stream")]
    fn poll_next(&mut self, waker: &Waker) -> Poll<Option<Result<Batch<D, O>, Error>>>;
}

impl<'a, D, O> Driven<'a, D, O> {
    pub(crate) fn new(drive: Box<dyn Drive<D, O> + 'a>, on_progress: Option<OnProgress>) -> Self {
        Self { watched: drive.watched(), drive, on_progress, untold: None }
    }

    pub(crate) fn next(&mut self) -> Option<Result<Batch<D, O>, Error>> {
        if self.untold.is_none() {
            self.untold = self.drive.next();
        }
        self.tell()
    }

    /// Tells of the item before it is handed out: should that panic, it is the next.
    fn tell(&mut self) -> Option<Result<Batch<D, O>, Error>> {
        if let (Some(on_progress), Some(Ok(_))) = (&mut self.on_progress, &self.untold) {
            on_progress(&self.drive.progress());
        }
        self.untold.take()
    }

    #[cfg(feature = "stream")]
    pub(crate) fn never_wait(&mut self) {
        self.drive.never_wait();
    }

    /// As `next`, without waiting.
    #[cfg(feature = "stream")]
    pub(crate) fn poll_next(&mut self, waker: &Waker) -> Poll<Option<Result<Batch<D, O>, Error>>> {
        if self.untold.is_none() {
            self.untold = std::task::ready!(self.drive.poll_next(waker));
        }
        Poll::Ready(self.tell())
    }

    /// The caller is at work with results that came out before.
    pub(crate) fn alive(&self) {
        if self.watched {
            self.drive.alive();
        }
    }

    pub(crate) fn timeline(&self) -> Result<Timeline, Error> {
        self.drive.timeline().ok_or_else(|| Error::Setting {
            name: "trace",
            reason: "this run is not recorded; Pipeline::trace(true) records it".into(),
        })
    }
}

/// What else is asked of a run.
impl<'a, D, O> std::ops::Deref for Driven<'a, D, O> {
    type Target = dyn Drive<D, O> + 'a;

    fn deref(&self) -> &Self::Target {
        &*self.drive
    }
}

impl<D, O> std::ops::DerefMut for Driven<'_, D, O> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut *self.drive
    }
}

/// A run of the engine.
pub(crate) struct Engine<D, M, J: Job> {
    caller: Caller<J>,
    batch_size: usize,
    /// Who has the documents that the source gave and that stand in no item yet, where an item holds several.
    rest: Option<Rest<D>>,
    mode: std::marker::PhantomData<fn() -> M>,
}

impl<D, M, J: Job> Engine<D, M, J> {
    pub(crate) fn new(caller: Caller<J>, batch_size: usize, rest: Option<Rest<D>>) -> Self {
        Self { caller, batch_size, rest, mode: std::marker::PhantomData }
    }

    fn unpacked(
        &self,
        delivery: Result<Delivery<J::Document, J::Delivered>, Error>,
    ) -> Result<Batch<D, J::Delivered>, Error>
    where
        M: Mode<D, Item = J::Document>,
    {
        match delivery {
            Ok(delivery) => {
                let weights = &self.caller.ledger().books.weights;
                Ok(mode::unpack::<D, M, _>(delivery, self.batch_size, weights))
            }
            Err(error) => Err(mode::unpack_error::<D, M>(error, self.batch_size)),
        }
    }

    /// Counts the documents that stood in no item when the run ended: they are given back as the others.
    fn count_rest(&self) {
        let books = &self.caller.ledger().books;
        if let Some(rest) = self.rest.as_ref().filter(|_| books.closed()) {
            rest.close();
            books.gathered(rest.left_over());
        }
    }
}

impl<D, M, J> Drive<D, J::Delivered> for Engine<D, M, J>
where
    D: Send,
    M: Mode<D>,
    J: Job<Document = M::Item>,
{
    fn next(&mut self) -> Option<Result<Batch<D, J::Delivered>, Error>> {
        let delivery = self.caller.next()?;
        Some(self.unpacked(delivery))
    }

    fn stop(&mut self) {
        self.caller.stop();
    }

    fn accounts(&self) -> Accounts {
        self.count_rest();
        self.caller.ledger().books.accounts()
    }

    fn tokens(&self) -> usize {
        self.caller.ledger().tokens.total()
    }

    fn take_back(&mut self) -> Vec<(Position, D)> {
        self.count_rest();
        let mut left: Vec<_> = mode::unpack_left::<D, M>(self.caller.take_left(), self.batch_size).collect();
        if let Some(rest) = self.rest.as_ref().filter(|_| self.caller.ledger().books.closed()) {
            let first = self.caller.ledger().books.accounts().pulled - rest.left_over();
            left.extend((first..).map(Position).zip(rest.give_back()));
        }
        left
    }

    fn report(&self) -> Report {
        self.count_rest();
        self.caller.report()
    }

    fn timeline(&self) -> Option<Timeline> {
        self.caller.timeline()
    }

    fn progress(&self) -> Progress {
        self.caller.ledger().progress()
    }

    fn watched(&self) -> bool {
        self.caller.road.lookout.is_some()
    }

    fn alive(&self) {
        if let Some(lookout) = &self.caller.road.lookout {
            lookout.stations.caller_works();
        }
    }

    fn remote(&self) -> Option<Arc<dyn Remote>> {
        self.caller.remote()
    }

    #[cfg(feature = "stream")]
    fn never_wait(&mut self) {
        self.caller.never_wait();
    }

    #[cfg(feature = "stream")]
    fn poll_next(&mut self, waker: &Waker) -> Poll<Option<Result<Batch<D, J::Delivered>, Error>>> {
        let next = std::task::ready!(self.caller.poll_next(waker));
        Poll::Ready(next.map(|delivery| self.unpacked(delivery)))
    }
}

impl<D, M, J: Job> Drop for Engine<D, M, J> {
    fn drop(&mut self) {
        self.caller.stop();
    }
}

/// A run that could not start.
pub(crate) struct NotStarted(pub(crate) Option<Error>);

impl<D, O> Drive<D, O> for NotStarted {
    fn next(&mut self) -> Option<Result<Batch<D, O>, Error>> {
        self.0.take().map(Err)
    }

    fn stop(&mut self) {
        self.0 = None;
    }

    fn accounts(&self) -> Accounts {
        Accounts::default()
    }

    fn tokens(&self) -> usize {
        0
    }

    fn take_back(&mut self) -> Vec<(Position, D)> {
        Vec::new()
    }

    fn report(&self) -> Report {
        Report::not_started()
    }

    fn timeline(&self) -> Option<Timeline> {
        None
    }

    fn progress(&self) -> Progress {
        Progress::default()
    }

    fn watched(&self) -> bool {
        false
    }

    fn alive(&self) {}

    fn remote(&self) -> Option<Arc<dyn Remote>> {
        None
    }

    #[cfg(feature = "stream")]
    fn never_wait(&mut self) {}

    #[cfg(feature = "stream")]
    fn poll_next(&mut self, _: &Waker) -> Poll<Option<Result<Batch<D, O>, Error>>> {
        Poll::Ready(self.next())
    }
}
