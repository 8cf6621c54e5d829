//! How fast a network from an ONNX file runs, at batches of 1, 16, 64 and 256.

use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use gapless::onnx::Model;
use gapless::{Cause, Gpu, GpuStage, Program};
use ndarray::{ArrayD, IxDyn};
use serde_json::{Value, json};

use crate::terminal::Problem;
use crate::variants::Variants;
use crate::yardstick::Yardstick;
use crate::{Effort, Section, kernels};

const BATCHES: [usize; 4] = [1, 16, 64, 256];
/// Seconds of a batch from which on it is left out: a slow device has told enough by then.
const TOO_SLOW: f64 = 6.0;
/// The batch whose kernels are listed.
const LISTED: usize = 16;

type Item = ArrayD<f32>;

pub(crate) fn section(
    gpu: &Gpu,
    path: &Path,
    variants: &Variants,
    yardstick: &Yardstick,
    effort: &Effort,
) -> Result<Section, Problem> {
    let net = variants.apply(Model::read(path)?.program(gpu)?);
    let shape = net.inputs().next().map(|(_, spec)| spec.shape.clone()).unwrap_or_default();
    let mut pixel = 0_u32;
    let item = Item::from_shape_simple_fn(IxDyn(&shape), || {
        pixel = (pixel * 31 + 7) % 255;
        pixel as f32 / 128.0 - 1.0
    });
    let mut text = format!("{}, input {shape:?}\n", path.display());
    writeln!(
        text,
        "{:>6} {:>10} {:>10} {:>10} {:>9} {:>9} {:>9}",
        "batch", "items/s", "ms", "device ms", "GMA/s", "GB/s", "open ms"
    )?;
    let (mut rows, mut left_out) = (Vec::new(), Vec::new());
    let mut leave_out = |text: &mut String, batch: usize, reason: String| {
        left_out.push(json!({ "batch": batch, "reason": reason }));
        writeln!(text, "{batch:>6} left out: {reason}")
    };
    let mut item_seconds = 0.0;
    for batch in BATCHES {
        let expected = item_seconds * batch as f64;
        if expected > TOO_SLOW {
            leave_out(&mut text, batch, format!("a batch would take about {expected:.0} s"))?;
            continue;
        }
        match measure(net.on(gpu), &item, batch, effort) {
            Ok(speed) => {
                writeln!(text, "{speed}")?;
                item_seconds = speed.seconds / batch as f64;
                rows.push(speed.to_json());
            }
            // A batch that the device has no room for is no reason to keep the others back.
            Err(cause) => leave_out(&mut text, batch, cause.to_string())?,
        }
    }
    let profile = opened(net.on(gpu), LISTED)
        .and_then(|mut net| net.profile(LISTED))
        .map_err(|cause| cause.to_string())?;
    writeln!(text, "\n{}", kernels::table(&profile, yardstick))?;
    let kernels: Vec<Value> = profile.kernels.iter().map(|kernel| kernels::row(kernel, yardstick)).collect();
    let json = json!({
        "model": path.to_string_lossy(), "input": shape, "device": gpu.info().name,
        "batches": rows, "left_out": left_out, "kernels_batch": LISTED, "kernels": kernels,
    });
    Ok(Section { name: "network", text, json })
}

/// What one batch size reaches.
struct Speed {
    batch: usize,
    /// Of a batch, with the next submitted before it ends.
    seconds: f64,
    /// Of this, what the device worked by its own clock, where it has one: the median.
    device_seconds: Option<f64>,
    multiply_adds: u64,
    bytes: u64,
    /// Of opening the program; the first time its variants are tried.
    open_seconds: f64,
}

impl Speed {
    fn items_per_second(&self) -> f64 {
        self.batch as f64 / self.seconds
    }

    fn multiply_adds_per_second(&self) -> f64 {
        self.multiply_adds as f64 * self.items_per_second()
    }

    fn to_json(&self) -> Value {
        json!({
            "batch": self.batch, "seconds": self.seconds, "device_seconds": self.device_seconds,
            "items_per_second": self.items_per_second(),
            "multiply_adds_per_second": self.multiply_adds_per_second(),
            "open_seconds": self.open_seconds,
            "bytes_per_second": self.bytes as f64 / self.seconds,
        })
    }
}

impl std::fmt::Display for Speed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (rate, arithmetic) = (self.items_per_second(), self.multiply_adds_per_second() / 1e9);
        let bytes = self.bytes as f64 / self.seconds / 1e9;
        let device = self.device_seconds.map_or("-".into(), |seconds| format!("{:.3}", seconds * 1e3));
        write!(
            f,
            "{:>6} {rate:>10.1} {:>10.3} {device:>10} {arithmetic:>9.2} {bytes:>9.2} {:>9.1}",
            self.batch,
            self.seconds * 1e3,
            self.open_seconds * 1e3,
        )
    }
}

fn opened(mut net: Program, batch: usize) -> Result<Program, Cause> {
    GpuStage::<Item>::open(&mut net, batch)?;
    Ok(net)
}

/// Keeps the device full for the effort's seconds, at least for two batches.
fn measure(net: Program, item: &Item, batch: usize, effort: &Effort) -> Result<Speed, Cause> {
    let start = Instant::now();
    let mut net = opened(net, batch)?;
    let open_seconds = start.elapsed().as_secs_f64();
    let plan = net.plan(batch)?;
    let items = vec![item.clone(); batch];
    let failed = |error: gapless::StageError| error.cause().clone();
    let depth = GpuStage::<Item>::depth(&net);
    let mut flight = std::collections::VecDeque::new();
    let mut worked = Vec::new();
    let mut collect = |net: &mut Program, mut ticket| {
        let result = GpuStage::<Item>::try_collect(net, &mut ticket, Duration::from_secs(600));
        let tensors = result.map_err(failed)?.ok_or_else(|| Cause::msg("no result within ten minutes"))?;
        worked.extend(tensors.device_span().map(|span| span.end.saturating_sub(span.start).as_secs_f64()));
        Ok::<_, Cause>(())
    };
    let ticket = net.submit(&items).map_err(failed)?;
    collect(&mut net, ticket)?;
    let (start, mut done) = (Instant::now(), 0_u32);
    while done < 2 || start.elapsed().as_secs_f64() < effort.seconds {
        while flight.len() < depth {
            flight.push_back(net.submit(&items).map_err(failed)?);
        }
        collect(&mut net, flight.pop_front().expect("the depth is at least 1"))?;
        done += 1;
    }
    let in_flight = flight.len() as u32;
    flight.into_iter().try_for_each(|ticket| collect(&mut net, ticket))?;
    let seconds = start.elapsed().as_secs_f64() / f64::from(done + in_flight);
    worked.sort_by(f64::total_cmp);
    Ok(Speed {
        batch,
        seconds,
        device_seconds: worked.get(worked.len() / 2).copied(),
        multiply_adds: plan.multiply_adds(),
        bytes: plan.bytes_moved(batch),
        open_seconds,
    })
}
