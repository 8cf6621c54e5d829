//! What a batch costs: on the host, on the device, and what the device does in this time.

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use gapless::gpu::{Plan, PlannedKernel};
use gapless::{Cause, Gpu, GpuStage, KernelReport, Pipeline, Program};
use serde_json::{Value, json};

use crate::Item;
use crate::device;
use crate::terminal::Problem;

/// A batch that takes longer is a fault.
const PATIENCE: Duration = Duration::from_secs(600);

pub(crate) struct Figures {
    gpu: Gpu,
    batch_size: usize,
    batches: u64,
    items: u64,
    /// Of one batch alone, from the arrays to the arrays: the median.
    alone_s: f64,
    /// Of this, what the device worked by its own clock, where it has one: the median.
    device_s: Option<f64>,
    /// Of all batches, each prepared and submitted while the one before it runs.
    wall_s: f64,
    kernels: Vec<KernelReport>,
    plan: Plan,
}

/// Runs all items `repeat` times, batch by batch, then as often through a pipeline.
pub(crate) fn measure(
    gpu: &Gpu,
    mut net: Program,
    items: &[Item],
    batch_size: usize,
    repeat: usize,
) -> Result<Figures, Problem> {
    let batch_size = batch_size.min(items.len());
    GpuStage::<Item>::open(&mut net, batch_size).map_err(|cause| cause.to_string())?;
    // Which variant of a kernel is the fastest here is known once the program was opened.
    let plan = net.plan(batch_size)?;
    // The first batch wakes the device up.
    time_one(&mut net, &items[..batch_size])?;
    let (mut alone, mut device) = (Vec::new(), Vec::new());
    for batch in (0..repeat).flat_map(|_| items.chunks_exact(batch_size)) {
        let (taken, worked) = time_one(&mut net, batch)?;
        alone.push(taken);
        device.extend(worked);
    }
    let source: Vec<Item> = (0..repeat).flat_map(|_| items.iter().cloned()).collect();
    let prepare = |item: &mut Item| Ok::<_, Cause>(item.clone());
    let mut run = Pipeline::new(prepare, net).batch_size(batch_size).run(source);
    run.by_ref().try_for_each(|batch| batch.map(drop))?;
    let report = run.report();
    let ran = &report.devices[0];
    Ok(Figures {
        gpu: gpu.clone(),
        batch_size,
        batches: ran.batches,
        items: (items.len() * repeat) as u64,
        alone_s: median(alone).unwrap_or_default(),
        device_s: median(device),
        wall_s: report.wall_s,
        kernels: ran.kernels.clone(),
        plan,
    })
}

/// Seconds for one batch, and those of the device by its own clock.
fn time_one(net: &mut Program, batch: &[Item]) -> Result<(f64, Option<f64>), Problem> {
    let failed = |error: gapless::StageError| error.cause().to_string();
    let start = Instant::now();
    let mut ticket = net.submit(batch).map_err(failed)?;
    let tensors = GpuStage::<Item>::try_collect(net, &mut ticket, PATIENCE).map_err(failed)?;
    let taken = start.elapsed().as_secs_f64();
    let tensors = tensors.ok_or("the device gave no result within ten minutes")?;
    let worked = tensors.device_span().map(|span| span.end.saturating_sub(span.start).as_secs_f64());
    Ok((taken, worked))
}

fn median(mut seconds: Vec<f64>) -> Option<f64> {
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied()
}

impl Figures {
    /// What the device worked; on the twins, which have no clock of their own, all of it.
    fn worked_s(&self) -> f64 {
        self.device_s.unwrap_or(self.alone_s)
    }

    /// Of a batch when the next is prepared and submitted meanwhile.
    fn overlapped_s(&self) -> f64 {
        self.wall_s / self.batches.max(1) as f64
    }

    /// The last batch may be a short one.
    fn items_per_second(&self) -> f64 {
        self.items as f64 / self.wall_s
    }

    fn multiply_adds_per_second(&self) -> f64 {
        self.plan.multiply_adds() as f64 * self.batch_size as f64 / self.worked_s()
    }

    fn bytes_per_second(&self) -> f64 {
        self.plan.bytes_moved(self.batch_size) as f64 / self.worked_s()
    }

    fn timed(&self) -> impl Iterator<Item = (&KernelReport, PlannedKernel<'_>)> {
        self.kernels.iter().zip(self.plan.kernels())
    }

    fn row(&self, timed: &KernelReport, planned: &PlannedKernel<'_>) -> Value {
        let mut row = json!(timed);
        let batch = self.batch_size as f64;
        row["variant"] = planned.variant.into();
        row["multiply_adds_per_second"] = json!(planned.multiply_adds as f64 * batch / timed.seconds);
        row["bytes_per_second"] = json!(planned.bytes_moved(self.batch_size) as f64 / timed.seconds);
        row
    }

    pub(crate) fn to_json(&self, model: &Path) -> Value {
        json!({
            "model": model.to_string_lossy(),
            "device": self.gpu.info().name,
            "device_kind": device::kind(&self.gpu),
            "driver": self.gpu.driver(),
            "batch_size": self.batch_size,
            "batches": self.batches,
            "seconds_per_batch": self.alone_s,
            "gpu_seconds_per_batch": self.worked_s(),
            "host_seconds_per_batch": (self.alone_s - self.worked_s()).max(0.0),
            "overlapped_seconds_per_batch": self.overlapped_s(),
            "items": self.items,
            "items_per_second": self.items_per_second(),
            "multiply_adds": self.plan.multiply_adds(),
            "bytes": self.plan.bytes_moved(self.batch_size),
            "memory": self.plan.memory(),
            "multiply_adds_per_second": self.multiply_adds_per_second(),
            "bytes_per_second": self.bytes_per_second(),
            "kernels": self.timed().map(|(timed, planned)| self.row(timed, &planned)).collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |seconds: f64| seconds * 1e3;
        writeln!(f, "{} batches of {} on {}", self.batches, self.batch_size, self.gpu)?;
        writeln!(
            f,
            "  a batch alone {:.3} ms, of which the device {:.3} ms; overlapped {:.3} ms, {:.1} items/s",
            ms(self.alone_s),
            ms(self.worked_s()),
            ms(self.overlapped_s()),
            self.items_per_second()
        )?;
        writeln!(
            f,
            "  {} multiply-adds an item, {:.2} G/s; {:.1} MB a batch, {:.2} GB/s; {:.1} MB of memory",
            self.plan.multiply_adds(),
            self.multiply_adds_per_second() / 1e9,
            self.plan.bytes_moved(self.batch_size) as f64 / 1e6,
            self.bytes_per_second() / 1e9,
            self.plan.memory() as f64 / 1e6
        )?;
        for (KernelReport { name, seconds, share, .. }, PlannedKernel { variant, .. }) in self.timed() {
            writeln!(f, "  {name:<48} {variant:<32} {:>9.3} ms {:>5.1} %", ms(*seconds), share * 100.0)?;
        }
        Ok(())
    }
}
