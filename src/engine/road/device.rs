//! The device thread: the only code that talks to its device.
//!
//! It keeps as many batches submitted as the device takes, so that the next is in before the last
//! ends, and hands results over as soon as they are done. It never prepares an item and never waits
//! for the caller. The line and a device cannot be waited for together: with room left it alternates
//! a short wait for a batch and a look at the device; when full it waits for the device in slices.
//!
//! It owns the inputs of every batch until its result is there. So what a batch that is too large, or a
//! device that is lost, costs is decided here alone: `failing` halves, `loss` rebuilds and replays.

mod busy;
mod failing;
mod intake;
mod loss;
mod spans;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::check::{check_rows, fill_up};
use super::device_state::{BatchOf, Device, Flight};
use super::job::{After, Job};
use super::shared::Road;
use super::{then_work, work};
use crate::engine::guard::{drop_user, guard};
use crate::engine::ledger::Ledger;
use crate::engine::measure::{Sampled, Work};
use crate::engine::seam::{Moment, SLICE};
use crate::engine::watch::{Doing, Post};
use crate::error::stalled::At;
use crate::stage::{CpuStage, GpuStage, StageError};

pub(crate) struct DeviceLoop<J: Job> {
    road: Arc<Road<J>>,
    at: Device<J>,
    post: Post,
    /// Whether this is the loop of a thread of its own.
    own_thread: bool,
}

/// What a step of the device came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stepped {
    Something,
    Nothing,
    /// No batch will follow and none is in flight.
    Ended,
}

/// How a step may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// For batches and for the device: this is a thread of its own.
    Both,
    /// For the device only: whoever calls has nothing else to do.
    Device,
    /// Not at all.
    Never,
}

impl<J: Job> DeviceLoop<J> {
    pub(crate) fn new(road: &Arc<Road<J>>, device: Device<J>) -> Self {
        let post = Post::of_thread(road.lookout.as_deref(), road.ledger.now());
        Self { road: road.clone(), at: device, post, own_thread: false }
    }

    fn ledger(&self) -> &Ledger {
        &self.road.ledger
    }

    /// The loop of a device thread.
    pub(crate) fn run(mut self) {
        self.post.adopt();
        self.own_thread = true;
        while self.step(Waiting::Both) != Stepped::Ended {}
        self.close();
    }

    /// Runs what is there until the device idles again, in whatever thread this is; `None` where it never will run
    /// more.
    pub(crate) fn run_batches(mut self) -> Option<Device<J>> {
        self.post.adopt();
        loop {
            match self.step(Waiting::Device) {
                Stepped::Ended => {
                    self.close();
                    return None;
                }
                _ if self.idles() => {
                    let Self { road, at, post, .. } = self;
                    post.set(Doing::Nothing, road.ledger.now());
                    return Some(at);
                }
                Stepped::Something | Stepped::Nothing => {}
            }
        }
    }

    /// Submits a batch where there is room and one is there, else looks at the oldest in flight.
    pub(crate) fn step(&mut self, waiting: Waiting) -> Stepped {
        if self.at.given_up || self.ledger().stopped() {
            return Stepped::Ended;
        }
        if self.at.has_room()
            && let Some(batch) = self.next_batch(waiting)
        {
            self.launch(batch);
            return Stepped::Something;
        }
        if self.at.in_flight.is_empty() {
            return if self.at.ended { Stepped::Ended } else { Stepped::Nothing };
        }
        let full = !self.at.has_room() || self.at.drained;
        let wait = match waiting {
            Waiting::Both if full => SLICE,
            Waiting::Device => SLICE,
            Waiting::Both | Waiting::Never => Duration::ZERO,
        };
        self.collect(wait)
    }

    /// Whether nothing is on the device, and nothing of this thread waits for it.
    pub(crate) fn idles(&self) -> bool {
        self.at.idles()
    }

    fn launch(&mut self, mut batch: BatchOf<J>) {
        if let Err(panic) = self.refuse_odd(&mut batch) {
            return self.fail_batch(batch, panic);
        }
        if batch.items.good() == 0 {
            let now = self.ledger().now();
            return self.finish(batch, None, now);
        }
        let submitted = self.begin_busy(batch.trail.as_ref());
        self.post.set(Doing::At(At::Submit(batch.index)), submitted);
        let span = self.ledger().spans.batch(batch.index, self.documents(&batch), &self.at.meter.info.name);
        let sampled = Sampled::begin(&self.ledger().seam, Work::Submit, submitted);
        let result = fill_up(&mut batch).and_then(|()| {
            let submitted = span.call(|| guard(|| self.at.gpu.submit(&batch.items.prepared)));
            submitted.unwrap_or_else(|panic| Err(StageError::Batch(panic)))
        });
        self.was_submitting(&batch, submitted, sampled);
        match result {
            Ok(ticket) => {
                let slot = self.free_slot();
                self.at.in_flight.push_back(Flight { batch, ticket, submitted, slot, span });
            }
            Err(error) => self.fail(batch, error),
        }
        self.stand();
    }

