//! What is computed twice of the same tensors is computed once: a mask, as exporters write it out for every layer.

use std::collections::HashMap;

use crate::gpu::constant::Constant;
use crate::gpu::graph::{Graph, Node, Origin};
use crate::kernel::{Dispatch, Spec};

/// Most bytes of a constant that is compared with others: what is written out for each layer is small.
const MOST: usize = 64;

/// Shares constants that are alike, and what the same kernels give for the same tensors. Whoever reads one that is left
/// out sees the first.
pub(super) fn share(graph: &mut Graph) {
    share_constants(graph);
    let mut seen: HashMap<Vec<Read>, Vec<Node>> = HashMap::new();
    for node in std::mem::take(&mut graph.nodes) {
        let inputs = node.inputs.iter().map(|&input| Read::of(graph, input)).collect();
        let alike = seen.entry(inputs).or_default();
        match alike.iter().find(|first| is_same(graph, first, &node)).map(|first| first.output) {
            Some(first) => see_as(graph, node.output, first),
            None => {
                alike.push(node.clone());
                graph.nodes.push(node);
            }
        }
    }
}

/// A tensor as a kernel reads it.
#[derive(PartialEq, Eq, Hash)]
struct Read {
    base: usize,
    start: Option<usize>,
    spec: Spec,
}

impl Read {
    fn of(graph: &Graph, tensor: usize) -> Self {
        let spec = graph.tensors[tensor].spec.clone();
        Self { base: graph.base(tensor), start: graph.start(tensor), spec }
    }
}

/// Whether both do the same to what they read. Of a kernel of somebody's own that is not known.
fn is_same(graph: &Graph, one: &Node, other: &Node) -> bool {
    let output = |node: &Node| node.seen(&graph.tensors[node.output].spec);
    if one.parts != other.parts || output(one) != output(other) {
        return false;
    }
    let dispatch = |node: &Node| -> Dispatch {
        let inputs: Vec<Spec> =
            node.inputs.iter().map(|&input| node.seen(&graph.tensors[input].spec)).collect();
        node.kernel.dispatch(&inputs.iter().collect::<Vec<_>>(), &output(node))
    };
    let (one, other) = (dispatch(one), dispatch(other));
    one.access.is_ours() && one == other
}

fn share_constants(graph: &mut Graph) {
    let mut seen: HashMap<(Spec, Vec<u32>), usize> = HashMap::new();
    for tensor in 0..graph.tensors.len() {
        let Origin::Constant(values) = &graph.tensors[tensor].origin else { continue };
        let spec = values.spec();
        let Some(bits) = Some(values).filter(|_| spec.item_bytes() <= MOST).and_then(Constant::bits) else {
            continue;
        };
        let first = *seen.entry((spec, bits)).or_insert(tensor);
        if first != tensor {
            see_as(graph, tensor, first);
        }
    }
}

/// Makes a tensor a view of the first, which is no view.
fn see_as(graph: &mut Graph, tensor: usize, first: usize) {
    for other in &mut graph.tensors {
        match &mut other.origin {
            Origin::View(of) | Origin::Part { of, .. } if *of == tensor => *of = first,
            _ => {}
        }
    }
    graph.tensors[tensor].origin = Origin::View(first);
}
