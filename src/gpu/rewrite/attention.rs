//! The product, the scale, the mask, the softmax and the product that attention is written with, as one kernel.

use std::sync::Arc;

use crate::gpu::graph::{Graph, Node};
use crate::kernel::{
    Attention, Binary, BinaryOp, Kernel as _, MatMul, Rearrange, Select, Softmax, Spec, Unary, UnaryOp,
};

/// Joins every attention that is written out.
pub(super) fn join(graph: &mut Graph) {
    let weighs = |node: &Node| node.known::<MatMul>().is_some() && node.parts == 1;
    let outputs: Vec<usize> =
        graph.nodes.iter().filter(|node| weighs(node)).map(|node| node.output).collect();
    for output in outputs {
        if let Some(joined) = joined(graph, output) {
            *graph = joined;
        }
    }
}

/// What is put together on the way from the shares back to the products.
struct Found {
    scale: f32,
    mask: Option<usize>,
    q: usize,
    k: usize,
}

/// The same graph with attention as one kernel, where what gives this tensor weighs values by shares.
fn joined(graph: &Graph, output: usize) -> Option<Graph> {
    let (node, product) = graph.given_by::<MatMul>(output)?;
    let (node, [given, v]) = (node.clone(), node.inputs[..].try_into().ok()?);
    if graph.readers(given) > 1 {
        return None;
    }
    let (shares, readers) = guarded(graph, given).map_or((given, 1), |shares| (shares, 2));
    let (softmax, kernel) = graph.given_by::<Softmax>(shares)?;
    let (scores, rank) = (softmax.inputs[0], graph.tensors[softmax.output].spec.shape.len());
    let plain = !product.transposes_a() && !product.transposes_b() && kernel.is_along_last(rank);
    if !plain || graph.readers(shares) > readers || !alike(graph, shares, softmax.output) {
        return None;
    }
    let mut graph = graph.clone();
    let Found { scale, mask, q, k } = scores_of(&mut graph, scores)?;
    let (scale, q) = unscaled(&mut graph, scale, q);
    let (scale, k) = unscaled(&mut graph, scale, k);
    let inputs: Vec<usize> = [q, k, v].into_iter().chain(mask).collect();
    let kernel = Attention::new(scale).masked(mask.is_some()).zero_for_none(readers > 1);
    let specs: Vec<&Spec> = inputs.iter().map(|&input| &graph.tensors[input].spec).collect();
    kernel.output(&specs).ok().filter(|given| *given == graph.tensors[output].spec)?;
    let place = graph.giver(output)?;
    graph.nodes[place] = Node { kernel: Arc::new(kernel), inputs, ..node };
    graph.rename(output, "attention");
    Some(graph)
}

/// The shares of which those that are NaN are 0 in this tensor: exporters ask for that, since a mask may leave nothing
/// of a row.
fn guarded(graph: &Graph, tensor: usize) -> Option<usize> {
    let (node, _) = graph.given_by::<Select>(tensor).filter(|_| alike(graph, tensor, graph.base(tensor)))?;
    let [flag, zero, shares] = node.inputs[..].try_into().ok()?;
    let (asked, op) = graph.given_by::<Unary>(flag)?;
    let same = graph.base(asked.inputs[0]) == graph.base(shares) && alike(graph, shares, tensor);
    let plain = graph.readers(flag) == 1 && alike(graph, flag, tensor);
    (same && plain && op.op() == UnaryOp::IsNan && graph.number(zero) == Some(0.0)).then_some(shares)
}

/// Whether a tensor has the shape of the one that it is a view of.
fn alike(graph: &Graph, tensor: usize, base: usize) -> bool {
    graph.tensors[tensor].spec.shape == graph.tensors[base].spec.shape
}

/// What scores are made of: a product of rows with rows, then a scale, then a mask.
fn scores_of(graph: &mut Graph, scores: usize) -> Option<Found> {
    let (mut at, mut scale, mut mask) = (scores, 1.0, None);
    loop {
        if graph.readers(at) > 1 || !alike(graph, at, graph.base(at)) {
            return None;
        }
        if let Some((node, product)) = graph.given_by::<MatMul>(at) {
            let ([q, k], turned) = (node.inputs[..].try_into().ok()?, product.transposes_b());
            if product.transposes_a() {
                return None;
            }
            let k = if turned { k } else { turn(graph, k)? };
            return Some(Found { scale, mask, q, k });
        }
        let (node, op) = graph.given_by::<Binary>(at).map(|(node, binary)| (node.clone(), binary.op()))?;
        let [one, other] = node.inputs[..].try_into().ok()?;
        match (op, graph.number(other), graph.number(one)) {
            (BinaryOp::Mul, Some(factor), _) => (at, scale) = (one, scale * factor),
            (BinaryOp::Mul, _, Some(factor)) => (at, scale) = (other, scale * factor),
            (BinaryOp::Div, Some(factor), _) => (at, scale) = (one, scale / factor),
            // What is scaled afterwards is not the mask.
            (BinaryOp::Add, ..) if mask.is_none() && scale == 1.0 => {
                let is_product = |tensor: usize| {
                    let whole = graph.tensors[tensor].spec.shape == graph.tensors[node.output].spec.shape;
                    whole && graph.giver(tensor).is_some() && graph.readers(tensor) == 1
                };
                let [from, added] = if is_product(one) { [one, other] } else { [other, one] };
                (at, mask) = (from, Some(added));
            }
            _ => return None,
        }
        graph.giver(at)?;
    }
}

/// A tensor with its last two axes the other way round: the one that was turned where it was, else seen so.
fn turn(graph: &mut Graph, tensor: usize) -> Option<usize> {
    let rank = graph.tensors[tensor].spec.shape.len();
    let mut perm: Vec<usize> = (0..rank).collect();
    perm.swap(rank.checked_sub(2)?, rank - 1);
    graph.follow(Arc::new(Rearrange::transpose(perm)), tensor)
}

/// A tensor before it was multiplied by one number, and the scale with that.
fn unscaled(graph: &mut Graph, scale: f32, tensor: usize) -> (f32, usize) {
    // A product behind a view, such as the one that turns the keys.
    if let Some((node, kernel)) = graph.given_by::<Rearrange>(tensor) {
        let (input, kernel) = (node.inputs[0], Arc::new(kernel.clone()));
        let alike = alike(graph, tensor, graph.base(tensor));
        let (scaled, before) = unscaled(graph, scale, input);
        let again = if before != input && alike { graph.follow(kernel, before) } else { None };
        return again.map_or((scale, tensor), |again| (scaled, again));
    }
    let Some((node, binary)) = graph.given_by::<Binary>(tensor) else { return (scale, tensor) };
    let (op, output, inputs) = (binary.op(), node.output, node.inputs.clone());
    let [one, other] = inputs[..] else { return (scale, tensor) };
    let (factor, before) = match (op, graph.number(other), graph.number(one)) {
        (BinaryOp::Mul, Some(factor), _) => (factor, one),
        (BinaryOp::Mul, _, Some(factor)) => (factor, other),
        (BinaryOp::Div, Some(factor), _) => (1.0 / factor, one),
        _ => return (scale, tensor),
    };
    let shape = graph.tensors[tensor].spec.shape.clone();
    if graph.tensors[before].spec.len() != graph.tensors[output].spec.len() {
        return (scale, tensor);
    }
    match graph.view(before, &shape) {
        Ok(before) => (scale * factor, before),
        Err(_) => (scale, tensor),
    }
}
