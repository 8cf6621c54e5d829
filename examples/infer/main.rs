//! Runs any ONNX model on arrays from files, to check it against another runtime or to measure it.
//!
//! ```text
//! cargo run --release --example infer -- MODEL.onnx --input in.npy --output prob=out.npy
//! cargo run --release --example infer -- MODEL.onnx --input in.npy --device software --repeat 20 --json
//! cargo run --release --example infer -- MODEL.onnx --plan
//! ```
//!
//! Each item along the axis of the batch is run on its own, and outputs stand as the model's file has them. Inputs of
//! whole numbers, and scalars, that stand beside others are sizes and thresholds: they are the same for all items,
//! unless they have the same batch. Without `--output` the shape, mean and range of every output are printed.

#[path = "../common/arguments.rs"]
mod arguments;
mod arrays;
#[path = "../common/device.rs"]
mod device;
mod figures;
mod given;
mod options;
#[path = "../common/terminal.rs"]
mod terminal;
#[path = "../common/variants.rs"]
mod variants;

use std::process::ExitCode;

use arrays::Values;
use gapless::file::NewFile;
use gapless::onnx::{BatchLayout, Input, Model};
use gapless::{Cause, GpuStage, Pipeline, Program};
use ndarray::ArrayD;
use options::Options;
use terminal::{Problem, complain, print};

fn main() -> ExitCode {
    terminal::exit("infer", run())
}

/// What a program takes for one item: an array an input.
type Item = Vec<ArrayD<f32>>;

fn run() -> Result<(), Problem> {
    let Some(options) = options::parse()? else { return Ok(()) };
    let gpu = device::open(options.device.as_deref())?;
    let model = given::said(Model::read(&options.model)?, &options);
    let inputs = given::given(&options, &model)?;
    let model = given::fixed(model, &options, &inputs)?;
    let (net, layout) = model.program_with_layout(&gpu)?;
    let net = options.variants.apply(net);
    let names: Vec<String> = net.outputs().map(|(name, _)| name.to_owned()).collect();
    let files = options.files(&names)?;
    if inputs.is_empty() && (!options.plan || options.json) {
        return Err("no --input was given; --help lists the options".into());
    }
    let items = if inputs.is_empty() { None } else { Some(items(&layout, &model, &inputs)?) };
    if options.plan {
        let plan = plan(net.on(&gpu), options.batch_size)?;
        if options.json { complain(&plan) } else { print(&plan)? }
    }
    match items {
        Some(items) => run_all(&options, net, (&layout, files), items),
        None => Ok(()),
    }
}

/// The plan with the variants that run: which is the fastest here is known once a program was opened.
fn plan(mut net: Program, batch_size: usize) -> Result<String, Problem> {
    GpuStage::<Item>::open(&mut net, batch_size).map_err(|cause| cause.to_string())?;
    Ok(net.plan(batch_size)?.to_string())
}

fn run_all(
    options: &Options,
    net: Program,
    (layout, files): (&BatchLayout, Vec<(String, NewFile)>),
    items: Vec<Item>,
) -> Result<(), Problem> {
    if let Some(repeat) = options.repeat {
        let gpu = net.gpu().clone();
        let figures = figures::measure(&gpu, net.on(&gpu), &items, options.batch_size, repeat)?;
        print(&if options.json { figures.to_json(&options.model).to_string() } else { figures.to_string() })?;
    }
    let outputs = outputs(net, layout, items, options.batch_size)?;
    for (name, file) in files {
        let (_, values) = outputs.iter().find(|(known, _)| *known == name).expect("it was checked");
        arrays::write(file, values)?;
    }
    if options.outputs.is_empty() && !options.json {
        outputs.iter().try_for_each(|(name, values)| print(&arrays::describe(name, values)))?;
    }
    Ok(())
}

/// Splits the arrays along their batch axis; those without one are whole in every item.
fn items(layout: &BatchLayout, model: &Model, inputs: &[(Input, Values)]) -> Result<Vec<Item>, Problem> {
    let mut arrays: Vec<(Vec<ArrayD<f32>>, bool)> = Vec::new();
    for wanted in model.inputs() {
        let name = &wanted.name;
        let (_, values) = inputs
            .iter()
            .find(|(input, _)| input.name == *name)
            .ok_or_else(|| format!("the input {name} is missing: --input {name}=FILE"))?;
        let values = values.to_floats().map_err(|problem| format!("--input {name}: {problem}"))?;
        arrays.push((layout.split(name, &values)?, layout.batch_axis(name).is_some()));
    }
    let mut lengths: Vec<usize> =
        arrays.iter().filter(|(_, batch)| *batch).map(|(parts, _)| parts.len()).collect();
    lengths.dedup();
    let count = match lengths[..] {
        [] => 1,
        [count] => count,
        _ => return Err(format!("the inputs have {lengths:?} items; as many in each would fit").into()),
    };
    let item = |index: usize| {
        let part = |(parts, batch): &(Vec<ArrayD<f32>>, bool)| parts[if *batch { index } else { 0 }].clone();
        arrays.iter().map(part).collect()
    };
    Ok((0..count).map(item).collect())
}

/// What the model gives for all items, by the name of the output.
fn outputs(
    net: Program,
    layout: &BatchLayout,
    items: Vec<Item>,
    batch_size: usize,
) -> Result<Vec<(String, ArrayD<f32>)>, Problem> {
    let names: Vec<String> = net.outputs().map(|(name, _)| name.to_owned()).collect();
    let prepare = |item: &mut Item| Ok::<_, Cause>(std::mem::take(item));
    let mut parts: Vec<Vec<ArrayD<f32>>> = vec![Vec::new(); names.len()];
    for batch in Pipeline::new(prepare, net).batch_size(batch_size).run(items) {
        let batch = batch?;
        let tensors = batch.output().ok_or("a batch has no output")?;
        parts.iter_mut().zip(tensors.iter()).for_each(|(parts, (_, values))| parts.push(values.clone()));
    }
    let joined = names.into_iter().zip(parts).map(|(name, parts)| {
        let rows: Vec<_> = parts.iter().flat_map(|part| part.outer_iter()).collect();
        let whole = layout.join(&name, &rows)?;
        Ok((name, whole))
    });
    joined.collect()
}
