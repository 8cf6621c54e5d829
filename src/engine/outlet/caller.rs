//! The caller's side: takes results in order, gives tokens back, and ends the run.
//!
//! It is the only one that waits for results. A caller that is itself a rayon worker yields to its
//! pool while it waits: other callers, the source or the GPU stage may need that pool.

use std::collections::VecDeque;
use std::sync::Arc;
#[cfg(feature = "stream")]
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

#[cfg(feature = "stream")]
use super::ending::Farewell;
use super::hands::Hands;
use super::remote::Remote;
use super::turn::Turn;
use crate::engine::ledger::Ledger;
use crate::engine::measure;
use crate::engine::road::batch::{Delivery, Done, Left, Message};
use crate::engine::road::job::Job;
use crate::engine::road::shared::{DoneOf, MessageOf, Road};
use crate::engine::seam::{Moment, Receiver};
use crate::engine::watch::Checks;
#[cfg(feature = "stream")]
use crate::engine::watch::Timer;
use crate::error::Error;
use crate::observe::record::{Kind, Span};
use crate::observe::report::Report;
use crate::observe::timeline::Timeline;
use crate::place::BatchIndex;

/// A batch in its turn, the error that ends the run, or the end.
pub(crate) type Next<J> = Option<Result<Delivery<<J as Job>::Document, <J as Job>::Delivered>, Error>>;

pub(crate) struct Caller<J: Job> {
    pub(crate) road: Arc<Road<J>>,
    /// What the caller does itself.
    pub(super) hands: Hands<J>,
    pub(super) results: Receiver<MessageOf<J>>,
    /// Messages that were taken from there and not looked at.
    pub(super) heard: VecDeque<MessageOf<J>>,
    pub(crate) checks: Checks,
    pub(super) grace: Duration,
    /// Whether the source is ours: its feeder is never left behind inside it.
    pub(super) own_source: bool,
    pub(super) turn: Turn<J::Document, J::Delivered>,
    pub(super) state: State,
    /// When the caller was handed its last result, and which.
    handed: Option<(Moment, BatchIndex)>,
    /// Whether results are polled for.
    #[cfg(feature = "stream")]
    pub(super) polled: bool,
    /// When the task that polls was woken.
    #[cfg(feature = "stream")]
    pub(super) woken: Option<Moment>,
    /// The last item of a run that is polled, while its threads are ending.
    #[cfg(feature = "stream")]
    pub(super) last: Option<Next<J>>,
    #[cfg(feature = "stream")]
    pub(super) timer: Arc<Timer>,
    /// Whether a run that is polled has begun to end, and how its threads have.
    #[cfg(feature = "stream")]
    pub(super) leaving: bool,
    #[cfg(feature = "stream")]
    pub(super) joined: Arc<Joined>,
    /// Says farewell for a caller that is polled.
    #[cfg(feature = "stream")]
    pub(super) aside: Aside<J>,
    remote: ToRemote<J>,
}

/// The run as it is seen from other threads, where it may outlive its caller.
pub(crate) type ToRemote<J> = fn(&Arc<Road<J>>) -> Option<Arc<dyn Remote>>;

/// Has the threads of a run waited for where the caller cannot.
#[cfg(feature = "stream")]
pub(crate) type Aside<J> = fn(&Arc<Road<J>>, Farewell, &Arc<Joined>);

/// How the threads of a run that is polled have ended, once they have.
#[cfg(feature = "stream")]
#[derive(Default)]
pub(crate) struct Joined(AtomicU8);

#[cfg(feature = "stream")]
impl Joined {
    pub(super) fn set(&self, all: bool) {
        self.0.store(if all { 2 } else { 1 }, Ordering::SeqCst);
    }

    /// Whether no user code of the run is still running; `None` while that is waited for.
    pub(super) fn all(&self) -> Option<bool> {
        match self.0.load(Ordering::SeqCst) {
            0 => None,
            how => Some(how == 2),
        }
    }
}

/// How the run stands.
pub(super) enum State {
    Running,
    /// One error is still to be given.
    Failing(Error),
    Ended,
}

/// What a caller is made of.
pub(crate) struct Parts<J: Job> {
    pub(crate) road: Arc<Road<J>>,
    pub(crate) hands: Hands<J>,
    pub(crate) results: Receiver<MessageOf<J>>,
    pub(crate) checks: Checks,
    pub(crate) grace: Duration,
    pub(crate) own_source: bool,
    /// Whether results leave as they come.
    pub(crate) any_order: bool,
    #[cfg(feature = "stream")]
    pub(crate) aside: Aside<J>,
    pub(crate) remote: ToRemote<J>,
}

impl<J: Job> Caller<J> {
    pub(crate) fn new(parts: Parts<J>) -> Self {
        let Parts { road, hands, results, checks, grace, own_source, any_order, remote, .. } = parts;
        Self {
            #[cfg(feature = "stream")]
            aside: parts.aside,
            #[cfg(feature = "stream")]
            timer: Arc::new(Timer::new(&road.ledger.seam)),
            #[cfg(feature = "stream")]
            woken: None,
            #[cfg(feature = "stream")]
            last: None,
            #[cfg(feature = "stream")]
            leaving: false,
            #[cfg(feature = "stream")]
            joined: Arc::default(),
            remote,
            road,
            hands,
            results,
            heard: VecDeque::new(),
            checks,
            grace,
            own_source,
            turn: Turn::new(any_order),
            state: State::Running,
            handed: None,
            #[cfg(feature = "stream")]
            polled: false,
        }
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.road.ledger
    }

