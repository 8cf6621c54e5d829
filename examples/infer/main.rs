//! Runs any ONNX model on arrays from files, to check it against another runtime or to measure it.
//!
//! ```text
//! cargo run --release --example infer -- MODEL.onnx --input in.npy --output prob=out.npy
//! cargo run --release --example infer -- MODEL.onnx --input in.npy --device software --repeat 20 --json
//! cargo run --release --example infer -- MODEL.onnx --plan
//! ```
//!
//! The first axis of an input is the batch where the model has one: each item along it is run on its own. Inputs
//! of whole numbers, and scalars, that stand beside others are sizes and thresholds: they are the same for all
//! items. Without `--output` the shape, mean and range of every output are printed.

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
use gapless::onnx::{Input, Model};
use gapless::{Cause, GpuStage, Pipeline, Program};
use ndarray::{ArrayD, Axis, concatenate};
use options::Options;
use terminal::{Problem, complain, print};

fn main() -> ExitCode {
    terminal::exit("infer", run())
}

/// What a program takes for one item: an array an input.
type Item = Vec<ArrayD<f32>>;

/// The items of a run, and whether they stood along a batch axis in the files.
struct Items {
    items: Vec<Item>,
    batch: bool,
}

fn run() -> Result<(), Problem> {
    let Some(options) = options::parse()? else { return Ok(()) };
    let gpu = device::open(options.device.as_deref())?;
    let model = Model::read(&options.model)?;
    let inputs = given::given(&options, &model)?;
    let model = given::fixed(model, &inputs);
    let net = options.variants.apply(model.program(&gpu)?);
    let names: Vec<String> = net.outputs().map(|(name, _)| name.to_owned()).collect();
    let files = options.files(&names)?;
    if inputs.is_empty() && (!options.plan || options.json) {
        return Err("no --input was given; --help lists the options".into());
    }
    let items = if inputs.is_empty() { None } else { Some(items(&net, &model, inputs)?) };
    if options.plan {
        let plan = plan(net.on(&gpu), options.batch_size)?;
        if options.json { complain(&plan) } else { print(&plan)? }
    }
    match items {
        Some(items) => run_all(&options, net, (&names, files), items),
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
    (names, files): (&[String], Vec<(String, NewFile)>),
    items: Items,
) -> Result<(), Problem> {
    if let Some(repeat) = options.repeat {
        let gpu = net.gpu().clone();
        let figures = figures::measure(&gpu, net.on(&gpu), &items.items, options.batch_size, repeat)?;
        print(&if options.json { figures.to_json(&options.model).to_string() } else { figures.to_string() })?;
    }
    let outputs = outputs(net, names, items, options.batch_size)?;
    for (name, file) in files {
        let (_, values) = outputs.iter().find(|(known, _)| *known == name).expect("it was checked");
        arrays::write(file, values)?;
    }
    if options.outputs.is_empty() && !options.json {
        outputs.iter().try_for_each(|(name, values)| print(&arrays::describe(name, values)))?;
    }
    Ok(())
}

/// Splits the arrays along their batch axis, where they have one more than the program's inputs.
fn items(net: &Program, model: &Model, inputs: Vec<(Input, Values)>) -> Result<Items, Problem> {
    let wanted: Vec<&str> = model.inputs().map(|input| &input.name[..]).collect();
    let mut arrays: Vec<(ArrayD<f32>, bool)> = Vec::new();
    for (name, (_, spec)) in wanted.iter().zip(net.inputs()) {
        let (_, values) = inputs
            .iter()
            .find(|(input, _)| input.name == *name)
            .ok_or_else(|| format!("the input {name} is missing: --input {name}=FILE"))?;
        let values = values.to_floats();
        let batch = values.shape() != &spec.shape[..];
        if batch && values.shape().get(1..) != Some(&spec.shape[..]) {
            let (given, shape) = (values.shape(), &spec.shape);
            return Err(
                format!("--input {name}: it is {given:?}; {shape:?} or [n] before that would fit").into()
            );
        }
        arrays.push((values, batch));
    }
    let batch = arrays.iter().any(|(_, batch)| *batch);
    let mut lengths: Vec<usize> =
        arrays.iter().map(|(array, batch)| if *batch { array.shape()[0] } else { 1 }).collect();
    lengths.dedup();
    let [count] = lengths[..] else {
        return Err(format!("the inputs have {lengths:?} items; as many in each would fit").into());
    };
    let part = |(array, batch): &(ArrayD<f32>, bool), index| {
        if *batch { array.index_axis(Axis(0), index).to_owned() } else { array.clone() }
    };
    let item = |index| arrays.iter().map(|array| part(array, index)).collect();
    Ok(Items { items: (0..count).map(item).collect(), batch })
}

/// What the model gives for all items, by the name of the output.
fn outputs(
    net: Program,
    names: &[String],
    items: Items,
    batch_size: usize,
) -> Result<Vec<(String, ArrayD<f32>)>, Problem> {
    let prepare = |item: &mut Item| Ok::<_, Cause>(std::mem::take(item));
    let mut parts: Vec<Vec<ArrayD<f32>>> = vec![Vec::new(); names.len()];
    for batch in Pipeline::new(prepare, net).batch_size(batch_size).run(items.items) {
        let batch = batch?;
        let tensors = batch.output().ok_or("a batch has no output")?;
        parts.iter_mut().zip(tensors.iter()).for_each(|(parts, (_, values))| parts.push(values.clone()));
    }
    let joined = names.iter().zip(parts).map(|(name, parts)| {
        let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
        let whole = concatenate(Axis(0), &views)?;
        Ok((name.clone(), if items.batch { whole } else { whole.index_axis_move(Axis(0), 0) }))
    });
    joined.collect()
}
