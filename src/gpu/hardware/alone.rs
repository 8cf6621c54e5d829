//! Work that is no batch: submitted alone and waited for, when a program is opened or a device is measured.

#[cfg(test)]
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::deadline;
use super::device::Device;
use crate::error::Cause;
use crate::stage::StageError;

impl Device {
    /// Submits work and waits for it; a device that does not end it within `limit` counts as lost.
    pub(super) fn done(
        &self,
        limit: Duration,
        encode: impl FnOnce(&mut wgpu::CommandEncoder),
    ) -> Result<(), StageError> {
        let submission = self.caught(|| {
            let mut encoder = self.raw.create_command_encoder(&Default::default());
            encode(&mut encoder);
            self.queue.submit([encoder.finish()])
        })?;
        #[cfg(test)]
        if self.lost_after.load(Ordering::Relaxed) > 0 && self.lost_after.fetch_sub(1, Ordering::Relaxed) == 1
        {
            self.raw.destroy();
        }
        self.finish(&submission, limit)
    }

    /// The same, and the first words of a buffer then, which come through another one.
    pub(super) fn words(
        &self,
        (from, readback): (&wgpu::Buffer, &wgpu::Buffer),
        bytes: u64,
        encode: impl FnOnce(&mut wgpu::CommandEncoder),
    ) -> Result<Vec<u32>, StageError> {
        self.done(deadline::LEAST, |encoder| {
            encode(encoder);
            encoder.copy_buffer_to_buffer(from, 0, readback, 0, bytes);
            encoder.map_buffer_on_submit(readback, wgpu::MapMode::Read, .., drop);
        })?;
        let view = readback.get_mapped_range(..).map_err(Cause::from)?;
        let words = bytemuck::pod_collect_to_vec(&view[..bytes as usize]);
        drop(view);
        self.unmap(readback);
        Ok(words)
    }

    /// Group 0 of a shader: what is bound, in the order of its numbers.
    pub(super) fn bind<'b>(
        &self,
        label: &str,
        layout: &wgpu::BindGroupLayout,
        resources: impl IntoIterator<Item = wgpu::BindingResource<'b>>,
    ) -> wgpu::BindGroup {
        let entry = |(binding, resource)| wgpu::BindGroupEntry { binding, resource };
        let entries: Vec<_> = (0..).zip(resources).map(entry).collect();
        self.raw.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(label),
            layout,
            entries: &entries,
        })
    }
}

/// A shader that can run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ready<'a> {
    pub(super) pipeline: &'a wgpu::ComputePipeline,
    pub(super) bind: &'a wgpu::BindGroup,
    pub(super) workgroups: [u32; 3],
}

impl Ready<'_> {
    pub(super) fn run(self, pass: &mut wgpu::ComputePass<'_>) {
        let [x, y, z] = self.workgroups;
        pass.set_pipeline(self.pipeline);
        pass.set_bind_group(0, self.bind, &[]);
        pass.dispatch_workgroups(x, y, z);
    }

    /// In a pass of its own.
    pub(super) fn run_alone(self, encoder: &mut wgpu::CommandEncoder) {
        self.run(&mut encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()));
    }
}
