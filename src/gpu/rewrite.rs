//! A graph as a device runs it: several kernels that are one, and tensors that are only seen another way.
//!
//! Inputs, outputs and all tensors stay what they are; kernels that nothing needs any more are gone.

mod attention;
mod causal;
mod halves;
mod parts;
mod products;
mod same;
mod views;

use super::graph::{Graph, Node, Origin};
use crate::kernel::Kernel;

impl Graph {
    /// The same with fewer kernels.
    pub(super) fn rewritten(&self) -> Self {
        let mut graph = self.clone();
        same::share(&mut graph);
        attention::join(&mut graph);
        causal::see(&mut graph);
        graph.keep_needed();
        products::join(&mut graph);
        views::see_through(&mut graph);
        parts::see(&mut graph);
        graph.keep_needed();
        graph
    }

    /// The same with tensors between kernels kept as halves on a device.
    pub(super) fn with_halves(mut self) -> Self {
        halves::keep_halves(&mut self);
        self
    }

    /// Drops kernels that no output needs.
    fn keep_needed(&mut self) {
        let mut needed = vec![false; self.tensors.len()];
        self.outputs.iter().for_each(|(_, output)| needed[self.base(*output)] = true);
        for node in self.nodes.iter().rev() {
            if needed[node.output] {
                node.inputs.iter().for_each(|&input| needed[self.base(input)] = true);
            }
        }
        self.nodes.retain(|node| needed[node.output]);
    }

    /// Names a tensor after the kernel that gives it now, with the number that it had.
    fn rename(&mut self, tensor: usize, kernel: &str) {
        let name = &mut self.tensors[tensor].name;
        if let Some((_, number)) = name.rsplit_once('.') {
            *name = format!("{kernel}.{number}");
        }
    }

    /// The kernel that gives a tensor: its place among the nodes.
    fn giver(&self, tensor: usize) -> Option<usize> {
        let base = self.base(tensor);
        self.nodes.iter().position(|node| node.output == base)
    }

    /// The kernel that gives a tensor, if it is of this kind and sees whole items.
    fn given_by<K: Kernel>(&self, tensor: usize) -> Option<(&Node, &K)> {
        let node = &self.nodes[self.giver(tensor)?];
        let kernel = node.known::<K>().filter(|_| node.parts == 1)?;
        Some((node, kernel))
    }

    /// How often kernels read a tensor and its views; an output counts as a reader.
    fn readers(&self, tensor: usize) -> usize {
        let base = self.base(tensor);
        let read = self.nodes.iter().flat_map(|node| &node.inputs).filter(|input| self.base(**input) == base);
        read.count() + self.outputs.iter().filter(|(_, output)| self.base(*output) == base).count()
    }

    /// The one number that a constant is.
    fn number(&self, tensor: usize) -> Option<f32> {
        match &self.tensors[self.base(tensor)].origin {
            Origin::Constant(values) => values.number(),
            Origin::Input | Origin::Node | Origin::View(_) | Origin::Part { .. } => None,
        }
    }
}
