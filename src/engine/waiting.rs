//! How the caller comes to its next result: by waiting for the threads, or by doing their work.
//!
//! Where it waits it looks up as often as its limits ask for, and gives the pool that it is in its turn.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::caller::{Caller, Drive, SequentialDevice};
use super::device::{BatchOf, DeviceLoop, Ran, Waiting};
use super::feed::{Fed, Feeder};
use super::job::Job;
use super::limits::{Limits, Over};
use super::seam::{Disconnected, Receiver};
use super::shared::Shared;
use super::then::DoneOf;
use super::{work, yielding};
use crate::observe::record::{Kind, Span};

/// Why there is no further result.
pub(super) enum Missing {
    Ended,
    Nested { depth: usize },
    Over(Over),
}

impl From<Over> for Missing {
    fn from(over: Over) -> Self {
        Self::Over(over)
    }
}

impl From<yielding::Failed> for Missing {
    fn from(failed: yielding::Failed) -> Self {
        match failed {
            yielding::Failed::Disconnected => Self::Ended,
            yielding::Failed::Nested { depth } => Self::Nested { depth },
        }
    }
}

impl From<Disconnected> for Missing {
    fn from(Disconnected: Disconnected) -> Self {
        Self::Ended
    }
}

impl<J: Job> Caller<J> {
    pub(super) fn result(&mut self) -> Result<DoneOf<J>, Missing> {
        let (shared, limits) = (&self.shared, &mut self.limits);
        match &mut self.drive {
            Drive::Threads => wait(shared, &self.results, limits),
            Drive::Direct { feeder } => {
                let batches = self.batches.as_ref().ok_or(Missing::Ended)?;
                let batch = direct(shared, batches, feeder.as_mut(), limits)?;
                Ok(batch.without_device(J::without_device))
            }
            Drive::Inline { feeder, device } => inline(shared, &self.results, feeder, device, limits),
            Drive::Sequential { held, device } => sequential(shared, &self.results, held, device, limits),
        }
    }
}

/// Batches whose rows may be worked on while the next is on the device, in a sequential run.
const THEN_AHEAD: usize = 2;

/// Waits for a result of the threads.
fn wait<J: Job, T>(shared: &Shared<J>, results: &Receiver<T>, limits: &mut Limits) -> Result<T, Missing> {
    limits.look(shared)?;
    let ready = results.try_recv()?;
    shared.meters.caller_was_late.store(ready.is_some(), Ordering::Relaxed);
    if let Some(result) = ready {
        return Ok(result);
    }
    let start = shared.seam.now();
    shared.meters.caller_asked.set_first(start);
    let result = wait_within(shared, results, limits);
    let end = shared.seam.now();
    shared.meters.caller_waited.add(end - start);
    shared.record(|| Span::new(Kind::WaitForResult, start, end));
    result
}

fn wait_within<J: Job, T>(
    shared: &Shared<J>,
    results: &Receiver<T>,
    limits: &mut Limits,
) -> Result<T, Missing> {
    loop {
        let Some(patience) = limits.patience(shared) else { return Ok(yielding::recv(results)?) };
        if let Some(result) = yielding::recv_timeout(results, patience)? {
            return Ok(result);
        }
        limits.look(shared)?;
    }
}

/// Waits for a batch where there is no device, or prepares it here.
fn direct<J: Job>(
    shared: &Arc<Shared<J>>,
    batches: &Receiver<BatchOf<J>>,
    feeder: Option<&mut Feeder<J>>,
    limits: &mut Limits,
) -> Result<BatchOf<J>, Missing> {
    let Some(feeder) = feeder else { return wait(shared, batches, limits) };
    loop {
        limits.look(shared)?;
        if let Some(batch) = batches.try_recv()? {
            return Ok(batch);
        }
        let worked = work::run_inline(shared) || feeder.step(false) == Fed::Documents;
        // A source that ended may have left documents in the queue.
        if !worked && !work::run_inline(shared) {
            return batches.try_recv()?.ok_or(Missing::Ended);
        }
    }
}

/// Runs the steps of the engine here until one gives a result: the oldest document first.
fn inline<J: Job>(
    shared: &Arc<Shared<J>>,
    results: &Receiver<DoneOf<J>>,
    feeder: &mut Feeder<J>,
    device: &mut Option<Box<DeviceLoop<J>>>,
    limits: &mut Limits,
) -> Result<DoneOf<J>, Missing> {
    loop {
        limits.look(shared)?;
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

fn step<J: Job>(device: &mut Option<Box<DeviceLoop<J>>>, waiting: Waiting) -> Ran {
    let ran = device.as_mut().map_or(Ran::Ended, |device| device.step(waiting));
    if ran == Ran::Ended {
        device.take().into_iter().for_each(|device| device.close());
    }
    ran
}

/// Waits until everything has been prepared, then runs the device here.
fn sequential<J: Job>(
    shared: &Arc<Shared<J>>,
    results: &Receiver<DoneOf<J>>,
    held: &Receiver<Receiver<BatchOf<J>>>,
    device: &mut SequentialDevice<J>,
    limits: &mut Limits,
) -> Result<DoneOf<J>, Missing> {
    loop {
        limits.look(shared)?;
        if let Some(done) = results.try_recv()? {
            return Ok(done);
        }
        match std::mem::replace(device, SequentialDevice::Ended) {
            SequentialDevice::Later(make) => match wait(shared, held, limits) {
                Ok(batches) => *device = SequentialDevice::Now(Box::new(make(batches))),
                Err(missing) => {
                    *device = SequentialDevice::Later(make);
                    return Err(missing);
                }
            },
            SequentialDevice::Now(running) if shared.then_batches.lock().len() >= THEN_AHEAD => {
                *device = SequentialDevice::Now(running);
                return wait(shared, results, limits);
            }
            SequentialDevice::Now(mut running) => match running.step(Waiting::Device) {
                Ran::Ended => running.close_alone(),
                Ran::Something | Ran::Nothing => *device = SequentialDevice::Now(running),
            },
            SequentialDevice::Ended => return wait(shared, results, limits),
        }
    }
}
