//! Real photos through the loader and a small network: all CPU then all GPU, against both at once.

#[path = "../common/photos.rs"]
mod made;
#[path = "../common/network.rs"]
mod network;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gapless::image::{Filter, Loader};
use gapless::{Auto, DeviceKind, Gpu, OnFailure, Pipeline, Program, Report, Run, Tensors, WorkerCount};
use network::small_network;
use serde_json::{Value, json};

use crate::console::Console;
use crate::options::Options;
use crate::terminal::{Problem, complain};

/// Photos that are made where none are given.
const PHOTOS: usize = 320;
/// Pixels of a side that the network sees.
const SIDE: usize = 224;

/// What is measured: photos on a device.
pub(crate) struct Photos {
    gpu: Gpu,
    paths: Vec<PathBuf>,
}

/// What a run made of the photos.
struct Outcome {
    /// Every output for each photo, by its place.
    rows: BTreeMap<u64, Vec<f32>>,
    failed: Vec<String>,
    report: Report,
}

impl Photos {
    pub(crate) fn find(options: &Options) -> Result<Self, Problem> {
        let gpu = options.device.as_deref().map_or_else(Gpu::best, Gpu::named)?;
        let paths = options.images.as_deref().map_or_else(made_here, given)?;
        Ok(Self { gpu, paths })
    }

    pub(crate) fn measure(&self, options: &Options, console: &Console) -> Result<Value, Problem> {
        console.say(&format!("\n{} photos on {}", self.paths.len(), self.gpu))?;
        // The first run reads the files from the disk and warms the device up; neither way should pay for it.
        let first = &self.paths[..self.paths.len().min(2 * options.batch_size)];
        self.pipeline(options, &self.gpu, console, "warm-up")?.run(first.to_vec()).try_for_each(ended)?;
        let sequential = self.pipeline(options, &self.gpu, console, "in turns")?;
        let sequential = collect(sequential.run_sequential(self.paths.clone()))?;
        let overlapped = self.pipeline(options, &self.gpu, console, "overlapped")?;
        let overlapped = collect(overlapped.run(self.paths.clone()))?;
        let oracle = match self.gpu.info().kind {
            DeviceKind::Twin => &sequential,
            _ if overlapped.rows.is_empty() => &sequential,
            _ => &self.twins(options, console)?,
        };
        console.done();
        overlapped.failed.iter().for_each(|failure| complain(failure));
        if overlapped.rows.is_empty() {
            return Err(format!("none of {} photos could be done", self.paths.len()).into());
        }
        let difference = largest_difference(&overlapped.rows, &oracle.rows);
        console.say(&explain(&sequential.report, &overlapped.report, difference))?;
        Ok(self.describe(&sequential.report, &overlapped, difference))
    }

    fn twins(&self, options: &Options, console: &Console) -> Result<Outcome, Problem> {
        collect(self.pipeline(options, &Gpu::cpu(), console, "on the twins")?.run(self.paths.clone()))
    }

    fn pipeline(
        &self,
        options: &Options,
        gpu: &Gpu,
        console: &Console,
        what: &'static str,
    ) -> Result<Pipeline<PathBuf, Loader, Program>, Problem> {
        let loader = Loader::rgb8(SIDE as u32, SIDE as u32).center_crop(0.875).filter(Filter::Bilinear);
        Ok(Pipeline::new(loader, small_network(gpu, SIDE)?)
            .batch_size(options.batch_size)
            .workers(options.workers.map_or(WorkerCount::from(Auto), WorkerCount::from))
            .on_failure(OnFailure::Skip)
            .progress(console.bar(what, self.paths.len())))
    }

    fn describe(&self, sequential: &Report, overlapped: &Outcome, difference: f32) -> Value {
        let report = &overlapped.report;
        let device = self.gpu.info();
        json!({
            "device": device.name,
            "device_kind": kind(device.kind),
            "images": self.paths.len(),
            "failed": overlapped.failed,
            "sequential_s": sequential.wall_s,
            "overlapped_s": report.wall_s,
            "bound_s": report.bound_s,
            "cpu_busy": report.cpu.busy,
            "gpu_busy": report.devices.iter().map(|device| device.busy).fold(0.0, f64::max),
            "first_result_s": report.first_result_s,
            "max_abs_diff": difference,
        })
    }
}

/// An adapter that does not say what it is stands for a card lent to a virtual machine.
fn kind(kind: DeviceKind) -> &'static str {
    match kind {
        DeviceKind::Integrated => "integrated",
        DeviceKind::Software => "software",
        DeviceKind::Twin => "twin",
        _ => "discrete",
    }
}

fn ended<T>(batch: Result<T, gapless::Error>) -> Result<(), gapless::Error> {
    batch.map(drop)
}

fn collect(mut run: Run<PathBuf, Tensors>) -> Result<Outcome, Problem> {
    let (mut rows, mut failed) = (BTreeMap::new(), Vec::new());
    for batch in run.by_ref() {
        let batch = batch?;
        for (position, (_, row)) in batch.positions().iter().zip(batch.rows()) {
            let outputs = [row.view("prob"), row.view("features")];
            rows.insert(position.get(), outputs.iter().flatten().copied().collect());
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

/// The report says itself where overlap cannot gain much.
fn explain(sequential: &Report, overlapped: &Report, difference: f32) -> String {
    format!(
        "  all CPU, then all GPU {:>8.3} s\n  overlapped            {:>8.3} s, {:.2} of it; bound {:.3} s\n  \
         largest difference to the twins {difference:.1e}\n\n{overlapped}",
        sequential.wall_s,
        overlapped.wall_s,
        overlapped.wall_s / sequential.wall_s,
        overlapped.bound_s,
    )
}

/// Photos made from those in the repository.
fn made_here() -> Result<Vec<PathBuf>, Problem> {
    let folder = std::env::temp_dir().join("gapless-photos");
    made::make_photos(&folder, PHOTOS, 1)
        .map_err(|error| format!("photos cannot be made in {}: {error}", folder.display()).into())
}

/// The files of a folder, by name; what is no photo is a failure that the report names.
fn given(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let paths = files(folder).map_err(|error| format!("--images {}: {error}", folder.display()))?;
    if paths.is_empty() {
        return Err(format!("--images {}: there is no file", folder.display()).into());
    }
    Ok(paths)
}

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
