//! Whether a variant gives what the plainest gives: for one item of values that are made up on the device.

use crate::error::Cause;
use crate::gpu::hardware::deadline;
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
    /// For every step of a plan that has several variants.
    pub(super) fn new(device: &'a Device, plan: &Plan) -> Result<Self, StageError> {
        let several = plan.steps.iter().filter(|step| step.variants.len() > 1);
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
        let submission = self.device.caught(|| {
            let mut encoder = self.device.raw.create_command_encoder(&Default::default());
            for (buffer, &(element, bytes)) in read.iter().zip(&step.reads) {
                let kind = match element {
                    Element::F32 => Kind::Floats,
                    Element::F16 => Kind::Halves,
                    Element::I32 => Kind::Ints,
                    Element::U8 => Kind::Bytes,
                };
                buffer.iter().for_each(|buffer| self.filled(&mut encoder, buffer, bytes, kind));
            }
            self.filled(&mut encoder, written, step.bytes, Kind::Nothing);
            run(&mut encoder);
            encoder.copy_buffer_to_buffer(written, 0, &self.readback, 0, step.bytes);
            encoder.map_buffer_on_submit(&self.readback, wgpu::MapMode::Read, .., drop);
            self.device.queue.submit([encoder.finish()])
        })?;
        self.device.finish(&submission, deadline::LEAST)?;
        let view = self.readback.get_mapped_range(..).map_err(Cause::from)?;
        let words = view[..step.bytes as usize].chunks_exact(4);
        let words = words.map(|word| u32::from_le_bytes(word.try_into().expect("four bytes"))).collect();
        drop(view);
        self.device.unmap(&self.readback);
        Ok(words)
    }

    fn filled(&self, encoder: &mut wgpu::CommandEncoder, buffer: &wgpu::Buffer, bytes: u64, kind: Kind) {
        let pipeline = &self.fill[kind as usize];
        let size = wgpu::BufferSize::new(bytes.max(4));
        let resource = wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset: 0, size });
        let bind = self.device.raw.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("gapless.fill"),
            layout: &pipeline.get_bind_group_layout(0),
            entries: &[wgpu::BindGroupEntry { binding: 0, resource }],
        });
        let groups = (bytes / 4).div_ceil(256).max(1) as u32;
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(pipeline);
        pass.set_bind_group(0, &bind, &[]);
        pass.dispatch_workgroups(groups.min(1 << 15), groups.div_ceil(1 << 15), 1);
    }
}
