//! What a program has on a device for batches of any size: constants, and kernels that are chosen and compiled.

use std::sync::{Arc, Weak};

use super::choices;
use super::compile::Pipelines;
use super::device::Device;
use crate::gpu::plan::{Plan, Step};
use crate::stage::StageError;

/// Shared by all rings of a program and of its clones.
#[derive(Debug)]
pub(super) struct Loaded {
    /// Weak, since nothing of a lost device is to be kept.
    device: Weak<Device>,
    pub(super) constants: Constants,
    /// Items for which variants were chosen.
    rows: usize,
    /// What is done, by the variants that were chosen.
    steps: Vec<Step>,
    /// These variants, one a step.
    pub(super) kernels: Vec<Compiled>,
}

/// The constants of a program, and the parameters of every variant of its kernels: handles, so that a copy is the same
/// memory.
#[derive(Clone, Debug)]
pub(super) struct Constants {
    pub(super) values: Vec<wgpu::Buffer>,
    pub(super) params: wgpu::Buffer,
}

#[derive(Clone, Debug)]
pub(super) struct Compiled {
    pub(super) pipeline: wgpu::ComputePipeline,
    /// Of group 0.
    pub(super) layout: wgpu::BindGroupLayout,
}

impl Loaded {
    /// Compiles what a plan chose for so many items.
    pub(super) fn new(
        device: &Arc<Device>,
        plan: &Plan,
        constants: Constants,
        (rows, pipelines): (usize, &mut Pipelines<'_>),
    ) -> Result<Self, StageError> {
        let kernels = plan.steps.iter().map(|step| kernel(pipelines, step)).collect::<Result<_, _>>()?;
        Ok(Self { device: Arc::downgrade(device), constants, rows, steps: plan.steps.clone(), kernels })
    }

    pub(super) fn is_on(&self, device: &Arc<Device>) -> bool {
        std::ptr::eq(self.device.as_ptr(), Arc::as_ptr(device))
    }

    /// Whether variants were chosen for about so many items.
    pub(super) fn serves(&self, rows: usize) -> bool {
        choices::about(self.rows) == choices::about(rows)
    }

    /// Puts what was chosen into a plan of the same program.
    pub(super) fn apply(&self, plan: &mut Plan) {
        plan.steps.clone_from(&self.steps);
    }
}

fn kernel(pipelines: &mut Pipelines<'_>, step: &Step) -> Result<Compiled, StageError> {
    let inputs = step.inputs.len();
    let pipeline =
        pipelines.pipeline(step.dispatch(), inputs, step.trusted).map_err(|error| match error {
            StageError::Lost(cause) => StageError::Lost(cause),
            other => {
                StageError::Batch(other.cause().clone().context(format!("kernel {}", step.dispatch().kernel)))
            }
        })?;
    Ok(Compiled { pipeline, layout: pipelines.layout(inputs) })
}
