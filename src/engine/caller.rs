//! The caller's side: takes results in order, gives tokens back, and ends the run.
//!
//! It is the only one that waits for results. A caller that is itself a rayon worker yields to its
//! pool while it waits: other callers, the source or the GPU stage may need that pool.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::batch::{Delivery, Done, Part};
use super::device::{BatchOf, DeviceLoop, SLICE};
use super::feed::Feeder;
use super::job::Job;
use super::limits::{Limits, Over};
use super::ran::Predictable;
use super::seam::{Moment, Receiver};
use super::settings::Order;
use super::shared::{Shared, documents, drop_user};
use super::then::{DoneOf, cancel_done};
use super::waiting::Missing;
use super::yielding;
use crate::error::{Cause, Error};
use crate::observe::meters::DeviceMeter;
use crate::observe::record::{Kind, Span};
use crate::place::BatchIndex;

/// How long a feeder inside the source's `next` is waited for: a source that waits for its next
/// document is live, and its thread ends by itself when that comes.
const LIVE_SOURCE: Duration = Duration::from_millis(20);

pub(crate) const FEEDER: &str = "gapless-feeder";

/// A batch in its turn, the error that ends the run, or the end.
pub(crate) type Next<J> = Option<Result<Delivery<<J as Job>::Document, <J as Job>::Delivered>, Error>>;

/// Who runs the steps of the engine.
pub(crate) enum Drive<J: Job> {
    /// Threads of their own.
    Threads,
    /// Threads prepare, or the caller where it has the feeder; there is no device.
    Direct { feeder: Option<Feeder<J>> },
    /// The caller, all of them.
    Inline { feeder: Feeder<J>, device: Option<Box<DeviceLoop<J>>> },
    /// Threads prepare everything; then the caller runs the device.
    Sequential { held: Receiver<Receiver<BatchOf<J>>>, device: SequentialDevice<J> },
}

type MakeDevice<J> = Box<dyn FnOnce(Receiver<BatchOf<J>>) -> DeviceLoop<J> + Send>;

pub(crate) enum SequentialDevice<J: Job> {
    /// Made when everything has been prepared.
    Later(MakeDevice<J>),
    Now(Box<DeviceLoop<J>>),
    Ended,
}

pub(crate) struct Caller<J: Job> {
    pub(crate) shared: Arc<Shared<J>>,
    pub(crate) drive: Drive<J>,
    pub(crate) results: Receiver<DoneOf<J>>,
    /// Held so that batches nobody took can be cancelled; `None` in a sequential run.
    pub(crate) batches: Option<Receiver<BatchOf<J>>>,
    pub(crate) devices: Vec<Arc<DeviceMeter>>,
    pub(crate) order: Order,
    pub(crate) grace: Duration,
    /// Whether the source never blocks for long.
    pub(crate) own_source: bool,
    /// Workers of this run; 0 where the caller does their work.
    pub(crate) workers: usize,
    /// How long the stages took to open, before the run.
    pub(crate) opening: Duration,
    /// Whether threads do all the work, and the caller only takes results.
    pub(crate) only_takes: bool,
    pub(crate) turn: Turn<J>,
    pub(crate) limits: Limits,
    /// What the run was asked to do, where that can be predicted.
    pub(crate) predictable: Option<Predictable>,
}

/// Whose turn it is, and how the run stands.
pub(crate) struct Turn<J: Job> {
    /// Results that came before their turn.
    early: BTreeMap<Place, DoneOf<J>>,
    next: Place,
    /// Batches that are out with all their parts.
    batches_out: u64,
    state: State,
    left_behind: Vec<String>,
    /// When the caller was handed its last result, and which.
    pub(super) handed: Option<(Moment, BatchIndex)>,
    /// Whether results are polled for: then nobody knows when the caller wants the next.
    pub(super) polled: bool,
    /// The last item of a run that is polled, while its threads are ending.
    #[cfg(feature = "stream")]
    pub(super) last: Option<Next<J>>,
}

/// Place of a result: its batch, and the items of that batch before it.
type Place = (u64, usize);

enum State {
    Running,
    /// One error is still to be given.
    Failing(Error),
    Ended,
}

