//! How fast a device moves bytes: the yardstick for what kernels reach.

use std::time::{Duration, Instant};

use super::Gpu;
use super::device::Device;
use crate::error::{Cause, Error};
use crate::stage::StageError;

const ROUNDS: usize = 5;
/// Copies in one submission, so that its fixed cost does not count.
const COPIES: u32 = 8;

/// How fast a device moves bytes, in bytes a second. [`Gpu::bandwidth`] measures it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Bandwidth {
    /// On the device from one buffer to another; a byte counts twice, since it is read and written.
    ///
    /// No kernel that reads and writes memory can be faster. On the twins: within the processor's memory.
    pub copy: f64,
    /// From the host's memory through mapped staging into a buffer of the device. `None` on the twins.
    pub upload: Option<f64>,
    /// From a buffer of the device through a mapped one into the host's memory. `None` on the twins.
    pub readback: Option<f64>,
}

impl Gpu {
    /// Measures how fast this device moves `bytes` bytes, the median of five rounds.
    ///
    /// 64 MiB are enough for a figure that holds. The buffers are freed afterwards.
    ///
    /// # Errors
    /// If the bytes do not fit, or the device is lost.
    pub fn bandwidth(&self, bytes: u64) -> Result<Bandwidth, Error> {
        let most = self.limits().buffer_bytes.min(isize::MAX as u64) / 8 * 8;
        if bytes > most {
            let reason = format!("{bytes} bytes do not fit, {most} would");
            return Err(Error::Setting { name: "Gpu::bandwidth", reason });
        }
        let bytes = bytes.next_multiple_of(8).max(8);
        let lost = |cause: Cause| Error::Setting { name: "Gpu::bandwidth", reason: cause.to_string() };
        let Some(device) = self.device().map_err(lost)? else { return Ok(in_memory(bytes as usize)) };
        let measured = Buffers::new(&device, bytes).and_then(|buffers| buffers.measure());
        measured.map_err(|error| Error::Setting {
            name: "Gpu::bandwidth",
            reason: error.cause().clone().context(format!("{bytes} bytes")).to_string(),
        })
    }
}

fn in_memory(bytes: usize) -> Bandwidth {
    let from = vec![1_u8; bytes];
    let mut to = vec![0_u8; bytes];
    let copy = || {
        to.copy_from_slice(std::hint::black_box(&from));
        std::hint::black_box(&to);
        Ok(())
    };
    let seconds = median(copy).expect("a copy in memory").as_secs_f64();
    Bandwidth { copy: 2.0 * bytes as f64 / seconds, upload: None, readback: None }
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
        self.run(|encoder| {
            encoder.copy_buffer_to_buffer(&self.staging, 0, &self.from, 0, None);
            encoder.map_buffer_on_submit(&self.staging, wgpu::MapMode::Write, .., drop);
        })
    }

    fn copy(&self) -> Result<(), StageError> {
        self.run(|encoder| {
            for _ in 0..COPIES {
                encoder.copy_buffer_to_buffer(&self.from, 0, &self.to, 0, None);
            }
        })
    }

    fn readback(&mut self) -> Result<(), StageError> {
        self.run(|encoder| {
            encoder.copy_buffer_to_buffer(&self.from, 0, &self.readback, 0, None);
            encoder.map_buffer_on_submit(&self.readback, wgpu::MapMode::Read, .., drop);
        })?;
        let view = self.readback.get_mapped_range(..).map_err(Cause::from)?;
        self.host.copy_from_slice(&view);
        drop(view);
        self.device.unmap(&self.readback);
        Ok(())
    }

    fn run(&self, encode: impl FnOnce(&mut wgpu::CommandEncoder)) -> Result<(), StageError> {
        let submission = self.device.caught(|| {
            let mut encoder = self.device.raw.create_command_encoder(&Default::default());
            encode(&mut encoder);
            self.device.queue.submit([encoder.finish()])
        })?;
        self.device.finish(&submission, Duration::from_secs(60))
    }
}

/// The first round warms up and does not count.
fn median(mut round: impl FnMut() -> Result<(), StageError>) -> Result<Duration, StageError> {
    round()?;
    let mut times = [Duration::ZERO; ROUNDS];
    for time in &mut times {
        let start = Instant::now();
        round()?;
        *time = start.elapsed();
    }
    times.sort();
    Ok(times[ROUNDS / 2])
}
