//! The caller's side of a run that is polled: takes results, and ends the run, without ever waiting.
//!
//! What a caller with a thread waits for (a result, and the end of the threads) is looked at here, and
//! looked at again when the alarm rings. It has the same endings: a timer rings at its limits, and its threads are
//! waited for, as long as they may be, by a thread that is started for it. Where the caller does the work itself it
//! is done in the poll.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Poll, Waker};
use std::time::Duration;

use super::caller::{Caller, Joined, Next, State};
use super::ending::{Farewell, farewell};
use crate::engine::road::job::Job;
use crate::engine::road::shared::Road;
use crate::engine::seam::{Moment, STACK, spawn_unjoined};
use crate::error::Error;

impl<J: Job> Caller<J> {
    /// From now on nothing is waited for by the caller itself.
    pub(crate) fn never_wait(&mut self) {
        self.polled = true;
    }

    /// As `next`, without waiting; the waker is woken when it is worth a new look.
    pub(crate) fn poll_next(&mut self, waker: &Waker) -> Poll<Next<J>> {
        if !self.ledger().facts.only_takes {
            return Poll::Ready(self.next());
        }
        self.woken = self.ledger().threads.alarm().rung();
        let asked = self.ledger().now();
        self.ledger().meters.caller_asked.set_first(asked);
        let polled = self.poll_item(waker);
        self.count_wait(asked, polled.is_pending());
        // Between two polls of one result the caller waits for it.
        match polled {
            Poll::Ready(_) => self.goes(),
            Poll::Pending => self.comes(),
        }
        polled
    }

    /// Counts the wait that this poll ended: until the task was woken, where a result was there then. What the task
    /// was woken for in vain is part of the wait.
    fn count_wait(&self, polled: Moment, in_vain: bool) {
        let ledger = self.ledger();
        if let Some(since) = ledger.meters.caller_waits.take() {
            let woken = if in_vain { None } else { self.woken };
            ledger.meters.caller_waited.add(woken.unwrap_or(polled).min(polled).since(since));
        }
        if in_vain {
            ledger.meters.caller_waits.set(polled);
        }
    }

    fn poll_item(&mut self, waker: &Waker) -> Poll<Next<J>> {
        if let Some(last) = self.last.take() {
            return self.poll_end(last, waker);
        }
        let next = match self.begin_next() {
            Some(next) => next,
            None => match self.poll_result(waker) {
                Poll::Ready(next) => next,
                Poll::Pending => return Poll::Pending,
            },
        };
        match next {
            Some(Ok(delivery)) => Poll::Ready(Some(Ok(delivery))),
            last if matches!(self.state, State::Ended) => Poll::Ready(last),
            last => self.poll_end(last, waker),
        }
    }

    /// The next item, where it is there; else the waker is left where it is woken.
    fn poll_result(&mut self, waker: &Waker) -> Poll<Next<J>> {
        let ready = self.look_for_result();
        self.ledger().meters.caller_was_late.store(ready.is_some(), Ordering::Relaxed);
        if let Some(next) = ready {
            return Poll::Ready(next);
        }
        self.ledger().threads.alarm().set(waker);
        #[cfg(test)]
        if self.ledger().seam.has(crate::engine::seam::Planted::PollLooksOnce) {
            return Poll::Pending;
        }
        if let Some(next) = self.look_for_result() {
            return Poll::Ready(next);
        }
        match self.ring_in_time() {
            Ok(()) => Poll::Pending,
            Err(error) => Poll::Ready(Some(Err(error))),
        }
    }

    fn look_for_result(&mut self) -> Option<Next<J>> {
        if let Some(done) = self.turn.next() {
            return Some(self.hand_over(done));
        }
        loop {
            if self.turn.is_over() {
                return Some(self.ledger().take_ending().map(Err));
            }
            match self.message_there() {
                Ok(Some(message)) => match self.hear(message) {
                    Some(next) => return Some(next),
                    None => continue,
                },
                Ok(None) => return None,
                Err(error) => return Some(Some(Err(error))),
            }
        }
    }

    /// Has the task woken when a limit has to be looked at.
    fn ring_in_time(&self) -> Result<(), Error> {
        let ledger = &self.road.ledger;
        let Some(patience) = self.checks.patience(ledger) else { return Ok(()) };
        let due = ledger.now().plus(patience);
        self.timer.ring_at(ledger, due).map_err(|error| Error::Thread { cause: error.into() })
    }

    /// Stops the run, and gives its last item once the threads have ended or had their time.
    fn poll_end(&mut self, last: Next<J>, waker: &Waker) -> Poll<Next<J>> {
        self.say_farewell();
        self.ledger().threads.alarm().set(waker);
        if self.joined.all().is_none() {
            self.last = Some(last);
            return Poll::Pending;
        }
        self.end_with(&last);
        Poll::Ready(last)
    }

    /// Stops the run, once, and has its threads waited for.
    pub(super) fn say_farewell(&mut self) {
        if std::mem::replace(&mut self.leaving, true) {
            return;
        }
        self.road.stop();
        (self.aside)(&self.road, self.farewell(), &self.joined);
    }
}

/// Waits for the threads of a run in a thread that is started for it and rings when they have ended.
pub(crate) fn wait_aside<J: Job + 'static>(road: &Arc<Road<J>>, how: Farewell, joined: &Arc<Joined>) {
    let (for_thread, and_joined) = (road.clone(), joined.clone());
    let wait = move || wait_here(&for_thread, how, &and_joined);
    if spawn_unjoined(&road.ledger.seam, "gapless-farewell", STACK, Box::new(wait)).is_err() {
        // There is no thread to be had: what has ended has ended, and the others are left behind.
        wait_here(road, Farewell { grace: Duration::ZERO, ..how }, joined);
    }
}

/// Waits for the threads of a run where it is polled: they borrow from whoever polls.
pub(crate) fn wait_here<J: Job>(road: &Arc<Road<J>>, how: Farewell, joined: &Arc<Joined>) {
    joined.set(farewell(road, how));
    road.ledger.threads.alarm().ring();
}
