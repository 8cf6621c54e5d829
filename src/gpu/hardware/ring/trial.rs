//! Which variant of each kernel is the fastest on this device: a short trial when a program is opened.
//!
//! Each variant first computes one item of values that are made up; one that gives something else than the plainest
//! is left out, and the plan says so. Then they are timed, on the program's own buffers, whatever lies in them. Both are
//! bounded: a variant that is clearly slower than another runs once or twice, a run has no more items than one
//! submission may take ([`Program::submission`]), and the same shapes are never tried again on a device. A step that can
//! do what two do is tried against the two.

use std::time::{Duration, Instant};

use super::build::Buffers;
use super::proof::Proof;
use crate::gpu::Limits;
use crate::gpu::hardware::against_twin;
use crate::gpu::hardware::alone::Ready;
use crate::gpu::hardware::choices::Choices;
use crate::gpu::hardware::compile::Pipelines;
use crate::gpu::hardware::deadline;
use crate::gpu::hardware::device::Device;
use crate::gpu::hardware::near;
use crate::gpu::plan::{Instead, Plan, Step};
use crate::kernel::{Element, Precision};
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
        self.choices.apply(plan, self.rows);
        if plan.steps.iter().all(|step| self.is_known(step)) {
            return Ok(());
        }
        let inputs = device.caught(|| buffers.inputs(device, plan, self.rows))?;
        let proof = Proof::new(device, plan)?;
        let mut bench = Bench { trial: self, proof: &proof, device, buffers, pipelines, inputs: &inputs };
        for index in 0..plan.steps.len() {
            let (before, step) = plan.steps.split_at_mut(index);
            self.choose_one(&mut bench, before, &mut step[0])?;
        }
        plan.settle();
        self.choices.keep();
        Ok(())
    }

    /// Chooses a variant of a step, and whether one in its place and that of one before is faster.
    fn choose_one(
        &self,
        bench: &mut Bench<'_, '_, '_>,
        before: &[Step],
        step: &mut Step,
    ) -> Result<(), StageError> {
        step.chosen = match self.choices.of_step(step, self.rows) {
            Some(chosen) => chosen,
            None => self.choices.settle(step, self.rows, bench.fastest(step)?),
        };
        step.left_out = self.choices.left_out(step);
        let Some(Instead { giver, step: both, .. }) = step.instead.as_deref() else { return Ok(()) };
        let variant = match self.choices.joined(both, self.rows) {
            Some(known) => known,
            None => {
                let faster = bench.faster([&before[*giver], step], both)?;
                self.choices.settle_joined(both, self.rows, faster)
            }
        };
        let left_out = self.choices.left_out(both);
        step.decide(variant, left_out);
        Ok(())
    }

    /// Whether there is nothing to try of a step.
    fn is_known(&self, step: &Step) -> bool {
        let both = |instead: &Instead| self.choices.joined(&instead.step, self.rows).is_some();
        self.choices.of_step(step, self.rows).is_some() && step.instead.as_deref().is_none_or(both)
    }
}

/// What steps are tried with.
struct Bench<'a, 'b, 'd> {
    trial: &'b Trial<'b>,
    proof: &'b Proof<'a>,
    device: &'a Device,
    buffers: &'b Buffers,
    pipelines: &'b mut Pipelines<'d>,
    inputs: &'b [wgpu::Buffer],
}

/// A variant that can run.
struct OnTrial {
    pipeline: wgpu::ComputePipeline,
    bind: wgpu::BindGroup,
    workgroups: [u32; 2],
    parts: u32,
}

/// What other ways to do a step are compared with.
struct Plainest {
    /// What it gives for one item.
    gives: Vec<u32>,
    precision: Precision,
    /// Items of a run, and how long one takes.
    rows: usize,
    time: Duration,
}

