//! When the device began and ended a batch, and each kernel of some batches, by its own clock.

use std::ops::Range;
use std::time::Duration;

use super::device::Device;
use crate::gpu::plan::{TIMES_BYTES, kernel_times_bytes};
use crate::stage::DeviceTimes;

/// Whether every kernel of this batch, counted from 1, is timed: the first two, and every sixteenth after
/// them. Each needs a pass of its own then, so this is not done for all.
pub(super) fn times_kernels(batch: u64) -> bool {
    batch % 16 == 2 || batch == 1
}

/// Writes two times into the buffer that is read back. A slot has one where the device can.
#[derive(Debug)]
pub(super) struct Clock {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    /// Bytes of the times of all kernels; 0 where they are not timed.
    kernel_bytes: u64,
    /// Whether times can be taken between commands, so that copies count too; else only the kernels do.
    between_commands: bool,
    nanoseconds_a_tick: f64,
}

impl Clock {
    /// A clock for batches of so many kernels, if the device has one.
    pub(super) fn new(device: &Device, kernels: usize) -> Option<Self> {
        let features = device.raw.features();
        if !features.contains(wgpu::Features::TIMESTAMP_QUERY) {
            return None;
        }
        let kernel_bytes = kernel_times_bytes(kernels);
        let count = 2 + (kernel_bytes / 8) as u32;
        let usage = wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC;
        Some(Self {
            queries: device.raw.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("gapless.times"),
                ty: wgpu::QueryType::Timestamp,
                count,
            }),
            resolved: device.buffer("gapless.times", TIMES_BYTES + kernel_bytes, usage, false),
            kernel_bytes,
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
    pub(super) fn of_pass(&self, first: bool, last: bool) -> Option<wgpu::ComputePassTimestampWrites<'_>> {
        (!self.between_commands && (first || last)).then_some(wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: first.then_some(0),
            end_of_pass_write_index: last.then_some(1),
        })
    }

    /// Whether kernels can be timed of a batch that is one submission, or of others: without times between commands
    /// the kernels' own say when a batch began.
    pub(super) fn times_kernels(&self, whole: bool) -> bool {
        self.kernel_bytes > 0 && (whole || self.between_commands)
    }

    /// What the pass of one kernel has to write.
    pub(super) fn of_kernel(&self, index: usize) -> Option<wgpu::ComputePassTimestampWrites<'_>> {
        let begin = 2 + 2 * index as u32;
        (self.kernel_bytes > 0).then_some(wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(begin),
            end_of_pass_write_index: Some(begin + 1),
        })
    }

    /// Ends the batch, and has its times copied to `offset` of what is read back, with `kernels` also those
    /// of every kernel behind them.
    pub(super) fn end(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        readback: &wgpu::Buffer,
        offset: u64,
        kernels: bool,
    ) {
        if self.between_commands {
            encoder.write_timestamp(&self.queries, 1);
        }
        // Times that were never written must not be resolved.
        let first = if self.between_commands || !kernels { 0 } else { 2 };
        let bytes = TIMES_BYTES + if kernels { self.kernel_bytes } else { 0 };
        encoder.resolve_query_set(&self.queries, first..(bytes / 8) as u32, &self.resolved, 0);
        let from = u64::from(first) * 8;
        encoder.copy_buffer_to_buffer(&self.resolved, 0, readback, offset + from, bytes - from);
    }

    /// Begin and end of the batch, from its times and, where it was timed so, those of its kernels.
    pub(super) fn span(&self, bytes: &[u8], kernels: &[Range<Duration>]) -> Range<Duration> {
        match kernels {
            [first, .., last] | [first @ last] if !self.between_commands => first.start..last.end,
            _ => self.range(bytes),
        }
    }

    /// Begin and end of each kernel.
    pub(super) fn kernels(&self, bytes: &[u8]) -> Vec<Range<Duration>> {
        bytes.chunks_exact(TIMES_BYTES as usize).map(|bytes| self.range(bytes)).collect()
    }

    fn range(&self, bytes: &[u8]) -> Range<Duration> {
        let ticks: [u64; 2] = bytemuck::pod_read_unaligned(bytes);
        let [begin, end] =
            ticks.map(|ticks| Duration::from_nanos((ticks as f64 * self.nanoseconds_a_tick) as u64));
        begin..end
    }
}

/// When a batch and, where they were timed, its kernels began and ended.
pub(super) struct Spans {
    pub(super) batch: Range<Duration>,
    kernels: Vec<Range<Duration>>,
}

impl Spans {
    /// From the times of batch and kernels that were read back, where these were timed.
    pub(super) fn new(clock: &Clock, (batch, kernels): (&[u8], &[u8]), timed: bool) -> Self {
        let kernels = if timed { &kernels[..clock.kernel_bytes as usize] } else { &[] };
        let kernels = clock.kernels(kernels);
        Self { batch: clock.span(batch, &kernels), kernels }
    }

    pub(super) fn length(&self) -> Duration {
        length(&self.batch)
    }

    /// Adds them to what the report is told. Kernels that were timed for some of the items stand for all, and are not
    /// shown within the batch.
    pub(super) fn note(&self, times: &DeviceTimes, rows: u64, timed: Option<u64>) {
        match timed {
            Some(some) if some < rows => {
                times.spans(self.batch.clone(), &[]);
                let all = |kernel| length(kernel).mul_f64(rows as f64 / some as f64);
                times.kernels(&self.kernels.iter().map(all).collect::<Vec<_>>());
            }
            _ => times.spans(self.batch.clone(), &self.kernels),
        }
    }
}

fn length(span: &Range<Duration>) -> Duration {
    span.end.saturating_sub(span.start)
}
