//! What running both halves at once gains on this machine, with a synthetic CPU half.
//!
//! The CPU half is arithmetic on each photo, made as expensive as the device is: then a perfect schedule
//! takes half the time of one half after the other, unless the device is the processor itself.

use std::time::Instant;

use gapless::{Cause, Gpu, GpuStage, Pipeline, Report};
use ndarray::Array3;
use serde_json::json;

use crate::kernels::{BATCH, SIDE};
use crate::network::network;
use crate::{Failure, Section};

/// Seconds that each half is to take in a run.
const SECONDS: f64 = 2.0;
const ROUNDS: usize = 3;
/// Seconds of a batch from which on the photos are made smaller, so that this ends in time.
const SLOW: f64 = 0.1;

type Photo = Array3<u8>;

pub(crate) fn section(gpu: &Gpu) -> Result<Section, Failure> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let (side, batch) = side_and_seconds(gpu)?;
    // One after the other holds every photo at once: at most half a gigabyte.
    let batches = (SECONDS / batch).clamp(8.0, 200.0) as usize;
    let documents = batches * BATCH;
    let rounds = (batch * workers as f64 / BATCH as f64 / round_seconds(side)) as u32;
    let run = |sequential| run(gpu, side, workers, documents, rounds, sequential);
    let (mut sequential, mut overlapped) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        sequential.push(run(true)?);
        overlapped.push(run(false)?);
    }
    Ok(describe(side, workers, documents, &median(sequential), &median(overlapped)))
}

fn describe(
    side: usize,
    workers: usize,
    documents: usize,
    sequential: &Report,
    overlapped: &Report,
) -> Section {
    let device = overlapped.devices.iter().map(|device| device.busy).sum::<f64>();
    let shared = if overlapped.shares_cpu() {
        "\nboth halves run on the processor here, so overlap cannot gain much"
    } else {
        ""
    };
    let text = format!(
        "{documents} photos of {side} × {side}, {workers} workers, both halves equally expensive\n\
         one after the other  {:.2} s\noverlapped           {:.2} s, device busy {device:.2}, bound {:.2} s{shared}",
        sequential.wall_s, overlapped.wall_s, overlapped.bound_s,
    );
    let json = json!({
        "documents": documents, "side": side, "workers": workers,
        "sequential_s": sequential.wall_s, "overlapped_s": overlapped.wall_s,
        "bound_s": overlapped.bound_s, "gpu_busy": device, "cpu_busy": overlapped.cpu.busy,
    });
    Section { name: "overlap", text, json }
}

/// The photos' side, smaller where the device is slow, and the seconds of the device for a full batch.
fn side_and_seconds(gpu: &Gpu) -> Result<(usize, f64), Failure> {
    for side in [SIDE, SIDE / 2] {
        let seconds = batch_seconds(gpu, side)?;
        if seconds < SLOW {
            return Ok((side, seconds));
        }
    }
    Ok((SIDE / 4, batch_seconds(gpu, SIDE / 4)?))
}

/// Seconds of the device for a full batch, copies included.
fn batch_seconds(gpu: &Gpu, side: usize) -> Result<f64, Failure> {
    let mut net = network(gpu, side)?;
    let photos = vec![Photo::zeros((side, side, 3)); BATCH];
    GpuStage::<Photo>::open(&mut net, BATCH).map_err(|cause| cause.to_string())?;
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
    side: usize,
    workers: usize,
    documents: usize,
    rounds: u32,
    sequential: bool,
) -> Result<Report, Failure> {
    let prepare = move |photo: &mut usize| Ok::<Photo, Cause>(work(*photo, side, rounds));
    let net = network(gpu, side)?;
    let pipeline = Pipeline::new(prepare, net).batch_size(BATCH).workers(workers);
    let mut run = if sequential { pipeline.run_sequential(0..documents) } else { pipeline.run(0..documents) };
    for batch in run.by_ref() {
        batch?;
    }
    Ok(run.report())
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

fn median(mut reports: Vec<Report>) -> Report {
    reports.sort_by(|one, other| one.wall_s.total_cmp(&other.wall_s));
    reports.swap_remove(reports.len() / 2)
}
