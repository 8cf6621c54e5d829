//! How a run ends: nothing new starts, what stands anywhere is cancelled, and its threads are waited for.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::caller::{Caller, Next, State};
use super::hands::Hands;
use super::yielding;
use crate::engine::ledger::Ledger;
use crate::engine::road::batch::Message;
use crate::engine::road::job::Job;
use crate::engine::road::shared::Road;
use crate::engine::seam::SLICE;
use crate::error::Error;

/// How long a feeder inside the source's `next` is waited for: a source that waits for its next
/// document is live, and its thread ends by itself when that comes.
const LIVE_SOURCE: Duration = Duration::from_millis(20);

pub(crate) const FEEDER: &str = "gapless-feeder";

/// How a run ended.
#[derive(Clone, Copy)]
pub(super) enum Ending<'a> {
    /// The source ended and everything came out.
    Finished,
    /// By this error.
    Failed(&'a Error),
    /// By the caller.
    Stopped,
}

impl Ending<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Failed(_) => "failed",
            Self::Stopped => "stopped",
        }
    }

    fn error(&self) -> Option<&Error> {
        match self {
            Self::Failed(error) => Some(error),
            Self::Finished | Self::Stopped => None,
        }
    }
}

/// How long the threads of a run are waited for.
#[derive(Clone, Copy)]
pub(crate) struct Farewell {
    pub(super) grace: Duration,
    /// Whether the feeder is waited for inside the source too.
    pub(super) own_source: bool,
}

impl<J: Job> Caller<J> {
    /// Ends the run where this is its last item.
    pub(super) fn end_with(&mut self, last: &Next<J>) {
        match last {
            Some(Ok(_)) => {}
            Some(Err(error)) => self.end(Ending::Failed(error)),
            None if self.ledger().is_asked_to_end() => self.end(Ending::Stopped),
            None => self.end(Ending::Finished),
        }
    }

    /// Ends the run, whatever it is doing: nothing new starts, and what is in flight is cancelled.
    pub(crate) fn stop(&mut self) {
        self.end(Ending::Stopped);
    }

    fn end(&mut self, ending: Ending<'_>) {
        if matches!(self.state, State::Ended) {
            return;
        }
        self.state = State::Ended;
        let start = self.ledger().now();
        self.caller_is_back(start);
        let all = self.stop_and_wait();
        std::mem::replace(&mut self.hands, Hands::none()).close();
        self.drain();
        let ledger = self.road.ledger.clone();
        ledger.books.close(all);
        let now = ledger.now();
        ledger.meters.stopping.add(now.since(start));
        ledger.ended(now);
        ledger.spans.ended(ending.name(), ending.error(), ledger.books.accounts());
        if let Some(redraw) = self.checks.redraw.take() {
            redraw.end(&ledger, matches!(ending, Ending::Finished));
        }
        #[cfg(feature = "stream")]
        self.timer.close();
    }

    /// True where no user code of this run is still running. A caller that polls waits for nothing here.
    fn stop_and_wait(&mut self) -> bool {
        #[cfg(feature = "stream")]
        if self.polled && self.ledger().facts.only_takes {
            self.say_farewell();
            return self.joined.all().unwrap_or(false);
        }
        self.road.stop();
        farewell(&self.road, self.farewell())
    }

    pub(super) fn farewell(&self) -> Farewell {
        Farewell { grace: self.grace, own_source: self.own_source }
    }

    fn drain(&mut self) {
        for message in std::mem::take(&mut self.heard) {
            if let Message::Done(done) = message {
                self.road.cancel_done(done);
            }
        }
        self.road.caller_goes();
        for done in self.turn.left() {
            self.road.cancel_done(done);
        }
    }
}

/// Waits for the threads of the run, and for the units that run on a pool of others; true where no user code of
/// this run is still running anywhere.
///
/// A stage that waits for something of its own is told more than once: the first time may fall between its own
/// look and its wait.
pub(super) fn farewell<J: Job>(road: &Arc<Road<J>>, farewell: Farewell) -> bool {
    let ledger: &Ledger = &road.ledger;
    let start = ledger.now();
    let passed = || ledger.now().since(start);
    let mut feeder_left = false;
    let left_behind = ledger.threads.join(farewell.grace, || {
        interrupt_again(road);
        let patience = LIVE_SOURCE.saturating_sub(passed());
        if !farewell.own_source && ledger.in_source.load(Ordering::SeqCst) && patience.is_zero() {
            feeder_left = true;
            ledger.threads.leave(FEEDER);
        }
        yielding::slice(if patience.is_zero() { SLICE } else { patience })
    });
    while passed() < farewell.grace && !road.queue.wait_idle(yielding::slice(SLICE)) {
        interrupt_again(road);
    }
    let all = left_behind.is_empty() && !feeder_left && road.queue.running() == 0;
    ledger.leaves_behind(left_behind);
    all
}

fn interrupt_again<J: Job>(road: &Road<J>) {
    #[cfg(test)]
    if road.ledger.seam.has(crate::engine::seam::Planted::InterruptsOnce) {
        return;
    }
    road.interrupt();
}
