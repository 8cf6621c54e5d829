//! The caller's side: takes results in order, gives tokens back, and ends the run.
//!
//! It is the only one that waits for results. A caller that is itself a rayon worker yields to its
//! pool while it waits: other callers, the source or the GPU stage may need that pool.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::batch::{Delivery, Done, Part};
use super::device::{BatchOf, DeviceLoop, Ran, SLICE, Waiting};
use super::feed::{Fed, Feeder};
use super::job::Job;
use super::seam::{Disconnected, Receiver};
use super::settings::Order;
use super::shared::{Shared, documents, drop_user};
use super::then::{DoneOf, cancel_done};
use super::{work, yielding};
use crate::error::{Cause, Error};
use crate::observe::meters::DeviceMeter;

/// How long a feeder inside the source's `next` is waited for: a source that waits for its next
/// document is live, and its thread ends by itself when that comes.
const LIVE_SOURCE: Duration = Duration::from_millis(20);

/// Batches whose rows may be worked on while the next is on the device, in a sequential run.
const THEN_AHEAD: usize = 2;

pub(crate) const FEEDER: &str = "gapless-feeder";

/// A batch in its turn, the error that ends the run, or the end.
type Next<J> = Option<Result<Delivery<<J as Job>::Document, <J as Job>::Delivered>, Error>>;

/// Who runs the steps of the engine.
pub(crate) enum Drive<J: Job> {
    /// Threads of their own.
    Threads,
    /// Threads prepare, or the caller where it has the feeder; there is no device.
    Direct { feeder: Option<Feeder<J>> },
    /// The caller, all of them.
    Inline { feeder: Feeder<J>, device: Option<DeviceLoop<J>> },
    /// Threads prepare everything; then the caller runs the device.
    Sequential { held: Receiver<Receiver<BatchOf<J>>>, device: SequentialDevice<J> },
}

type MakeDevice<J> = Box<dyn FnOnce(Receiver<BatchOf<J>>) -> DeviceLoop<J> + Send>;

pub(crate) enum SequentialDevice<J: Job> {
    /// Made when everything has been prepared.
    Later(MakeDevice<J>),
    Now(DeviceLoop<J>),
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
    /// Workers of this run; 0 where the caller does their work.
    pub(crate) workers: usize,
    /// Whether threads do all the work, and the caller only takes results.
    pub(crate) only_takes: bool,
    pub(crate) turn: Turn<J>,
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
}

/// Place of a result: its batch, and the items of that batch before it.
type Place = (u64, usize);

enum State {
    Running,
    /// One error is still to be given.
    Failing(Error),
    Ended,
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
        }
    }
}

impl<J: Job> Caller<J> {
    /// The next batch in order, the error that ends the run, or `None` after its end.
    pub(crate) fn next(&mut self) -> Next<J> {
        match std::mem::replace(&mut self.turn.state, State::Running) {
            State::Running => {}
            State::Ended => {
                self.turn.state = State::Ended;
                return None;
            }
            State::Failing(error) => return self.fail(error),
        }
        loop {
            if let Some(done) = self.in_turn() {
                return self.hand_over(done);
            }
            match self.result() {
                Ok(done) => drop(self.turn.early.insert((done.index.0, done.part.start), done)),
                Err(Missing::Ended) => return self.finish(),
                Err(Missing::Nested { depth }) => return self.fail(Error::Nested { depth }),
            }
        }
    }

