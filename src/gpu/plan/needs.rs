//! What of a graph is needed, and which tensors share a buffer.

use super::chains::Chain;
use super::joins::Join;
use crate::error::Error;
use crate::gpu::graph::{Graph, Origin, setting};
use crate::gpu::lifetimes::{self, Lifetime};

/// Nodes that an output depends on, in order.
pub(super) fn needed_nodes(graph: &Graph) -> Result<Vec<usize>, Error> {
    if graph.outputs.is_empty() {
        return Err(setting("Program::output", "there is none, so there is nothing to compute".into()));
    }
    let mut needed = vec![false; graph.tensors.len()];
    for (_, tensor) in &graph.outputs {
        needed[graph.base(*tensor)] = true;
    }
    for node in graph.nodes.iter().rev() {
        if needed[node.output] {
            node.inputs.iter().for_each(|&input| needed[graph.base(input)] = true);
        }
    }
    Ok((0..graph.nodes.len()).filter(|&node| needed[graph.nodes[node].output]).collect())
}

pub(super) fn needed_constants(graph: &Graph, nodes: &[usize]) -> Vec<usize> {
    let is_constant = |tensor: &usize| matches!(graph.tensors[*tensor].origin, Origin::Constant(_));
    let read = nodes.iter().flat_map(|&node| &graph.nodes[node].inputs).map(|&input| graph.base(input));
    let mut constants: Vec<usize> = read.filter(is_constant).collect();
    constants.sort_unstable();
    constants.dedup();
    constants
}

/// Bytes of each buffer for one item, and the buffer of each tensor that a chain gives. There is room for both where
/// two chains can be joined: which way is taken is known later.
pub(super) fn share_buffers(
    graph: &Graph,
    chains: &[Chain],
    joins: &[Option<Join>],
) -> (Vec<u64>, Vec<Option<usize>>) {
    let end = chains.len();
    let last_read = |tensor: usize| {
        if graph.outputs.iter().any(|(_, output)| graph.base(*output) == tensor) {
            return end;
        }
        let joined = |step: usize| joins[step].iter().map(|join| &chains[join.giver]);
        let all = |step: usize| [&chains[step]].into_iter().chain(joined(step));
        let reads = |step: &usize| {
            all(*step).flat_map(|chain| chain.inputs(graph)).any(|input| graph.base(input) == tensor)
        };
        (0..end).rev().find(reads).unwrap_or(end)
    };
    let lifetime = |(step, chain): (usize, &Chain)| {
        let tensor = graph.nodes[chain.last].output;
        let bytes = graph.kept(tensor).item_bytes() as u64;
        Lifetime { first: step, last: last_read(tensor), bytes }
    };
    let lifetimes: Vec<Lifetime> = chains.iter().enumerate().map(lifetime).collect();
    let shared = lifetimes::assign(&lifetimes);
    let mut shared_of = vec![None; graph.tensors.len()];
    for (chain, &buffer) in chains.iter().zip(&shared.of) {
        shared_of[graph.nodes[chain.last].output] = Some(buffer);
    }
    (shared.bytes, shared_of)
}
