//! Tensors between kernels that a device keeps as halves, where the program allows it.

use crate::gpu::graph::{Graph, Node};
use crate::kernel::{
    Attention, AveragePool, Binary, BinaryOp, Cast, Concat, Conv2d, ConvTranspose, Element, FullyConnected,
    GlobalAveragePool, GroupNorm, LayerNorm, MatMul, Normalize, Pad, Rearrange, Resize, Softmax, Unary,
    UnaryOp,
};

/// Marks all that may be: not what is an output, and nothing whose numbers may be places, counts or squares, which
/// halves do not hold.
pub(super) fn keep_halves(graph: &mut Graph) {
    let given: Vec<usize> = graph.outputs.iter().map(|(_, output)| graph.base(*output)).collect();
    for index in 0..graph.nodes.len() {
        let node = &graph.nodes[index];
        let floats = graph.tensors[node.output].spec.element == Element::F32;
        if floats && !given.contains(&node.output) && narrows(graph, node) {
            let output = node.output;
            graph.tensors[output].halves = true;
        }
    }
}

fn narrows(graph: &Graph, node: &Node) -> bool {
    // What becomes whole numbers may be larger than all halves.
    let becomes_whole = |reader: &Node| {
        let reads = reader.inputs.iter().any(|&input| graph.base(input) == node.output);
        reads && reader.known::<Cast>().is_some()
    };
    if of_whole_weights(graph, node) || graph.nodes.iter().any(becomes_whole) {
        return false;
    }
    let of_halves = || node.inputs.iter().any(|&input| graph.tensors[graph.base(input)].halves);
    sums_or_averages(node) || is_scale_behind(graph, node) || (carries_on(graph, node) && of_halves())
}

/// Sums of products with whole numbers, which are large until their scale makes activations of them.
fn of_whole_weights(graph: &Graph, node: &Node) -> bool {
    node.inputs.iter().any(|&input| graph.tensors[graph.base(input)].spec.element == Element::I8)
}

fn is_scale_behind(graph: &Graph, node: &Node) -> bool {
    let scales = node.known::<Binary>().is_some_and(|binary| binary.op() == BinaryOp::Mul);
    let given =
        |&input: &usize| graph.giver(input).is_some_and(|giver| of_whole_weights(graph, &graph.nodes[giver]));
    scales && node.inputs.iter().any(given)
}

/// Kernels that give activations whatever they are given.
fn sums_or_averages(node: &Node) -> bool {
    macro_rules! is_any {
        ($($kernel:ty),* $(,)?) => { $(node.known::<$kernel>().is_some())||* };
    }
    is_any![
        Attention,
        AveragePool<1>,
        AveragePool<2>,
        AveragePool<3>,
        Conv2d,
        ConvTranspose<1>,
        ConvTranspose<2>,
        ConvTranspose<3>,
        FullyConnected,
        GlobalAveragePool,
        GroupNorm,
        LayerNorm,
        MatMul,
        Normalize,
        Softmax,
    ]
}

/// Kernels that give activations where they are given some: a number that is a place or a count goes through them too.
fn carries_on(graph: &Graph, node: &Node) -> bool {
    let moves = node.known::<Rearrange>().is_some()
        || node.known::<Concat>().is_some()
        || node.known::<Pad>().is_some()
        || node.known::<Resize>().is_some();
    let of_one = node.known::<Unary>().is_some_and(|unary| {
        !matches!(unary.op(), UnaryOp::Exp | UnaryOp::Reciprocal | UnaryOp::Log | UnaryOp::Sqrt)
    });
    let of_two = node.known::<Binary>().is_some_and(|binary| {
        let same = graph.base(node.inputs[0]) == graph.base(node.inputs[1]);
        matches!(binary.op(), BinaryOp::Add | BinaryOp::Sub | BinaryOp::Min | BinaryOp::Max)
            || (binary.op() == BinaryOp::Mul && !same)
    });
    moves || of_one || of_two
}
