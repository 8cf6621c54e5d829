//! When the device began and ended a batch, by its own clock.

use std::ops::Range;
use std::time::Duration;

use super::device::Device;

/// Bytes of the two times of a batch.
pub(super) const TIMES_BYTES: u64 = 16;

/// Writes two times into the buffer that is read back. A slot has one where the device can.
#[derive(Debug)]
pub(super) struct Clock {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    /// Whether times can be taken between commands, so that copies count too; else only the kernels do.
    between_commands: bool,
    nanoseconds_a_tick: f64,
}

impl Clock {
    pub(super) fn new(device: &Device) -> Option<Self> {
        let features = device.raw.features();
        if !features.contains(wgpu::Features::TIMESTAMP_QUERY) {
            return None;
        }
        let usage = wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC;
        Some(Self {
            queries: device.raw.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("gapless.times"),
                ty: wgpu::QueryType::Timestamp,
                count: 2,
            }),
            resolved: device.buffer("gapless.times", TIMES_BYTES, usage, false),
            between_commands: features.contains(wgpu::Features::TIMESTAMP_QUERY_INSIDE_ENCODERS),
            nanoseconds_a_tick: f64::from(device.queue.get_timestamp_period()),
        })
    }

    pub(super) fn begin(&self, encoder: &mut wgpu::CommandEncoder) {
        if self.between_commands {
            encoder.write_timestamp(&self.queries, 0);
        }
    }

    /// What a pass has to write where times cannot be taken between commands.
    pub(super) fn of_pass(&self) -> Option<wgpu::ComputePassTimestampWrites<'_>> {
        (!self.between_commands).then_some(wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(0),
            end_of_pass_write_index: Some(1),
        })
    }

    pub(super) fn end(&self, encoder: &mut wgpu::CommandEncoder, readback: &wgpu::Buffer, offset: u64) {
        if self.between_commands {
            encoder.write_timestamp(&self.queries, 1);
        }
        encoder.resolve_query_set(&self.queries, 0..2, &self.resolved, 0);
        encoder.copy_buffer_to_buffer(&self.resolved, 0, readback, offset, TIMES_BYTES);
    }

    /// The two times in what was read back.
    pub(super) fn span(&self, bytes: &[u8]) -> Range<Duration> {
        let ticks: [u64; 2] = bytemuck::pod_read_unaligned(bytes);
        let [begin, end] =
            ticks.map(|ticks| Duration::from_nanos((ticks as f64 * self.nanoseconds_a_tick) as u64));
        begin..end
    }
}
