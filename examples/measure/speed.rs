//! How fast a network runs at one batch size: from the host's memory and back, and on the device alone.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use gapless::gpu::{Item, ProgramTicket};
use gapless::{Cause, GpuStage, Program};
use serde_json::{Value, json};

use crate::yardstick::{Yardstick, percent};
use crate::{Effort, median};

/// What one batch size reaches.
pub(crate) struct Speed {
    pub(crate) batch: usize,
    /// Of a batch, with the next submitted before it ends: copied up, computed, copied down.
    pub(crate) seconds: f64,
    /// Of these, what the device works on a batch by its own clock, where it has one: the median. Its own copies of the
    /// batch from and to memory that the host sees are part of it.
    device_seconds: Option<f64>,
    multiply_adds: u64,
    bytes: u64,
    /// Of opening the program; the first time its variants are tried.
    open_seconds: f64,
    /// Of multiply-adds alone.
    share: Option<f64>,
}

/// The heads of the columns of a [`Speed`].
pub(crate) fn heading() -> String {
    let [batch, rate, ms, on_device, device] = ["batch", "items/s", "ms", "on device/s", "device ms"];
    let [arithmetic, adds, bytes, open] = ["GMA/s", "of adds", "GB/s", "open ms"];
    format!(
        "{batch:>6} {rate:>10} {ms:>10} {on_device:>11} {device:>10} {arithmetic:>9} {adds:>8} {bytes:>9} {open:>9}"
    )
}

impl Speed {
    fn items_per_second(&self) -> f64 {
        self.batch as f64 / self.seconds
    }

    fn device_items_per_second(&self) -> Option<f64> {
        self.device_seconds.map(|seconds| self.batch as f64 / seconds)
    }

    /// By the device's clock where it has one.
    fn of_kernels(&self, amount: u64) -> f64 {
        amount as f64 / self.device_seconds.unwrap_or(self.seconds)
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "batch": self.batch, "seconds": self.seconds, "device_seconds": self.device_seconds,
            "items_per_second": self.items_per_second(),
            "device_items_per_second": self.device_items_per_second(),
            "multiply_adds_per_second": self.of_kernels(self.multiply_adds),
            "share_of_multiply_adds": self.share,
            "bytes_per_second": self.of_kernels(self.bytes),
            "open_seconds": self.open_seconds,
        })
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { batch, seconds, device_seconds, open_seconds, share, .. } = self;
        let or_dash = |number: Option<String>| number.unwrap_or("-".into());
        write!(
            f,
            "{batch:>6} {:>10.1} {:>10.3} {:>11} {:>10} {:>9.2} {} {:>9.2} {:>9.1}",
            self.items_per_second(),
            seconds * 1e3,
            or_dash(self.device_items_per_second().map(|rate| format!("{rate:.1}"))),
            or_dash(device_seconds.map(|seconds| format!("{:.3}", seconds * 1e3))),
            self.of_kernels(self.multiply_adds) / 1e9,
            percent(*share, 8),
            self.of_kernels(self.bytes) / 1e9,
            open_seconds * 1e3,
        )
    }
}

pub(crate) fn opened<I: Item>(mut net: Program, batch: usize) -> Result<Program, Cause> {
    GpuStage::<I>::open(&mut net, batch)?;
    Ok(net)
}

/// Keeps the device full for the effort's seconds, at least for two batches.
pub(crate) fn measure<I: Item + Clone>(
    net: Program,
    item: &I,
    batch: usize,
    (yardstick, effort): (&Yardstick, &Effort),
) -> Result<Speed, Cause> {
    let start = Instant::now();
    let mut net = opened::<I>(net, batch)?;
    let open_seconds = start.elapsed().as_secs_f64();
    let plan = net.plan(batch)?;
    let (seconds, device_seconds) = seconds(&mut net, &vec![item.clone(); batch], effort)?;
    let mut speed = Speed {
        batch,
        seconds,
        device_seconds,
        multiply_adds: batch as u64 * plan.multiply_adds(),
        bytes: plan.bytes_moved(batch),
        open_seconds,
        share: None,
    };
    speed.share = yardstick.share_of_multiply_adds(speed.of_kernels(speed.multiply_adds));
    Ok(speed)
}

/// Of a batch, and of these by the device's clock.
fn seconds<I: Item>(net: &mut Program, items: &[I], effort: &Effort) -> Result<(f64, Option<f64>), Cause> {
    let failed = |error: gapless::StageError| error.cause().clone();
    let depth = GpuStage::<I>::depth(net);
    let mut flight = VecDeque::new();
    let ticket = net.submit(items).map_err(failed)?;
    collect::<I>(net, ticket)?;
    let (start, mut done, mut worked) = (Instant::now(), 0_u32, Vec::new());
    while done < 2 || start.elapsed().as_secs_f64() < effort.seconds {
        while flight.len() < depth {
            flight.push_back(net.submit(items).map_err(failed)?);
        }
        worked.extend(collect::<I>(net, flight.pop_front().expect("the depth is at least 1"))?);
        done += 1;
    }
    let in_flight = flight.len() as u32;
    flight.into_iter().try_for_each(|ticket| collect::<I>(net, ticket).map(drop))?;
    let seconds = start.elapsed().as_secs_f64() / f64::from(done + in_flight);
    Ok((seconds, (!worked.is_empty()).then(|| median(worked))))
}

/// Waits for a batch, and gives what the device worked on it by its own clock.
fn collect<I: Item>(net: &mut Program, mut ticket: ProgramTicket) -> Result<Option<f64>, Cause> {
    let result = GpuStage::<I>::try_collect(net, &mut ticket, Duration::from_secs(600));
    let tensors = result.map_err(|error| error.cause().clone())?;
    let tensors = tensors.ok_or_else(|| Cause::msg("no result within ten minutes"))?;
    Ok(tensors.device_span().map(|span| span.end.saturating_sub(span.start).as_secs_f64()))
}
