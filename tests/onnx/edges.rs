//! The table of edges in the documentation, row by row, on the twins and on the device.

use gapless::Gpu;
use gapless::onnx::proto::AttributeProto;
use ndarray::{ArrayD, IxDyn};

use crate::common::device;
use crate::make::{Parts, as_floats, input, int, list, run};

const TABLE: &str = include_str!("../../src/onnx/edges.md");
const NAN: f32 = f32::NAN;
const LARGE: f32 = 16_777_216.0;

/// What a row of the table says, as a model that shows it.
struct Edge {
    row: &'static str,
    model: Parts,
    items: Vec<Vec<f32>>,
    /// `None` where the model is refused.
    wanted: Option<Vec<f32>>,
}

fn edge(row: &'static str, model: Parts, items: &[&[f32]], wanted: impl Into<Option<Vec<f32>>>) -> Edge {
    Edge { row, model, items: items.iter().map(|item| item.to_vec()).collect(), wanted: wanted.into() }
}

/// A model over rows of three values of this type.
fn over(types: &[i32], nodes: &[(&str, Vec<AttributeProto>)]) -> Parts {
    let names = ["x", "z"];
    let parts = Parts::new(17).ints("one", &[1]).ints("zero", &[0]).ints("two", &[2]);
    let parts = Parts {
        inputs: types.iter().zip(names).map(|(&kind, name)| input(name, "1 3", kind)).collect(),
        ..parts
    };
    nodes.iter().fold(parts, |parts, (text, attributes)| parts.node(text, attributes.clone())).output("y")
}

fn cast(to: i64) -> Parts {
    over(&[1], &[("Cast x -> y", vec![int("to", to)])])
}

/// Bytes in steps of one half.
fn steps() -> Parts {
    let half = ArrayD::from_elem(IxDyn(&[]), 0.5);
    over(&[FLOAT], &[("QuantizeLinear x half -> y", vec![])]).constant("half", &half)
}

/// Numbers of the types of a file.
const FLOAT: i32 = 1;
const U8: i32 = 2;
const WHOLE: i32 = 7;

