//! Real photos through the loader and a small network: all CPU then all GPU, against both at once.

#[path = "../common/photos.rs"]
mod made;
#[path = "../common/network.rs"]
mod network;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gapless::image::{Filter, Loader};
use gapless::{Auto, Gpu, OnFailure, Pipeline, Program, Report, Run, Tensors, WorkerCount};
use network::{SIDE, small_network};
use serde_json::{Value, json};

use crate::options::Options;
use crate::{Failure, say};

/// Photos that are made where none are given.
const PHOTOS: usize = 320;

/// What a run made of the photos.
struct Outcome {
    /// Probabilities of each photo, by its place.
    rows: BTreeMap<u64, Vec<f32>>,
    failed: Vec<String>,
    report: Report,
}

pub(crate) fn measure(options: &Options) -> Result<Value, Failure> {
    let paths = paths(options)?;
    let gpu = options.device.as_deref().map_or_else(Gpu::best, Gpu::named)?;
    say(options, &format!("\n{} photos on {gpu}", paths.len()));
    // The first run reads the files from the disk and warms the device up; neither way should pay for it.
    run(options, &gpu, paths[..paths.len().min(32)].to_vec(), false)?;
    let sequential = run(options, &gpu, paths.clone(), true)?;
    let overlapped = run(options, &gpu, paths.clone(), false)?;
    for failure in &overlapped.failed {
        eprintln!("{failure}");
    }
    if overlapped.rows.is_empty() {
        return Err("no photo could be done".into());
    }
    let twin = run(options, &Gpu::cpu(), paths.clone(), false)?;
    let difference = largest_difference(&overlapped.rows, &twin.rows);
    explain(options, &sequential.report, &overlapped.report, difference);
    Ok(describe(paths.len(), &sequential.report, &overlapped, difference))
}

fn run(options: &Options, gpu: &Gpu, paths: Vec<PathBuf>, sequential: bool) -> Result<Outcome, Failure> {
    let loader = Loader::rgb8(SIDE as u32, SIDE as u32).center_crop(0.875).filter(Filter::Bilinear);
    let workers = options.workers.map_or(WorkerCount::from(Auto), WorkerCount::from);
    let pipeline: Pipeline<PathBuf, Loader, Program> = Pipeline::new(loader, small_network(gpu)?)
        .batch_size(options.batch_size)
        .workers(workers)
        .on_failure(OnFailure::Skip);
    collect(if sequential { pipeline.run_sequential(paths) } else { pipeline.run(paths) })
}

fn collect(mut run: Run<PathBuf, Tensors>) -> Result<Outcome, Failure> {
    let (mut rows, mut failed) = (BTreeMap::new(), Vec::new());
    for batch in run.by_ref() {
        let batch = batch?;
        for (position, (_, row)) in batch.positions().iter().zip(batch.rows()) {
            rows.insert(position.get(), row.view("prob").iter().copied().collect());
        }
        let text = |failure: &gapless::Failure<PathBuf>| {
            format!("{}: {}", failure.document.display(), failure.cause)
        };
        failed.extend(batch.failures().iter().map(text));
    }
    Ok(Outcome { rows, failed, report: run.report() })
}

fn largest_difference(rows: &BTreeMap<u64, Vec<f32>>, others: &BTreeMap<u64, Vec<f32>>) -> f32 {
    let pairs = rows.iter().filter_map(|(place, row)| Some((row, others.get(place)?)));
    pairs.flat_map(|(row, other)| row.iter().zip(other)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn explain(options: &Options, sequential: &Report, overlapped: &Report, difference: f32) {
    say(options, &format!("  all CPU, then all GPU  {:.3} s", sequential.wall_s));
    say(
        options,
        &format!(
            "  overlapped             {:.3} s, {:.2} of it",
            overlapped.wall_s,
            overlapped.wall_s / sequential.wall_s
        ),
    );
    say(options, &format!("  largest difference to the twins {difference:.1e}"));
    if overlapped.shares_cpu() {
        say(options, "  The device is the processor itself here, so overlap cannot gain much.");
    }
    say(options, &format!("\n{overlapped}"));
}

fn describe(images: usize, sequential: &Report, overlapped: &Outcome, difference: f32) -> Value {
    let report = &overlapped.report;
    let device = report.devices.first();
    json!({
        "device": device.map(|device| &device.name),
        "device_kind": device.map(|device| device.kind),
        "images": images,
        "failed": overlapped.failed,
        "sequential_s": sequential.wall_s,
        "overlapped_s": report.wall_s,
        "bound_s": report.bound_s,
        "cpu_busy": report.cpu.busy,
        "gpu_busy": device.map(|device| device.busy),
        "first_result_s": report.first_result_s,
        "max_abs_diff": difference,
    })
}

/// The photos of a folder, or photos made from those in the repository.
fn paths(options: &Options) -> Result<Vec<PathBuf>, Failure> {
    let Some(folder) = &options.images else {
        let folder = std::env::temp_dir().join("gapless-photos");
        return made::make_photos(&folder, PHOTOS, 1).map_err(|error| error.to_string().into());
    };
    let paths = files(folder).map_err(|error| format!("--images {}: {error}", folder.display()))?;
    if paths.is_empty() {
        return Err(format!("--images {}: there is no file", folder.display()).into());
    }
    Ok(paths)
}

/// Every file of a folder, by name; what is no photo is a failure that the report names.
fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if !path.is_dir() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
