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

/// For every chain what it can be joined with; and what might have been joined, and why it is not. The twins read what is
/// still in the cache, and join nothing.
pub(super) fn of(graph: &Graph, chains: &[Chain], limits: &Limits) -> (Vec<Option<Join>>, Vec<String>) {
    if limits.are_of_twins() {
        return (vec![None; chains.len()], Vec::new());
    }
    let mut apart = Vec::new();
    let mut found = |reader: usize| {
        let join = join(graph, chains, reader)?;
        let Some(reason) = obstacle(graph, chains, (&join, reader), limits) else { return Some(join) };
        let name = |chain: &Chain| &graph.tensors[graph.nodes[chain.head].output].name;
        let (giver, reader) = (name(&chains[join.giver]), name(&chains[reader]));
        apart.push(format!("{giver} is not computed where {reader} reads it: {reason}"));
        None
    };
    ((0..chains.len()).map(&mut found).collect(), apart)
}

/// What could be joined as far as kernels go.
fn join(graph: &Graph, chains: &[Chain], reader: usize) -> Option<Join> {
    let (conv, node) = known::<Conv2d>(graph, &chains[reader])?;
    let (input, (inputs, _)) = (node.inputs[0], chains::seen(graph, node));
    let inputs = by_reference(&inputs);
    let given = |chain: &Chain| graph.nodes[chain.last].output == graph.base(input);
    let giver = chains.iter().position(given).filter(|_| conv.can_compute(&inputs))?;
    let computed = computed(graph, &chains[giver], conv.reads_seldom(&inputs))?;
    let dispatches = conv.over_computed(&inputs, &chains[reader].dispatches, &computed);
    (!dispatches.is_empty()).then_some(Join { giver, computed, dispatches })
}

/// What is in the way, if something is.
fn obstacle(
    graph: &Graph,
    chains: &[Chain],
    (join, reader): (&Join, usize),
    limits: &Limits,
) -> Option<&'static str> {
    let (giver, reader) = (&chains[join.giver], &chains[reader]);
    let (given, input) = (graph.nodes[giver.last].output, graph.nodes[reader.head].inputs[0]);
    let read = chains.iter().flat_map(|chain| chain.inputs(graph));
    let tensors = join.inputs(graph, chains, reader).count() + 1;
    let obstacles = [
        (graph.outputs.iter().any(|(_, output)| graph.base(*output) == given), "it is an output"),
        (read.filter(|input| graph.base(*input) == given).count() > 1, "others read it too"),
        (giver.then.epilogue.order().is_some(), "its values are put in another order"),
        (graph.start(input).is_some(), "a part of the values is read"),
        (tensors > limits.tensors as usize, "the device binds too few tensors"),
    ];
    obstacles.into_iter().find(|(there, _)| *there).map(|(_, reason)| reason)
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
