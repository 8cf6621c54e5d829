//! What a batch costs: on the host, on the device, and what the device does in this time.

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use gapless::gpu::PlannedKernel;
use gapless::{Cause, Gpu, GpuStage, KernelReport, Pipeline, Program};
use serde_json::{Value, json};

use crate::arrays::Arrays;
use crate::device;
use crate::terminal::Problem;

/// A batch that takes longer is a fault.
const PATIENCE: Duration = Duration::from_secs(600);

pub(crate) struct Figures {
    gpu: Gpu,
    batch_size: usize,
    batches: u64,
    /// Of all batches that overlap: how many items, and the seconds for them.
    items: usize,
    wall_s: f64,
    /// Of one batch alone, from the arrays to the arrays: the median.
    alone_s: f64,
    /// Of this, what the device worked by its own clock, where it has one: the median.
    device_s: Option<f64>,
    multiply_adds: u64,
    bytes: u64,
    memory: u64,
    kernels: Vec<Kernel>,
}

/// One kernel: how long it takes for a batch, and what it does in this time.
struct Kernel {
    report: KernelReport,
    /// The shader that was chosen.
    variant: String,
    multiply_adds: u64,
    bytes: u64,
}

/// Runs all items `repeat` times, batch by batch, then as often through a pipeline. Every batch is full: in
/// the pipeline the last is filled up with the first items again, so that a time stands for as much work
/// as any other.
pub(crate) fn measure(
    gpu: &Gpu,
    mut net: Program,
    items: &[Arrays],
    batch_size: usize,
    repeat: usize,
) -> Result<Figures, Problem> {
    let batch_size = batch_size.min(items.len());
    GpuStage::<Arrays>::open(&mut net, batch_size).map_err(|cause| cause.to_string())?;
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
    let count = (repeat * items.len()).next_multiple_of(batch_size);
    let source: Vec<Arrays> = items.iter().cycle().take(count).cloned().collect();
    let prepare = |item: &mut Arrays| Ok::<_, Cause>(item.clone());
    let mut run = Pipeline::new(prepare, net).batch_size(batch_size).run(source);
    run.by_ref().try_for_each(|batch| batch.map(drop))?;
    let report = run.report();
    // On the processor several devices share the batches, and one of them may have had none.
    let busiest = report.devices.iter().max_by_key(|device| device.batches).ok_or("nothing ran")?;
    let kernel = |(report, planned): (&KernelReport, PlannedKernel<'_>)| Kernel {
        report: report.clone(),
        variant: planned.variant.to_owned(),
        multiply_adds: planned.multiply_adds * batch_size as u64,
        bytes: planned.bytes_moved(batch_size),
    };
    Ok(Figures {
        gpu: gpu.clone(),
        batch_size,
        batches: report.devices.iter().map(|device| device.batches).sum(),
        items: count,
        wall_s: report.wall_s,
        alone_s: median(alone).unwrap_or_default(),
        device_s: median(device),
        multiply_adds: plan.multiply_adds(),
        bytes: plan.bytes_moved(batch_size),
        memory: plan.memory(),
        kernels: busiest.kernels.iter().zip(plan.kernels()).map(kernel).collect(),
    })
}

/// Seconds for one batch, and those of the device by its own clock.
fn time_one(net: &mut Program, batch: &[Arrays]) -> Result<(f64, Option<f64>), Problem> {
    let failed = |error: gapless::StageError| error.cause().to_string();
    let start = Instant::now();
    let mut ticket = net.submit(batch).map_err(failed)?;
    let tensors = GpuStage::<Arrays>::try_collect(net, &mut ticket, PATIENCE).map_err(failed)?;
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

    fn multiply_adds_per_second(&self) -> f64 {
        self.multiply_adds as f64 * self.batch_size as f64 / self.worked_s()
    }

    fn items_per_second(&self) -> f64 {
        self.items as f64 / self.wall_s
    }

    /// Of a batch when the next is prepared and submitted meanwhile.
    fn overlapped_s(&self) -> f64 {
        self.wall_s / self.batches.max(1) as f64
    }

    pub(crate) fn to_json(&self, model: &Path) -> Value {
        json!({
            "model": model.to_string_lossy(),
            "device": self.gpu.info().name,
            "device_kind": device::kind(&self.gpu),
            "driver": self.gpu.driver(),
            "batch_size": self.batch_size,
            "batches": self.batches,
            "items": self.items,
            "seconds": self.wall_s,
            "seconds_per_batch": self.alone_s,
            "gpu_seconds_per_batch": self.worked_s(),
            "host_seconds_per_batch": (self.alone_s - self.worked_s()).max(0.0),
            "overlapped_seconds_per_batch": self.overlapped_s(),
            "items_per_second": self.items_per_second(),
            "multiply_adds": self.multiply_adds,
            "bytes": self.bytes,
            "memory": self.memory,
            "multiply_adds_per_second": self.multiply_adds_per_second(),
            "bytes_per_second": self.bytes as f64 / self.worked_s(),
            "kernels": self.kernels.iter().map(Kernel::to_json).collect::<Vec<_>>(),
        })
    }
}

impl Kernel {
    fn to_json(&self) -> Value {
        let mut row = json!(self.report);
        row["variant"] = json!(self.variant);
        row["multiply_adds_per_second"] = json!(self.multiply_adds as f64 / self.report.seconds);
        row["bytes_per_second"] = json!(self.bytes as f64 / self.report.seconds);
        row
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
            self.multiply_adds,
            self.multiply_adds_per_second() / 1e9,
            self.bytes as f64 / 1e6,
            self.bytes as f64 / self.worked_s() / 1e9,
            self.memory as f64 / 1e6
        )?;
        for Kernel { report: KernelReport { name, seconds, share, .. }, variant, .. } in &self.kernels {
            writeln!(f, "  {name:<48} {variant:<30} {:>9.3} ms {:>5.1} %", ms(*seconds), share * 100.0)?;
        }
        Ok(())
    }
}
