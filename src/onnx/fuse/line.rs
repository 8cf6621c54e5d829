//! The nodes of a graph while they are fused.

use std::collections::HashMap;
use std::sync::Arc;

use crate::onnx::fold::Budget;
use crate::onnx::graph::Graph;
use crate::onnx::node::Node;
use crate::onnx::tensor::{Shared, Tensor};

/// The nodes of a graph while they are fused, with who gives and who reads each value.
pub(super) struct Line<'a> {
    pub(super) nodes: Vec<Option<Node>>,
    /// Where a value comes from.
    pub(super) givers: HashMap<String, usize>,
    /// How often a value is read; being an output counts.
    reads: HashMap<String, usize>,
    pub(super) constants: &'a mut HashMap<String, Shared>,
    pub(super) budget: &'a mut Budget,
}

impl<'a> Line<'a> {
    pub(super) fn new(graph: &'a mut Graph, budget: &'a mut Budget) -> Self {
        let reads = reads(graph);
        let nodes: Vec<Option<Node>> = std::mem::take(&mut graph.nodes).into_iter().map(Some).collect();
        let mut givers = HashMap::new();
        for (place, node) in nodes.iter().enumerate() {
            let outputs = node.iter().flat_map(|node| &node.outputs);
            givers.extend(outputs.map(|output| (output.clone(), place)));
        }
        Self { nodes, givers, reads, constants: &mut graph.constants, budget }
    }

    pub(super) fn is_read(&self, name: &str) -> bool {
        self.reads.get(name).is_some_and(|&reads| reads > 0)
    }

    /// The node that gives this value, if nothing else reads it.
    pub(super) fn host(&self, name: &str) -> Option<(usize, &Node)> {
        if self.reads.get(name) != Some(&1) {
            return None;
        }
        let place = *self.givers.get(name)?;
        let host = self.nodes[place].as_ref()?;
        let first = host.outputs.first().is_some_and(|output| output == name);
        (first && host.opset.is_some()).then_some((place, host))
    }

    pub(super) fn constant(&self, name: Option<&String>) -> Option<&Shared> {
        self.constants.get(name?)
    }

    /// A new constant of a name that nobody has.
    pub(super) fn add_constant(&mut self, name: &str, tensor: Tensor) -> String {
        let mut name = format!("{name}.folded");
        while self.constants.contains_key(&name) || self.givers.contains_key(&name) {
            name.push('\'');
        }
        self.constants.insert(name.clone(), Arc::new(tensor));
        name
    }
}

pub(super) fn reads(graph: &Graph) -> HashMap<String, usize> {
    let mut reads = HashMap::new();
    for name in graph.nodes.iter().flat_map(Node::reads).chain(&graph.outputs) {
        *reads.entry(name.clone()).or_insert(0) += 1;
    }
    reads
}
