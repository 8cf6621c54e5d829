//! Operators that move nothing: the same elements in another shape or of another kind.

use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};

use super::Operator;
use super::arithmetic::join;
use crate::error::Cause;
use crate::kernel::{BinaryOp, Unary, UnaryOp};
use crate::onnx::build::Value;
use crate::onnx::call::Call;
use crate::onnx::fold;
use crate::onnx::read::DataType;
use crate::onnx::shapes;
use crate::onnx::tensor::{Kind, Tensor};

pub(super) fn find(operator: &str) -> Option<Operator> {
    Some(match operator {
        "Identity" => |call| Ok(vec![call.value(0)?.clone()]),
        "Cast" => cast,
        "Dropout" => dropout,
        "Shape" => shape,
        "Size" => size,
        "Reshape" => reshape,
        "Flatten" => flatten,
        "Squeeze" => squeeze,
        "Unsqueeze" => unsqueeze,
        _ => return None,
    })
}

fn cast(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let to = DataType::new(call.int("to", 0)? as i32)?.kind();
    let x = call.value(0)?.clone();
    let result = match (x.kind(), to) {
        (Kind::Float, Kind::Int) => truncated(call, &x)?,
        (Kind::Float | Kind::Int, Kind::Bool) => {
            let sign = call.each_value(Unary::new(UnaryOp::Sign), &x)?;
            call.each_value(Unary::new(UnaryOp::Abs), &sign)?
        }
        _ => x,
    };
    Ok(vec![result.of_kind(to)])
}

/// Towards zero.
fn truncated(call: &mut Call<'_>, x: &Value) -> Result<Value, Cause> {
    let size = call.each_value(Unary::new(UnaryOp::Abs), x)?;
    let size = call.each_value(Unary::new(UnaryOp::Floor), &size)?;
    let sign = call.each_value(Unary::new(UnaryOp::Sign), x)?;
    join(call, BinaryOp::Mul, &size, &sign)
}

/// Nothing is dropped at inference; the mask says so.
fn dropout(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    if call.opset() >= 12 && call.constant(2)?.map_or(Ok(0.0), Tensor::to_scalar)? != 0.0 {
        return Err(Cause::msg("it is in training mode"));
    }
    let x = call.value(0)?.clone();
    let mut outputs = vec![x];
    if call.wants(1) {
        let shape = call.shape(0)?;
        call.take(&shape)?;
        let mask = Tensor::Bool(ArrayD::from_elem(IxDyn(&shape), true));
        outputs.push(Value::Constant(Arc::new(mask)));
    }
    Ok(outputs)
}

fn shape(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let shape = fold::shape(call.node, call.value(0)?.shape())?;
    Ok(vec![Value::Constant(Arc::new(Tensor::ints(&shape)))])
}

fn size(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let size = call.shape(0)?.iter().product::<usize>() as i64;
    Ok(vec![Value::Constant(Arc::new(Tensor::I64(ArrayD::from_elem(IxDyn(&[]), size))))])
}

fn reshape(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let wanted = call.known_ints("shape", 1)?.ok_or_else(|| Cause::msg("its shape is missing"))?;
    let target = shapes::reshape(&call.shape(0)?, &wanted, call.flag("allowzero", false)?)?;
    Ok(vec![call.reshaped(0, target)?])
}

fn flatten(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let target = shapes::flatten(&call.shape(0)?, call.int("axis", 1)?)?;
    Ok(vec![call.reshaped(0, target.to_vec())?])
}

fn squeeze(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let axes = call.known_ints("axes", 1)?;
    let target = shapes::squeeze(&call.shape(0)?, axes.as_deref())?;
    Ok(vec![call.reshaped(0, target)?])
}

fn unsqueeze(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let axes = call.known_ints("axes", 1)?.ok_or_else(|| Cause::msg("its axes are missing"))?;
    let target = shapes::unsqueeze(&call.shape(0)?, &axes)?;
    Ok(vec![call.reshaped(0, target)?])
}
