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

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::batch::Batch;
use super::blame::Suspicion;
use super::check::{check_rows, fill_up};
use super::job::{After, Job};
use super::shared::Road;
use super::{then_work, work};
use crate::engine::guard::{drop_each, drop_user, guard};
use crate::engine::ledger::Ledger;
use crate::engine::seam::{Moment, SLICE};
use crate::engine::watch::{Doing, Post};
use crate::error::stalled::At;
use crate::observe::meters::DeviceMeter;
use crate::observe::spans::BatchSpan;
use crate::observe::stalls::Before;
use crate::stage::{CpuStage, GpuStage, StageError};

pub(crate) type BatchOf<J> = Batch<<J as Job>::Document, <J as Job>::Prepared>;

pub(crate) struct DeviceLoop<J: Job> {
    road: Arc<Road<J>>,
    gpu: J::Gpu,
    depth: usize,
    meter: Arc<DeviceMeter>,
    max_wait: Option<Duration>,
    /// What is submitted before any other batch, oldest first: halves of a batch that was too large, and
    /// what a lost device owed.
    parts: VecDeque<BatchOf<J>>,
    in_flight: VecDeque<Flight<J>>,
    /// No batch will be cut.
    drained: bool,
    /// Nothing will come from anywhere.
    ended: bool,
    /// The device is lost for good.
    given_up: bool,
    /// Losses since the device last answered for a batch.
    fruitless: u32,
    /// Items of the largest batch that was lost.
    largest: usize,
    busy_since: Moment,
    idle_since: Option<Moment>,
    /// How things stood then.
    before: Before,
    /// How long the last batch took.
    last_took: Duration,
    /// Looks in a row at a device that came back at once without a result.
    vain_looks: u32,
    /// The device's own clock, where the run is recorded.
    clock: Option<usize>,
    post: Post,
    /// Whether this is the loop of a thread of its own.
    own_thread: bool,
    /// Memory of prepared items that the device is done with.
    spare: Option<Vec<J::Prepared>>,
}

