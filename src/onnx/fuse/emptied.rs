//! `Where(IsNaN(p), 0, p)` behind a softmax `p`, as exporters write it for rows that a mask leaves nothing of. Where the
//! mask cannot do that there is no such row, and the values stay as they are.

use std::collections::HashMap;

use crate::onnx::attributes::Attributes;
use crate::onnx::graph::Graph;
use crate::onnx::node::Node;
use crate::onnx::tensor::Tensor;

/// Drops the choice where no row can be empty.
pub(super) fn fuse(graph: &mut Graph) {
    let givers: HashMap<&str, &Node> = graph
        .nodes
        .iter()
        .filter_map(|node| Some((node.outputs.first()?.as_str(), node)))
        .filter(|(_, node)| node.opset.is_some())
        .collect();
    let giver = |name: &String| givers.get(name.as_str()).copied();
    let dropped = |node: &Node| {
        let ("Where", [flag, zero, p]) = (&node.operator[..], &node.inputs[..]) else { return false };
        let asks = giver(flag).is_some_and(|flag| flag.operator == "IsNaN" && flag.inputs.first() == Some(p));
        let is_zero =
            graph.constants.get(zero).is_some_and(|zero| zero.to_f32().iter().all(|value| *value == 0.0));
        let rows = giver(p).filter(|softmax| softmax.operator == "Softmax");
        asks && is_zero && rows.is_some_and(|softmax| !may_be_emptied(graph, softmax, &giver))
    };
    let places: Vec<usize> = (0..graph.nodes.len()).filter(|&place| dropped(&graph.nodes[place])).collect();
    for place in places {
        let node = &mut graph.nodes[place];
        node.operator = "Identity".into();
        node.inputs = vec![node.inputs[2].clone()];
        node.attributes = Attributes::default();
    }
}

/// Whether what a softmax reads may be minus infinity in a whole row.
fn may_be_emptied<'a>(graph: &Graph, softmax: &Node, giver: &impl Fn(&String) -> Option<&'a Node>) -> bool {
    let axis = softmax.attributes.int("axis").ok().flatten().unwrap_or(-1);
    let Some(scores) = softmax.inputs.first().and_then(giver) else { return true };
    match &scores.operator[..] {
        // Finite factors make finite scores; what overflows is no row of a mask.
        "MatMul" | "Gemm" | "Mul" | "Div" => false,
        "Add" if axis == -1 => {
            let masks: Vec<&Tensor> = scores
                .inputs
                .iter()
                .filter_map(|name| graph.constants.get(name).map(|mask| &**mask))
                .collect();
            masks.len() != 1 || !masks.iter().all(|mask| leaves_something(mask))
        }
        _ => true,
    }
}

/// Whether every row of a mask that is added has a number.
fn leaves_something(mask: &Tensor) -> bool {
    let Some(&length) = mask.shape().last().filter(|length| **length > 0) else { return false };
    let values: Vec<f32> = mask.to_f32().iter().copied().collect();
    values.chunks(length).all(|row| row.iter().any(|value| value.is_finite()))
}
