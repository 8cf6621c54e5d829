//! The caller's side of a run that is polled: takes results, and ends the run, without ever waiting.
//!
//! What a caller with a thread waits for (a result, and the end of the threads) is looked at here, and
//! looked at again when the alarm rings. Where the caller does the work itself it is done in the poll.

use std::sync::atomic::Ordering;
use std::task::{Poll, Waker};
use std::time::Duration;

use super::caller::{Caller, Drive, FEEDER, Next};
use super::job::Job;
use super::then::DoneOf;
use super::waiting::Missing;

impl<J: Job> Caller<J> {
    /// From now on nothing is waited for, not even the end of threads when the run is dropped.
    pub(crate) fn never_wait(&mut self) {
        self.grace = Duration::ZERO;
        self.turn.polled = true;
    }

    /// As `next`, without waiting; the waker is woken when it is worth a new look.
    pub(crate) fn poll_next(&mut self, waker: &Waker) -> Poll<Next<J>> {
        if !self.only_takes {
            return Poll::Ready(self.next());
        }
        let polled = self.poll_item(waker);
        // Between two polls of one result the caller waits for it.
        match polled {
            Poll::Ready(_) => self.goes(),
            Poll::Pending => self.comes(),
        }
        polled
    }

    fn poll_item(&mut self, waker: &Waker) -> Poll<Next<J>> {
        if let Some(last) = self.turn.last.take() {
            return self.poll_end(last, waker);
        }
        if let Some(early) = self.begin_next() {
            return match early {
                Some(Err(error)) => self.poll_end(Some(Err(error)), waker),
                other => Poll::Ready(other),
            };
        }
        loop {
            if let Some(done) = self.in_turn() {
                return match self.hand_over(done) {
                    Some(Err(error)) => self.poll_end(Some(Err(error)), waker),
                    other => Poll::Ready(other),
                };
            }
            match self.poll_result(waker) {
                Poll::Ready(Ok(done)) => self.keep(done),
                Poll::Ready(Err(missing)) => {
                    let last = self.last(missing);
                    return self.poll_end(last, waker);
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn poll_result(&mut self, waker: &Waker) -> Poll<Result<DoneOf<J>, Missing>> {
        let ready = self.look_for_result().transpose();
        self.shared.meters.caller_was_late.store(ready.is_some(), Ordering::Relaxed);
        if let Some(result) = ready {
            return Poll::Ready(result);
        }
        self.shared.threads.alarm().set(waker);
        self.look_for_result().transpose().map_or(Poll::Pending, Poll::Ready)
    }

    fn look_for_result(&mut self) -> Result<Option<DoneOf<J>>, Missing> {
        self.limits.look(&self.shared)?;
        self.try_result()
    }

    /// A result that is there already.
    fn try_result(&mut self) -> Result<Option<DoneOf<J>>, Missing> {
        match (&self.drive, &self.batches) {
            (Drive::Direct { .. }, Some(batches)) => {
                let batch = batches.try_recv()?;
                Ok(batch.map(|batch| batch.without_device(J::without_device)))
            }
            _ => Ok(self.results.try_recv()?),
        }
    }

    /// Stops the run, and gives its last item once the threads have ended.
    fn poll_end(&mut self, last: Next<J>, waker: &Waker) -> Poll<Next<J>> {
        self.shared.stop();
        self.shared.threads.alarm().set(waker);
        // A feeder inside a source that waits ends by itself, when the source gives its next document.
        let in_source = self.shared.in_source.load(Ordering::SeqCst);
        let left = if in_source { FEEDER } else { "" };
        if !self.shared.threads.ended_but(left) || self.shared.work.running() > 0 {
            self.turn.last = Some(last);
            return Poll::Pending;
        }
        self.end_with(&last);
        Poll::Ready(last)
    }
}