/// How a run ended.
#[derive(Clone, Copy)]
pub(crate) enum Ending<'a> {
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

/// How the threads of a run ended.
struct Joined {
    /// Whether no user code of this run is still running anywhere.
    all: bool,
    /// Names of the threads that were left behind.
    left_behind: Vec<String>,
}

impl<J: Job> Default for Turn<J> {
    fn default() -> Self {
        Self {
            early: BTreeMap::new(),
            next: (0, 0),
            batches_out: 0,
            state: State::Running,
            left_behind: Vec::new(),
            handed: None,
            polled: false,
            #[cfg(feature = "stream")]
            last: None,
        }
    }
}

impl<J: Job> Caller<J> {
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
        if let Some(lookout) = self.shared.lookout.as_ref().filter(|lookout| !lookout.stations.caller_waits())
        {
            lookout.stations.caller(true, self.shared.seam.now());
        }
    }

    /// The caller is seen outside of `next`, at work with a result.
    pub(super) fn goes(&self) {
        if let Some(lookout) = &self.shared.lookout {
            lookout.stations.caller(false, self.shared.seam.now());
        }
    }

    /// What comes next where that is known without a look at the results.
    pub(super) fn begin_next(&mut self) -> Option<Next<J>> {
        match std::mem::replace(&mut self.turn.state, State::Running) {
            State::Running => None,
            State::Ended => {
                self.turn.state = State::Ended;
                Some(None)
            }
            State::Failing(error) => Some(Some(Err(error))),
        }
    }

    fn take_next(&mut self) -> Next<J> {
        loop {
            if let Some(done) = self.in_turn() {
                return self.hand_over(done);
            }
            match self.result() {
                Ok(done) => self.keep(done),
                Err(missing) => return self.last(missing),
            }
        }
    }

    /// Keeps a result until its turn comes.
    pub(super) fn keep(&mut self, done: DoneOf<J>) {
        self.turn.early.insert((done.index.0, done.part.start), done);
    }

    /// The last item, where no further result comes.
    pub(super) fn last(&mut self, missing: Missing) -> Next<J> {
        match missing {
            Missing::Ended => self.ending().map(Err),
            Missing::Nested { depth } => Some(Err(Error::Nested { depth })),
            Missing::Over(Over::Late { after }) => Some(Err(Error::Deadline { after })),
            Missing::Over(Over::Stalled(stalled)) => Some(Err(Error::Stalled { stalled })),
        }
    }

    /// The message whose turn it is, if it is there.
    pub(super) fn in_turn(&mut self) -> Option<DoneOf<J>> {
        let entry = self.turn.early.first_entry()?;
        if self.order == Order::Source && *entry.key() != self.turn.next {
            return None;
        }
        let done = entry.remove();
        self.turn.next = match done.part {
            Part { last: true, .. } => (done.index.0 + 1, 0),
            Part { end, .. } => (done.index.0, end),
        };
        self.turn.batches_out += u64::from(done.part.last);
        Some(done)
    }

    pub(super) fn hand_over(&mut self, done: DoneOf<J>) -> Next<J> {
        let Done { delivery, then_stop, .. } = done;
        let delivery = match delivery {
            Ok(delivery) => delivery,
            Err(error) => return Some(Err(error)),
        };
        let delivered = documents::<J>(&delivery.items);
        let failed = delivery.failures.iter().map(|failure| J::documents(&failure.document)).sum();
        self.shared.ledger.lock().deliver(delivered, failed);
        self.shared.tokens.give_back(delivery.items.len(), delivery.failures.len());
        let now = self.shared.seam.now();
        self.shared.meters.first_result.set_first(now);
        self.shared.record(|| Span::counter(Kind::Tokens, now, self.shared.tokens.taken()));
        self.caller_is_back(now);
        self.turn.handed = Some((now, delivery.index));
        if let Some(error) = then_stop {
            self.turn.state = State::Failing(error);
        }
        Some(Ok(delivery))
    }

    /// Why the run ends, where everything that was cut is out and it does not simply end.
    fn ending(&mut self) -> Option<Error> {
        let mut line = self.shared.line.lock();
        let missing = self.turn.batches_out < line.cut_so_far() || !self.turn.early.is_empty();
        let ending = line.take_ending();
        drop(line);
        let bug =
            missing.then(|| Error::Bug { cause: Cause::msg("a device thread ended before its batches did") });
        ending.or(bug)
    }

    /// Ends the run where this is its last item.
    pub(super) fn end_with(&mut self, last: &Next<J>) {
        match last {
            Some(Ok(_)) => {}
            Some(Err(error)) => self.end(Ending::Failed(error)),
            None => self.end(Ending::Finished),
        }
    }

    /// Ends the run, whatever it is doing: nothing new starts, and what is in flight is cancelled.
    pub(crate) fn stop(&mut self) {
        self.end(Ending::Stopped);
    }

    fn end(&mut self, ending: Ending<'_>) {
        if matches!(self.turn.state, State::Ended) {
            return;
        }
        self.turn.state = State::Ended;
        let start = self.shared.seam.now();
        self.caller_is_back(start);
        self.shared.stop();
        let joined = self.join();
        self.turn.left_behind = joined.left_behind;
        self.end_inline();
        self.drain();
        let mut ledger = self.shared.ledger.lock();
        ledger.close(joined.all, self.shared.in_hand.load(Ordering::SeqCst));
        drop(ledger);
        let now = self.shared.seam.now();
        self.shared.meters.stopping.add(now - start);
        self.shared.meters.ended.set_first(now);
        let accounts = self.shared.ledger.lock().accounts();
        self.shared.spans.ended(ending.name(), ending.error(), accounts);
        if let Some(redraw) = self.limits.redraw.take() {
            redraw.end(&self.shared, matches!(ending, Ending::Finished));
        }
    }

    /// Waits for the threads of the run, and for the units that run on a pool of others.
    fn join(&self) -> Joined {
        let shared = &self.shared;
        let start = shared.seam.now();
        let mut feeder_left = false;
        let left_behind = shared.threads.join(self.grace, || {
            let patience = LIVE_SOURCE.saturating_sub(shared.seam.now() - start);
            if shared.in_source.load(Ordering::SeqCst) && patience.is_zero() && !self.own_source {
                feeder_left = true;
                shared.threads.leave(FEEDER);
            }
            yielding::slice(if patience.is_zero() { SLICE } else { patience })
        });
        let deadline = start.saturating_add(self.grace);
        while shared.seam.now() < deadline && !shared.work.wait_idle(yielding::slice(SLICE)) {}
        let all = left_behind.is_empty() && !feeder_left && shared.work.running() == 0;
        Joined { all, left_behind }
    }

    fn end_inline(&mut self) {
        match std::mem::replace(&mut self.drive, Drive::Threads) {
            Drive::Threads => {}
            Drive::Direct { feeder } => feeder.into_iter().for_each(Feeder::close),
            Drive::Inline { feeder, device } => {
                feeder.close();
                device.into_iter().for_each(|device| device.close());
            }
            Drive::Sequential { held, device } => {
                match device {
                    SequentialDevice::Now(device) => device.close_alone(),
                    SequentialDevice::Later(make) => drop_user(make),
                    SequentialDevice::Ended => {}
                }
                while let Ok(Some(batches)) = held.try_recv() {
                    self.cancel_batches(&batches);
                }
            }
        }
    }

    fn drain(&mut self) {
        if let Some(batches) = self.batches.take() {
            self.cancel_batches(&batches);
        }
        while let Ok(Some(done)) = self.results.try_recv() {
            cancel_done(&self.shared, done);
        }
        for done in std::mem::take(&mut self.turn.early).into_values() {
            cancel_done(&self.shared, done);
        }
    }

    fn cancel_batches(&self, batches: &Receiver<BatchOf<J>>) {
        while let Ok(Some(batch)) = batches.try_recv() {
            self.shared.cancel_batch(batch);
        }
    }

    /// Batches that were handed over with all their parts.
    pub(super) fn batches_out(&self) -> u64 {
        self.turn.batches_out
    }

    /// Threads that were left behind inside user code.
    pub(crate) fn left_behind(&self) -> &[String] {
        &self.turn.left_behind
    }
}
