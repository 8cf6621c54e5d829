//! Which variant of each kernel is the fastest on this device: a short trial when a program is opened.
//!
//! Each variant first computes one item of values that are made up; one that gives something else than the plainest
//! is left out, and the plan says so. Then they are timed, on the program's own buffers, whatever lies in them. Both are
//! bounded: a variant that is clearly slower than another runs once or twice, a run has no more items than one
//! submission may take ([`Program::submission`]), and the same shapes are never tried again on a device.

use std::time::{Duration, Instant};

use super::build::Buffers;
use super::proof::Proof;
use crate::gpu::Limits;
use crate::gpu::hardware::against_twin;
use crate::gpu::hardware::choices::Choices;
use crate::gpu::hardware::compile::Pipelines;
use crate::gpu::hardware::deadline;
use crate::gpu::hardware::device::Device;
use crate::gpu::hardware::near;
use crate::gpu::plan::{Plan, Step, Variant};
use crate::stage::StageError;

/// Runs of a variant are repeated until they take this long, so that the fixed cost of a submission
/// does not decide.
const LONG_ENOUGH: Duration = Duration::from_millis(1);
/// Most runs in one submission.
const MOST_RUNS: u32 = 64;
/// Times a variant is timed; the least counts.
const ROUNDS: usize = 3;

/// How a trial is done.
#[derive(Clone, Copy, Debug)]
pub(in crate::gpu) struct Trial<'a> {
    pub(in crate::gpu) choices: &'a Choices,
    pub(in crate::gpu) limits: &'a Limits,
    /// Items of a run.
    pub(in crate::gpu) rows: usize,
    /// Most work of a submission: a run of the plainest variant takes about this long at most.
    pub(in crate::gpu) most: Duration,
}

impl Trial<'_> {
    /// Chooses a variant for every step that has several, once it is known that the plainest of each can be trusted.
    pub(super) fn choose(
        &self,
        device: &Device,
        plan: &mut Plan,
        buffers: &Buffers,
        pipelines: &mut Pipelines<'_>,
    ) -> Result<(), StageError> {
        against_twin::prove(device, plan, self.limits, self.choices, pipelines)?;
        if plan.steps.iter().all(|step| self.choices.of_step(step, self.rows).is_some()) {
            return Ok(());
        }
        let inputs = device.caught(|| buffers.inputs(device, plan, self.rows))?;
        let proof = Proof::new(device, plan)?;
        for index in 0..plan.steps.len() {
            let step = &plan.steps[index];
            let chosen = match self.choices.of_step(step, self.rows) {
                Some(chosen) => chosen,
                None => {
                    let (proof, rows) = (&proof, self.rows);
                    let mut bench =
                        Bench { trial: self, proof, device, buffers, pipelines, inputs: &inputs, step, rows };
                    self.choices.settle(step, rows, bench.fastest()?)
                }
            };
            plan.steps[index].chosen = chosen;
            plan.steps[index].left_out = self.choices.left_out(&plan.steps[index]);
        }
        self.choices.keep();
        Ok(())
    }
}

/// One step on trial.
struct Bench<'a, 'b, 'd> {
    trial: &'a Trial<'a>,
    proof: &'a Proof<'a>,
    device: &'a Device,
    buffers: &'a Buffers,
    pipelines: &'b mut Pipelines<'d>,
    inputs: &'a [wgpu::Buffer],
    step: &'a Step,
    /// Items of a run.
    rows: usize,
}

/// A variant that can run.
struct Ready<'a> {
    variant: &'a Variant,
    pipeline: wgpu::ComputePipeline,
    bind: wgpu::BindGroup,
}

