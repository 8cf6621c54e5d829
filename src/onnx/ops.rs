//! Operators: each maps a node to kernels, views and constants. One file a family.

mod activation;
mod arithmetic;
mod attention;
mod columns;
mod convolution;
mod einsum;
mod integers;
mod lookup;
mod movement;
mod normalization;
mod pad;
mod pool;
mod product;
mod quantise;
mod reduce;
mod resize;
mod sample;
mod softmax;
mod spatial;
mod views;

use std::collections::{BTreeMap, HashSet};

pub(super) use self::einsum::Equation;
use super::call::{Call, Operator};
use super::graph::Graph;
use super::node::Node;
use super::value::Value;
use crate::error::Cause;

/// The newest opset whose operators are known.
const NEWEST_OPSET: i64 = 28;

/// Whether every operator is known; all that are not are named at once.
pub(super) fn check(graph: &Graph) -> Result<(), Cause> {
    if let Some(opset) = graph.nodes.iter().filter_map(|node| node.opset).find(|&opset| opset > NEWEST_OPSET)
    {
        return Err(Cause::msg(format!("its opset is {opset}, and {NEWEST_OPSET} is the newest known one")));
    }
    check_nodes(&graph.nodes, graph.inputs.iter().map(|input| &input.name[..]).collect())
}

/// The same of nodes, and the names of values that come with items.
pub(super) fn check_nodes<'a>(nodes: &'a [Node], with_items: HashSet<&'a str>) -> Result<(), Cause> {
    let missing = unknown_with_items(nodes, with_items);
    if missing.is_empty() {
        return Ok(());
    }
    let mut counts = BTreeMap::new();
    for node in &missing {
        *counts.entry(node.full_operator()).or_insert(0_usize) += 1;
    }
    let counts: Vec<String> =
        counts.into_iter().map(|(operator, count)| format!("{count} × {operator}")).collect();
    let named: Vec<String> = missing.iter().take(MOST_NAMED).map(|node| node.describe()).collect();
    Err(Cause::msg(format!(
        "these operators are not supported: {}; the first: {}",
        counts.join(", "),
        named.join(", ")
    )))
}

/// Nodes of unknown operators that values of items reach. What follows from shapes alone is computed when the network
/// is built.
fn unknown_with_items<'a>(nodes: &'a [Node], mut with_items: HashSet<&'a str>) -> Vec<&'a Node> {
    let mut missing = Vec::new();
    for node in nodes {
        let shape_alone = node.opset.is_some() && matches!(&node.operator[..], "Shape" | "Size");
        if shape_alone || !node.reads().any(|name| with_items.contains(&name[..])) {
            continue;
        }
        with_items.extend(node.outputs.iter().map(String::as_str));
        if !is_known(node) {
            missing.push(node);
        }
    }
    missing
}

/// Nodes that an error names beside the operators.
const MOST_NAMED: usize = 3;

/// Whether the operator of a node becomes kernels.
pub(super) fn is_known(node: &Node) -> bool {
    node.opset.is_some() && find(&node.operator).is_some()
}

/// Adds what the node does to the program.
pub(super) fn map(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let operator = find(&call.node.operator).ok_or_else(|| Cause::msg("the operator is not supported"))?;
    operator(call)
}

/// Whether an operator does the same to each value of its first input, whatever stands beside it.
pub(super) fn is_of_single_values(operator: &str) -> bool {
    operator == "Not" || activation::find(operator).is_some()
}

fn find(operator: &str) -> Option<Operator> {
    activation::find(operator)
        .or_else(|| arithmetic::find(operator))
        .or_else(|| integers::find(operator))
        .or_else(|| lookup::find(operator))
        .or_else(|| movement::find(operator))
        .or_else(|| normalization::find(operator))
        .or_else(|| reduce::find(operator))
        .or_else(|| views::find(operator))
        .or_else(|| find_single(operator))
}

/// Operators that have a file of their own, and those that are for constants alone.
fn find_single(operator: &str) -> Option<Operator> {
    Some(match operator {
        "Attention" => attention::attention,
        "Einsum" => einsum::einsum,
        "GridSample" => sample::grid_sample,
        "Col2Im" => columns::col2im,
        "Conv" => convolution::conv,
        "ConvTranspose" => convolution::conv_transpose,
        "Gemm" => product::gemm,
        "MatMul" => product::mat_mul,
        "MaxPool" => pool::max_pool,
        "AveragePool" => pool::average_pool,
        "GlobalAveragePool" => pool::global_average_pool,
        "GlobalMaxPool" => pool::global_max_pool,
        "QuantizeLinear" => quantise::quantize,
        "DequantizeLinear" => quantise::dequantize,
        "Pad" => pad::pad,
        "Resize" => resize::resize,
        "Upsample" => resize::upsample,
        "Softmax" => softmax::softmax,
        "LogSoftmax" => softmax::log_softmax,
        "Constant" | "ConstantOfShape" | "Range" => constants_only,
        "If" => depends,
        _ => return None,
    })
}

/// Which branch is run is known when the model is read, or not at all.
fn depends(_call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    Err(Cause::msg("its condition comes with every item"))
}

/// Such an operator was computed already where that can be.
fn constants_only(_call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    Err(Cause::msg("it is supported for constants only, and one of its inputs comes with every item"))
}
