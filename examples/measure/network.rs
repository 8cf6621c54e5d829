//! How fast a network from an ONNX file runs, at batches of 1, 16, 64 and 256.

use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use gapless::gpu::ProgramTicket;
use gapless::onnx::Model;
use gapless::{Cause, DeviceKind, Gpu, GpuStage, Program};
use ndarray::{ArrayD, IxDyn};
use serde_json::{Value, json};

use crate::terminal::Problem;
use crate::variants::Variants;
use crate::yardstick::Yardstick;
use crate::{Effort, Section, kernels, median};

const BATCHES: [usize; 4] = [1, 16, 64, 256];
/// Seconds of a batch from which on it is left out: a slow device has told enough by then.
const TOO_SLOW: f64 = 6.0;
/// The batch whose kernels are listed, or the largest below it that was measured.
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
    let mut text = format!("{}, input {shape:?}\n", crate::terminal::name(path));
    writeln!(
        text,
        "{:>6} {:>10} {:>10} {:>10} {:>9} {:>9} {:>9}",
        "batch", "items/s", "ms", "device ms", "GMA/s", "GB/s", "open ms"
    )?;
    let (mut rows, mut left_out, mut listed) = (Vec::new(), Vec::new(), None);
    for result in speeds(&net, &item, effort) {
        writeln!(text, "{result}")?;
        match result {
            Measured::Speed(speed) => {
                listed = listed.max(Some(speed.batch).filter(|batch| *batch <= LISTED));
                rows.push(speed.to_json());
            }
            Measured::LeftOut { batch, reason } => left_out.push(json!({ "batch": batch, "reason": reason })),
        }
    }
    let profile = listed.map(|batch| opened(net.on(gpu), batch).and_then(|mut net| net.profile(batch)));
    let profile = profile.transpose().map_err(|cause| cause.to_string())?;
    let mut kernels: Vec<Value> = Vec::new();
    if let Some(profile) = &profile {
        writeln!(text, "\n{}", kernels::table(profile, yardstick))?;
        kernels.extend(profile.kernels.iter().map(|kernel| kernels::row(kernel, yardstick)));
    }
    let json = json!({
        "model": path.to_string_lossy(), "input": shape, "device": gpu.info().name,
        "batches": rows, "left_out": left_out, "kernels_batch": listed, "kernels": kernels,
    });
    Ok(Section { name: "network", text, json })
}

/// Every batch size, measured or with the reason why it is not.
fn speeds(net: &Program, item: &Item, effort: &Effort) -> Vec<Measured> {
    let mut item_seconds = 0.0;
    let measured = |batch: usize| {
        let expected = item_seconds * batch as f64;
        if expected > TOO_SLOW {
            let reason = format!("a batch would take about {expected:.0} s");
            return Measured::LeftOut { batch, reason };
        }
        match fresh(net.gpu()).and_then(|gpu| measure(net.on(&gpu), item, batch, effort)) {
            Ok(speed) => {
                item_seconds = speed.seconds / batch as f64;
                Measured::Speed(speed)
            }
            // A batch that the device has no room for is no reason to keep the others back.
            Err(cause) => Measured::LeftOut { batch, reason: cause.to_string() },
        }
    };
    BATCHES.into_iter().map(measured).collect()
}

/// What is known of one batch size.
enum Measured {
    Speed(Speed),
    LeftOut { batch: usize, reason: String },
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Speed(speed) => speed.fmt(f),
            Self::LeftOut { batch, reason } => write!(f, "{batch:>6} left out: {reason}"),
        }
    }
}

/// What one batch size reaches.
struct Speed {
    batch: usize,
    /// Of a batch, with the next submitted before it ends.
    seconds: f64,
    /// Of these, what the device works on a batch by its own clock, where it has one: the median.
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

/// The same device, on which nothing was tried yet: variants are chosen for the first batch size that is opened.
fn fresh(gpu: &Gpu) -> Result<Gpu, Cause> {
    Ok(Gpu::named(if gpu.info().kind == DeviceKind::Twin { "cpu" } else { &gpu.info().name })?)
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
    let ticket = net.submit(&items).map_err(failed)?;
    collect(&mut net, ticket)?;
    let (start, mut done, mut worked) = (Instant::now(), 0_u32, Vec::new());
    while done < 2 || start.elapsed().as_secs_f64() < effort.seconds {
        while flight.len() < depth {
            flight.push_back(net.submit(&items).map_err(failed)?);
        }
        worked.extend(collect(&mut net, flight.pop_front().expect("the depth is at least 1"))?);
        done += 1;
    }
    let in_flight = flight.len() as u32;
    flight.into_iter().try_for_each(|ticket| collect(&mut net, ticket).map(drop))?;
    let seconds = start.elapsed().as_secs_f64() / f64::from(done + in_flight);
    Ok(Speed {
        batch,
        seconds,
        device_seconds: (!worked.is_empty()).then(|| median(worked)),
        multiply_adds: plan.multiply_adds(),
        bytes: plan.bytes_moved(batch),
        open_seconds,
    })
}

/// Waits for a batch, and gives what the device worked on it by its own clock.
fn collect(net: &mut Program, mut ticket: ProgramTicket) -> Result<Option<f64>, Cause> {
    let result = GpuStage::<Item>::try_collect(net, &mut ticket, Duration::from_secs(600));
    let tensors = result.map_err(|error| error.cause().clone())?;
    let tensors = tensors.ok_or_else(|| Cause::msg("no result within ten minutes"))?;
    Ok(tensors.device_span().map(|span| span.end.saturating_sub(span.start).as_secs_f64()))
}