impl Bench<'_, '_, '_> {
    /// The fastest variant of a step.
    fn fastest(&mut self, step: &Step) -> Result<usize, StageError> {
        // The plainest has to run.
        let plainest = [self.ready(step, 0)?];
        let plainest = self.plainest(&plainest, step, Precision::Full)?;
        self.faster_than(&plainest, step, 1).map(|faster| faster.unwrap_or(0))
    }

    /// The fastest variant of a step that does what two do, where it is faster than they are.
    fn faster(&mut self, two: [&Step; 2], both: &Step) -> Result<Option<usize>, StageError> {
        // What lies between the two may be rounded to halves, and what is computed where it is read is not.
        let rounded = if two[0].element == Element::F16 { Precision::Mixed } else { Precision::Full };
        let two = [self.ready(two[0], two[0].chosen)?, self.ready(two[1], two[1].chosen)?];
        let plainest = self.plainest(&two, both, rounded)?;
        self.faster_than(&plainest, both, 0)
    }

    /// What steps give and take that do, one after the other, what this one does.
    fn plainest(
        &mut self,
        ready: &[OnTrial],
        step: &Step,
        precision: Precision,
    ) -> Result<Plainest, StageError> {
        let gives = self.given(ready, step)?;
        let once = self.run(ready, 1, 1)?.max(Duration::from_nanos(1));
        let rows = self.trial.rows.min((self.trial.most.as_nanos() / once.as_nanos()).max(1) as usize);
        let time = self.time(ready, rows, Duration::MAX)?;
        Ok(Plainest { gives, precision, rows, time })
    }

    /// The fastest variant from this one on, where it is faster than the plainest. One that is off is left out.
    fn faster_than(
        &mut self,
        plainest: &Plainest,
        step: &Step,
        first: usize,
    ) -> Result<Option<usize>, StageError> {
        let choices = self.trial.choices;
        let (mut best, mut fastest) = (plainest.time, None);
        for index in first..step.variants.len() {
            if choices.is_left_out(step, index) {
                continue;
            }
            match self.tried(step, index, plainest, best) {
                Ok(Ok(time)) if time < best => (best, fastest) = (time, Some(index)),
                Ok(Ok(_)) => {}
                Ok(Err(reason)) => choices.leave_out(step, index, reason),
                Err(StageError::Batch(cause)) => choices.leave_out(step, index, cause.to_string()),
                Err(StageError::Lost(cause)) => {
                    let reason = format!("the device was lost while it ran: {cause}");
                    choices.leave_out(step, index, reason);
                    return Err(StageError::Lost(cause));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(fastest)
    }

    /// The time of a variant, or how it is off.
    fn tried(
        &mut self,
        step: &Step,
        index: usize,
        plainest: &Plainest,
        best: Duration,
    ) -> Result<Result<Duration, String>, StageError> {
        let ready = [self.ready(step, index)?];
        let given = self.given(&ready, step)?;
        let precision = step.variants[index].dispatch.needs.precision.max(plainest.precision);
        match near::off(&plainest.gives, &given, step.element, precision) {
            Some(reason) => Ok(Err(reason)),
            None => self.time(&ready, plainest.rows, best).map(Ok),
        }
    }

    fn ready(&mut self, step: &Step, index: usize) -> Result<OnTrial, StageError> {
        let (variant, inputs) = (&step.variants[index], step.inputs.len());
        let pipeline = self.pipelines.pipeline(&variant.dispatch, inputs, step.trusted)?;
        let layout = self.pipelines.layout(inputs);
        let bind = || self.buffers.bind(self.device, step, variant, self.inputs, &layout);
        let (workgroups, parts) = (variant.dispatch.workgroups, step.parts);
        Ok(OnTrial { pipeline, bind: self.device.caught(bind)?, workgroups, parts })
    }

    /// What is given for one item, with made up values in all that a step reads.
    fn given(&self, ready: &[OnTrial], step: &Step) -> Result<Vec<u32>, StageError> {
        let read: Vec<_> =
            step.inputs.iter().map(|&place| self.buffers.made_up(place, self.inputs)).collect();
        let written = &self.buffers.shared[step.output];
        self.proof.given(step, &read, written, |encoder| self.encode(encoder, ready, 1, 1))
    }

    /// Time of one run, or a first estimate of it where that is clearly more than `best`.
    fn time(&self, ready: &[OnTrial], rows: usize, best: Duration) -> Result<Duration, StageError> {
        let run = |times: u32| self.run(ready, rows, times);
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

    fn run(&self, ready: &[OnTrial], rows: usize, times: u32) -> Result<Duration, StageError> {
        let start = Instant::now();
        self.device.done(deadline::LEAST, |encoder| self.encode(encoder, ready, rows, times))?;
        Ok(start.elapsed())
    }

    fn encode(&self, encoder: &mut wgpu::CommandEncoder, ready: &[OnTrial], rows: usize, times: u32) {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        for OnTrial { pipeline, bind, workgroups: [x, y], parts } in (0..times).flat_map(|_| ready) {
            let workgroups = [*x, *y, rows as u32 * parts];
            Ready { pipeline, bind, workgroups }.run(&mut pass);
        }
    }
}
