//! What a ring is made of when a program is opened: buffers and bind groups.

use crate::gpu::graph::{Graph, Origin};
use crate::gpu::hardware::bytes;
use crate::gpu::hardware::device::Device;
use crate::gpu::hardware::loaded::{Compiled, Constants};
use crate::gpu::hardware::slot::Slot;
use crate::gpu::plan::{Place, Plan, PlannedInput, Step, Variant};

/// Everything that batches share.
#[derive(Debug)]
pub(super) struct Buffers {
    pub(super) shared: Vec<wgpu::Buffer>,
    pub(super) constants: Constants,
}

impl Buffers {
    /// Those of a plan, with `constants` where they are on the device already.
    pub(super) fn new(device: &Device, graph: &Graph, plan: &Plan, constants: Option<&Constants>) -> Self {
        use wgpu::BufferUsages as Usage;
        let usage = Usage::STORAGE | Usage::COPY_SRC;
        let buffer =
            |&bytes: &u64| device.buffer("gapless.shared", bytes * plan.max_batch as u64, usage, false);
        Self {
            shared: plan.shared.iter().map(buffer).collect(),
            constants: constants.cloned().unwrap_or_else(|| upload(device, graph, plan)),
        }
    }

    /// Inputs of so many items, to try kernels on.
    pub(super) fn inputs(&self, device: &Device, plan: &Plan, rows: usize) -> Vec<wgpu::Buffer> {
        let buffer = |input: &PlannedInput| {
            device.buffer("gapless.trial", input.bytes(rows), wgpu::BufferUsages::STORAGE, false)
        };
        plan.inputs.iter().map(buffer).collect()
    }

    pub(super) fn slots(
        &self,
        device: &Device,
        plan: &Plan,
        depth: usize,
        kernels: &[Compiled],
    ) -> Vec<Slot> {
        let bind = |inputs: &[wgpu::Buffer]| {
            let bind = |(step, kernel): (&Step, &Compiled)| {
                self.bind(device, step, step.variant(), inputs, &kernel.layout)
            };
            plan.steps.iter().zip(kernels).map(bind).collect()
        };
        (0..depth).map(|_| Slot::new(device, plan, bind)).collect()
    }

    /// Parameters, inputs and output of one variant of a step.
    pub(super) fn bind(
        &self,
        device: &Device,
        step: &Step,
        variant: &Variant,
        inputs: &[wgpu::Buffer],
        layout: &wgpu::BindGroupLayout,
    ) -> wgpu::BindGroup {
        let (offset, size) = variant.params;
        let params = wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer: &self.constants.params,
            offset,
            size: wgpu::BufferSize::new(size),
        });
        let read = step.inputs.iter().map(|&place| self.buffer(place, inputs).as_entire_binding());
        let written = self.shared[step.output].as_entire_binding();
        device.bind(&variant.name, layout, [params].into_iter().chain(read).chain([written]))
    }

    /// A buffer that made up values may be put into: not that of a constant.
    pub(super) fn made_up<'b>(
        &'b self,
        place: Place,
        inputs: &'b [wgpu::Buffer],
    ) -> Option<&'b wgpu::Buffer> {
        (!matches!(place, Place::Constant(_))).then(|| self.buffer(place, inputs))
    }

    fn buffer<'b>(&'b self, place: Place, inputs: &'b [wgpu::Buffer]) -> &'b wgpu::Buffer {
        match place {
            Place::Input(index) => &inputs[index],
            Place::Constant(index) => &self.constants.values[index],
            Place::Shared(index) => &self.shared[index],
        }
    }
}

fn upload(device: &Device, graph: &Graph, plan: &Plan) -> Constants {
    use wgpu::BufferUsages as Usage;
    let constant = |&tensor: &usize| match &graph.tensors[tensor].origin {
        Origin::Constant(values) => {
            device.filled("gapless.constant", bytes::of_constant(values), Usage::STORAGE)
        }
        _ => unreachable!("the plan lists constants"),
    };
    Constants {
        values: plan.constants.iter().map(constant).collect(),
        params: device.filled("gapless.params", &plan.params, Usage::UNIFORM),
    }
}
