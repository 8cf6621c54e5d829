//! ONNX's own cases of one operator each, on the twins and on a device.
//!
//! `tests/fixtures/onnx/expectations.txt` says of every case whether it passes, and why it does not.

use std::collections::BTreeMap;
use std::io::Read;
use std::time::Duration;

use flate2::read::GzDecoder;
use gapless::onnx::Model;
use gapless::onnx::proto::ModelProto;
use gapless::{Gpu, GpuStage, Program, Tensors};
use ndarray::{ArrayD, Axis};
use prost::Message;

use crate::common::device;
use crate::data::Data;
use crate::make::as_floats;

const CASES: &[u8] = include_bytes!("../fixtures/onnx/node-cases.tar.gz");
const EXPECTATIONS: &str = include_str!("../fixtures/onnx/expectations.txt");

/// Cases that have to pass, so that nobody empties the list of expectations.
const AT_LEAST: usize = 500;

/// One case: the model, and its inputs and outputs in order.
#[derive(Default)]
struct Case {
    model: Vec<u8>,
    inputs: BTreeMap<usize, Vec<u8>>,
    outputs: BTreeMap<usize, Vec<u8>>,
}

/// All cases by name.
fn cases() -> BTreeMap<String, Case> {
    let mut cases: BTreeMap<String, Case> = BTreeMap::new();
    let mut archive = tar::Archive::new(GzDecoder::new(CASES));
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_string_lossy().into_owned();
        let mut parts =
            path.split('/').filter(|part| part.starts_with("test_") && *part != "test_data_set_0");
        let (Some(name), Some(file)) = (parts.next(), path.rsplit('/').next()) else { continue };
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let number = |kind: &str| file.strip_prefix(kind)?.strip_suffix(".pb")?.parse::<usize>().ok();
        let case = cases.entry(name.into()).or_default();
        if file == "model.onnx" {
            case.model = bytes;
        } else if let Some(index) = number("input_") {
            case.inputs.insert(index, bytes);
        } else if let Some(index) = number("output_") {
            case.outputs.insert(index, bytes);
        }
    }
    cases
}

/// Inputs of an operator that are known at load: parameters of its node, and weights.
fn is_bound(operator: &str, input: usize) -> bool {
    match operator {
        "Reshape"
        | "Squeeze"
        | "Unsqueeze"
        | "Slice"
        | "Split"
        | "Pad"
        | "Resize"
        | "TopK"
        | "Expand"
        | "Clip"
        | "Tile"
        | "Dropout"
        | "Conv"
        | "ConvTranspose"
        | "BatchNormalization"
        | "InstanceNormalization"
        | "GroupNormalization"
        | "LayerNormalization"
        | "CumSum"
        | "Trilu"
        | "OneHot"
        | "Col2Im"
        | "ConvInteger"
        | "QLinearConv"
        | "QLinearMatMul"
        | "QuantizeLinear"
        | "DequantizeLinear" => input > 0,
        "ScatterND" | "ScatterElements" => input == 1,
        operator => operator.starts_with("Reduce") && input > 0,
    }
}

/// Runs a case; says what is wrong with its outputs.
fn run(gpu: &Gpu, case: &Case) -> Result<(), String> {
    let proto = ModelProto::decode(case.model.as_slice()).map_err(|error| error.to_string())?;
    let graph = proto.graph.ok_or("no graph")?;
    let node = graph.node.first().ok_or("no node")?;
    let operator = node.op_type.clone().unwrap_or_default();
    let mut model = Model::from_bytes(&case.model).map_err(|error| error.to_string())?;
    let mut inputs = Vec::new();
    for (info, bytes) in graph.input.iter().zip(case.inputs.values()) {
        let (name, data) = (info.name.clone().unwrap_or_default(), Data::decode(bytes)?);
        let place = node.input.iter().position(|input| *input == name);
        if place.is_some_and(|place| is_bound(&operator, place)) {
            model = match data {
                Data::Floats(array) => model.bind(&name, array),
                Data::Ints(array) => model.bind(&name, array),
                Data::Flags(array) => model.bind(&name, array),
            };
        } else {
            inputs.push(data.floats());
        }
    }
    let mut program = model.program(gpu).map_err(|error| error.to_string())?;
    let batch = inputs.iter().all(|input| input.ndim() >= 2 && input.len_of(Axis(0)) == 1);
    let item = |input: ArrayD<f32>| if batch { input.index_axis_move(Axis(0), 0) } else { input };
    let tensors = submit(&mut program, inputs.into_iter().map(item).collect())?;
    for (info, bytes) in graph.output.iter().zip(case.outputs.values()) {
        let name = info.name.clone().unwrap_or_default();
        compare(&tensors, &name, &Data::decode(bytes)?, batch)?;
    }
    Ok(())
}

