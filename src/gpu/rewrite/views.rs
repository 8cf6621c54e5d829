//! Tensors that are turned, cut out or split only to be read by a kernel that can read them where they lie.

use std::sync::Arc;

use crate::gpu::graph::{Graph, Node};
use crate::kernel::{Attention, Rearrange, Spec, View};

/// Lets every attention read its inputs through what turns them.
pub(super) fn see_through(graph: &mut Graph) {
    let attends = |index: &usize| graph.nodes[*index].known::<Attention>().is_some();
    let places: Vec<usize> = (0..graph.nodes.len()).filter(attends).collect();
    for index in places {
        let inputs = graph.nodes[index].inputs.len();
        (0..inputs).for_each(|input| see_input(graph, index, input));
    }
}

/// What a tensor is turned from, the nearest first: tensors as the kernels that turn them see them.
pub(super) fn turned_from(graph: &Graph, tensor: usize) -> Vec<(usize, Rearrange)> {
    let mut steps = Vec::new();
    let mut at = tensor;
    while let Some((node, kernel)) = graph.given_by::<Rearrange>(at) {
        at = node.inputs[0];
        steps.push((at, kernel.clone()));
    }
    steps
}

/// A tensor that is turned so, as a view of the one that the farthest of these steps begins with.
fn view_of(graph: &Graph, steps: &[(usize, Rearrange)], tensor: usize) -> Option<View> {
    let shape = |tensor: usize| &graph.tensors[tensor].spec.shape;
    let (first, _) = steps.last()?;
    let mut view = View::whole(shape(*first));
    for (tensor, kernel) in steps.iter().rev() {
        view = kernel.of(&view.reshaped(shape(*tensor))?).ok()?;
    }
    view.reshaped(shape(tensor))
}

fn see_input(graph: &mut Graph, index: usize, input: usize) {
    let node = graph.nodes[index].clone();
    let Some(kernel) = node.known::<Attention>().filter(|_| node.parts == 1) else { return };
    let steps = turned_from(graph, node.inputs[input]);
    let seen = (1..=steps.len()).rev().find_map(|count| {
        let view = view_of(graph, &steps[..count], node.inputs[input])?;
        let kernel = kernel.seeing(input, view)?;
        let mut inputs = node.inputs.clone();
        inputs[input] = graph.base(steps[count - 1].0);
        Some(Node { kernel: Arc::new(kernel), inputs, ..node.clone() })
    });
    if let Some(seen) = seen.filter(|seen| gives(graph, seen)) {
        graph.nodes[index] = seen;
    }
}

/// Whether a node still gives what it gave.
fn gives(graph: &Graph, node: &Node) -> bool {
    let specs: Vec<&Spec> = node.inputs.iter().map(|&input| &graph.tensors[input].spec).collect();
    node.kernel.output(&specs).is_ok_and(|spec| spec == graph.tensors[node.output].spec)
}
