//! Which kernels can compute what another gives where they read it, so that it is never written.

use super::chains::{self, Chain};
use crate::gpu::graph::{Graph, Node};
use crate::gpu::limits::Limits;
use crate::kernel::{Computed, Concat, Conv2d, Dispatch, Kernel, Normalize, Spec};

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
    let (conv, node) = known::<Conv2d>(graph, &chains[reader])?;
    let (input, (inputs, _)) = (node.inputs[0], chains::seen(graph, node));
    let inputs = by_reference(&inputs);
    let dispatches = conv.over_computed(&inputs, &chains[reader].dispatches);
    let given = |chain: &Chain| graph.nodes[chain.last].output == graph.base(input);
    let giver = chains.iter().position(given).filter(|_| !dispatches.is_empty())?;
    let computed = computed(graph, &chains[giver], conv.reads_seldom(&inputs))?;
    let join = Join { giver, computed, dispatches };
    let tensors = join.inputs(graph, chains, &chains[reader]).count() + 1;
    let fits = tensors <= limits.tensors as usize && chains[giver].then.epilogue.order().is_none();
    (fits && graph.start(input).is_none() && is_read_once(graph, chains, input)).then_some(join)
}

/// How the values of a chain are computed where they are read.
fn computed(graph: &Graph, giver: &Chain, seldom: bool) -> Option<Computed> {
    let (inputs, output) = chains::seen(graph, &graph.nodes[giver.head]);
    let inputs = by_reference(&inputs);
    if let Some((concat, _)) = known::<Concat>(graph, giver) {
        return concat.computed(&inputs, &output);
    }
    if let Some((normalize, _)) = known::<Normalize>(graph, giver) {
        return Some(normalize.computed(&inputs, &output));
    }
    known::<Conv2d>(graph, giver).filter(|_| seldom)?.0.computed(&inputs, &output)
}

/// The kernel at the head of a chain, if it is of this kind and sees whole items.
fn known<'a, K: Kernel>(graph: &'a Graph, chain: &Chain) -> Option<(&'a K, &'a Node)> {
    let node = &graph.nodes[chain.head];
    node.known::<K>().filter(|_| node.parts == 1).map(|kernel| (kernel, node))
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
