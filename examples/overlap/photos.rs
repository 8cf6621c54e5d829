//! Real photos through the loader and a small network: all CPU then all GPU, against both at once.

#[path = "../common/difference.rs"]
mod difference;
#[path = "../common/made.rs"]
mod made;
#[path = "../common/network.rs"]
mod network;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use difference::{Rows, largest_difference};
use gapless::image::{Filter, Loader};
use gapless::{
    Auto, DeviceKind, Gpu, OnFailure, Pipeline, Program, Report, Run, Tensors, Timeline, WorkerCount,
};
use network::small_network;
use serde_json::{Map, Value, json};

use crate::console::Console;
use crate::device;
use crate::failure::named;
use crate::options::Options;
use crate::record::Record;
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
    rows: Rows,
    report: Report,
    timeline: Option<Timeline>,
}

impl Photos {
    pub(crate) fn find(options: &Options) -> Result<Self, Problem> {
        let gpu = device::open(options.device.as_deref())?;
        let paths = options.images.as_deref().map_or_else(|| Ok(made::made_here(PHOTOS)?), given)?;
        Ok(Self { gpu, paths })
    }

    /// Puts into `known` what is found, as soon as it is: where this fails, what was found before.
    pub(crate) fn measure(
        &self,
        options: &Options,
        console: &Console,
        record: &Record,
        known: &mut Map<String, Value>,
    ) -> Result<(), Problem> {
        known.insert("device".into(), json!(self.gpu.info().name));
        known.insert("device_kind".into(), device::kind(&self.gpu).into());
        known.insert("images".into(), self.paths.len().into());
        known.insert("failed".into(), json!([]));
        let result = self.compare(options, console, record, known);
        known["failed"].as_array().into_iter().flatten().flat_map(Value::as_str).for_each(complain);
        result
    }

    fn compare(
        &self,
        options: &Options,
        console: &Console,
        record: &Record,
        known: &mut Map<String, Value>,
    ) -> Result<(), Problem> {
        console.say(&format!("\n{} photos on {}", self.paths.len(), self.gpu))?;
        // The first run reads the files from the disk and warms the device up; neither way should pay for it.
        let first = &self.paths[..self.paths.len().min(2 * options.batch_size)];
        self.pipeline(options, &self.gpu)?.run(first.to_vec()).try_for_each(ended)?;
        let sequential = self.pipeline(options, &self.gpu)?.trace(record.wanted());
        let sequential = collect(sequential.run_sequential(self.paths.clone()), known)?;
        known.insert("sequential_s".into(), json!(sequential.report.wall_s));
        let overlapped = self.pipeline(options, &self.gpu)?.trace(record.wanted());
        let overlapped = collect(overlapped.run(self.paths.clone()), known)?;
        if let (Some(sequential), Some(overlapped)) = (&sequential.timeline, &overlapped.timeline) {
            record.write(sequential.clone(), overlapped.clone(), 1.0)?;
        }
        describe(&overlapped.report, known);
        if overlapped.rows.is_empty() {
            return Err(format!("none of {} photos could be done", self.paths.len()).into());
        }
        let oracle = match self.gpu.info().kind {
            DeviceKind::Twin => &sequential,
            _ => &self.twins(options)?,
        };
        let difference = largest_difference(&overlapped.rows, &oracle.rows)?;
        known.insert("max_abs_diff".into(), json!(difference));
        console.say(&explain(&sequential.report, &overlapped.report, difference))
    }

    fn twins(&self, options: &Options) -> Result<Outcome, Problem> {
        let twins = self.pipeline(options, &Gpu::cpu())?;
        collect(twins.run(self.paths.clone()), &mut Map::new())
    }

    fn pipeline(&self, options: &Options, gpu: &Gpu) -> Result<Pipeline<PathBuf, Loader, Program>, Problem> {
        let loader = Loader::rgb8(SIDE as u32, SIDE as u32).center_crop(0.875).filter(Filter::Bilinear);
        Ok(Pipeline::new(loader, small_network(gpu, SIDE)?)
            .batch_size(options.batch_size)
            .workers(options.workers.map_or(WorkerCount::from(Auto), WorkerCount::from))
            .on_failure(OnFailure::Skip)
            .progress_bar())
    }
}

fn describe(overlapped: &Report, known: &mut Map<String, Value>) {
    known.insert("overlapped_s".into(), json!(overlapped.wall_s));
    known.insert("bound_s".into(), json!(overlapped.bound_s));
    known.insert("cpu_busy".into(), json!(overlapped.cpu.busy));
    let gpu = overlapped.devices.iter().map(|device| device.busy).fold(0.0, f64::max);
    known.insert("gpu_busy".into(), json!(gpu));
    known.insert("first_result_s".into(), json!(overlapped.first_result_s));
}

fn ended<T>(batch: Result<T, gapless::Error>) -> Result<(), gapless::Error> {
    batch.map(drop)
}

/// Takes the run's rows in, and its failures into `known`, also where the run ends early.
fn collect(mut run: Run<PathBuf, Tensors>, known: &mut Map<String, Value>) -> Result<Outcome, Problem> {
    let (mut rows, mut failed) = (BTreeMap::new(), Vec::new());
    let ended = run.by_ref().try_for_each(|batch| {
        let batch = batch?;
        for (position, (_, row)) in batch.positions().iter().zip(batch.rows()) {
            let outputs = [row.view("prob"), row.view("features")];
            rows.insert(position.get(), outputs.iter().flatten().copied().collect());
        }
        failed.extend(batch.failures().iter().map(named));
        Ok::<(), gapless::Error>(())
    });
    known.insert("failed".into(), json!(failed));
    ended?;
    Ok(Outcome { rows, report: run.report(), timeline: run.timeline().ok() })
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

/// The files of a folder, by name; what is no photo is a failure that the report names.
fn given(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let paths =
        files(folder).map_err(|error| format!("--images {}: {error}", crate::terminal::name(folder)))?;
    if paths.is_empty() {
        return Err(format!("--images {}: there is no file", crate::terminal::name(folder)).into());
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
