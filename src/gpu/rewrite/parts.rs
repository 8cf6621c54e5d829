//! What is cut out of each item in one piece, as a split along the first axis does it, is read where it lies.

use crate::gpu::graph::{Graph, Node, Origin};
use crate::kernel::{Element, Rearrange, View};

/// Vectors of four are read, so parts begin and end with one.
const VECTOR: usize = 4;

/// Makes parts of the tensors that are such, for everybody who reads them.
pub(super) fn see(graph: &mut Graph) {
    let mut place = 0;
    while place < graph.nodes.len() {
        match part(graph, &graph.nodes[place]) {
            Some(origin) => {
                let output = graph.nodes.remove(place).output;
                graph.tensors[output].origin = origin;
            }
            None => place += 1,
        }
    }
}

fn part(graph: &Graph, node: &Node) -> Option<Origin> {
    let (kernel, input) = (node.known::<Rearrange>().filter(|_| node.parts == 1)?, node.inputs[0]);
    let of = graph.base(input);
    let view = kernel.of(&View::whole(&graph.tensors[input].spec.shape)).ok()?.collapsed();
    let one_piece = matches!((&view.shape[..], &view.strides[..]), (&[_], &[1]));
    let (whole, own) = (&graph.tensors[of], &graph.tensors[node.output].spec);
    let start = graph.start(input).unwrap_or(0) + view.offset;
    let vectors = [start, own.len(), whole.spec.len()].iter().all(|len| len.is_multiple_of(VECTOR));
    let words = matches!(whole.spec.element, Element::F32 | Element::I32);
    // What is read back lies by itself.
    let given = graph.outputs.iter().any(|(_, output)| graph.base(*output) == node.output);
    let fits = one_piece && vectors && words && !given && matches!(whole.origin, Origin::Node);
    fits.then_some(Origin::Part { of, start })
}