fn submit(program: &mut Program, item: Vec<ArrayD<f32>>) -> Result<Tensors, String> {
    GpuStage::<Vec<ArrayD<f32>>>::open(program, 1).map_err(|cause| cause.to_string())?;
    let mut ticket = program.submit(&[item]).map_err(|error| error.cause().to_string())?;
    let minute = Duration::from_secs(60);
    let tensors = GpuStage::<Vec<ArrayD<f32>>>::try_collect(program, &mut ticket, minute);
    tensors.map_err(|error| error.cause().to_string())?.ok_or_else(|| "not done within a minute".into())
}

/// With the tolerance of ONNX's own backend tests; whole numbers and flags exactly.
fn compare(tensors: &Tensors, name: &str, wanted: &Data, batch: bool) -> Result<(), String> {
    let given = as_floats(tensors, name);
    let given = given.index_axis(Axis(0), 0);
    let values = wanted.floats();
    let item =
        if batch && values.shape().first() == Some(&1) { &values.shape()[1..] } else { values.shape() };
    if given.shape() != item {
        return Err(format!("{name} has the shape {:?}, not {item:?}", given.shape()));
    }
    let exact = !matches!(wanted, Data::Floats(_));
    let near = |given: f32, wanted: f32| {
        let close = (given - wanted).abs() <= 1e-5 + 1e-3 * wanted.abs();
        given == wanted || (given.is_nan() && wanted.is_nan()) || (close && !exact)
    };
    let mut pairs = given.iter().zip(&values).enumerate();
    match pairs.find(|(_, (given, wanted))| !near(**given, **wanted)) {
        Some((place, (given, wanted))) => Err(format!("{name} has {given} at {place}, not {wanted}")),
        None => Ok(()),
    }
}

/// The lines of the list that are not as they are.
fn check(gpu: &Gpu) {
    let expectations: BTreeMap<&str, &str> = EXPECTATIONS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .collect();
    let cases = cases();
    let mut wrong = Vec::new();
    for (name, case) in &cases {
        let expected = expectations.get(name.as_str()).copied();
        match (expected, run(gpu, case)) {
            (Some("pass"), Ok(())) => {}
            (Some(expected), Err(_)) if expected.starts_with("skip ") => {}
            (_, Ok(())) => wrong.push(format!("{name} pass")),
            (_, Err(error)) => wrong.push(format!("{name} skip {error}")),
        }
    }
    assert!(wrong.is_empty(), "expected otherwise:\n{}", wrong.join("\n"));
    let passed = expectations.values().filter(|expected| **expected == "pass").count();
    let unknown: Vec<_> = expectations.keys().filter(|name| !cases.contains_key(**name)).collect();
    assert!(unknown.is_empty(), "there are no such cases: {unknown:?}");
    assert!(passed >= AT_LEAST, "{passed} cases pass; {AT_LEAST} have to");
}

#[test]
fn the_twins_give_what_onnx_gives() {
    check(&Gpu::cpu());
}

#[test]
fn a_device_gives_what_onnx_gives() {
    let Some(gpu) = device() else { return };
    check(&gpu);
}
