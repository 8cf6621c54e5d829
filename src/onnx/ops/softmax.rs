//! Softmax and its logarithm, over one axis (from opset 13 on) or all axes from one on (before).

use crate::error::Cause;
use crate::kernel::{Kernel, LogSoftmax, Softmax};
use crate::onnx::call::{Call, seen_as};
use crate::onnx::shapes;
use crate::onnx::value::Value;

pub(super) fn softmax(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    normalised(call, |axis| Softmax::new().axis(axis))
}

pub(super) fn log_softmax(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    normalised(call, |axis| LogSoftmax::new().axis(axis))
}

fn normalised<K: Kernel>(call: &mut Call<'_>, kernel: impl Fn(usize) -> K) -> Result<Vec<Value>, Cause> {
    let shape = call.shape(0)?;
    let (seen, axis) = if call.opset() >= 13 {
        (shape.clone(), shapes::axis(call.int("axis", -1)?, shape.len())?)
    } else {
        (shapes::flatten(&shape, call.int("axis", 1)?)?.to_vec(), 1)
    };
    let id = call.operand(0, &seen)?;
    Ok(vec![seen_as(call.add(kernel(axis), &[id])?, shape)?])
}
