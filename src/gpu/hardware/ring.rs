//! The ring: a program on a device, with several batches in flight.
//!
//! Each batch in flight has a [`Slot`] of its own: staging, input and readback. The buffers between
//! input and readback exist once. That is safe and costs nothing: there is one queue, a queue's
//! submissions run one after the other, and wgpu puts a barrier where one writes what another read.
//! The device stays busy when batch N+1 is submitted before batch N ends, which needs no second copy
//! of what lies between.
//!
//! After `open` nothing is allocated on the device. Staging is mapped again by the submission that
//! read it, readback by the submission that wrote it.
//!
//! # Loss
//! wgpu answers "done" for work that a lost device never ran, so a result leaves only when three things
//! are true: its mapping succeeded; the device was not reported lost at a poll after that; and the stamp
//! that went up with the batch came back through the device.
//!
//! A ring knows one device. After a loss a new ring is opened, and takes no ticket of the old one.

mod build;
mod encode;
mod proof;
mod timing;
mod trial;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use self::build::Buffers;
use self::encode::Share;
pub(super) use self::trial::Trial;
use super::clock::{self, Spans};
use super::compile::Pipelines;
use super::deadline::Deadline;
use super::device::Device;
use super::loaded::{Compiled, Loaded};
use super::pace::Pace;
use super::slot::{Mapped, Slot};
use crate::error::Cause;
use crate::gpu::graph::Graph;
use crate::gpu::item::AnyBatch;
use crate::gpu::plan::{Plan, STAMP_BYTES, TIMES_BYTES};
use crate::gpu::profile::{self, KernelTime};
use crate::gpu::runner::{Flying, ProgramTicket, Runs, opened_again};
use crate::gpu::shelf::Shelf;
use crate::gpu::tensors::{Named, Tensors};
use crate::stage::{DeviceTimes, StageError};

/// A program that is open on a device.
#[derive(Debug)]
pub(super) struct Ring {
    device: Arc<Device>,
    plan: Plan,
    names: Arc<[Named]>,
    kernels: Vec<Compiled>,
    shared: Vec<wgpu::Buffer>,
    free: Receiver<Slot>,
    home: Sender<Slot>,
    shelf: Arc<Shelf>,
    deadline: Deadline,
    pace: Pace,
    times: DeviceTimes,
    /// Batches before those that `times` is told of.
    told: u64,
    /// Number of the last batch, which it carries through the device.
    stamp: u64,
}

/// A batch in flight. Dropped without being collected, it gives its slot back.
#[derive(Debug)]
struct Ticket {
    slot: Option<Slot>,
    submission: wgpu::SubmissionIndex,
    /// For how many of its items its kernels were timed, if they were.
    timed: Option<u64>,
    rows: usize,
    stamp: u64,
    submitted: Instant,
    /// Whether it was asked for before it was done.
    waited: bool,
    home: Sender<Slot>,
}

