//! How fast a device moves bytes: copies on it, and to and from the host.

use super::deadline;
use super::device::Device;
use crate::error::Cause;
use crate::gpu::bandwidth::{Bandwidth, median};
use crate::stage::StageError;

/// Copies in one submission, so that its fixed cost does not count.
const COPIES: u32 = 8;

pub(super) fn measure(device: &Device, bytes: u64) -> Result<Bandwidth, StageError> {
    Buffers::new(device, bytes)?.measure()
}

struct Buffers<'a> {
    device: &'a Device,
    host: Vec<u8>,
    staging: wgpu::Buffer,
    from: wgpu::Buffer,
    to: wgpu::Buffer,
    readback: wgpu::Buffer,
}

impl<'a> Buffers<'a> {
    fn new(device: &'a Device, bytes: u64) -> Result<Self, StageError> {
        use wgpu::BufferUsages as Usage;
        let both = Usage::COPY_SRC | Usage::COPY_DST;
        device.caught(|| {
            let buffer = |usage, mapped| device.buffer("gapless.bandwidth", bytes, usage, mapped);
            Self {
                device,
                host: vec![1; bytes as usize],
                staging: buffer(Usage::MAP_WRITE | Usage::COPY_SRC, true),
                from: buffer(both, false),
                to: buffer(both, false),
                readback: buffer(Usage::MAP_READ | Usage::COPY_DST, false),
            }
        })
    }

    fn measure(mut self) -> Result<Bandwidth, StageError> {
        let bytes = self.host.len() as f64;
        let upload = median(|| self.upload())?;
        let copy = median(|| self.copy())?;
        let readback = median(|| self.readback())?;
        Ok(Bandwidth {
            copy: 2.0 * bytes * f64::from(COPIES) / copy.as_secs_f64(),
            upload: Some(bytes / upload.as_secs_f64()),
            readback: Some(bytes / readback.as_secs_f64()),
        })
    }

    fn upload(&self) -> Result<(), StageError> {
        self.staging.get_mapped_range_mut(..).map_err(Cause::from)?.copy_from_slice(&self.host);
        self.device.unmap(&self.staging);
        self.device.done(deadline::LEAST, |encoder| {
            encoder.copy_buffer_to_buffer(&self.staging, 0, &self.from, 0, None);
            encoder.map_buffer_on_submit(&self.staging, wgpu::MapMode::Write, .., drop);
        })
    }

    fn copy(&self) -> Result<(), StageError> {
        self.device.done(deadline::LEAST, |encoder| {
            for _ in 0..COPIES {
                encoder.copy_buffer_to_buffer(&self.from, 0, &self.to, 0, None);
            }
        })
    }

    fn readback(&mut self) -> Result<(), StageError> {
        self.device.done(deadline::LEAST, |encoder| {
            encoder.copy_buffer_to_buffer(&self.from, 0, &self.readback, 0, None);
            encoder.map_buffer_on_submit(&self.readback, wgpu::MapMode::Read, .., drop);
        })?;
        let view = self.readback.get_mapped_range(..).map_err(Cause::from)?;
        self.host.copy_from_slice(&view);
        drop(view);
        self.device.unmap(&self.readback);
        Ok(())
    }
}
