//! One place in the ring: the buffers that a batch has for itself while it is in flight.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use super::bytes;
use super::clock::Clock;
use super::device::Device;
use crate::gpu::item::{AnyBatch, RowMajor};
use crate::gpu::plan::{Plan, PlannedInput, STAMP_BYTES};

/// Staging, input and readback of one batch. What lies between them is shared by all batches.
#[derive(Debug)]
pub(super) struct Slot {
    /// The batch's stamp, then its items. Mapped whenever the slot is free.
    pub(super) staging: wgpu::Buffer,
    /// One an input.
    pub(super) inputs: Vec<wgpu::Buffer>,
    /// Rows of every output, the stamp, the times. Mapped when the batch is done.
    pub(super) readback: wgpu::Buffer,
    pub(super) clock: Option<Clock>,
    /// One a step.
    pub(super) binds: Vec<wgpu::BindGroup>,
    pub(super) staging_map: Arc<Map>,
    pub(super) readback_map: Arc<Map>,
    /// The submission that owns the slot until its result was read.
    pub(super) pending: Option<wgpu::SubmissionIndex>,
}

/// Whether a buffer is mapped, as its callback told.
#[derive(Debug)]
pub(super) struct Map(AtomicU8);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mapped {
    No,
    Yes,
    Failed,
}

impl Map {
    const STATES: [Mapped; 3] = [Mapped::No, Mapped::Yes, Mapped::Failed];

    pub(super) fn new(state: Mapped) -> Arc<Self> {
        Arc::new(Self(AtomicU8::new(state as u8)))
    }

    pub(super) fn get(&self) -> Mapped {
        Self::STATES[usize::from(self.0.load(Ordering::Acquire))]
    }

    pub(super) fn set(&self, state: Mapped) {
        self.0.store(state as u8, Ordering::Release);
    }

    /// The callback of a mapping.
    pub(super) fn told(self: &Arc<Self>) -> impl FnOnce(Result<(), wgpu::BufferAsyncError>) + Send + 'static {
        let map = self.clone();
        move |result| map.set(if result.is_ok() { Mapped::Yes } else { Mapped::Failed })
    }
}

impl Slot {
    /// The buffers of a slot; `bind` makes its bind groups from its input.
    pub(super) fn new(
        device: &Device,
        plan: &Plan,
        bind: impl FnOnce(&[wgpu::Buffer]) -> Vec<wgpu::BindGroup>,
    ) -> Self {
        use wgpu::BufferUsages as Usage;
        let (up, down) = (plan.upload_bytes(), plan.readback_bytes());
        let input = |input: &PlannedInput| {
            let usage = Usage::STORAGE | Usage::COPY_DST;
            device.buffer("gapless.input", input.bytes(plan.max_batch), usage, false)
        };
        let inputs: Vec<_> = plan.inputs.iter().map(input).collect();
        Self {
            staging: device.buffer("gapless.staging", up, Usage::MAP_WRITE | Usage::COPY_SRC, true),
            readback: device.buffer("gapless.readback", down, Usage::MAP_READ | Usage::COPY_DST, false),
            clock: Clock::new(device, plan.steps.len()),
            binds: bind(&inputs),
            inputs,
            staging_map: Map::new(Mapped::Yes),
            readback_map: Map::new(Mapped::No),
            pending: None,
        }
    }

    /// Whether each kernel can be timed of a batch that is one submission, or of others.
    pub(super) fn times_kernels(&self, whole: bool) -> bool {
        self.clock.as_ref().is_some_and(|clock| clock.times_kernels(whole))
    }

    /// Writes stamp and items into the staging buffer: once and in order, since this memory may be
    /// write-combining and lie on the other side of a bus.
    pub(super) fn write(
        &self,
        stamp: u64,
        batch: &dyn AnyBatch,
        inputs: &[PlannedInput],
    ) -> Result<(), wgpu::MapRangeError> {
        let mut view = self.staging.get_mapped_range_mut(..)?;
        view.slice(..STAMP_BYTES as usize).copy_from_slice(&stamp.to_ne_bytes());
        for (place, input) in inputs.iter().enumerate() {
            for row in 0..batch.rows() {
                let start = input.offset as usize + row * input.spec.item_bytes();
                let array = RowMajor::new(batch.array(row, place), &input.spec);
                let bytes = bytes::of_item(&array);
                view.slice(start..start + bytes.len()).copy_from_slice(bytes);
            }
        }
        Ok(())
    }
}
