//! A real network on real photos: what is on them, and where the time went.
//!
//! ```text
//! cargo run --release --example classify -- photos/*.jpg
//! cargo run --release --example classify -- --device software --json photos/*.jpg
//! cargo run --release --example classify -- --model resnet.onnx --labels labels.txt \
//!     --mean 123.7,116.3,103.5 --std 58.4,57.1,57.4 photos/*.jpg
//! ```
//!
//! Without `--model` it is EfficientNet-Lite0, which lies in `models/` of the repository. A line a photo with
//! the three most probable labels, in the order of the command line, then the report; with `--json` an object a
//! photo on stdout, and the report on stderr. A photo that cannot be done is named on stderr and the others are
//! done; the exit status is 0 when any was.

#[path = "../common/arguments.rs"]
mod arguments;
#[path = "../common/failure.rs"]
mod failure;
mod options;
#[path = "../common/repository.rs"]
mod repository;
#[path = "../common/terminal.rs"]
mod terminal;

use std::path::Path;
use std::process::ExitCode;

use gapless::image::{Filter, Loader};
use gapless::onnx::{Dim, Model};
use gapless::{Auto, Gpu, OnFailure, Pipeline, Program, WorkerCount};
use options::Options;
use serde_json::json;
use terminal::{Problem, complain, print};

fn main() -> ExitCode {
    terminal::exit("classify", run())
}

fn run() -> Result<(), Problem> {
    let Some(options) = options::parse()? else { return Ok(()) };
    let labels = labels(&options.labels)?;
    let (net, [height, width]) = network(&options)?;
    let (output, classes) = classes(&net)?;
    if labels.len() != classes {
        let (path, labels) = (terminal::name(&options.labels), labels.len());
        return Err(
            format!("--labels {path}: it has {labels} labels, and the model {classes} classes").into()
        );
    }
    let loader = Loader::rgb8(width, height).center_crop(options.crop).filter(Filter::Bicubic);
    let mut run = Pipeline::new(loader, net)
        .batch_size(options.batch_size)
        .workers(options.workers.map_or(WorkerCount::from(Auto), WorkerCount::from))
        .on_failure(OnFailure::Skip)
        .trace(options.trace.is_some())
        .run(options.photos.clone());
    let mut done = 0;
    for batch in run.by_ref() {
        let batch = batch?;
        for (photo, row) in batch.rows() {
            say(&options, photo, &top(&row[&output], &labels))?;
            done += 1;
        }
        batch.failures().iter().for_each(|failure| complain(&failure::named(failure)));
    }
    if let Some(path) = &options.trace {
        run.trace(path)?;
    }
    let report = run.report();
    if options.json {
        complain(&report.to_string());
    } else {
        print(&format!("\n{report}"))?;
    }
    if done == 0 {
        Err(format!("none of {} photos could be done", options.photos.len()).into())
    } else {
        Ok(())
    }
}

/// The model with its pixels normalised, and the height and width that it takes.
fn network(options: &Options) -> Result<(Program, [u32; 2]), Problem> {
    let gpu = options.device.as_deref().map_or_else(Gpu::best, Gpu::named)?;
    let mut model = Model::read(&options.model)?;
    let input = model.inputs().next().ok_or("the model has no input")?.clone();
    if let Some(side) = options.size {
        model = model.input_shape(&input.name, &[1, 3, side as usize, side as usize]);
    } else if input.dims.len() == 4 && !input.dims[1..].iter().all(|axis| matches!(axis, Dim::Fixed(_))) {
        return Err(format!("the model does not say how large a photo is: {input}; --size N does").into());
    }
    let net = model.program(&gpu)?;
    let shape = net.inputs().next().map(|(_, spec)| spec.shape.clone()).unwrap_or_default();
    let [3, height, width] = shape[..] else {
        return Err(format!("the model takes {shape:?} and no photo [3, height, width]").into());
    };
    let net = net.normalize(options.mean, options.std);
    Ok((net, [u32::try_from(height)?, u32::try_from(width)?]))
}

/// The output that has a score for each class, and how many there are.
fn classes(net: &Program) -> Result<(String, usize), Problem> {
    let output = net.outputs().find(|(name, _)| *name == "prob").or_else(|| net.outputs().next());
    let (name, spec) = output.ok_or("the model has no output")?;
    match spec.shape[..] {
        [classes] => Ok((name.to_owned(), classes)),
        _ => Err(format!(
            "the model is no classifier: it gives {name} {:?}, and [classes] would fit",
            spec.shape
        )
        .into()),
    }
}

/// A label with its index and probability.
struct Guess<'a> {
    label: &'a str,
    index: usize,
    probability: f32,
}

/// The three most probable labels, the most probable first.
fn top<'a>(scores: &[f32], labels: &'a [String]) -> Vec<Guess<'a>> {
    let shares = shares(scores);
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by(|&a, &b| shares[b].total_cmp(&shares[a]));
    let guess = |index: usize| Guess { label: &labels[index], index, probability: shares[index] };
    order.into_iter().take(3).map(guess).collect()
}

/// Scores as they are where they are shares of one, else their softmax: many models end before it.
fn shares(scores: &[f32]) -> Vec<f32> {
    let sum: f32 = scores.iter().sum();
    if scores.iter().all(|score| (0.0..=1.0).contains(score)) && (sum - 1.0).abs() < 1e-3 {
        return scores.to_vec();
    }
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = scores.iter().map(|score| (score - largest).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}

fn say(options: &Options, photo: &Path, top: &[Guess<'_>]) -> std::io::Result<()> {
    if options.json {
        let object = |Guess { label, index, probability }: &Guess<'_>| json!({"label": label, "index": index, "probability": probability});
        let top: Vec<_> = top.iter().map(object).collect();
        return print(&json!({"path": photo.to_string_lossy(), "top": top}).to_string());
    }
    let guess =
        |Guess { label, probability, .. }: &Guess<'_>| format!("{label} {:.1} %", probability * 100.0);
    let guesses: Vec<String> = top.iter().map(guess).collect();
    print(&format!("{:<24} {}", terminal::name(photo), guesses.join(", ")))
}

fn labels(path: &Path) -> Result<Vec<String>, Problem> {
    let text = gapless::file::read(path, 1 << 24).map_err(|cause| format!("--labels {cause}"))?;
    let text =
        String::from_utf8(text).map_err(|error| format!("--labels {}: {error}", terminal::name(path)))?;
    Ok(text.trim_end().lines().map(|line| line.trim().to_owned()).collect())
}