impl<'a> Bench<'a, '_, '_> {
    fn fastest(&mut self) -> Result<usize, StageError> {
        let (choices, step) = (self.trial.choices, self.step);
        let (mut best, mut wanted) = ((Duration::MAX, 0), Vec::new());
        for (index, variant) in self.step.variants.iter().enumerate() {
            if choices.is_left_out(step, index) {
                continue;
            }
            match self.tried(variant, index == 0, &mut wanted, best.0) {
                Ok(Ok(time)) if time < best.0 => best = (time, index),
                Ok(Ok(_)) => {}
                Ok(Err(reason)) => choices.leave_out(step, index, reason),
                // The plainest has to run; another that the driver does not take is left out.
                Err(StageError::Batch(cause)) if index > 0 => {
                    choices.leave_out(step, index, cause.to_string());
                }
                Err(StageError::Lost(cause)) if index > 0 => {
                    let reason = format!("the device was lost while it ran: {cause}");
                    choices.leave_out(step, index, reason);
                    return Err(StageError::Lost(cause));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(best.1)
    }

    /// The time of a variant, or how it is off.
    fn tried(
        &mut self,
        variant: &'a Variant,
        plainest: bool,
        wanted: &mut Vec<u32>,
        best: Duration,
    ) -> Result<Result<Duration, String>, StageError> {
        let inputs = self.step.inputs.len();
        let pipeline = self.pipelines.pipeline(&variant.dispatch, inputs, self.step.trusted)?;
        let layout = self.pipelines.layout(inputs);
        let bind = || self.buffers.bind(self.device, self.step, variant, self.inputs, &layout);
        let ready = Ready { variant, pipeline, bind: self.device.caught(bind)? };
        let given = self.given(&ready)?;
        if plainest {
            *wanted = given;
            let once = self.run(&ready, 1, 1)?.max(Duration::from_nanos(1));
            self.rows = self.rows.min((self.trial.most.as_nanos() / once.as_nanos()).max(1) as usize);
        } else {
            let precision = variant.dispatch.needs.precision;
            if let Some(reason) = near::off(wanted, &given, self.step.element, precision) {
                return Ok(Err(reason));
            }
        }
        self.time(&ready, best).map(Ok)
    }

    /// What a variant gives for one item.
    fn given(&self, ready: &Ready<'_>) -> Result<Vec<u32>, StageError> {
        let read: Vec<_> =
            self.step.inputs.iter().map(|&place| self.buffers.made_up(place, self.inputs)).collect();
        let written = &self.buffers.shared[self.step.output];
        self.proof.given(self.step, &read, written, |encoder| self.encode(encoder, ready, 1, 1))
    }

    /// Time of one run, or a first estimate of it where that is clearly more than `best`.
    fn time(&self, ready: &Ready<'_>, best: Duration) -> Result<Duration, StageError> {
        let run = |times: u32| self.run(ready, self.rows, times);
        // The first run may wait for memory that is cleared.
        run(1)?;
        let once = run(1)?;
        if once / 2 > best {
            return Ok(once);
        }
        let times = LONG_ENOUGH.as_nanos() / once.as_nanos().max(1) + 1;
        let times = times.min(MOST_RUNS.into()) as u32;
        let rounds = (0..ROUNDS).map(|_| run(times)).collect::<Result<Vec<_>, _>>()?;
        Ok(rounds.into_iter().min().unwrap_or(once) / times)
    }

    fn run(&self, ready: &Ready<'_>, rows: usize, times: u32) -> Result<Duration, StageError> {
        let start = Instant::now();
        let submission = self.device.caught(|| {
            let mut encoder = self.device.raw.create_command_encoder(&Default::default());
            self.encode(&mut encoder, ready, rows, times);
            self.device.queue.submit([encoder.finish()])
        })?;
        self.device.finish(&submission, deadline::LEAST)?;
        Ok(start.elapsed())
    }

    fn encode(&self, encoder: &mut wgpu::CommandEncoder, ready: &Ready<'_>, rows: usize, times: u32) {
        let ([x, y], z) = (ready.variant.dispatch.workgroups, rows as u32 * self.step.parts);
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(&ready.pipeline);
        pass.set_bind_group(0, &ready.bind, &[]);
        (0..times).for_each(|_| pass.dispatch_workgroups(x, y, z));
    }
}
