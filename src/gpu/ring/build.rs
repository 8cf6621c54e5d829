//! What a ring is made of when a program is opened: pipelines, buffers, bind groups.

use crate::gpu::compile::Pipelines;
use crate::gpu::device::Device;
use crate::gpu::graph::{Graph, Origin};
use crate::gpu::plan::{Place, Plan, Step};
use crate::gpu::slot::Slot;
use crate::stage::StageError;

/// The pipeline of every step.
pub(super) fn pipelines(
    pipelines: &mut Pipelines<'_>,
    plan: &Plan,
) -> Result<Vec<wgpu::ComputePipeline>, StageError> {
    let compile = |step: &Step| {
        let pipeline = pipelines.pipeline(&step.dispatch, step.inputs.len());
        pipeline.map_err(|error| match error {
            StageError::Lost(cause) => StageError::Lost(cause),
            other => {
                StageError::Batch(other.cause().clone().context(format!("kernel {}", step.dispatch.kernel)))
            }
        })
    };
    plan.steps.iter().map(compile).collect()
}

/// Everything that batches share, and the slots.
pub(super) fn buffers(
    device: &Device,
    graph: &Graph,
    plan: &Plan,
    depth: usize,
    pipelines: &mut Pipelines<'_>,
) -> (Vec<wgpu::Buffer>, Vec<Slot>) {
    use wgpu::BufferUsages as Usage;
    let usage = Usage::STORAGE | Usage::COPY_SRC;
    let buffer = |&bytes: &u64| device.buffer("gapless.shared", bytes * plan.max_batch as u64, usage, false);
    let shared: Vec<_> = plan.shared.iter().map(buffer).collect();
    let constant = |&tensor: &usize| match &graph.tensors[tensor].origin {
        Origin::Constant(values) => {
            let values = values.as_slice().expect("constants are in standard layout");
            device.filled("gapless.constant", bytemuck::cast_slice(values), Usage::STORAGE)
        }
        Origin::Input | Origin::Node | Origin::View(_) => unreachable!("the plan lists constants"),
    };
    let constants: Vec<_> = plan.constants.iter().map(constant).collect();
    let params = device.filled("gapless.params", &plan.params, Usage::UNIFORM);
    let groups = Groups { device, plan, shared: &shared, constants: &constants, params: &params };
    let slots = (0..depth).map(|_| Slot::new(device, plan, |inputs| groups.make(inputs, pipelines)));
    let slots = slots.collect();
    (shared, slots)
}

/// What the bind groups of all slots have in common.
struct Groups<'a> {
    device: &'a Device,
    plan: &'a Plan,
    shared: &'a [wgpu::Buffer],
    constants: &'a [wgpu::Buffer],
    params: &'a wgpu::Buffer,
}

impl Groups<'_> {
    fn make(&self, inputs: &[wgpu::Buffer], pipelines: &mut Pipelines<'_>) -> Vec<wgpu::BindGroup> {
        let bind = |step: &Step| {
            let layout = pipelines.layout(step.inputs.len());
            let (offset, size) = step.params;
            let params = wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer: self.params,
                offset,
                size: wgpu::BufferSize::new(size),
            });
            let read = step.inputs.iter().map(|&place| self.buffer(place, inputs).as_entire_binding());
            let written = self.shared[step.output].as_entire_binding();
            let resources = [params].into_iter().chain(read).chain([written]);
            let entry = |(binding, resource)| wgpu::BindGroupEntry { binding, resource };
            let entries: Vec<_> = (0..).zip(resources).map(entry).collect();
            let label = Some(&*step.dispatch.kernel);
            let descriptor = wgpu::BindGroupDescriptor { label, layout: &layout, entries: &entries };
            self.device.raw.create_bind_group(&descriptor)
        };
        self.plan.steps.iter().map(bind).collect()
    }

    fn buffer<'b>(&'b self, place: Place, inputs: &'b [wgpu::Buffer]) -> &'b wgpu::Buffer {
        match place {
            Place::Input(index) => &inputs[index],
            Place::Constant(index) => &self.constants[index],
            Place::Shared(index) => &self.shared[index],
        }
    }
}
