//! Which variant of each kernel is the fastest on this device: a short trial when a program is opened.
//!
//! It runs on the program's own buffers, whatever lies in them, and its time is bounded: a variant that is
//! clearly slower than another runs once or twice, and the same shapes are never tried again on a device.

use std::time::{Duration, Instant};

use super::build::Buffers;
use crate::gpu::hardware::choices::{self, Choices};
use crate::gpu::hardware::compile::Pipelines;
use crate::gpu::hardware::device::Device;
use crate::gpu::plan::{Plan, Step, Variant};
use crate::stage::StageError;

/// Runs of a variant are repeated until they take this long, so that the fixed cost of a submission
/// does not decide.
const LONG_ENOUGH: Duration = Duration::from_millis(1);
/// Most runs in one submission.
const MOST_RUNS: u32 = 64;
/// Times a variant is timed; the least counts.
const ROUNDS: usize = 3;
/// A device that does not end a run within this time counts as lost.
const LIMIT: Duration = Duration::from_secs(60);

/// How a trial is done.
#[derive(Clone, Copy, Debug)]
pub(in crate::gpu) struct Trial<'a> {
    pub(in crate::gpu) choices: &'a Choices,
    /// Items of a run.
    pub(in crate::gpu) rows: usize,
}

impl Trial<'_> {
    /// Chooses a variant for every step that has several.
    pub(super) fn choose(
        &self,
        device: &Device,
        plan: &mut Plan,
        buffers: &Buffers,
        pipelines: &mut Pipelines<'_>,
    ) -> Result<(), StageError> {
        if plan.steps.iter().all(|step| self.known(step).is_some()) {
            return Ok(());
        }
        let inputs = device.caught(|| buffers.inputs(device, plan, self.rows))?;
        for index in 0..plan.steps.len() {
            let step = &plan.steps[index];
            let mut bench = Bench { trial: self, device, buffers, pipelines, inputs: &inputs, step };
            let chosen = match self.known(step) {
                Some(chosen) => chosen,
                None => self.choices.settle(choices::key(step), bench.fastest()?),
            };
            plan.steps[index].chosen = chosen;
        }
        Ok(())
    }

    /// The variant, where there is nothing to try.
    fn known(&self, step: &Step) -> Option<usize> {
        if step.variants.len() == 1 { Some(0) } else { self.choices.get(choices::key(step)) }
    }
}

/// One step on trial.
struct Bench<'a, 'b, 'd> {
    trial: &'a Trial<'a>,
    device: &'a Device,
    buffers: &'a Buffers,
    pipelines: &'b mut Pipelines<'d>,
    inputs: &'a [wgpu::Buffer],
    step: &'a Step,
}

impl Bench<'_, '_, '_> {
    fn fastest(&mut self) -> Result<usize, StageError> {
        let mut best = (Duration::MAX, 0);
        for (index, variant) in self.step.variants.iter().enumerate() {
            match self.time(variant, best.0) {
                Ok(time) if time < best.0 => best = (time, index),
                Ok(_) => {}
                // The plainest has to run; another that the driver does not take is left out.
                Err(StageError::Batch(_)) if index > 0 => {}
                Err(error) => return Err(error),
            }
        }
        Ok(best.1)
    }

    /// Time of one run, or a first estimate of it where that is clearly more than `best`.
    fn time(&mut self, variant: &Variant, best: Duration) -> Result<Duration, StageError> {
        let inputs = self.step.inputs.len();
        let pipeline = self.pipelines.pipeline(&variant.dispatch, inputs)?;
        let layout = self.pipelines.layout(inputs);
        let bind = || self.buffers.bind(self.device, self.step, variant, self.inputs, &layout);
        let bind = self.device.caught(bind)?;
        let run = |times: u32| self.run(variant, &pipeline, &bind, times);
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

    fn run(
        &self,
        variant: &Variant,
        pipeline: &wgpu::ComputePipeline,
        bind: &wgpu::BindGroup,
        times: u32,
    ) -> Result<Duration, StageError> {
        let ([x, y], z) = (variant.dispatch.workgroups, self.trial.rows as u32 * self.step.parts);
        let start = Instant::now();
        let submission = self.device.caught(|| {
            let mut encoder = self.device.raw.create_command_encoder(&Default::default());
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, bind, &[]);
            (0..times).for_each(|_| pass.dispatch_workgroups(x, y, z));
            drop(pass);
            self.device.queue.submit([encoder.finish()])
        })?;
        self.device.finish(&submission, LIMIT)?;
        Ok(start.elapsed())
    }
}
