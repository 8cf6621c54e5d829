//! What running both halves at once gains on this machine, with a synthetic CPU half.
//!
//! The CPU half is arithmetic on each photo, made as expensive as the device is: then a perfect schedule
//! takes half the time of one half after the other, unless the device is the processor itself.

use std::time::Instant;

use gapless::{Cause, Gpu, GpuStage, Pipeline, Report};
use ndarray::Array3;
use serde_json::json;

use crate::{Failure, Section, kernels};

/// Seconds that each half is to take in a run.
const SECONDS: f64 = 2.0;
const ROUNDS: usize = 3;

type Photo = Array3<u8>;

pub(crate) fn section(gpu: &Gpu) -> Result<Section, Failure> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let batch = batch_seconds(gpu)?;
    // One after the other holds every photo at once: at most half a gigabyte.
    let batches = (SECONDS / batch).clamp(8.0, 200.0) as usize;
    let documents = batches * kernels::BATCH;
    let rounds = (batch * workers as f64 / kernels::BATCH as f64 / round_seconds()) as u32;
    let (mut sequential, mut overlapped) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        sequential.push(run(gpu, workers, documents, rounds, true)?);
        overlapped.push(run(gpu, workers, documents, rounds, false)?);
    }
    Ok(describe(workers, documents, &median(sequential), &median(overlapped)))
}

fn describe(workers: usize, documents: usize, sequential: &Report, overlapped: &Report) -> Section {
    let device = overlapped.devices.iter().map(|device| device.busy).sum::<f64>();
    let shared = if overlapped.shares_cpu() {
        "\nboth halves run on the processor here, so overlap cannot gain much"
    } else {
        ""
    };
    let text = format!(
        "{documents} photos, {workers} workers, both halves equally expensive\n\
         one after the other  {:.2} s\noverlapped           {:.2} s, device busy {device:.2}, bound {:.2} s{shared}",
        sequential.wall_s, overlapped.wall_s, overlapped.bound_s,
    );
    let json = json!({
        "documents": documents, "workers": workers,
        "sequential_s": sequential.wall_s, "overlapped_s": overlapped.wall_s,
        "bound_s": overlapped.bound_s, "gpu_busy": device, "cpu_busy": overlapped.cpu.busy,
    });
    Section { name: "overlap", text, json }
}

/// Seconds of the device for a full batch, copies included.
fn batch_seconds(gpu: &Gpu) -> Result<f64, Failure> {
    let mut net = kernels::network(gpu)?;
    let photos = vec![Photo::zeros(kernels::SHAPE); kernels::BATCH];
    GpuStage::<Photo>::open(&mut net, kernels::BATCH).map_err(|cause| cause.to_string())?;
    let mut once = || -> Result<f64, Failure> {
        let start = Instant::now();
        let ticket = net.submit(&photos);
        let mut ticket = ticket.map_err(|error| error.cause().to_string())?;
        let wait = std::time::Duration::from_secs(60);
        let result = GpuStage::<Photo>::try_collect(&mut net, &mut ticket, wait);
        result.map_err(|error| error.cause().to_string())?.ok_or("no result within a minute")?;
        Ok(start.elapsed().as_secs_f64())
    };
    once()?;
    Ok([once()?, once()?, once()?].into_iter().fold(f64::INFINITY, f64::min))
}

fn run(
    gpu: &Gpu,
    workers: usize,
    documents: usize,
    rounds: u32,
    sequential: bool,
) -> Result<Report, Failure> {
    let prepare = move |photo: &mut usize| Ok::<Photo, Cause>(work(*photo, rounds));
    let net = kernels::network(gpu)?;
    let pipeline = Pipeline::new(prepare, net).batch_size(kernels::BATCH).workers(workers);
    let mut run = if sequential { pipeline.run_sequential(0..documents) } else { pipeline.run(0..documents) };
    for batch in run.by_ref() {
        batch?;
    }
    Ok(run.report())
}

/// A photo, after `rounds` rounds of arithmetic.
fn work(seed: usize, rounds: u32) -> Photo {
    let mut photo = Photo::from_elem(kernels::SHAPE, seed as u8);
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

fn round_seconds() -> f64 {
    let rounds = 2000;
    let start = Instant::now();
    std::hint::black_box(work(1, rounds));
    start.elapsed().as_secs_f64() / f64::from(rounds)
}

fn median(mut reports: Vec<Report>) -> Report {
    reports.sort_by(|one, other| one.wall_s.total_cmp(&other.wall_s));
    reports.swap_remove(reports.len() / 2)
}
