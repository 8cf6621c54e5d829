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
mod proof;
mod trial;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use self::build::Buffers;
pub(super) use self::trial::Trial;
use super::clock::{self, Clock, Spans};
use super::compile::Pipelines;
use super::deadline::Deadline;
use super::device::Device;
use super::loaded::{Compiled, Loaded};
use super::slot::{Mapped, Slot};
use crate::error::Cause;
use crate::gpu::graph::Graph;
use crate::gpu::item::AnyBatch;
use crate::gpu::plan::{Plan, STAMP_BYTES, Step, TIMES_BYTES};
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
    times: DeviceTimes,
    /// Batches before those that `times` is told of.
    told: u64,
    /// Number of the last batch, which it carries through the device.
    stamp: u64,
}

type StepOnDevice<'a> = ((&'a Step, &'a Compiled), &'a wgpu::BindGroup);

/// A batch in flight. Dropped without being collected, it gives its slot back.
#[derive(Debug)]
struct Ticket {
    slot: Option<Slot>,
    submission: wgpu::SubmissionIndex,
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
            Some(known) => known,
            None => {
                let mut pipelines = Pipelines::new(device);
                trial.choose(device, &mut plan, &buffers, &mut pipelines)?;
                let constants = buffers.constants.clone();
                loaded.insert(Box::new(Loaded::new(device, &plan, constants, &mut pipelines)?))
            }
        };
        known.apply(&mut plan);
        let kernels = known.kernels.clone();
        let slots = device.caught(|| buffers.slots(device, &plan, depth, &kernels))?;
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

    fn send(&mut self, slot: &mut Slot, batch: &dyn AnyBatch) -> Result<wgpu::SubmissionIndex, StageError> {
        self.stamp += 1;
        let written = slot.write(self.stamp, batch, &self.plan.inputs);
        written.map_err(|error| self.unmapped(error))?;
        slot.staging_map.set(Mapped::No);
        slot.readback_map.set(Mapped::No);
        let submission = self.device.caught(|| {
            slot.staging.unmap();
            self.device.queue.submit([self.encode(slot, batch.rows() as u64)])
        })?;
        slot.pending = Some(submission.clone());
        Ok(submission)
    }

    /// Copy up, run every step, copy down, map again.
    fn encode(&self, slot: &Slot, rows: u64) -> wgpu::CommandBuffer {
        let Plan { inputs, outputs, .. } = &self.plan;
        let label = Some("gapless.batch");
        let mut encoder = self.device.raw.create_command_encoder(&wgpu::CommandEncoderDescriptor { label });
        if let Some(clock) = &slot.clock {
            clock.begin(&mut encoder);
        }
        for (input, buffer) in inputs.iter().zip(&slot.inputs) {
            let up = rows * input.spec.item_bytes() as u64;
            encoder.copy_buffer_to_buffer(&slot.staging, input.offset, buffer, 0, up);
        }
        self.dispatch(&mut encoder, slot, rows as u32);
        for output in outputs {
            let (buffer, down) = (&self.shared[output.buffer], rows * output.bytes);
            encoder.copy_buffer_to_buffer(buffer, 0, &slot.readback, output.offset, down);
        }
        let stamp = self.plan.readback_stamp();
        encoder.copy_buffer_to_buffer(&slot.staging, 0, &slot.readback, stamp, STAMP_BYTES);
        if let Some(clock) = &slot.clock {
            let kernels = clock::times_kernels(self.stamp - self.told);
            clock.end(&mut encoder, &slot.readback, self.plan.readback_times(), kernels);
        }
        encoder.map_buffer_on_submit(&slot.staging, wgpu::MapMode::Write, .., slot.staging_map.told());
        encoder.map_buffer_on_submit(&slot.readback, wgpu::MapMode::Read, .., slot.readback_map.told());
        encoder.finish()
    }

    fn dispatch(&self, encoder: &mut wgpu::CommandEncoder, slot: &Slot, rows: u32) {
        let steps = || self.plan.steps.iter().zip(&self.kernels).zip(&slot.binds);
        let run = |pass: &mut wgpu::ComputePass<'_>, ((step, kernel), bind): StepOnDevice<'_>| {
            let [x, y] = step.dispatch().workgroups;
            pass.set_pipeline(&kernel.pipeline);
            pass.set_bind_group(0, bind, &[]);
            pass.dispatch_workgroups(x, y, rows * step.parts);
        };
        let clock = slot.clock.as_ref();
        if let Some(clock) = clock.filter(|_| clock::times_kernels(self.stamp - self.told)) {
            for (index, step) in steps().enumerate() {
                let timestamp_writes = clock.of_kernel(index);
                let label = Some("gapless.kernel");
                run(
                    &mut encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label, timestamp_writes }),
                    step,
                );
            }
            return;
        }
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("gapless.batch"),
            timestamp_writes: clock.and_then(Clock::of_pass),
        });
        steps().for_each(|step| run(&mut pass, step));
    }

    fn time_step(&self, slot: &Slot, index: usize, rows: u32, times: u32) -> Result<Duration, StageError> {
        let step = &self.plan.steps[index];
        let ([x, y], z) = (step.dispatch().workgroups, rows * step.parts);
        let start = Instant::now();
        let submission = self.device.caught(|| {
            let mut encoder = self.device.raw.create_command_encoder(&Default::default());
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(&self.kernels[index].pipeline);
            pass.set_bind_group(0, &slot.binds[index], &[]);
            (0..times).for_each(|_| pass.dispatch_workgroups(x, y, z));
            drop(pass);
            self.device.queue.submit([encoder.finish()])
        })?;
        self.device.finish(&submission, self.deadline.limit())?;
        Ok(start.elapsed())
    }

    fn read(&self, slot: &Slot, ticket: &Ticket) -> Result<Tensors, StageError> {
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
        let spans = slot.clock.as_ref().map(|clock| Spans::new(clock, times, ticket.stamp - self.told));
        tensors.span = spans.as_ref().map(|spans| spans.batch.clone());
        let stamp = &view[self.plan.readback_stamp() as usize..][..STAMP_BYTES as usize];
        let intact = *stamp == ticket.stamp.to_ne_bytes();
        // A loss before the mapping succeeded is told at the latest by this poll.
        self.device.poll(&ticket.submission, Duration::ZERO)?;
        if intact {
            spans.iter().for_each(|spans| spans.note(&self.times));
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
            Ok(submission) => Ok(ProgramTicket(Box::new(Ticket {
                slot: Some(slot),
                submission,
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
            let time = profile::time_of_one(|times| self.time_step(&slot, index, rows as u32, times))?;
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
