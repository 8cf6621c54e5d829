//! The device thread: the only code that talks to its device.
//!
//! It keeps as many batches submitted as the device takes, so that the next is in before the last
//! ends, and hands results over as soon as they are done. It never prepares an item and never waits
//! for the caller. A channel and a device cannot be waited for together: with room left it alternates
//! a short receive and a look at the device; when full it waits for the device in slices.
//!
//! It owns the inputs of every batch until its result is there. So what a batch that is too large, or a
//! device that is lost, costs is decided here alone: `failing` halves, `loss` rebuilds and replays.

mod busy;
mod failing;
mod loss;
mod spans;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::auto;
use super::batch::{Batch, Delivery, Done};
use super::blame::Suspicion;
use super::check::{check_rows, fill_up};
use super::job::{After, Job};
use super::seam::{Disconnected, Moment, Receiver, Sender};
use super::shared::{Shared, documents, drop_user, guard};
use super::stations::Doing;
use super::then::{self, DoneOf, cancel_done};
use super::watchdog::Post;
use crate::error::stalled::At;
use crate::observe::meters::DeviceMeter;
use crate::observe::spans::BatchSpan;
use crate::observe::stalls::Before;
use crate::schedule::turns::short_wait;
use crate::stage::{CpuStage, GpuStage, StageError};

/// Longest wait for a device before stop and lateness are looked at again.
pub(crate) const SLICE: Duration = Duration::from_millis(50);

pub(crate) type BatchOf<J> = Batch<<J as Job>::Document, <J as Job>::Prepared>;

pub(crate) struct DeviceLoop<J: Job> {
    shared: Arc<Shared<J>>,
    gpu: J::Gpu,
    depth: usize,
    batches: Receiver<BatchOf<J>>,
    out: Sender<DoneOf<J>>,
    meter: Arc<DeviceMeter>,
    max_wait: Option<Duration>,
    /// What is submitted before any other batch, oldest first: halves of a batch that was too large, and
    /// what a lost device owed.
    parts: VecDeque<BatchOf<J>>,
    in_flight: VecDeque<Flight<J>>,
    /// No batch will follow.
    drained: bool,
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
    /// The device's own clock, where the run is recorded.
    clock: Option<usize>,
    post: Post,
    /// Whether this is the loop of a thread of its own.
    own_thread: bool,
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
pub(crate) enum Ran {
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
        shared: &Arc<Shared<J>>,
        gpu: J::Gpu,
        meter: &Arc<DeviceMeter>,
        batches: Receiver<BatchOf<J>>,
        out: Sender<DoneOf<J>>,
        max_wait: Option<Duration>,
    ) -> Self {
        Self {
            shared: shared.clone(),
            gpu,
            depth: meter.depth,
            batches,
            out,
            meter: meter.clone(),
            max_wait,
            parts: VecDeque::new(),
            in_flight: VecDeque::with_capacity(meter.depth),
            drained: false,
            given_up: false,
            fruitless: 0,
            largest: 0,
            busy_since: Moment::ZERO,
            idle_since: None,
            before: Before::default(),
            last_took: Duration::ZERO,
            clock: spans::clock(shared, meter),
            post: Post::new(shared),
            own_thread: false,
        }
    }

    /// The loop of a device thread.
    pub(crate) fn run(mut self) {
        self.post.adopt(&self.shared);
        self.own_thread = true;
        while self.step(Waiting::Both) != Ran::Ended {}
        self.close();
    }