    /// The message whose turn it is, if it is there.
    fn in_turn(&mut self) -> Option<DoneOf<J>> {
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

    fn hand_over(&mut self, done: DoneOf<J>) -> Next<J> {
        let Done { delivery, then_stop, .. } = done;
        let delivery = match delivery {
            Ok(delivery) => delivery,
            Err(error) => return self.fail(error),
        };
        let delivered = documents::<J>(&delivery.items);
        let failed = delivery.failures.iter().map(|failure| J::documents(&failure.document)).sum();
        self.shared.ledger.lock().deliver(delivered, failed);
        self.shared.tokens.give_back(delivery.items.len(), delivery.failures.len());
        self.shared.meters.first_result.set_first(self.shared.seam.now());
        if let Some(error) = then_stop {
            self.turn.state = State::Failing(error);
        }
        Some(Ok(delivery))
    }

    fn fail(&mut self, error: Error) -> Next<J> {
        self.stop();
        Some(Err(error))
    }

    /// Everything that was cut is out.
    fn finish(&mut self) -> Next<J> {
        let mut line = self.shared.line.lock();
        let missing = self.turn.batches_out < line.cut_so_far() || !self.turn.early.is_empty();
        let ending = line.take_ending();
        drop(line);
        let bug =
            missing.then(|| Error::Bug { cause: Cause::msg("a device thread ended before its batches did") });
        self.stop();
        ending.or(bug).map(Err)
    }

    /// Ends the run, whatever it is doing: nothing new starts, and what is in flight is cancelled.
    pub(crate) fn stop(&mut self) {
        if matches!(self.turn.state, State::Ended) {
            return;
        }
        self.turn.state = State::Ended;
        let start = self.shared.seam.now();
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
    }

    /// Waits for the threads of the run, and for the units that run on a pool of others.
    fn join(&self) -> Joined {
        let shared = &self.shared;
        let start = shared.seam.now();
        let mut feeder_left = false;
        let left_behind = shared.threads.join(self.grace, || {
            let patience = LIVE_SOURCE.saturating_sub(shared.seam.now() - start);
            if shared.in_source.load(Ordering::SeqCst) && patience.is_zero() {
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
                device.into_iter().for_each(DeviceLoop::close);
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

    /// Threads that were left behind inside user code.
    pub(crate) fn left_behind(&self) -> &[String] {
        &self.turn.left_behind
    }
}

/// Why there is no further result.
enum Missing {
    Ended,
    Nested { depth: usize },
}

impl From<Disconnected> for Missing {
    fn from(Disconnected: Disconnected) -> Self {
        Self::Ended
    }
}

impl<J: Job> Caller<J> {
    fn result(&mut self) -> Result<DoneOf<J>, Missing> {
        match &mut self.drive {
            Drive::Threads => wait(&self.shared, &self.results),
            Drive::Direct { feeder } => {
                let batches = self.batches.as_ref().ok_or(Missing::Ended)?;
                direct(&self.shared, batches, feeder.as_mut()).map(BatchOf::<J>::as_delivered)
            }
            Drive::Inline { feeder, device } => inline(&self.shared, &self.results, feeder, device),
            Drive::Sequential { held, device } => sequential(&self.shared, &self.results, held, device),
        }
    }
}

/// Waits for a result of the threads.
fn wait<J: Job, T>(shared: &Shared<J>, results: &Receiver<T>) -> Result<T, Missing> {
    if let Some(result) = results.try_recv()? {
        return Ok(result);
    }
    let start = shared.seam.now();
    let result = yielding::recv(results);
    shared.meters.caller_waited.add(shared.seam.now() - start);
    match result {
        Ok(result) => Ok(result),
        Err(yielding::Failed::Disconnected) => Err(Missing::Ended),
        Err(yielding::Failed::Nested { depth }) => Err(Missing::Nested { depth }),
    }
}

/// Waits for a batch where there is no device, or prepares it here.
fn direct<J: Job>(
    shared: &Arc<Shared<J>>,
    batches: &Receiver<BatchOf<J>>,
    feeder: Option<&mut Feeder<J>>,
) -> Result<BatchOf<J>, Missing> {
    let Some(feeder) = feeder else { return wait(shared, batches) };
    loop {
        if let Some(batch) = batches.try_recv()? {
            return Ok(batch);
        }
        if !work::run_inline(shared) && feeder.step(false) != Fed::Documents {
            return batches.try_recv()?.ok_or(Missing::Ended);
        }
    }
}

/// Runs the steps of the engine here until one gives a result: the oldest document first.
fn inline<J: Job>(
    shared: &Arc<Shared<J>>,
    results: &Receiver<DoneOf<J>>,
    feeder: &mut Feeder<J>,
    device: &mut Option<DeviceLoop<J>>,
) -> Result<DoneOf<J>, Missing> {
    loop {
        if let Some(done) = results.try_recv()? {
            return Ok(done);
        }
        if work::run_inline(shared) {
            continue;
        }
        match step(device, Waiting::Never) {
            Ran::Something => continue,
            Ran::Nothing | Ran::Ended => {}
        }
        if feeder.step(false) != Fed::Documents && step(device, Waiting::Device) == Ran::Ended {
            return results.try_recv()?.ok_or(Missing::Ended);
        }
    }
}

fn step<J: Job>(device: &mut Option<DeviceLoop<J>>, waiting: Waiting) -> Ran {
    let ran = device.as_mut().map_or(Ran::Ended, |device| device.step(waiting));
    if ran == Ran::Ended {
        device.take().into_iter().for_each(DeviceLoop::close);
    }
    ran
}

/// Waits until everything has been prepared, then runs the device here.
fn sequential<J: Job>(
    shared: &Arc<Shared<J>>,
    results: &Receiver<DoneOf<J>>,
    held: &Receiver<Receiver<BatchOf<J>>>,
    device: &mut SequentialDevice<J>,
) -> Result<DoneOf<J>, Missing> {
    loop {
        if let Some(done) = results.try_recv()? {
            return Ok(done);
        }
        match std::mem::replace(device, SequentialDevice::Ended) {
            SequentialDevice::Later(make) => match wait(shared, held) {
                Ok(batches) => *device = SequentialDevice::Now(make(batches)),
                Err(missing) => {
                    *device = SequentialDevice::Later(make);
                    return Err(missing);
                }
            },
            SequentialDevice::Now(running) if shared.then_batches.lock().len() >= THEN_AHEAD => {
                *device = SequentialDevice::Now(running);
                return wait(shared, results);
            }
            SequentialDevice::Now(mut running) => match running.step(Waiting::Device) {
                Ran::Ended => running.close_alone(),
                Ran::Something | Ran::Nothing => *device = SequentialDevice::Now(running),
            },
            SequentialDevice::Ended => return wait(shared, results),
        }
    }
}