struct Flight<J: Job> {
    batch: BatchOf<J>,
    ticket: <J::Gpu as GpuStage<J::Prepared>>::Ticket,
    submitted: Moment,
    /// Which of those that may be in flight it is.
    slot: usize,
    span: BatchSpan,
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
    pub(crate) fn new(
        road: &Arc<Road<J>>,
        gpu: J::Gpu,
        meter: &Arc<DeviceMeter>,
        max_wait: Option<Duration>,
    ) -> Self {
        let clock = road.ledger.recorder.as_ref().map(|recorder| {
            meter.times.keep_spans();
            recorder.new_clock()
        });
        Self {
            gpu,
            depth: meter.depth,
            meter: meter.clone(),
            max_wait,
            parts: VecDeque::new(),
            in_flight: VecDeque::with_capacity(meter.depth),
            drained: false,
            ended: false,
            given_up: false,
            fruitless: 0,
            largest: 0,
            busy_since: Moment::ZERO,
            idle_since: None,
            before: Before::default(),
            last_took: Duration::ZERO,
            vain_looks: 0,
            clock,
            post: Post::of_thread(road.lookout.as_deref(), road.ledger.now()),
            own_thread: false,
            spare: None,
            road: road.clone(),
        }
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

    /// Submits a batch where there is room and one is there, else looks at the oldest in flight.
    pub(crate) fn step(&mut self, waiting: Waiting) -> Stepped {
        if self.given_up || self.ledger().stopped() {
            return Stepped::Ended;
        }
        if self.has_room()
            && let Some(batch) = self.next_batch(waiting)
        {
            self.launch(batch);
            return Stepped::Something;
        }
        if self.in_flight.is_empty() {
            return if self.ended { Stepped::Ended } else { Stepped::Nothing };
        }
        let full = !self.has_room() || self.drained;
        let wait = match waiting {
            Waiting::Both if full => SLICE,
            Waiting::Device => SLICE,
            Waiting::Both | Waiting::Never => Duration::ZERO,
        };
        self.collect(wait)
    }

    /// Whether nothing is on the device, and nothing of this thread waits for it.
    pub(crate) fn idles(&self) -> bool {
        self.in_flight.is_empty() && self.parts.is_empty()
    }

    /// Whether another batch may go to the device now. One that may be what loses the device runs alone.
    fn has_room(&self) -> bool {
        let alone = |batch: &BatchOf<J>| batch.suspicion.runs_alone();
        self.in_flight.front().is_none_or(|flight| {
            self.in_flight.len() < self.depth
                && !alone(&flight.batch)
                && !self.parts.front().is_some_and(alone)
        })
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
        let span = self.ledger().spans.batch(batch.index, self.documents(&batch), &self.meter.info.name);
        let result = fill_up(&mut batch).and_then(|()| {
            let submitted = span.call(|| guard(|| self.gpu.submit(&batch.items.prepared)));
            submitted.unwrap_or_else(|panic| Err(StageError::Batch(panic)))
        });
        self.was_submitting(&batch, submitted);
        match result {
            Ok(ticket) => {
                let slot = self.free_slot();
                self.in_flight.push_back(Flight { batch, ticket, submitted, slot, span });
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
        match self.in_flight.front() {
            Some(flight) if self.own_thread => {
                self.post.since(seam, At::Device(flight.batch.index), flight.submitted);
            }
            _ => self.post.now(seam, Doing::Nothing),
        }
    }

    /// Looks at the oldest batch in flight, for at most `wait`.
    fn collect(&mut self, wait: Duration) -> Stepped {
        let Some(flight) = self.in_flight.front_mut() else { return Stepped::Nothing };
        let asked = self.road.ledger.now();
        self.post.wait(Doing::At(At::Device(flight.batch.index)), flight.submitted);
        let Flight { ticket, span, .. } = flight;
        let collected = span
            .call(|| guard(|| self.gpu.try_collect(ticket, wait)))
            .unwrap_or_else(|panic| Err(StageError::Batch(panic)));
        let now = self.ledger().now();
        let there = !matches!(collected, Ok(None));
        self.was_collecting(asked..now, there, !wait.is_zero());
        let result = match collected {
            Ok(None) => return self.looked_in_vain(wait, now.saturating_sub(asked)),
            Ok(Some(output)) => Ok(output),
            Err(error) => Err(error),
        };
        self.vain_looks = 0;
        let Some(flight) = self.in_flight.pop_front() else { return Stepped::Nothing };
        self.has_left(&flight, now);
        drop_user(flight.ticket);
        self.last_took = now.saturating_sub(flight.submitted);
        let weights = &self.road.ledger.books.weights;
        match result.and_then(|output| check_rows::<J>(&flight.batch, output, weights)) {
            Ok(output) => {
                self.fruitless = 0;
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
        self.meter.learn(self.documents(batch) + copies, now.saturating_sub(self.busy_since));
    }

    /// Hands a batch over, with the device's output where there is one.
    fn finish(&mut self, mut batch: BatchOf<J>, output: Option<J::Output>, now: Moment) {
        let took = self.end_busy_at(now);
        // A batch that was halved or met a loss says nothing of what others cost.
        if output.is_some() && batch.part.is_whole() && batch.suspicion == Suspicion::default() {
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
        self.spare = Some(prepared);
    }

    /// Cancels what this thread still holds, and drops the stage.
    pub(crate) fn close(mut self) {
        for Flight { batch, ticket, .. } in std::mem::take(&mut self.in_flight) {
            drop_user(ticket);
            self.road.cancel_columns(batch.items);
        }
        for part in std::mem::take(&mut self.parts) {
            self.road.cancel_columns(part.items);
        }
        self.end_busy();
        let Self { gpu, post, road, spare, .. } = self;
        drop_each(spare.into_iter().flatten());
        drop_user(gpu);
        post.set(Doing::Nothing, road.ledger.now());
    }

    fn count(&self, batch: &BatchOf<J>) {
        let items = batch.items.good();
        if items > 0 {
            self.meter.batches.fetch_add(1, Ordering::Relaxed);
            self.meter.items.fetch_add(items as u64, Ordering::Relaxed);
        }
    }
}
