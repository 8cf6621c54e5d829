//! Whether a variant gives what the plainest gives: for one item of values that are made up on the device.

use crate::gpu::hardware::alone::Ready;
use crate::gpu::hardware::device::Device;
use crate::gpu::plan::{Plan, Step};
use crate::kernel::Element;
use crate::stage::StageError;

/// Values without a pattern; what a word is depends on its place alone.
const FILL: &str = "
override kind: u32;

@group(0) @binding(0) var<storage, read_write> values: array<u32>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let place = (group.y * groups.x + group.x) * 256u + local;
    if place >= arrayLength(&values) {
        return;
    }
    let any = hash(place);
    var value = any;
    if kind == 0u {
        value = bitcast<u32>(f32(any >> 8u) / 8388608.0 - 1.0);
    } else if kind == 1u {
        value = any % 4u;
    } else if kind == 2u {
        value = 0x7fc07fc0u;
    } else if kind == 4u {
        value = (any & 0x83ff83ffu) | 0x3c003c00u;
    }
    values[place] = value;
}

// PCG: O'Neill 2014, by Jarzynski & Olano 2020, Hash Functions for GPU Rendering.
fn hash(place: u32) -> u32 {
    let state = place * 747796405u + 2891336453u;
    let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
    return (word >> 22u) ^ word;
}
";

/// What words of a buffer are filled with.
#[derive(Clone, Copy)]
enum Kind {
    /// Floats from -1 to 1.
    Floats = 0,
    /// Whole numbers from 0 to 3, which are places of nearly everything.
    Ints = 1,
    /// NaN, so that what is not written is seen.
    Nothing = 2,
    /// Any bytes.
    Bytes = 3,
    /// Pairs of halves from 1 to 2 and from -1 to -2.
    Halves = 4,
}

/// One item of one step, to be computed by each of its variants.
pub(super) struct Proof<'a> {
    device: &'a Device,
    fill: [wgpu::ComputePipeline; 5],
    readback: wgpu::Buffer,
}

impl<'a> Proof<'a> {
    /// For every step of a plan that can be done in several ways.
    pub(super) fn new(device: &'a Device, plan: &Plan) -> Result<Self, StageError> {
        let several = plan.steps.iter().filter(|step| step.and_instead().count() + step.variants.len() > 2);
        let bytes = several.map(|step| step.bytes).max().unwrap_or(0).next_multiple_of(8).max(8);
        device.caught(|| {
            let source = wgpu::ShaderSource::Wgsl(FILL.into());
            let label = Some("gapless.fill");
            let module = device.raw.create_shader_module(wgpu::ShaderModuleDescriptor { label, source });
            let pipeline = |kind: Kind| {
                device.raw.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                    label,
                    layout: None,
                    module: &module,
                    entry_point: None,
                    compilation_options: wgpu::PipelineCompilationOptions {
                        constants: &[("kind", f64::from(kind as u8))],
                        ..Default::default()
                    },
                    cache: None,
                })
            };
            let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
            Self {
                device,
                fill: [Kind::Floats, Kind::Ints, Kind::Nothing, Kind::Bytes, Kind::Halves].map(pipeline),
                readback: device.buffer("gapless.proof", bytes, usage, false),
            }
        })
    }

    /// What is in the output's buffer after `run`, with made up values in those that the step reads.
    pub(super) fn given(
        &self,
        step: &Step,
        read: &[Option<&wgpu::Buffer>],
        written: &wgpu::Buffer,
        run: impl FnOnce(&mut wgpu::CommandEncoder),
    ) -> Result<Vec<u32>, StageError> {
        let made = read.iter().zip(&step.reads);
        let made = made.filter_map(|(buffer, &(element, bytes))| Some(((*buffer)?, bytes, kind_of(element))));
        let filled = made.chain([(written, step.bytes, Kind::Nothing)]);
        let fills = filled.map(|(buffer, bytes, kind)| self.fill(buffer, bytes, kind));
        let fills = fills.collect::<Result<Vec<_>, _>>()?;
        self.device.words((written, &self.readback), step.bytes, |encoder| {
            fills.iter().for_each(|fill| fill.ready(&self.fill).run_alone(encoder));
            run(encoder);
        })
    }

    /// What fills the first bytes of a buffer.
    fn fill(&self, buffer: &wgpu::Buffer, bytes: u64, kind: Kind) -> Result<Fill, StageError> {
        let layout = self.fill[kind as usize].get_bind_group_layout(0);
        let size = wgpu::BufferSize::new(bytes.max(4));
        let resource = wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset: 0, size });
        let bind = self.device.caught(|| self.device.bind("gapless.fill", &layout, [resource]))?;
        Ok(Fill { kind, bind, groups: (bytes / 4).div_ceil(256).max(1) as u32 })
    }
}

/// A buffer that is to be filled.
struct Fill {
    kind: Kind,
    bind: wgpu::BindGroup,
    /// Workgroups.
    groups: u32,
}

impl Fill {
    fn ready<'a>(&'a self, pipelines: &'a [wgpu::ComputePipeline]) -> Ready<'a> {
        let workgroups = [self.groups.min(1 << 15), self.groups.div_ceil(1 << 15), 1];
        Ready { pipeline: &pipelines[self.kind as usize], bind: &self.bind, workgroups }
    }
}

fn kind_of(element: Element) -> Kind {
    match element {
        Element::F32 => Kind::Floats,
        Element::F16 => Kind::Halves,
        Element::I32 => Kind::Ints,
        Element::U8 | Element::I8 => Kind::Bytes,
    }
}