    /// Documents of a batch; an item may hold several.
    fn documents(&self, batch: &BatchOf<J>) -> usize {
        self.ledger().books.weights.of_all(batch.items.positions.iter().copied()) as usize
    }

    /// Where a watchdog finds this thread: with the oldest batch in flight. A caller that runs the device is
    /// there only while it looks at it.
    fn stand(&self) {
        let seam = &self.ledger().seam;
        match self.at.in_flight.front() {
            Some(flight) if self.own_thread => {
                self.post.since(seam, At::Device(flight.batch.index), flight.submitted);
            }
            _ => self.post.now(seam, Doing::Nothing),
        }
    }

    /// Looks at the oldest batch in flight, for at most `wait`.
    fn collect(&mut self, wait: Duration) -> Stepped {
        let Some(flight) = self.at.in_flight.front_mut() else { return Stepped::Nothing };
        let asked = self.road.ledger.now();
        self.post.wait(Doing::At(At::Device(flight.batch.index)), flight.submitted);
        let sampled = Sampled::begin(&self.road.ledger.seam, Work::Collect, asked);
        let Flight { ticket, span, .. } = flight;
        let collected = span
            .call(|| guard(|| self.at.gpu.try_collect(ticket, wait)))
            .unwrap_or_else(|panic| Err(StageError::Batch(panic)));
        let now = self.ledger().now();
        sampled.end(&self.ledger().seam, now, &self.at.meter.worked);
        let there = !matches!(collected, Ok(None));
        self.was_collecting(asked..now, there, !wait.is_zero());
        let result = match collected {
            Ok(None) => return self.looked_in_vain(wait, now.since(asked)),
            Ok(Some(output)) => Ok(output),
            Err(error) => Err(error),
        };
        self.at.vain_looks = 0;
        let Some(flight) = self.at.in_flight.pop_front() else { return Stepped::Nothing };
        self.has_left(&flight, now);
        drop_user(flight.ticket);
        self.at.last_took = now.since(flight.submitted);
        let weights = &self.road.ledger.books.weights;
        match result.and_then(|output| check_rows::<J>(&flight.batch, output, weights)) {
            Ok(output) => {
                self.at.fruitless = 0;
                self.learn(&flight.batch, now);
                self.finish(flight.batch, Some(output), now);
            }
            Err(error) => self.fail(flight.batch, error),
        }
        self.stand();
        Stepped::Something
    }

    /// Notes what the batch cost: the time since it was the oldest on the device.
    fn learn(&self, batch: &BatchOf<J>, now: Moment) {
        let copies = batch.items.prepared.len() - batch.items.good();
        self.at.meter.learn(self.documents(batch) + copies, now.since(self.at.busy_since));
    }

    /// Hands a batch over, with the device's output where there is one.
    fn finish(&mut self, mut batch: BatchOf<J>, output: Option<J::Output>, now: Moment) {
        let took = self.end_busy_at(now);
        // A batch that was halved or met a loss says nothing of what others cost.
        if output.is_some() && Device::<J>::is_typical(&batch) {
            self.decide(batch.items.prepared.len(), took);
        }
        self.count(&batch);
        let used = std::mem::take(&mut batch.items.prepared);
        match output {
            Some(output) if J::After::PER_ROW => {
                then_work::start(&self.road, batch, output, work::call_worker);
            }
            output => {
                let output = output.and_then(|output| self.road.after.whole(output));
                self.road.send(batch.done(output));
            }
        }
        self.recycle(used);
    }

    /// The device ran a batch by itself: where measured costs decide, they may do so now.
    fn decide(&self, items: usize, took: Duration) {
        let Some(chooser) = &self.road.chooser else { return };
        if let Some(cut) = chooser.ran(self.ledger(), items, took) {
            self.road.cut_at(&cut);
        }
    }

    fn recycle(&mut self, mut prepared: Vec<J::Prepared>) {
        for used in prepared.drain(..) {
            // A panic in `recycle` loses the buffer and nothing else: the result is already there.
            let _buffer_lost = guard(|| self.road.cpu.recycle(used));
        }
        self.at.spare = Some(prepared);
    }

    /// Cancels what this thread still holds, and drops the stage.
    pub(crate) fn close(mut self) {
        for Flight { batch, ticket, .. } in std::mem::take(&mut self.at.in_flight) {
            drop_user(ticket);
            self.road.cancel_columns(batch.items);
        }
        for part in std::mem::take(&mut self.at.parts) {
            self.road.cancel_columns(part.items);
        }
        self.end_busy();
        let Self { road, at, post, .. } = self;
        at.end();
        post.set(Doing::Nothing, road.ledger.now());
    }

    fn count(&self, batch: &BatchOf<J>) {
        let items = batch.items.good();
        if items > 0 {
            self.at.meter.batches.fetch_add(1, Ordering::Relaxed);
            self.at.meter.items.fetch_add(items as u64, Ordering::Relaxed);
        }
    }
}