fn edges() -> Vec<Edge> {
    let two = |node| over(&[WHOLE, WHOLE], &[(node, vec![])]);
    let axis = || vec![int("axis", 1)];
    vec![
        edge("Cast to whole numbers | a fraction", cast(7), &[&[1.9, -1.9, 0.0]], vec![1.0, -1.0, 0.0]),
        edge("Cast to 8 or 16 bits", cast(2), &[&[257.0, -1.0, 7.5]], vec![1.0, 255.0, 7.0]),
        edge("Cast to 8 or 16 bits", cast(3), &[&[128.0, -129.0, 7.0]], vec![-128.0, 127.0, 7.0]),
        edge("Cast to flags", cast(9), &[&[NAN, 0.0, -2.0]], vec![1.0, 0.0, 1.0]),
        edge("QuantizeLinear | a value", steps(), &[&[1.25, -3.0, 1000.0]], vec![2.0, 0.0, 255.0]),
        edge("QuantizeLinear | NaN", steps(), &[&[NAN, 0.75, 0.3]], vec![NAN, 2.0, 1.0]),
        edge(
            "Cast to f16, bf16",
            cast(10),
            &[&[1.0 + 1.0 / 2048.0, 70_000.0, 0.1]],
            vec![1.0, f32::INFINITY, 0.099_975_586],
        ),
        edge("QuantizeLinear | a value", steps(), &[&[1.25, -3.0, 1000.0]], vec![2.0, 0.0, 255.0]),
        edge("QuantizeLinear | NaN", steps(), &[&[NAN, 0.75, 0.3]], vec![NAN, 2.0, 1.0]),
        edge(
            "Cast to f16, bf16",
            cast(16),
            &[&[1.0 + 1.0 / 256.0, 0.1, -3.0]],
            vec![1.0, 0.100_097_656, -3.0],
        ),
        edge(
            "Div of whole numbers | a rest",
            two("Div x z -> y"),
            &[&[7.0, -7.0, 9.0], &[2.0, 2.0, 3.0]],
            vec![3.0, -3.0, 3.0],
        ),
        edge(
            "Div of whole numbers | by 0",
            two("Div x z -> y"),
            &[&[7.0, 0.0, 9.0], &[0.0, 0.0, 3.0]],
            vec![NAN, NAN, 3.0],
        ),
        edge(
            "ReduceMean of whole numbers",
            over(&[WHOLE], &[("ReduceMean x -> y", vec![list("axes", &[1])])]),
            &[&[3.0, 3.0, 1.0]],
            vec![2.0],
        ),
        edge(
            "Add, Sub, Mul, ReduceSum",
            two("Mul x z -> y"),
            &[&[65_536.0, 65_536.0, -1.0], &[32_768.0, 16_384.0, 5.0]],
            vec![NAN, 1_073_741_824.0, -5.0],
        ),
        edge(
            "Add, Sub, Mul, ReduceSum",
            over(&[WHOLE], &[("ReduceSum x one -> y", vec![])]),
            &[&[1.5e9, 1.5e9, 0.0]],
            vec![NAN],
        ),
        edge("Cast to whole numbers | NaN", cast(7), &[&[NAN, -3e9, 2e9]], vec![NAN, NAN, 2e9]),
        edge(
            "Add of 8 bits",
            over(&[U8, U8], &[("Add x z -> y", vec![])]),
            &[&[200.0, 1.0, 0.0], &[100.0, 1.0, 255.0]],
            vec![44.0, 2.0, 255.0],
        ),
        edge(
            "Equal, Less, …",
            over(&[WHOLE, WHOLE], &[("Add x one -> s", vec![]), ("Equal s z -> y", vec![])]),
            &[&[LARGE, LARGE - 1.0, 3.0], &[LARGE, LARGE, 4.0]],
            vec![0.0, 1.0, 1.0],
        ),
        edge("ArgMax, TopK", over(&[FLOAT], &[("ArgMax x -> y", axis())]), &[&[1.0, NAN, 3.0]], vec![NAN]),
        edge(
            "ArgMax, TopK",
            over(&[FLOAT], &[("TopK x two -> y", axis())]),
            &[&[1.0, NAN, 3.0]],
            vec![NAN, NAN],
        ),
        edge(
            "Gather | an index",
            over(&[FLOAT, WHOLE], &[("Gather x z -> y", axis())]),
            &[&[1.0, 2.0, 3.0], &[0.0, 9.0, -1.0]],
            vec![1.0, NAN, 3.0],
        ),
        edge(
            "Gather | an index",
            over(&[FLOAT], &[("Gather x three -> y", axis())]).ints("three", &[3]),
            &[],
            None,
        ),
        edge(
            "GlobalMaxPool, MaxPool, ReduceMax",
            over(&[FLOAT], &[("Unsqueeze x one -> plane", vec![]), ("GlobalMaxPool plane -> y", vec![])]),
            &[&[1.0, NAN, 3.0]],
            vec![NAN],
        ),
        edge(
            "GlobalMaxPool, MaxPool, ReduceMax",
            over(&[FLOAT], &[("ReduceMax x -> y", vec![list("axes", &[1])])]),
            &[&[1.0, NAN, 3.0]],
            vec![NAN],
        ),
        edge(
            "MaxPool with indices",
            Parts::new(17)
                .input("x", "n 1 4")
                .node("MaxPool x -> m y", vec![list("kernel_shape", &[2])])
                .output("y"),
            &[],
            None,
        ),
        edge(
            "ThresholdedRelu",
            over(&[FLOAT], &[("ThresholdedRelu x -> y", vec![])]),
            &[&[NAN, 0.5, 2.0]],
            vec![0.0, 0.0, 2.0],
        ),
        edge(
            "IsNaN",
            over(&[FLOAT], &[("IsNaN x -> y", vec![])]),
            &[&[NAN, f32::INFINITY, 0.0]],
            vec![1.0, 0.0, 0.0],
        ),
        edge(
            "Softmax",
            over(&[FLOAT], &[("Softmax x -> y", axis())]),
            &[&[f32::NEG_INFINITY; 3]],
            vec![NAN; 3],
        ),
        edge(
            "Slice, then Concat",
            over(&[FLOAT], &[("Slice x two two one -> none", vec![]), ("Concat none x -> y", axis())]),
            &[&[1.0, 2.0, 3.0]],
            vec![1.0, 2.0, 3.0],
        ),
    ]
}

fn same(given: &[f32], wanted: &[f32]) -> bool {
    given.len() == wanted.len() && given.iter().zip(wanted).all(|(a, b)| a == b || (a.is_nan() && b.is_nan()))
}

fn check(gpu: &Gpu) {
    for edge in edges() {
        let program = edge.model.model().program(gpu);
        let Some(wanted) = edge.wanted else {
            assert!(program.is_err(), "{} is not refused", edge.row);
            continue;
        };
        let item = |values: Vec<f32>| ArrayD::from_shape_vec(IxDyn(&[values.len()]), values).expect("a row");
        let items: Vec<ArrayD<f32>> = edge.items.into_iter().map(item).collect();
        let given = run(&mut program.expect(edge.row), &[items]);
        let given: Vec<f32> = as_floats(&given, "y").iter().copied().collect();
        assert!(same(&given, &wanted), "{}: {given:?}, and {wanted:?} is right", edge.row);
    }
}

#[test]
fn every_edge_is_on_the_twins_what_the_table_says() {
    check(&Gpu::cpu());
}

#[test]
fn every_edge_is_on_the_device_what_the_table_says() {
    let Some(gpu) = device() else { return };
    check(&gpu);
}

#[test]
fn every_row_of_the_table_is_tried_and_every_edge_has_its_row() {
    let rows: Vec<&str> = TABLE.lines().filter_map(|line| line.strip_prefix("| ")).skip(1).collect();
    let edges = edges();
    for row in &rows {
        assert!(edges.iter().any(|edge| row.starts_with(edge.row)), "{row} is not tried");
    }
    for edge in &edges {
        assert!(rows.iter().any(|row| row.starts_with(edge.row)), "{} is in no row", edge.row);
    }
}
