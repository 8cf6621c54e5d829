//! What a submission of a batch is made of: copies up, kernels, copies down.

use super::Ring;
use crate::gpu::hardware::alone::Ready;
use crate::gpu::hardware::clock::Clock;
use crate::gpu::hardware::loaded::Compiled;
use crate::gpu::hardware::pace::Part;
use crate::gpu::hardware::slot::Slot;
use crate::gpu::plan::{STAMP_BYTES, Step};

type StepOnDevice<'a> = ((&'a Step, &'a Compiled), &'a wgpu::BindGroup);

/// A part of a batch, and where it stands in it.
pub(super) struct Share {
    pub(super) part: Part,
    pub(super) first: bool,
    pub(super) last: bool,
    /// Whether every kernel is timed.
    pub(super) timed: bool,
}

impl Ring {
    /// Copies up what the part begins with, runs its kernels, and copies down what it ends. The last maps the slot again.
    pub(super) fn encode(&self, slot: &Slot, share: &Share) -> wgpu::CommandBuffer {
        let Part { rows, steps } = &share.part;
        let label = Some("gapless.batch");
        let mut encoder = self.device.raw.create_command_encoder(&wgpu::CommandEncoderDescriptor { label });
        if let Some(clock) = slot.clock.as_ref().filter(|_| share.first) {
            clock.begin(&mut encoder);
        }
        let count = rows.end - rows.start;
        if steps.start == 0 {
            for (input, buffer) in self.plan.inputs.iter().zip(&slot.inputs) {
                let bytes = input.spec.item_bytes() as u64;
                let from = input.offset + rows.start * bytes;
                encoder.copy_buffer_to_buffer(&slot.staging, from, buffer, 0, count * bytes);
            }
        }
        self.dispatch(&mut encoder, slot, share);
        if steps.end == self.plan.steps.len() {
            for output in &self.plan.outputs {
                let (buffer, to) = (&self.shared[output.buffer], output.offset + rows.start * output.bytes);
                encoder.copy_buffer_to_buffer(buffer, 0, &slot.readback, to, count * output.bytes);
            }
        }
        if share.last {
            self.end(&mut encoder, slot, share.timed);
        }
        encoder.finish()
    }

    /// The stamp and the times go down, and the slot is mapped once all of it is done.
    fn end(&self, encoder: &mut wgpu::CommandEncoder, slot: &Slot, timed: bool) {
        let stamp = self.plan.readback_stamp();
        encoder.copy_buffer_to_buffer(&slot.staging, 0, &slot.readback, stamp, STAMP_BYTES);
        if let Some(clock) = &slot.clock {
            clock.end(encoder, &slot.readback, self.plan.readback_times(), timed);
        }
        encoder.map_buffer_on_submit(&slot.staging, wgpu::MapMode::Write, .., slot.staging_map.told());
        encoder.map_buffer_on_submit(&slot.readback, wgpu::MapMode::Read, .., slot.readback_map.told());
    }

    fn dispatch(&self, encoder: &mut wgpu::CommandEncoder, slot: &Slot, share: &Share) {
        let Part { rows, steps } = &share.part;
        let rows = (rows.end - rows.start) as u32;
        let all = self.plan.steps.iter().zip(&self.kernels).zip(&slot.binds);
        let these = || all.clone().enumerate().skip(steps.start).take(steps.len());
        let run = |pass: &mut wgpu::ComputePass<'_>, ((step, kernel), bind): StepOnDevice<'_>| {
            let [x, y] = step.dispatch().workgroups;
            let workgroups = [x, y, rows * step.parts];
            Ready { pipeline: &kernel.pipeline, bind, workgroups }.run(pass);
        };
        let clock = slot.clock.as_ref();
        if let Some(clock) = clock.filter(|_| share.timed) {
            for (index, step) in these() {
                let timestamp_writes = clock.of_kernel(index);
                let label = Some("gapless.kernel");
                let descriptor = wgpu::ComputePassDescriptor { label, timestamp_writes };
                run(&mut encoder.begin_compute_pass(&descriptor), step);
            }
            return;
        }
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("gapless.batch"),
            timestamp_writes: clock.and_then(|clock| Clock::of_pass(clock, share.first, share.last)),
        });
        these().for_each(|(_, step)| run(&mut pass, step));
    }
}
