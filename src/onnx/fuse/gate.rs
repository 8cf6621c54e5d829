//! `x · sigmoid(x)` and `x · HardSigmoid(x)` become one node, as they are written in newer opsets.

use std::collections::HashMap;

use super::reads;
use crate::onnx::attributes::Attributes;
use crate::onnx::graph::{Graph, Node};

/// Rewrites every gate of which nothing else reads a part.
pub(super) fn fuse(graph: &mut Graph) {
    let reads = reads(graph);
    let givers: HashMap<String, usize> = graph
        .nodes
        .iter()
        .enumerate()
        .filter_map(|(place, node)| Some((node.outputs.first()?.clone(), place)))
        .collect();
    let mut dropped = vec![false; graph.nodes.len()];
    for place in 0..graph.nodes.len() {
        let Some((gate, whole)) = gate(graph, &givers, &reads, place) else { continue };
        dropped[gate] = true;
        graph.nodes[place] = whole;
    }
    let mut dropped = dropped.into_iter();
    graph.nodes.retain(|_| !dropped.next().unwrap_or(false));
}

/// Where the gate stands that the product at `place` multiplies with its own input, and both as one.
fn gate(
    graph: &Graph,
    givers: &HashMap<String, usize>,
    reads: &HashMap<String, usize>,
    place: usize,
) -> Option<(usize, Node)> {
    let node = &graph.nodes[place];
    let [one, other] = node.inputs.as_slice() else { return None };
    if node.operator != "Mul" || node.opset.is_none() {
        return None;
    }
    [(one, other), (other, one)].into_iter().find_map(|(x, gated)| {
        let gate = *givers.get(gated)?;
        let sigmoid = &graph.nodes[gate];
        let alone = reads.get(gated) == Some(&1) && sigmoid.inputs.first() == Some(x);
        let operator = joined(sigmoid).filter(|_| alone)?;
        let whole = Node {
            operator: operator.into(),
            inputs: vec![x.clone()],
            attributes: Attributes::default(),
            ..node.clone()
        };
        Some((gate, whole))
    })
}

fn joined(gate: &Node) -> Option<&'static str> {
    let near = |name, default: f32, wanted: f32| {
        let value = gate.attributes.float(name).ok()?.unwrap_or(default);
        ((value - wanted).abs() < 1e-6).then_some(())
    };
    match gate.operator.as_str() {
        _ if gate.opset.is_none() => None,
        "Sigmoid" => Some("Swish"),
        "HardSigmoid" => {
            near("alpha", 0.2, 1.0 / 6.0)?;
            near("beta", 0.5, 0.5)?;
            Some("HardSwish")
        }
        _ => None,
    }
}