impl Ring {
    /// Makes every buffer and bind group for `depth` batches in flight. What does not depend on the batch is taken from
    /// `loaded`; where it is not there, variants are chosen and compiled, and it is put there.
    pub(super) fn open(
        device: &Arc<Device>,
        graph: &Graph,
        mut plan: Plan,
        depth: usize,
        (deadline, trial): (Deadline, Trial<'_>),
        loaded: &mut Option<Box<Loaded>>,
    ) -> Result<Self, StageError> {
        device.check()?;
        let constants = loaded.as_ref().map(|known| &known.constants);
        let buffers = device.caught(|| Buffers::new(device, graph, &plan, constants))?;
        let known = match loaded {
            Some(known) if known.serves(trial.rows) => known,
            _ => {
                let mut pipelines = Pipelines::new(device);
                trial.choose(device, &mut plan, &buffers, &mut pipelines)?;
                let constants = buffers.constants.clone();
                loaded.insert(Box::new(Loaded::new(device, &plan, constants, (trial.rows, &mut pipelines))?))
            }
        };
        known.apply(&mut plan);
        let kernels = known.kernels.clone();
        let slots = device.caught(|| buffers.slots(device, &plan, depth, &kernels))?;
        let pace = timing::pace(device, &plan, &kernels, &slots[0], &trial)?;
        let (home, free) = bounded(depth);
        let results = plan.outputs.len() * (depth + 2);
        slots.into_iter().for_each(|slot| home.try_send(slot).expect("the channel holds every slot"));
        // Runs the uploads of the constants now, so that their staging memory is freed before the first batch.
        let uploaded = device.queue.submit([]);
        device.poll(&uploaded, deadline.limit())?;
        Ok(Self {
            device: device.clone(),
            names: graph.named_outputs(),
            plan,
            kernels,
            shared: buffers.shared,
            free,
            home,
            shelf: Arc::new(Shelf::new(results)),
            deadline,
            pace,
            times: DeviceTimes::default(),
            told: 0,
            stamp: 0,
        })
    }

    /// A slot whose staging is mapped and whose readback is not.
    fn free_slot(&mut self) -> Result<Slot, StageError> {
        self.device.check()?;
        let mut slot = self.free.try_recv().map_err(|_| {
            let depth = self.free.capacity().unwrap_or(0);
            StageError::Batch(Cause::msg(format!("{depth} batches are in flight, which is the depth")))
        })?;
        if let Err(error) = self.reclaim(&mut slot) {
            give_back(&self.home, slot);
            return Err(error);
        }
        Ok(slot)
    }

    /// Waits for a submission whose ticket was dropped, and repairs what a failed one left.
    fn reclaim(&self, slot: &mut Slot) -> Result<(), StageError> {
        if let Some(submission) = &slot.pending {
            self.device.poll(submission, self.deadline.limit())?;
            if slot.readback_map.get() == Mapped::No {
                return Err(self.overdue());
            }
            self.device.unmap(&slot.readback);
            slot.pending = None;
        }
        if slot.staging_map.get() == Mapped::Yes {
            return Ok(());
        }
        self.device.unmap(&slot.staging);
        self.device.unmap(&slot.readback);
        self.device.caught(|| slot.staging.map_async(wgpu::MapMode::Write, .., slot.staging_map.told()))?;
        let submission = self.device.queue.submit([]);
        self.device.poll(&submission, self.deadline.limit())?;
        match slot.staging_map.get() {
            Mapped::Yes => Ok(()),
            _ => Err(self.overdue()),
        }
    }

    /// The last of the batch's submissions, and for how many of its items kernels are timed.
    fn send(
        &mut self,
        slot: &mut Slot,
        batch: &dyn AnyBatch,
    ) -> Result<(wgpu::SubmissionIndex, Option<u64>), StageError> {
        self.stamp += 1;
        let written = slot.write(self.stamp, batch, &self.plan.inputs);
        written.map_err(|error| self.unmapped(error))?;
        slot.staging_map.set(Mapped::No);
        slot.readback_map.set(Mapped::No);
        let (rows, mut timed) = (batch.rows(), None);
        let whole = self.pace.parts(rows).nth(1).is_none();
        let submission = self.device.caught(|| {
            slot.staging.unmap();
            let mut parts = self.pace.parts(rows).peekable();
            let (mut first, mut submission) = (true, None);
            while let Some(part) = parts.next() {
                let last = parts.peek().is_none();
                let kernels = clock::times_kernels(self.stamp - self.told) && slot.times_kernels(whole);
                let share = Share { first, last, timed: kernels, part };
                submission = Some(self.device.queue.submit([self.encode(slot, &share)]));
                timed = kernels.then(|| share.part.rows.end - share.part.rows.start);
                first = false;
            }
            submission.expect("a batch has a part")
        })?;
        slot.pending = Some(submission.clone());
        Ok((submission, timed))
    }

    fn read(&mut self, slot: &Slot, ticket: &Ticket) -> Result<Tensors, StageError> {
        let view = slot.readback.get_mapped_range(..).map_err(|error| self.unmapped(error))?;
        let values = self.plan.outputs.iter().map(|output| {
            let bytes = &view[output.offset as usize..][..ticket.rows * output.bytes as usize];
            let values: &[f32] = bytemuck::cast_slice(bytes);
            // Room for a full batch, so that any batch to come can use it again.
            let mut copy = self.shelf.take(output.bytes as usize / 4 * self.plan.max_batch);
            copy.extend_from_slice(values);
            (&output.shape[..], copy)
        });
        let mut tensors = Tensors::new(&self.names, ticket.rows, values, &self.shelf);
        let times = view[self.plan.readback_times() as usize..].split_at(TIMES_BYTES as usize);
        let spans = slot.clock.as_ref().map(|clock| Spans::new(clock, times, ticket.timed.is_some()));
        tensors.span = spans.as_ref().map(|spans| spans.batch.clone());
        let stamp = &view[self.plan.readback_stamp() as usize..][..STAMP_BYTES as usize];
        let intact = *stamp == ticket.stamp.to_ne_bytes();
        // A loss before the mapping succeeded is told at the latest by this poll.
        self.device.poll(&ticket.submission, Duration::ZERO)?;
        if intact {
            if let Some(spans) = spans {
                self.pace.learn(ticket.rows, spans.length());
                spans.note(&self.times, ticket.rows as u64, ticket.timed);
            }
            let (rows, (up, down)) = (ticket.rows as u64, item_bytes(&self.plan));
            self.times.moved(rows * up, rows * down);
            return Ok(tensors);
        }
        Err(self.device.lose(Cause::msg("the device says that it ran a batch that it did not run")))
    }

    fn give_back(&self, ticket: &mut Ticket) {
        if let Some(mut slot) = ticket.slot.take() {
            self.device.unmap(&slot.readback);
            slot.pending = None;
            give_back(&self.home, slot);
        }
    }

    /// A buffer that was mapped is mapped no more: only the loss of the device does that.
    fn unmapped(&self, error: wgpu::MapRangeError) -> StageError {
        self.device.lose(Cause::from(error).context("the device took its memory back"))
    }

    fn overdue(&self) -> StageError {
        self.device.hang(self.deadline.limit())
    }
}

impl Runs for Ring {
    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn tell(&mut self, times: &DeviceTimes) {
        times.memory(self.plan.memory());
        times.notes(self.plan.steps.iter().flat_map(|step| &step.left_out).cloned());
        self.times = times.clone();
        self.told = self.stamp;
    }