    /// The next batch in order, the error that ends the run, or `None` after its end.
    pub(crate) fn next(&mut self) -> Next<J> {
        self.comes();
        let next = self.begin_next().unwrap_or_else(|| self.take_next());
        self.end_with(&next);
        self.goes();
        next
    }

    /// A watchdog knows whether the caller waits for a result or the run for its caller.
    pub(super) fn comes(&self) {
        // A caller that polls again for the same result moves nothing.
        if let Some(lookout) = self.road.lookout.as_ref().filter(|lookout| !lookout.stations.caller_waits()) {
            lookout.stations.caller(true, self.ledger().now());
        }
    }

    /// The caller is seen outside of `next`, at work with a result.
    pub(super) fn goes(&self) {
        if let Some(lookout) = &self.road.lookout {
            lookout.stations.caller(false, self.ledger().now());
        }
    }

    /// What comes next where that is known without a look at the results.
    pub(super) fn begin_next(&mut self) -> Option<Next<J>> {
        match std::mem::replace(&mut self.state, State::Running) {
            State::Running if self.ledger().is_asked_to_end() => Some(None),
            State::Running => None,
            State::Ended => {
                self.state = State::Ended;
                Some(None)
            }
            State::Failing(error) => Some(Some(Err(error))),
        }
    }

    fn take_next(&mut self) -> Next<J> {
        if let Some(done) = self.turn.next() {
            return self.hand_over(done);
        }
        loop {
            if self.turn.is_over() {
                return self.ledger().take_ending().map(Err);
            }
            match self.message() {
                Ok(message) => {
                    if let Some(next) = self.hear(message) {
                        return next;
                    }
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// What a message comes to; `None` where the turn of no result has come with it.
    pub(super) fn hear(&mut self, message: MessageOf<J>) -> Option<Next<J>> {
        match message {
            Message::Done(done) => {
                let done = self.turn.take(done)?;
                Some(self.hand_over(done))
            }
            Message::Opened => None,
            Message::Stopped => Some(None),
            Message::End { items } => {
                self.turn.ends_after(items);
                None
            }
            Message::Ends(error) => Some(Some(Err(error))),
        }
    }

    pub(super) fn hand_over(&mut self, done: DoneOf<J>) -> Next<J> {
        let Done { delivery, then_stop, part, on_their_way, .. } = done;
        let delivery = match delivery {
            Ok(delivery) => delivery,
            Err(error) => return Some(Err(error)),
        };
        let ledger = &self.road.ledger;
        let weights = &ledger.books.weights;
        let delivered = weights.of_all(delivery.positions.iter().copied());
        #[cfg(test)]
        let delivered = if ledger.seam.has(crate::engine::seam::Planted::WeighsAgain) {
            delivery.documents.iter().map(|document| J::documents(document) as u64).sum()
        } else {
            delivered
        };
        let failed = weights.of_all(delivery.failures.iter().map(|failure| failure.position));
        ledger.books.deliver(delivered, failed);
        if part.last {
            ledger.books.batch_is_out();
        }
        ledger.tokens.give_back(delivery.positions.len(), delivery.failures.len());
        let now = ledger.now();
        ledger.meters.first_result.set_first(now);
        measure::arrived(ledger, now, on_their_way.iter().map(|item| (item.pulled, item.waited)));
        ledger.record(|| Span::counter(Kind::Tokens, now, ledger.tokens.taken()));
        self.caller_is_back(now);
        self.handed = Some((now, delivery.index));
        if let Some(error) = then_stop {
            self.state = State::Failing(error);
        }
        Some(Ok(delivery))
    }

    /// The caller has done what it wanted with its last result, at the latest by `now`.
    pub(super) fn caller_is_back(&mut self, now: Moment) {
        let ledger = &self.road.ledger;
        let asked = ledger.meters.caller_asked.take().unwrap_or(now);
        let Some((handed, batch)) = self.handed.take() else { return };
        // A caller that does the work cannot be told from its work here.
        if ledger.facts.only_takes {
            let end = asked.max(handed);
            ledger.meters.caller_times.add(end.since(handed), 1);
            ledger.record(|| Span::new(Kind::Caller, handed, end).about(batch.0, 1));
        }
    }

    /// The run as it is seen from other threads.
    pub(crate) fn remote(&self) -> Option<Arc<dyn Remote>> {
        (self.remote)(&self.road)
    }

    /// Where the time went so far.
    pub(crate) fn report(&self) -> Report {
        measure::report(self.ledger(), self.road.decisions())
    }

    /// What was recorded so far; `None` where the run is not recorded.
    pub(crate) fn timeline(&self) -> Option<Timeline> {
        measure::timeline(self.ledger())
    }

    /// Documents that were pulled and do not come out; empty while the run goes on.
    pub(crate) fn take_left(&mut self) -> Vec<Left<J::Document>> {
        self.road.take_left()
    }
}