    /// Submits a batch where there is room and one is there, else looks at the oldest in flight.
    pub(crate) fn step(&mut self, waiting: Waiting) -> Ran {
        if self.given_up || self.shared.stopped() {
            return Ran::Ended;
        }
        if self.has_room()
            && let Some(batch) = self.next_batch(waiting)
        {
            self.launch(batch);
            return Ran::Something;
        }
        if self.in_flight.is_empty() {
            return if self.drained { Ran::Ended } else { Ran::Nothing };
        }
        let full = !self.has_room() || self.drained;
        let wait = match waiting {
            Waiting::Both if full => SLICE,
            Waiting::Device => SLICE,
            Waiting::Both | Waiting::Never => Duration::ZERO,
        };
        self.collect(wait)
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

    fn next_batch(&mut self, waiting: Waiting) -> Option<BatchOf<J>> {
        if let Some(part) = self.parts.pop_front() {
            return Some(part);
        }
        if self.drained {
            return None;
        }
        let received = match (waiting, self.in_flight.is_empty()) {
            (Waiting::Both, true) => self.wait_for_batch(),
            (Waiting::Both, false) => self.batches.recv_timeout(short_wait(self.last_took)),
            (Waiting::Device | Waiting::Never, _) => {
                self.cut_overdue();
                self.batches.try_recv()
            }
        };
        self.drained = received.is_err();
        let batch = received.ok().flatten()?;
        self.shared.meters.taken.fetch_add(batch.len() as u64, Ordering::Relaxed);
        self.was_taken();
        Some(batch)
    }

    /// While costs are learnt: whoever asked for a batch, and lost it to this device, is owed another.
    fn was_taken(&self) {
        if self.shared.chooser.as_ref().is_some_and(auto::Chooser::feeds_idle) {
            let aftermath = self.shared.line.lock().was_taken(self.meter.rank);
            self.shared.settle(aftermath);
        }
    }

    /// Nothing is in flight: waits for a batch, and cuts one itself where documents have waited long enough.
    fn wait_for_batch(&mut self) -> Result<Option<BatchOf<J>>, Disconnected> {
        self.post.wait(Doing::ForBatch, Moment::ZERO);
        if let Some(batch) = self.feed_idle()? {
            return Ok(Some(batch));
        }
        match self.cut_overdue() {
            Some(left) => self.batches.recv_timeout(left),
            None => self.batches.recv().map(Some),
        }
    }

    /// While costs are learnt: a batch that is there, or else what stands in the line.
    fn feed_idle(&self) -> Result<Option<BatchOf<J>>, Disconnected> {
        let Some(chooser) = self.shared.chooser.as_ref().filter(|chooser| chooser.feeds_idle()) else {
            return Ok(None);
        };
        let mut line = self.shared.line.lock();
        // Under the line's lock, so that nothing is cut between the look and the asking.
        if let Some(batch) = self.batches.try_recv()? {
            return Ok(Some(batch));
        }
        let (goes_on, aftermath) = line.feed_idle(self.meter.rank);
        drop(line);
        self.shared.settle(aftermath);
        if !goes_on {
            chooser.feed_idle_no_more();
        }
        Ok(None)
    }

    /// With `max_wait`: cuts what has waited long enough, and says how long the rest may wait.
    fn cut_overdue(&self) -> Option<Duration> {
        let max_wait = self.max_wait?;
        let (left, aftermath) = self.shared.line.lock().cut_overdue(max_wait, self.shared.seam.now());
        self.shared.settle(aftermath);
        Some(left)
    }

    fn launch(&mut self, mut batch: BatchOf<J>) {
        if let Err(panic) = self.refuse_odd(&mut batch) {
            return self.fail_batch(batch, panic);
        }
        if batch.items.is_empty() {
            let now = self.shared.seam.now();
            return self.finish(batch, None, now);
        }
        let submitted = self.begin_busy(batch.trail.as_ref());
        self.post.set(&self.shared, Doing::At(At::Submit(batch.index)), submitted);
        let documents = documents::<J>(&batch.items);
        let span = self.shared.spans.batch(batch.index, documents, &self.meter.info.name);
        let result = fill_up(&mut batch).and_then(|()| {
            let submitted = span.call(|| guard(|| self.gpu.submit(&batch.prepared)));
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

    /// Where a watchdog finds this thread: with the oldest batch in flight. A caller that runs the device is
    /// there only while it looks at it.
    fn stand(&self) {
        match self.in_flight.front() {
            Some(flight) if self.own_thread => {
                self.post.since(&self.shared, At::Device(flight.batch.index), flight.submitted);
            }
            _ => self.post.now(&self.shared, Doing::Nothing),
        }
    }

    /// Looks at the oldest batch in flight, for at most `wait`.
    fn collect(&mut self, wait: Duration) -> Ran {
        let Some(flight) = self.in_flight.front_mut() else { return Ran::Nothing };
        let asked = self.shared.seam.now();
        self.post.wait(Doing::At(At::Device(flight.batch.index)), flight.submitted);
        let Flight { ticket, span, .. } = flight;
        let collected = span
            .call(|| guard(|| self.gpu.try_collect(ticket, wait)))
            .unwrap_or_else(|panic| Err(StageError::Batch(panic)));
        let now = self.shared.seam.now();
        let there = !matches!(collected, Ok(None));
        self.was_collecting(asked..now, there, !wait.is_zero());
        let result = match collected {
            Ok(None) => {
                if !self.own_thread {
                    self.post.wait(Doing::Nothing, Moment::ZERO);
                }
                return Ran::Nothing;
            }
            Ok(Some(output)) => Ok(output),
            Err(error) => Err(error),
        };
        let Some(flight) = self.in_flight.pop_front() else { return Ran::Nothing };
        self.has_left(&flight, now);
        drop_user(flight.ticket);
        self.last_took = now.saturating_sub(flight.submitted);
        match result.and_then(|output| check_rows::<J>(&flight.batch, output)) {
            Ok(output) => {
                self.fruitless = 0;
                self.learn(&flight.batch, now);
                self.finish(flight.batch, Some(output), now);
            }
            Err(error) => self.fail(flight.batch, error),
        }
        self.stand();
        Ran::Something
    }

    /// Notes what the batch cost: the time since it was the oldest on the device.
    fn learn(&self, batch: &BatchOf<J>, now: Moment) {
        let copies = batch.prepared.len() - batch.items.len();
        self.meter.learn(documents::<J>(&batch.items) + copies, now.saturating_sub(self.busy_since));
    }

    /// Hands a batch over, with the device's output where there is one.
    fn finish(&mut self, mut batch: BatchOf<J>, output: Option<J::Output>, now: Moment) {
        let took = self.end_busy_at(now);
        // A batch that was halved or met a loss says nothing of what others cost.
        if output.is_some() && batch.part.is_whole() && batch.suspicion == Suspicion::default() {
            auto::ran(&self.shared, batch.prepared.len(), took);
        }
        self.count(&batch);
        let used = std::mem::take(&mut batch.prepared);
        match output {
            Some(output) if J::After::PER_ROW => then::start(&self.shared, batch, output, &self.out),
            output => {
                let output = output.and_then(|output| self.shared.after.whole(output));
                self.deliver(batch, output);
            }
        }
        self.recycle(used);
    }

    fn recycle(&self, mut prepared: Vec<J::Prepared>) {
        for used in prepared.drain(..) {
            // A panic in `recycle` loses the buffer and nothing else: the result is already there.
            let _buffer_lost = guard(|| self.shared.cpu.recycle(used));
        }
        self.shared.line.lock().recycle(prepared);
    }

    fn deliver(&self, batch: BatchOf<J>, output: Option<J::Delivered>) {
        let Batch { index, items, failures, part, then_stop, .. } = batch;
        let delivery = Ok(Delivery { index, items, output, failures });
        self.send(Done { index, part, delivery, then_stop });
    }

    fn send(&self, done: DoneOf<J>) {
        if let Err(done) = self.out.send(done) {
            cancel_done(&self.shared, done);
        }
        self.shared.threads.alarm().ring();
    }

    /// Cancels the batches that nobody else will take, and closes.
    pub(crate) fn close_alone(self) {
        while let Ok(Some(batch)) = self.batches.try_recv() {
            self.shared.cancel_batch(batch);
        }
        self.close();
    }

    /// Cancels what this thread still holds, and drops the stage.
    pub(crate) fn close(mut self) {
        for Flight { batch, ticket, .. } in std::mem::take(&mut self.in_flight) {
            drop_user(ticket);
            self.shared.cancel_batch(batch);
        }
        for part in std::mem::take(&mut self.parts) {
            self.shared.cancel_batch(part);
        }
        self.end_busy();
        let Self { gpu, post, shared, .. } = self;
        drop_user(gpu);
        post.end(&shared, shared.seam.now());
    }

    fn count(&self, batch: &BatchOf<J>) {
        if !batch.items.is_empty() {
            self.meter.batches.fetch_add(1, Ordering::Relaxed);
            self.meter.items.fetch_add(batch.items.len() as u64, Ordering::Relaxed);
        }
    }
}
