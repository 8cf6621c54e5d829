//! Functions and branches of a file: their nodes are run where they are used.

use gapless::onnx::Model;
use gapless::onnx::proto::{
    AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, ValueInfoProto,
};
use gapless::{Error, Gpu};
use ndarray::{ArrayD, IxDyn, array};
use prost::Message;

use crate::make::{Parts, float, node, run, values};

fn own(text: &str) -> NodeProto {
    NodeProto { domain: Some("mine".into()), ..node(text) }
}

/// A leaky function of its first input, and its second added.
fn leaky() -> FunctionProto {
    let slope = AttributeProto { ref_attr_name: Some("slope".into()), ..float("alpha", 0.0) };
    let inner = |text: &str, attribute| NodeProto { attribute, ..node(text) };
    FunctionProto {
        name: Some("Leaky".into()),
        domain: Some("mine".into()),
        input: vec!["a".into(), "b".into()],
        output: vec!["out".into()],
        node: vec![inner("LeakyRelu a -> inside", vec![slope]), inner("Add inside b -> out", vec![])],
        attribute_proto: vec![AttributeProto { f: Some(0.5), ..float("slope", 0.5) }],
        ..FunctionProto::default()
    }
}

fn program(proto: &ModelProto) -> Result<gapless::Program, Error> {
    Model::from_bytes(&proto.encode_to_vec())?.program(&Gpu::cpu())
}

fn refused(proto: &ModelProto) -> String {
    program(proto).expect_err("it is refused").to_string()
}

#[test]
fn a_function_is_its_nodes_with_the_attributes_of_each_use() {
    let mut proto = Parts::new(17).input("x", "n 3").output("y").proto();
    let graph = proto.graph.as_mut().expect("a graph");
    graph.node.push(NodeProto { attribute: vec![float("slope", 2.0)], ..own("Leaky x x -> inside") });
    graph.node.push(own("Leaky inside x -> y"));
    proto.functions = vec![leaky()];
    let x = array![-1.0, 0.0, 3.0].into_dyn();
    let given = run(&mut program(&proto).expect("it is built"), &[vec![x]]);
    // 2x + x = -3 and 6; then -3 / 2 - 1 and 6 + 3.
    assert_eq!(given["y"], array![[-2.5, 0.0, 9.0]].into_dyn());
}

#[test]
fn a_function_that_uses_itself_or_becomes_too_much_is_refused() {
    let mut proto = Parts::new(17).input("x", "n 3").output("y").proto();
    proto.graph.as_mut().expect("a graph").node.push(own("Leaky x x -> y"));
    let mut function = leaky();
    function.node.push(own("Leaky out out -> more"));
    proto.functions = vec![function.clone()];
    assert!(refused(&proto).contains("uses itself"));
    proto.functions = vec![leaky(), leaky()];
    assert!(refused(&proto).contains("two functions"));
    // Each of them uses the next one eight times.
    let name = |place: usize| format!("F{place}");
    proto.graph.as_mut().expect("a graph").node = vec![own("F0 x -> y")];
    proto.functions = (0..12)
        .map(|place| FunctionProto {
            name: Some(name(place)),
            domain: Some("mine".into()),
            input: vec!["a".into()],
            output: vec!["v7".into()],
            node: (0..8).map(|use_| own(&format!("{} a -> v{use_}", name(place + 1)))).collect(),
            ..FunctionProto::default()
        })
        .collect();
    assert!(refused(&proto).contains("too many nodes"));
}

/// A branch that gives one value by one node, with a constant of its own.
fn branch(name: &str, text: &str) -> AttributeProto {
    let output = node(text).output[0].clone();
    let graph = GraphProto {
        node: vec![node(text)],
        initializer: vec![crate::make::floats(&format!("ten-{name}"), &array![10.0].into_dyn())],
        output: vec![ValueInfoProto { name: Some(output), r#type: None }],
        ..GraphProto::default()
    };
    AttributeProto { name: Some(name.into()), g: Some(graph), kind: Some(5), ..AttributeProto::default() }
}

fn branches(condition: &str) -> Parts {
    Parts::new(17)
        .input("x", "n 1 3")
        .ints("three", &[3])
        .ints("axis", &[2])
        .node("Shape x -> s", vec![])
        .node("Gather s axis -> length", vec![])
        .node(condition, vec![])
        .node(
            "If is -> y",
            vec![
                branch("then_branch", "Mul x ten-then_branch -> many"),
                branch("else_branch", "NonMaxSuppression x -> none"),
            ],
        )
        .output("y")
}

#[test]
fn the_branch_is_run_whose_condition_follows_from_shapes_and_the_other_is_not_judged() {
    let x = values(&[1, 3], 1);
    let given = branches("Equal length three -> is").run(std::slice::from_ref(&x));
    assert_eq!(given["y"].index_axis(ndarray::Axis(0), 0), x * 10.0);
    assert!(branches("Less length three -> is").refused().contains("1 × NonMaxSuppression; the first"));
    assert!(branches("IsNaN x -> is").refused().contains("its condition comes with every item"));
}

#[test]
fn what_a_loop_gives_to_its_body_is_not_looked_for_before_it() {
    let mut body = branch("body", "Mul before ten-body -> after");
    let inputs = ["round", "goes", "before"];
    let input = |name: &str| ValueInfoProto { name: Some(name.into()), r#type: None };
    body.g.as_mut().expect("a graph").input = inputs.map(input).to_vec();
    let parts = Parts::new(17).input("x", "n 1 3").ints("rounds", &[4]);
    let refused = parts.node("Loop rounds _ x -> y", vec![body]).output("y").refused();
    assert!(refused.contains("1 × Loop"), "{refused}");
}

#[test]
fn operators_that_index_are_computed_where_all_is_known() {
    let rows = ArrayD::from_shape_fn(IxDyn(&[2, 3]), |at| (3 * at[0] + at[1]) as f32);
    let parts = || {
        Parts::new(17)
            .input("x", "n 1")
            .constant("rows", &rows)
            .ints("places", &[1, 0, 2])
            .ints("pair", &[1, 2])
            .ints("one", &[1])
    };
    let sum_of = |parts: Parts| {
        let parts = parts.node("ReduceSum v -> sum", vec![]).node("Add x sum -> y", vec![]).output("y");
        assert_eq!(parts.kernels(), ["binary"], "all but the sum is computed before");
        parts.run(&[ArrayD::zeros(IxDyn(&[1]))])["y"].sum()
    };
    assert_eq!(sum_of(parts().node("GatherND rows pair -> v", vec![])), 5.0);
    assert_eq!(sum_of(parts().node("Trilu rows -> v", vec![])), 1.0 + 2.0 + 4.0 + 5.0);
    let taken = parts().node("Unsqueeze places one -> p", vec![]).node("GatherND rows p -> v", vec![]);
    assert!(taken.output("v").refused().contains("an index"), "an index beyond the axis is an error");
}
