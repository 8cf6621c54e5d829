//! Several nodes that are one function become one node, as it is written in newer opsets.

use std::collections::HashMap;

use super::line::reads;
use super::{gate, gelu, normal};
use crate::onnx::attributes::Attributes;
use crate::onnx::graph::Graph;
use crate::onnx::node::Node;
use crate::onnx::tensor::Tensor;

/// Rewrites every such function of which nothing else reads a part.
pub(super) fn fuse(graph: &mut Graph) {
    let seen = Seen::new(graph);
    let found: Vec<(usize, Function)> =
        (0..graph.nodes.len()).filter_map(|last| Some((last, seen.function(last)?))).collect();
    let mut dropped = vec![false; graph.nodes.len()];
    // The longest first: what is a function by itself may be a part of one that ends later.
    for (last, Function { operator, inputs, attributes, parts }) in found.into_iter().rev() {
        if dropped[last] || parts.iter().any(|part| dropped[*part]) {
            continue;
        }
        parts.into_iter().for_each(|part| dropped[part] = true);
        let node = &mut graph.nodes[last];
        (node.operator, node.inputs, node.attributes) = (operator.into(), inputs, attributes);
    }
    let mut dropped = dropped.into_iter();
    graph.nodes.retain(|_| !dropped.next().unwrap_or(false));
}

/// A function, and the places of the nodes before the last that compute it.
pub(super) struct Function {
    pub(super) operator: &'static str,
    pub(super) inputs: Vec<String>,
    pub(super) attributes: Attributes,
    pub(super) parts: Vec<usize>,
}

impl Function {
    /// A function of one value.
    pub(super) fn of(operator: &'static str, input: &str, parts: Vec<usize>) -> Self {
        Self { operator, inputs: vec![input.into()], attributes: Attributes::default(), parts }
    }
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
        let node = self.node(last)?;
        match node.operator.as_str() {
            "Mul" => {
                let function = gate::find(self, node).or_else(|| gelu::find(self, node));
                function.or_else(|| normal::find_rms(self, last))
            }
            "Add" => normal::find_layer(self, last),
            _ => None,
        }
    }

    /// A node whose operator is ONNX's own.
    pub(super) fn node(&self, place: usize) -> Option<&'a Node> {
        self.graph.nodes.get(place).filter(|node| node.opset.is_some())
    }

    /// The node that gives this value, and its place, where one node reads the value, once.
    pub(super) fn giver(&self, name: &str) -> Option<(usize, &'a Node)> {
        self.giver_of(name, 1)
    }

    /// The node that gives this value, and its place, where nodes read the value so often, whoever they are.
    pub(super) fn giver_of(&self, name: &str, reads: usize) -> Option<(usize, &'a Node)> {
        let place = *self.givers.get(name)?;
        let all = self.reads.get(name) == Some(&reads);
        self.node(place).filter(|_| all).map(|node| (place, node))
    }

    pub(super) fn constant(&self, name: &str) -> Option<&Tensor> {
        self.graph.constants.get(name).map(|tensor| &**tensor)
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
