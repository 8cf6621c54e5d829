//! Puts into one node what one kernel does: factors behind a convolution or product, and functions that exporters
//! write as several nodes.
//!
//! A node is taken into the one before it only where nothing else reads the value between them. The
//! fused node stands where the last of its parts stood, so all that it reads comes before it.

mod affine;
mod bytes;
mod emptied;
mod gate;
mod gelu;
mod line;
mod normal;
mod whole;

pub(super) use self::bytes::keep_bytes;
use self::line::Line;
use super::fold::Budget;
use super::graph::Graph;

/// Fuses what can be.
pub(super) fn fuse(graph: &mut Graph, budget: &mut Budget) {
    emptied::fuse(graph);
    whole::fuse(graph);
    let mut line = Line::new(graph, budget);
    for place in 0..line.nodes.len() {
        line.fuse_at(place);
    }
    let nodes = std::mem::take(&mut line.nodes);
    graph.nodes = nodes.into_iter().flatten().collect();
}

impl Line<'_> {
    /// Takes the node at `place` into the one before it, if that can be.
    fn fuse_at(&mut self, place: usize) {
        let Some(node) = &self.nodes[place] else { return };
        if node.opset.is_none() || node.outputs.iter().skip(1).any(|output| self.is_read(output)) {
            return;
        }
        let Some((host_place, host)) = self.fold_affine(place) else { return };
        self.nodes[host_place] = None;
        self.givers.insert(host.outputs[0].clone(), place);
        self.nodes[place] = Some(host);
    }
}
