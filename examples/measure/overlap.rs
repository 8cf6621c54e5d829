//! What running both halves at once gains on this machine, with a synthetic CPU half.
//!
//! The CPU half is arithmetic on each photo, made as expensive as the device is: then a perfect schedule
//! takes half the time of one half after the other, unless the device is the processor itself.

use std::path::Path;
use std::time::{Duration, Instant};

use gapless::{Cause, Gpu, GpuStage, Pipeline, Report, Run, Tensors};
use ndarray::Array3;
use serde_json::json;

use crate::small::small_network;
use crate::terminal::Problem;
use crate::{BATCH, Effort, SIDE, Section, workers};

/// Seconds of a batch from which on the photos are made smaller, so that this ends in time.
const SLOW: f64 = 0.1;

type Photo = Array3<u8>;

/// One experiment: both halves cost the same.
struct Halves<'a> {
    gpu: &'a Gpu,
    side: usize,
    documents: usize,
    /// Rounds of arithmetic for a photo.
    rounds: u32,
}

pub(crate) fn section(gpu: &Gpu, effort: &Effort, trace: Option<&Path>) -> Result<Section, Problem> {
    let (side, batch) = side_and_seconds(gpu)?;
    // One after the other holds every photo at once: at most half a gigabyte.
    let batches = (effort.seconds / batch).clamp(4.0, 200.0) as usize;
    let rounds = batch * workers() as f64 / BATCH as f64 / round_seconds(side);
    let halves = Halves { gpu, side, documents: batches * BATCH, rounds: rounds as u32 };
    let (mut sequential, mut overlapped) = (Vec::new(), Vec::new());
    for _ in 0..effort.rounds {
        sequential.push(halves.run(true)?);
        overlapped.push(halves.run(false)?);
    }
    // A run of its own: those that are measured are not recorded.
    trace.map(|path| halves.traced(path)).transpose()?;
    Ok(halves.describe(&median(sequential), &median(overlapped)))
}

impl Halves<'_> {
    fn run(&self, sequential: bool) -> Result<Report, Problem> {
        let mut run = self.start(sequential, false)?;
        run.by_ref().try_for_each(|batch| batch.map(drop))?;
        Ok(run.report())
    }

    /// Writes who did what when into a file.
    fn traced(&self, path: &Path) -> Result<(), Problem> {
        let mut run = self.start(false, true)?;
        run.by_ref().try_for_each(|batch| batch.map(drop))?;
        Ok(run.trace(path)?)
    }

    fn start(&self, sequential: bool, record: bool) -> Result<Run<usize, Tensors>, Problem> {
        let Self { side, documents, rounds, .. } = *self;
        let prepare = move |photo: &mut usize| Ok::<Photo, Cause>(work(*photo, side, rounds));
        let pipeline = Pipeline::new(prepare, small_network(self.gpu, side)?)
            .batch_size(BATCH)
            .workers(workers())
            .trace(record);
        Ok(if sequential { pipeline.run_sequential(0..documents) } else { pipeline.run(0..documents) })
    }

    fn describe(&self, sequential: &Report, overlapped: &Report) -> Section {
        let Self { side, documents, .. } = *self;
        let busy = overlapped.devices.iter().map(|device| device.busy).fold(0.0, f64::max);
        let shared = if overlapped.shares_cpu() { SHARED } else { "" };
        let devices: Vec<String> = overlapped.devices.iter().map(ToString::to_string).collect();
        let devices = devices.join("\n");
        let text = format!(
            "{documents} photos of {side} × {side}, {} workers, both halves equally expensive\n\
             in turns    {:>8.3} s\n\
             overlapped  {:>8.3} s, {:.2} of it; bound {:.3} s, CPU busy {:.0} %, GPU busy {:.0} %{shared}\n{devices}",
            workers(),
            sequential.wall_s,
            overlapped.wall_s,
            overlapped.wall_s / sequential.wall_s,
            overlapped.bound_s,
            overlapped.cpu.busy * 100.0,
            busy * 100.0,
        );
        let json = json!({
            "documents": documents, "side": side, "workers": workers(),
            "sequential_s": sequential.wall_s, "overlapped_s": overlapped.wall_s,
            "bound_s": overlapped.bound_s, "gpu_busy": busy, "cpu_busy": overlapped.cpu.busy,
            "device_s": overlapped.devices.iter().filter_map(|device| device.device_s).reduce(|one, other| one + other),
            "kernels": overlapped.devices.iter().map(|device| &device.kernels).find(|kernels| !kernels.is_empty()),
        });
        Section { name: "overlap", text, json }
    }
}

const SHARED: &str = "\nboth halves run on the processor here, so overlap cannot gain much";

/// The photos' side, smaller where the device is slow, and the seconds of the device for a full batch.
fn side_and_seconds(gpu: &Gpu) -> Result<(usize, f64), Problem> {
    for side in [SIDE, SIDE / 2] {
        let seconds = batch_seconds(gpu, side)?;
        if seconds < SLOW {
            return Ok((side, seconds));
        }
    }
    Ok((SIDE / 4, batch_seconds(gpu, SIDE / 4)?))
}

/// Seconds of the device for a full batch, copies included.
pub(crate) fn batch_seconds(gpu: &Gpu, side: usize) -> Result<f64, Problem> {
    let mut net = small_network(gpu, side)?;
    let photos = vec![Photo::zeros((side, side, 3)); BATCH];
    GpuStage::<Photo>::open(&mut net, BATCH).map_err(|cause| cause.to_string())?;
    let mut once = || -> Result<f64, Problem> {
        let start = Instant::now();
        let ticket = net.submit(&photos);
        let mut ticket = ticket.map_err(|error| error.cause().to_string())?;
        let wait = Duration::from_secs(60);
        let result = GpuStage::<Photo>::try_collect(&mut net, &mut ticket, wait);
        result.map_err(|error| error.cause().to_string())?.ok_or("no result within a minute")?;
        Ok(start.elapsed().as_secs_f64())
    };
    once()?;
    Ok([once()?, once()?, once()?].into_iter().fold(f64::INFINITY, f64::min))
}

/// A photo, after `rounds` rounds of arithmetic.
fn work(seed: usize, side: usize, rounds: u32) -> Photo {
    let mut photo = Photo::from_elem((side, side, 3), seed as u8);
    let values = photo.as_slice_mut().expect("a new array is in order");
    for round in 0..rounds {
        for value in &mut values[..LEN] {
            *value = std::hint::black_box(value.wrapping_mul(31).wrapping_add(round as u8));
        }
    }
    photo
}

/// Values that a round changes.
const LEN: usize = 4096;

fn round_seconds(side: usize) -> f64 {
    let rounds = 2000;
    let start = Instant::now();
    std::hint::black_box(work(1, side, rounds));
    start.elapsed().as_secs_f64() / f64::from(rounds)
}

/// The run of middle length.
pub(crate) fn median(mut reports: Vec<Report>) -> Report {
    reports.sort_by(|one, other| one.wall_s.total_cmp(&other.wall_s));
    reports.swap_remove(reports.len() / 2)
}
