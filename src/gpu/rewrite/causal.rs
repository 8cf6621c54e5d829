//! A mask that hides what comes later needs not be read: the kernel knows how far each row sees.

use std::sync::Arc;

use crate::gpu::constant::Constant;
use crate::gpu::graph::{Graph, Node, Origin};
use crate::kernel::Attention;

/// Scores are that much smaller where nothing of them is left: `exp` of it is 0 in floats.
const HIDDEN: f32 = -1e9;

/// Drops the masks of attention that are such.
pub(super) fn see(graph: &mut Graph) {
    for place in 0..graph.nodes.len() {
        if let Some(node) = unmasked(graph, &graph.nodes[place]) {
            graph.nodes[place] = node;
        }
    }
}

fn unmasked(graph: &Graph, node: &Node) -> Option<Node> {
    let kernel = node.known::<Attention>()?.as_causal()?;
    let mask = &graph.tensors[*node.inputs.get(3)?];
    let Origin::Constant(Constant::F32(values)) = &graph.tensors[graph.base(node.inputs[3])].origin else {
        return None;
    };
    let [leading @ .., rows, keys] = &mask.spec.shape[..] else { return None };
    let seen = graph.tensors[node.output].spec.shape.iter().rev().nth(1);
    if seen != Some(rows) || keys < rows || *keys < 2 || leading.iter().any(|axis| *axis != 1) {
        return None;
    }
    let hides = |(place, value): (usize, &f32)| {
        let (row, key) = (place / keys, place % keys);
        if key <= row + keys - rows { *value == 0.0 } else { *value <= HIDDEN }
    };
    let all = values.iter().enumerate().all(hides);
    let inputs = node.inputs[..3].to_vec();
    all.then(|| Node { kernel: Arc::new(kernel), inputs, ..node.clone() })
}