    /// Whether every slot is here, and the device is there.
    fn is_idle(&self) -> bool {
        self.free.is_full() && self.device.is_there()
    }

    fn submit(&mut self, batch: &dyn AnyBatch) -> Result<ProgramTicket, StageError> {
        let mut slot = self.free_slot()?;
        let submitted = self.send(&mut slot, batch);
        let stamp = self.stamp;
        match submitted {
            Ok((submission, timed)) => Ok(ProgramTicket(Box::new(Ticket {
                slot: Some(slot),
                submission,
                timed,
                rows: batch.rows(),
                stamp,
                submitted: Instant::now(),
                waited: false,
                home: self.home.clone(),
            }))),
            Err(error) => {
                give_back(&self.home, slot);
                Err(error)
            }
        }
    }

    /// The rows of a batch, once it is done, the device still there and its stamp right.
    fn try_collect(&mut self, flying: &mut Flying, wait: Duration) -> Result<Option<Tensors>, StageError> {
        let Some(ticket) = flying.downcast_mut::<Ticket>() else { return Err(opened_again()) };
        let Some(slot) = &ticket.slot else {
            return Err(StageError::Batch(Cause::msg("the result of this batch was collected before")));
        };
        if !ticket.home.same_channel(&self.home) {
            return Err(opened_again());
        }
        let left = self.deadline.left(ticket.submitted, Instant::now());
        if !wait.is_zero() && !ticket.waited {
            // What is done already, however long ago, tells now that it is.
            self.device.poll(&ticket.submission, Duration::ZERO)?;
            ticket.waited = slot.readback_map.get() == Mapped::No;
        }
        self.device.poll(&ticket.submission, wait.min(left))?;
        match slot.readback_map.get() {
            Mapped::Failed => {
                return Err(self.device.lose(Cause::msg("the device does not give its result")));
            }
            Mapped::No if left.is_zero() => return Err(self.overdue()),
            Mapped::No => {
                ticket.waited = true;
                return Ok(None);
            }
            Mapped::Yes => {}
        }
        self.deadline.finished(ticket.submitted, ticket.waited, Instant::now());
        let tensors = self.read(slot, ticket)?;
        self.give_back(ticket);
        Ok(Some(tensors))
    }

    /// How long each kernel takes for `rows` items, whatever lies in the buffers.
    fn profile(&mut self, rows: usize) -> Result<Vec<KernelTime>, StageError> {
        let slot = self.free_slot()?;
        let time = |index: usize| {
            let step = (&self.plan.steps[index], &self.kernels[index], &slot.binds[index]);
            let limit = self.deadline.limit();
            let time =
                profile::time_of_one(|times| timing::time(&self.device, step, (rows as u32, times), limit))?;
            Ok(KernelTime::new(&self.plan.steps[index], rows, time))
        };
        let times = (0..self.plan.steps.len()).map(time).collect();
        give_back(&self.home, slot);
        times
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            give_back(&self.home, slot);
        }
    }
}

/// Bytes of one item that go up, and of its rows that come down.
fn item_bytes(plan: &Plan) -> (u64, u64) {
    let up = plan.inputs.iter().map(|input| input.spec.item_bytes() as u64).sum();
    (up, plan.outputs.iter().map(|output| output.bytes).sum())
}

/// There is a place for every slot; where the ring is gone the slot goes too.
fn give_back(home: &Sender<Slot>, slot: Slot) {
    let _ = home.try_send(slot);
}
