//! Puts into one node what one kernel can do: a convolution or product and what follows it.
//!
//! A node is taken into the one before it only where nothing else reads the value between them. The
//! fused node stands where the last of its parts stood, so all that it reads comes before it.

mod affine;
mod follow;
mod gate;
mod gelu;
mod whole;

use std::collections::HashMap;
use std::sync::Arc;

use super::fold::Budget;
use super::graph::{Graph, Node};
use super::tensor::{Shared, Tensor};
use crate::kernel::Activation;

/// What follows a node in the same kernel: `activation(node + residual)`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Fused {
    pub(super) residual: Option<String>,
    pub(super) activation: Activation,
}

impl Fused {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// Fuses what can be.
pub(super) fn fuse(graph: &mut Graph, budget: &mut Budget) {
    whole::fuse(graph);
    let mut line = Line::new(graph, budget);
    for place in 0..line.nodes.len() {
        line.fuse_at(place);
    }
    let nodes = std::mem::take(&mut line.nodes);
    graph.nodes = nodes.into_iter().flatten().collect();
}

/// The nodes of a graph while they are fused, with who gives and who reads each value.
struct Line<'a> {
    nodes: Vec<Option<Node>>,
    /// Where a value comes from.
    givers: HashMap<String, usize>,
    /// How often a value is read; being an output counts.
    reads: HashMap<String, usize>,
    constants: &'a mut HashMap<String, Shared>,
    budget: &'a mut Budget,
}

impl<'a> Line<'a> {
    fn new(graph: &'a mut Graph, budget: &'a mut Budget) -> Self {
        let reads = reads(graph);
        let nodes: Vec<Option<Node>> = std::mem::take(&mut graph.nodes).into_iter().map(Some).collect();
        let mut givers = HashMap::new();
        for (place, node) in nodes.iter().enumerate() {
            let outputs = node.iter().flat_map(|node| &node.outputs);
            givers.extend(outputs.map(|output| (output.clone(), place)));
        }
        Self { nodes, givers, reads, constants: &mut graph.constants, budget }
    }

    /// Takes the node at `place` into the one before it, if that can be.
    fn fuse_at(&mut self, place: usize) {
        let Some(node) = &self.nodes[place] else { return };
        if node.opset.is_none() || node.outputs.iter().skip(1).any(|output| self.is_read(output)) {
            return;
        }
        let fused = self.fold_affine(place).or_else(|| self.follow(place));
        let Some((host_place, host)) = fused else { return };
        self.nodes[host_place] = None;
        self.givers.insert(host.outputs[0].clone(), place);
        self.nodes[place] = Some(host);
    }

    fn is_read(&self, name: &str) -> bool {
        self.reads.get(name).is_some_and(|&reads| reads > 0)
    }

    /// The node that gives this value, if nothing else reads it.
    fn host(&self, name: &str) -> Option<(usize, &Node)> {
        if self.reads.get(name) != Some(&1) {
            return None;
        }
        let place = *self.givers.get(name)?;
        let host = self.nodes[place].as_ref()?;
        let first = host.outputs.first().is_some_and(|output| output == name);
        (first && host.opset.is_some()).then_some((place, host))
    }

    fn constant(&self, name: Option<&String>) -> Option<&Shared> {
        self.constants.get(name?)
    }

    /// A new constant of a name that nobody has.
    fn add_constant(&mut self, name: &str, tensor: Tensor) -> String {
        let mut name = format!("{name}.folded");
        while self.constants.contains_key(&name) || self.givers.contains_key(&name) {
            name.push('\'');
        }
        self.constants.insert(name.clone(), Arc::new(tensor));
        name
    }
}

fn reads(graph: &Graph) -> HashMap<String, usize> {
    let mut reads = HashMap::new();
    for name in graph.nodes.iter().flat_map(Node::reads).chain(&graph.outputs) {
        *reads.entry(name.clone()).or_insert(0) += 1;
    }
    reads
}
