//! Which kernels can compute what another gives where they read it, so that it is never written.

use super::chains::{self, Chain};
use crate::gpu::graph::Graph;
use crate::gpu::limits::Limits;
use crate::kernel::{Computed, Conv2d, Dispatch, Spec};

/// The way to do a chain together with the one that gives it its first input.
#[derive(Clone, Debug)]
pub(super) struct Join {
    /// That one: its place among the chains.
    pub(super) giver: usize,
    pub(super) computed: Computed,
    /// The ways to run the reader, without what is computed before and what follows.
    pub(super) dispatches: Vec<Dispatch>,
}

impl Join {
    /// All tensors that both read: those of the giver in the place of what it gives.
    pub(super) fn inputs<'a>(
        &self,
        graph: &'a Graph,
        chains: &'a [Chain],
        reader: &'a Chain,
    ) -> impl Iterator<Item = usize> + 'a {
        chains[self.giver].inputs(graph).chain(reader.inputs(graph).skip(1))
    }
}

/// For every chain what it can be joined with. The twins read what is still in the cache, and join nothing.
pub(super) fn of(graph: &Graph, chains: &[Chain], limits: &Limits) -> Vec<Option<Join>> {
    let join = |reader| if limits.are_of_twins() { None } else { join(graph, chains, reader, limits) };
    (0..chains.len()).map(join).collect()
}

fn join(graph: &Graph, chains: &[Chain], reader: usize, limits: &Limits) -> Option<Join> {
    let (conv, input, inputs, _) = convolution(graph, &chains[reader])?;
    let dispatches = conv.over_computed(&by_reference(&inputs), &chains[reader].dispatches);
    let given = |chain: &Chain| graph.nodes[chain.last].output == graph.base(input);
    let giver = chains.iter().position(given).filter(|_| !dispatches.is_empty())?;
    let (conv, _, inputs, output) = convolution(graph, &chains[giver])?;
    let computed = conv.computed(&by_reference(&inputs), &output)?;
    let join = Join { giver, computed, dispatches };
    let tensors = join.inputs(graph, chains, &chains[reader]).count() + 1;
    let fits = tensors <= limits.tensors as usize && chains[giver].then.epilogue.order().is_none();
    (fits && graph.start(input).is_none() && is_read_once(graph, chains, input)).then_some(join)
}

/// The convolution at the head of a chain, what it reads, and how it sees that and its output.
fn convolution<'a>(graph: &'a Graph, chain: &Chain) -> Option<(&'a Conv2d, usize, Vec<Spec>, Spec)> {
    let node = &graph.nodes[chain.head];
    let conv = node.known::<Conv2d>().filter(|_| node.parts == 1)?;
    let (inputs, output) = chains::seen(graph, node);
    Some((conv, node.inputs[0], inputs, output))
}

fn by_reference(specs: &[Spec]) -> Vec<&Spec> {
    specs.iter().collect()
}

fn is_read_once(graph: &Graph, chains: &[Chain], tensor: usize) -> bool {
    let base = graph.base(tensor);
    let reads =
        chains.iter().flat_map(|chain| chain.inputs(graph)).filter(|input| graph.base(*input) == base);
    reads.count() == 1 && graph.outputs.iter().all(|(_, output)| graph.base(*output) != base)
}
