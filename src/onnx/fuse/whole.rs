//! Several nodes that are one function become one node, as it is written in newer opsets.

use std::collections::HashMap;

use super::line::reads;
use super::{gate, gelu};
use crate::onnx::attributes::Attributes;
use crate::onnx::graph::Graph;
use crate::onnx::node::Node;

/// Rewrites every such function of which nothing else reads a part.
pub(super) fn fuse(graph: &mut Graph) {
    let seen = Seen::new(graph);
    let found: Vec<(usize, Function)> =
        (0..graph.nodes.len()).filter_map(|last| Some((last, seen.function(last)?))).collect();
    let mut dropped = vec![false; graph.nodes.len()];
    for (last, Function { operator, input, parts }) in found {
        parts.into_iter().for_each(|part| dropped[part] = true);
        let node = &mut graph.nodes[last];
        node.operator = operator.into();
        node.inputs = vec![input];
        node.attributes = Attributes::default();
    }
    let mut dropped = dropped.into_iter();
    graph.nodes.retain(|_| !dropped.next().unwrap_or(false));
}

/// A function of one value, and the places of the nodes before the last that compute it.
pub(super) struct Function {
    pub(super) operator: &'static str,
    pub(super) input: String,
    pub(super) parts: Vec<usize>,
}

/// A graph with who gives and who reads each value.
pub(super) struct Seen<'a> {
    graph: &'a Graph,
    givers: HashMap<&'a str, usize>,
    reads: HashMap<String, usize>,
}

impl<'a> Seen<'a> {
    fn new(graph: &'a Graph) -> Self {
        let nodes = graph.nodes.iter().enumerate();
        let givers = nodes.filter_map(|(place, node)| Some((node.outputs.first()?.as_str(), place)));
        Self { graph, givers: givers.collect(), reads: reads(graph) }
    }

    /// The function that ends with the node at this place.
    fn function(&self, last: usize) -> Option<Function> {
        let node = self.node(last).filter(|node| node.operator == "Mul")?;
        gate::find(self, node).or_else(|| gelu::find(self, node))
    }

    /// A node whose operator is ONNX's own.
    fn node(&self, place: usize) -> Option<&'a Node> {
        self.graph.nodes.get(place).filter(|node| node.opset.is_some())
    }

    /// The node that gives this value, and its place, where one node reads the value, once.
    pub(super) fn giver(&self, name: &str) -> Option<(usize, &'a Node)> {
        let place = *self.givers.get(name)?;
        let alone = self.reads.get(name) == Some(&1);
        self.node(place).filter(|_| alone).map(|node| (place, node))
    }

    /// The only number of a constant that gives no value more axes.
    pub(super) fn number(&self, name: &str) -> Option<f32> {
        let tensor = self.graph.constants.get(name).filter(|tensor| matches!(tensor.shape(), [] | [1]))?;
        tensor.to_scalar().ok()
    }
}

/// Both inputs of a node that has two, either way around.
pub(super) fn either_way(node: &Node) -> impl Iterator<Item = (&String, &String)> {
    let both = match node.inputs.as_slice() {
        [one, other] => Some([(one, other), (other, one)]),
        _ => None,
    };
    both.into_iter().flatten()
}

pub(super) fn near(value: f32, wanted: f32) -> bool {
    (value - wanted).abs() < 1e-6
}
