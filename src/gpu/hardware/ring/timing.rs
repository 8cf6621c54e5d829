//! How long steps take on a device, each on its own.

use std::time::{Duration, Instant};

use super::Trial;
use crate::gpu::hardware::alone::Ready;
use crate::gpu::hardware::choices;
use crate::gpu::hardware::deadline;
use crate::gpu::hardware::device::Device;
use crate::gpu::hardware::loaded::Compiled;
use crate::gpu::hardware::pace::Pace;
use crate::gpu::hardware::slot::Slot;
use crate::gpu::plan::{Plan, Step};
use crate::stage::StageError;

/// Runs one step so often for so many items, whatever lies in the buffers: how long that took.
pub(super) fn time(
    device: &Device,
    (step, kernel, bind): (&Step, &Compiled, &wgpu::BindGroup),
    (rows, times): (u32, u32),
    limit: Duration,
) -> Result<Duration, StageError> {
    let ([x, y], z) = (step.dispatch().workgroups, rows * step.parts);
    let ready = Ready { pipeline: &kernel.pipeline, bind, workgroups: [x, y, z] };
    let start = Instant::now();
    device.done(limit, |encoder| {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        (0..times).for_each(|_| ready.run(&mut pass));
    })?;
    Ok(start.elapsed())
}

/// How long an item takes, where a submission has a limit: as it was measured once on this device, else step by step,
/// so that no submission is long.
pub(super) fn pace(
    device: &Device,
    plan: &Plan,
    kernels: &[Compiled],
    slot: &Slot,
    trial: &Trial<'_>,
) -> Result<Pace, StageError> {
    let key = choices::program_key(plan);
    let item = match trial.choices.pace(key) {
        _ if trial.most == Duration::MAX => Duration::ZERO,
        Some(known) => known,
        None => {
            let steps = plan.steps.iter().zip(kernels).zip(&slot.binds);
            let one = |((step, kernel), bind)| time(device, (step, kernel, bind), (1, 1), deadline::LEAST);
            let measured = steps.map(one).sum::<Result<Duration, StageError>>()?;
            trial.choices.set_pace(key, measured);
            trial.choices.keep();
            measured
        }
    };
    Ok(Pace::new(trial.most, item, plan))
}
