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

use arrays::{Array, Arrays, Values};
use gapless::file::NewFile;
use gapless::kernel::Element;
use gapless::onnx::{BatchLayout, Input, Model};
use gapless::{Cause, GpuStage, Pipeline, Program};
use options::Options;
use terminal::{Problem, complain, print};

fn main() -> ExitCode {
    terminal::exit("infer", run())
}

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
    let items = if inputs.is_empty() { None } else { Some(items(&layout, &net, &inputs)?) };
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
    GpuStage::<Arrays>::open(&mut net, batch_size).map_err(|cause| cause.to_string())?;
    Ok(net.plan(batch_size)?.to_string())
}

fn run_all(
    options: &Options,
    net: Program,
    (layout, files): (&BatchLayout, Vec<(String, NewFile)>),
    items: Vec<Arrays>,
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
fn items(layout: &BatchLayout, net: &Program, inputs: &[(Input, Values)]) -> Result<Vec<Arrays>, Problem> {
    let mut arrays: Vec<(Vec<Array>, bool)> = Vec::new();
    for (name, spec) in net.inputs() {
        let (_, values) = inputs
            .iter()
            .find(|(input, _)| input.name == *name)
            .ok_or_else(|| format!("the input {name} is missing: --input {name}=FILE"))?;
        let misfit = |problem: Problem| format!("--input {name}: {problem}");
        let parts = if spec.element == Element::I32 {
            layout.split(name, &values.to_ints().map_err(misfit)?)?.into_iter().map(Array::Ints).collect()
        } else {
            layout.split(name, &values.to_floats().map_err(misfit)?)?.into_iter().map(Array::Floats).collect()
        };
        arrays.push((parts, layout.batch_axis(name).is_some()));
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
        let part = |(parts, batch): &(Vec<Array>, bool)| parts[if *batch { index } else { 0 }].clone();
        Arrays(arrays.iter().map(part).collect())
    };
    Ok((0..count).map(item).collect())
}

/// What the model gives for all items, by the name of the output.
fn outputs(
    net: Program,
    layout: &BatchLayout,
    items: Vec<Arrays>,
    batch_size: usize,
) -> Result<Vec<(String, Array)>, Problem> {
    let named: Vec<(String, Element)> =
        net.outputs().map(|(name, spec)| (name.to_owned(), spec.element)).collect();
    let prepare = |item: &mut Arrays| Ok::<_, Cause>(std::mem::take(item));
    let mut batches = Vec::new();
    for batch in Pipeline::new(prepare, net).batch_size(batch_size).run(items) {
        batches.push(batch?);
    }
    let tensors = batches.iter().map(|batch| batch.output().ok_or("a batch has no output"));
    let tensors = tensors.collect::<Result<Vec<_>, _>>()?;
    let joined = named.into_iter().map(|(name, element)| {
        let whole = if element == Element::I32 {
            let parts: Vec<_> = tensors.iter().filter_map(|tensors| tensors.ints(&name)).collect();
            let rows: Vec<_> = parts.iter().flat_map(|part| part.outer_iter()).collect();
            Array::Ints(layout.join(&name, &rows)?)
        } else {
            let rows: Vec<_> = tensors.iter().flat_map(|tensors| tensors[&name[..]].outer_iter()).collect();
            Array::Floats(layout.join(&name, &rows)?)
        };
        Ok((name, whole))
    });
    joined.collect()
}
