//! Computes at load all nodes that depend on constants only, before any operator is judged.

use std::sync::Arc;

use super::fold::{self, Budget, Constants};
use super::graph::Graph;
use super::node::Node;
use super::tensor::{Shared, Tensor};
use super::{ops, twins};
use crate::error::Cause;

/// Computes what is known, in the order of the graph.
pub(super) fn compute(graph: &mut Graph, budget: &mut Budget) -> Result<(), Cause> {
    let mut kept = Vec::with_capacity(graph.nodes.len());
    for node in std::mem::take(&mut graph.nodes) {
        let is_known = |name: &String| name.is_empty() || graph.constants.contains_key(name);
        if !node.inputs.iter().all(is_known) {
            kept.push(node);
            continue;
        }
        let inputs: Vec<_> = node.inputs.iter().map(|name| graph.constants.get(name).cloned()).collect();
        match of_node(&node, &inputs, budget).map_err(|cause| cause.context(node.describe()))? {
            Some(given) => {
                let named = node.outputs.iter().cloned().zip(given.into_iter().map(Arc::new));
                graph.constants.extend(named);
            }
            None => kept.push(node),
        }
    }
    graph.nodes = kept;
    Ok(())
}

/// What a node gives for constants; `None` where neither a rule nor a kernel knows its operator.
pub(super) fn of_node(
    node: &Node,
    inputs: &[Option<Shared>],
    budget: &mut Budget,
) -> Result<Option<Vec<Tensor>>, Cause> {
    if let Some(given) = fold::evaluate(&mut Constants { node, inputs, budget })? {
        return Ok(Some(given));
    }
    // A branch is run where the condition is known when the network is built.
    if !ops::is_known(node) || node.operator == "If" {
        return Ok(None);
    }
    twins::compute(node, inputs, budget).map(Some)
}
