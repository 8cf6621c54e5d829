//! How long each kernel of a program takes, one after the other.

use std::fmt;
use std::time::Duration;

use super::plan::Step;
use crate::error::OneLine;

/// A kernel is repeated until it took this long, so that the fixed cost of a submission does not count.
pub(super) const LONG_ENOUGH: Duration = Duration::from_millis(10);

/// How long each kernel of a program takes for a batch. [`Program::profile`](super::Program::profile) makes it.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Profile {
    /// Items in the batch.
    pub rows: usize,
    /// One a kernel, in the order in which they run.
    pub kernels: Vec<KernelTime>,
}

/// How long one kernel takes for a batch, and what it does in this time.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct KernelTime {
    /// The tensor that it gives: the kernel's name and its number in the program.
    pub name: String,
    /// Element type and shape of that tensor.
    pub shape: String,
    /// The variant of the kernel that runs.
    pub variant: String,
    /// Seconds for the batch.
    pub seconds: f64,
    /// Bytes of the tensors that it reads and writes, each counted once.
    pub bytes: u64,
    /// Multiply-adds for the batch.
    pub multiply_adds: u64,
}

impl KernelTime {
    pub(super) fn new(step: &Step, rows: usize, time: Duration) -> Self {
        Self {
            name: step.name.clone(),
            shape: step.shape.clone(),
            variant: step.variant().name.clone(),
            seconds: time.as_secs_f64(),
            bytes: step.planned().bytes_moved(rows),
            multiply_adds: rows as u64 * step.multiply_adds,
        }
    }

    /// Bytes a second. Near the device's copy bandwidth, memory is what limits this kernel.
    pub fn bytes_per_second(&self) -> f64 {
        self.bytes as f64 / self.seconds
    }

    /// Multiply-adds a second. Near what the device can do, arithmetic is what limits this kernel.
    pub fn multiply_adds_per_second(&self) -> f64 {
        self.multiply_adds as f64 / self.seconds
    }
}

impl Profile {
    /// Seconds of all kernels together.
    pub fn seconds(&self) -> f64 {
        self.kernels.iter().map(|kernel| kernel.seconds).sum()
    }
}

/// Time of one run, the median of three: `run(times)` runs that often and says how long all of it took.
pub(super) fn time_of_one<E>(mut run: impl FnMut(u32) -> Result<Duration, E>) -> Result<Duration, E> {
    let mut times = 1;
    run(times)?;
    loop {
        let taken = run(times)?;
        if taken >= LONG_ENOUGH || times >= 1 << 16 {
            let mut taken = [taken, run(times)?, run(times)?];
            taken.sort();
            return Ok(taken[1] / times);
        }
        times *= 4;
    }
}

/// A line a kernel: name, shape, milliseconds, gigabytes and giga-multiply-adds a second.
impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<24} {:<24} {:>10} {:>8} {:>8}", "tensor", "shape", "ms", "GB/s", "Gma/s")?;
        for kernel in &self.kernels {
            let KernelTime { name, shape, seconds, .. } = kernel;
            let name = OneLine(name).to_string();
            let (bytes, multiply_adds) =
                (kernel.bytes_per_second() / 1e9, kernel.multiply_adds_per_second() / 1e9);
            writeln!(f, "{name:<24} {shape:<24} {:>10.3} {bytes:>8.2} {multiply_adds:>8.2}", seconds * 1e3)?;
        }
        write!(f, "{:.3} ms for {} items", self.seconds() * 1e3, self.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_kernel_is_repeated_until_it_can_be_timed() {
        let mut runs = Vec::new();
        let time = time_of_one(|times| {
            runs.push(times);
            Ok::<_, ()>(Duration::from_millis(1) * times)
        });
        assert_eq!(time, Ok(Duration::from_millis(1)));
        assert_eq!(runs, [1, 1, 4, 16, 16, 16]);
    }
}
