//! One device and its queue: errors are caught, loss is remembered, buffers are counted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::deadline;
use crate::error::Cause;
use crate::error::guard::guard;
use crate::stage::StageError;

/// Features that are asked for where the adapter has them. Programs run without any of them:
/// timestamps only tell when the device worked, and the others only allow more variants of kernels.
const WANTED: wgpu::Features = wgpu::Features::TIMESTAMP_QUERY
    .union(wgpu::Features::TIMESTAMP_QUERY_INSIDE_ENCODERS)
    .union(wgpu::Features::SUBGROUP)
    .union(wgpu::Features::SHADER_F16);

#[derive(Debug)]
pub(super) struct Device {
    pub(super) raw: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    lost: Arc<Lost>,
    buffers: AtomicU64,
    /// The device is destroyed at work that is waited for, after so many times; never where it is 0.
    #[cfg(test)]
    pub(super) lost_after: AtomicU64,
}

/// Why a device is gone. wgpu tells it once, in a callback, so it is kept.
type Lost = OnceLock<Cause>;

impl Device {
    pub(super) fn open(adapter: &wgpu::Adapter) -> Result<Self, Cause> {
        let (raw, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("gapless"),
            required_features: adapter.features() & WANTED,
            required_limits: adapter.limits(),
            ..Default::default()
        }))?;
        let device = Self::new(raw, queue);
        // Every call that can fail is in an error scope. Should one be missing, then nobody knows which
        // batch is wrong: the device is not trusted any more, and nothing panics.
        let lost = device.lost.clone();
        device.raw.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            let _ = lost.set(cause(&error));
        }));
        Ok(device)
    }

    pub(super) fn new(raw: wgpu::Device, queue: wgpu::Queue) -> Self {
        let lost = Arc::new(Lost::new());
        let told = lost.clone();
        raw.set_device_lost_callback(move |reason, message| {
            let _ = told.set(Cause::msg(format!("the device is lost ({reason:?}) {message}").trim_end()));
        });
        Self {
            raw,
            queue,
            lost,
            buffers: AtomicU64::new(0),
            #[cfg(test)]
            lost_after: AtomicU64::new(0),
        }
    }

    pub(super) fn buffers_made(&self) -> u64 {
        self.buffers.load(Ordering::Relaxed)
    }

    /// An error if the device is gone.
    pub(super) fn check(&self) -> Result<(), StageError> {
        self.lost.get().map_or(Ok(()), |cause| Err(StageError::Lost(cause.clone())))
    }

    /// Whether the device is not lost, as far as its driver knows by now.
    pub(super) fn is_there(&self) -> bool {
        self.check().is_ok() && self.wait(wgpu::PollType::Poll).is_ok()
    }

    /// Counts the device as lost from now on.
    pub(super) fn lose(&self, cause: Cause) -> StageError {
        StageError::Lost(self.lost.get_or_init(|| cause).clone())
    }

    /// Counts the device as lost because it hangs.
    ///
    /// wgpu waits without a limit for a queue that it drops, which would hang whoever drops the last
    /// handle. So one handle of each is kept for ever: a leak instead of a hang.
    pub(super) fn hang(&self, limit: Duration) -> StageError {
        let cause = || {
            std::mem::forget((self.raw.clone(), self.queue.clone()));
            Cause::msg(format!("the device gave no result in {limit:.1?}"))
        };
        StageError::Lost(self.lost.get_or_init(cause).clone())
    }

    pub(super) fn buffer(
        &self,
        label: &str,
        size: u64,
        usage: wgpu::BufferUsages,
        mapped: bool,
    ) -> wgpu::Buffer {
        self.buffers.fetch_add(1, Ordering::Relaxed);
        self.raw.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size,
            usage,
            mapped_at_creation: mapped,
        })
    }

    /// A buffer that is filled once.
    pub(super) fn filled(&self, label: &str, bytes: &[u8], usage: wgpu::BufferUsages) -> wgpu::Buffer {
        let buffer = self.buffer(label, (bytes.len() as u64).next_multiple_of(8), usage, true);
        // A buffer that could not be made is not mapped; the error scope around this call tells why.
        if let Ok(mut view) = buffer.get_mapped_range_mut(..) {
            view.slice(..bytes.len()).copy_from_slice(bytes);
        }
        buffer.unmap();
        buffer
    }

    /// Whether the device takes this WGSL. A device that is lost takes it as far as can be told.
    pub(super) fn compiles(&self, wgsl: &str) -> bool {
        let source = wgpu::ShaderSource::Wgsl(wgsl.into());
        let descriptor = wgpu::ShaderModuleDescriptor { label: Some("gapless.compiles"), source };
        let compiled = self.caught(|| self.raw.create_shader_module(descriptor));
        !matches!(compiled, Err(StageError::Batch(_)))
    }

    /// Runs calls to wgpu and returns the first error that they caused.
    ///
    /// Scopes belong to the thread that opens them, so this catches what this thread does and nothing else.
    pub(super) fn caught<R>(&self, calls: impl FnOnce() -> R) -> Result<R, StageError> {
        let (result, error) = self.scoped(calls);
        self.check()?;
        let Some(error) = error else { return Ok(result) };
        // A device that is gone refuses calls before it is told that it is gone, which takes a poll, and for one
        // that was destroyed at work all of the work.
        self.wait(wgpu::PollType::Wait { submission_index: None, timeout: Some(deadline::LEAST) })?;
        Err(error)
    }

    /// Runs calls to wgpu; what they give, and the first error that they caused.
    fn scoped<R>(&self, calls: impl FnOnce() -> R) -> (R, Option<StageError>) {
        let internal = self.raw.push_error_scope(wgpu::ErrorFilter::Internal);
        let validation = self.raw.push_error_scope(wgpu::ErrorFilter::Validation);
        let memory = self.raw.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let result = calls();
        let memory = pollster::block_on(memory.pop());
        let others = [pollster::block_on(validation.pop()), pollster::block_on(internal.pop())];
        let memory = memory.map(|error| StageError::TooLarge(cause(&error)));
        let other = others.into_iter().flatten().map(|error| StageError::Batch(cause(&error)));
        (result, memory.into_iter().chain(other).next())
    }

    /// Runs callbacks of what is done, and waits for a submission for at most `wait`.
    ///
    /// A wait that ends early is no error: the caller looks at what its callbacks wrote.
    pub(super) fn poll(&self, submission: &wgpu::SubmissionIndex, wait: Duration) -> Result<(), StageError> {
        self.polled(submission, wait).map(drop)
    }

    /// Waits for a submission; a device that does not end it within `limit` counts as lost.
    pub(super) fn finish(
        &self,
        submission: &wgpu::SubmissionIndex,
        limit: Duration,
    ) -> Result<(), StageError> {
        // A wait of nothing would not tell whether it is done.
        let done = self.polled(submission, limit.max(Duration::from_nanos(1)))?;
        if done { Ok(()) } else { Err(self.hang(limit)) }
    }

    /// Unmaps a buffer, whatever state a failed submission left it in.
    pub(super) fn unmap(&self, buffer: &wgpu::Buffer) {
        // The error says that it is not mapped, which is what is wanted.
        let _ = self.scoped(|| buffer.unmap());
    }

    /// Whether the wait did not end early.
    fn polled(&self, submission: &wgpu::SubmissionIndex, wait: Duration) -> Result<bool, StageError> {
        let poll = match wait {
            Duration::ZERO => wgpu::PollType::Poll,
            _ => wgpu::PollType::Wait { submission_index: Some(submission.clone()), timeout: Some(wait) },
        };
        self.wait(poll)
    }

    fn wait(&self, poll: wgpu::PollType) -> Result<bool, StageError> {
        // wgpu 30 panics in `poll`, and only there, when the driver answers that the device is lost.
        match guard(|| self.raw.poll(poll)) {
            Ok(Ok(_)) => self.check().map(|()| true),
            Ok(Err(wgpu::PollError::Timeout)) => self.check().map(|()| false),
            Ok(Err(error)) => Err(self.lose(error.into())),
            Err(panic) => Err(self.lose(panic.context("waiting for the device"))),
        }
    }
}

/// The text of a wgpu error already holds the texts of its sources.
fn cause(error: &wgpu::Error) -> Cause {
    Cause::lines(error.to_string().trim())
}
