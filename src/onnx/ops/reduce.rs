//! Reductions over axes, and places of the largest and smallest.

use crate::error::Cause;
use crate::kernel::{ArgReduce, Reduce, ReduceOp, TopK};
use crate::onnx::call::Operator;
use crate::onnx::call::{Call, seen_as};
use crate::onnx::shapes;
use crate::onnx::tensor::Kind;
use crate::onnx::value::Value;

pub(super) fn find(operator: &str) -> Option<Operator> {
    Some(match operator {
        "ReduceSum" => |call| reduce(call, ReduceOp::Sum),
        "ReduceMean" => |call| reduce(call, ReduceOp::Mean),
        "ReduceMax" => |call| reduce(call, ReduceOp::Max),
        "ReduceMin" => |call| reduce(call, ReduceOp::Min),
        "ReduceProd" => |call| reduce(call, ReduceOp::Prod),
        "ReduceL1" => |call| reduce(call, ReduceOp::L1),
        "ReduceL2" => |call| reduce(call, ReduceOp::L2),
        "ReduceSumSquare" => |call| reduce(call, ReduceOp::SumSquare),
        "ReduceLogSum" => |call| reduce(call, ReduceOp::LogSum),
        "ReduceLogSumExp" => |call| reduce(call, ReduceOp::LogSumExp),
        "ArgMax" => |call| arg_reduce(call, ArgReduce::max),
        "ArgMin" => |call| arg_reduce(call, ArgReduce::min),
        "TopK" => top_k,
        _ => return None,
    })
}

/// Axes are an attribute in older opsets and an input in newer ones; without any, all are reduced.
fn reduce(call: &mut Call<'_>, op: ReduceOp) -> Result<Vec<Value>, Cause> {
    let x = call.value(0)?.clone();
    let given = call.known_ints("axes", 1)?.unwrap_or_default();
    if given.is_empty() && call.flag("noop_with_empty_axes", false)? {
        return Ok(vec![x]);
    }
    let rank = x.shape().len();
    let axes = if given.is_empty() { (0..rank).collect() } else { shapes::axes(&given, rank)? };
    let result = match x.kind() {
        _ if axes.is_empty() => x.clone(),
        _ => reduced(call, Reduce::new(op, axes.clone()), &x)?,
    };
    Ok(vec![kept(call, result, &x, &axes)?])
}

fn reduced(call: &mut Call<'_>, kernel: Reduce, x: &Value) -> Result<Value, Cause> {
    let id = call.as_it_is(x, x.shape())?;
    call.add(kernel, &[id])
}

/// The result with the axes at 1, or without them.
fn kept(call: &Call<'_>, result: Value, x: &Value, axes: &[usize]) -> Result<Value, Cause> {
    let keep = call.flag("keepdims", true)?;
    let places = x.shape().iter().enumerate().filter(|(place, _)| keep || !axes.contains(place));
    let length = |(place, &axis): (usize, &usize)| if axes.contains(&place) { 1 } else { axis };
    seen_as(result, places.map(length).collect())
}

fn arg_reduce(call: &mut Call<'_>, kernel: fn(usize) -> ArgReduce) -> Result<Vec<Value>, Cause> {
    let x = call.value(0)?.clone();
    let axis = shapes::axis(call.int("axis", 0)?, x.shape().len())?;
    let kernel = kernel(axis).last(call.flag("select_last_index", false)?);
    let id = call.tensor(&x, x.shape())?;
    let result = call.add(kernel, &[id])?.of_kind(Kind::INT);
    Ok(vec![kept(call, result, &x, &[axis])?])
}

fn top_k(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let x = call.value(0)?.clone();
    let axis = shapes::axis(call.int("axis", -1)?, x.shape().len())?;
    let k = match call.node.attributes.int("k")? {
        Some(k) => k,
        None => match call.constant(1)?.map(|tensor| tensor.to_ints()).transpose()?.as_deref() {
            Some(&[k]) => k,
            _ => return Err(Cause::msg("k is missing, or not one number")),
        },
    };
    let (k, smallest) = (shapes::length(k)?, !call.flag("largest", true)?);
    let id = call.tensor(&x, x.shape())?;
    let values = call.add(TopK::values(axis, k).smallest(smallest), &[id])?.of_kind(x.kind());
    if !call.wants(1) {
        return Ok(vec![values]);
    }
    let indices = call.add(TopK::indices(axis, k).smallest(smallest), &[id])?.of_kind(Kind::INT);
    Ok(vec![values, indices])
}
