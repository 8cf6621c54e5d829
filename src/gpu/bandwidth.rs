//! How fast a device moves bytes: the yardstick for what kernels reach.

use std::time::{Duration, Instant};

use crate::stage::StageError;

const ROUNDS: usize = 5;

/// How fast a device moves bytes, in bytes a second. [`Gpu::bandwidth`](super::Gpu::bandwidth) measures it.
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

/// Of the twins.
pub(super) fn in_memory(bytes: usize) -> Bandwidth {
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

/// The first round warms up and does not count.
pub(super) fn median(mut round: impl FnMut() -> Result<(), StageError>) -> Result<Duration, StageError> {
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
