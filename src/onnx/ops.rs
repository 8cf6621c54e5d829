//! Operators: each maps a node to kernels, views and constants. One file a family.

mod activation;
mod arithmetic;
mod convolution;
mod epilogue;
mod movement;
mod normalization;
mod pad;
mod pool;
mod product;
mod reduce;
mod resize;
mod softmax;
mod spatial;
mod views;

use super::build::Value;
use super::call::Call;
use super::graph::Graph;
use crate::error::Cause;

/// What an operator does with its node: its outputs in order, trailing ones that nobody reads left out.
type Operator = fn(&mut Call<'_>) -> Result<Vec<Value>, Cause>;

/// The newest opset whose operators are known.
const NEWEST_OPSET: i64 = 28;

/// Whether every operator is known; all that are not are named at once.
pub(super) fn check(graph: &Graph) -> Result<(), Cause> {
    let unknown = |node: &&super::graph::Node| node.opset.is_none() || find(&node.operator).is_none();
    let mut missing: Vec<String> = graph.nodes.iter().filter(unknown).map(|node| node.describe()).collect();
    if let Some(opset) = graph.nodes.iter().filter_map(|node| node.opset).find(|&opset| opset > NEWEST_OPSET)
    {
        return Err(Cause::msg(format!("its opset is {opset}, and {NEWEST_OPSET} is the newest known one")));
    }
    if missing.is_empty() {
        return Ok(());
    }
    let more = missing.len().saturating_sub(MOST_NAMED);
    missing.truncate(MOST_NAMED);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    Err(Cause::msg(format!("these operators are not supported: {}{more}", missing.join(", "))))
}

/// Nodes that an error names; a model with more is not helped by a longer line.
const MOST_NAMED: usize = 40;

/// What a node gave, after all that was fused into it.
pub(super) fn finish(call: &mut Call<'_>, given: Value) -> Result<Value, Cause> {
    epilogue::Epilogue::behind(call).finish(call, given)
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
        .or_else(|| movement::find(operator))
        .or_else(|| normalization::find(operator))
        .or_else(|| reduce::find(operator))
        .or_else(|| views::find(operator))
        .or_else(|| find_single(operator))
}

/// Operators that have a file of their own, and those that are for constants alone.
fn find_single(operator: &str) -> Option<Operator> {
    Some(match operator {
        "Conv" => convolution::conv,
        "ConvTranspose" => convolution::conv_transpose,
        "Gemm" => product::gemm,
        "MatMul" => product::mat_mul,
        "MaxPool" => pool::max_pool,
        "AveragePool" => pool::average_pool,
        "GlobalAveragePool" => pool::global_average_pool,
        "GlobalMaxPool" => pool::global_max_pool,
        "Pad" => pad::pad,
        "Resize" => resize::resize,
        "Upsample" => resize::upsample,
        "Softmax" => softmax::softmax,
        "LogSoftmax" => softmax::log_softmax,
        "Constant" | "ConstantOfShape" | "Range" => constants_only,
        _ => return None,
    })
}

/// Such an operator was computed already where that can be.
fn constants_only(_call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    Err(Cause::msg("it is supported for constants only, and one of its inputs comes with every item"))
}
