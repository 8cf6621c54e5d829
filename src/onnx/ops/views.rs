//! Operators that move nothing: the same elements in another shape or of another kind.

use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};

use crate::error::Cause;
use crate::kernel::{Unary, UnaryOp};
use crate::onnx::call::Call;
use crate::onnx::call::Operator;
use crate::onnx::fold;
use crate::onnx::read::DataType;
use crate::onnx::shapes;
use crate::onnx::tensor::{Bits, Kind, Tensor};
use crate::onnx::value::Value;

pub(super) fn find(operator: &str) -> Option<Operator> {
    Some(match operator {
        "Identity" => |call| Ok(vec![call.value(0)?.clone()]),
        "Cast" => cast,
        "CastLike" => cast_like,
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
    let to = DataType::new(call.int("to", 0)? as i32)?;
    Ok(vec![converted(call, to)?.of_kind(to.kind())])
}

/// The values as this type holds them.
fn converted(call: &mut Call<'_>, to: DataType) -> Result<Value, Cause> {
    let x = call.value(0)?.clone();
    let (from, each) = (x.kind(), |call: &mut Call<'_>, op, x: &Value| call.each_value(Unary::new(op), x));
    match (from, to) {
        (Kind::Float, DataType::F16) => each(call, UnaryOp::ToF16, &x),
        (Kind::Float, DataType::Bf16) => each(call, UnaryOp::ToBf16, &x),
        (Kind::Float, DataType::Bool) => each(call, UnaryOp::NonZero, &x),
        // A whole number that floats do not have is NaN, and stays it.
        (Kind::Int(_), DataType::Bool) => {
            let sign = each(call, UnaryOp::Sign, &x)?;
            each(call, UnaryOp::Abs, &sign)
        }
        (Kind::Float | Kind::Int(_), DataType::U8 | DataType::I8 | DataType::U16 | DataType::I16) => {
            call.wrapped(&x, to.kind())
        }
        // A negative number becomes one that floats do not have.
        (Kind::Int(_), DataType::U32 | DataType::U64) => {
            let wrapped = each(call, UnaryOp::Wrap { bits: 32, signed: false }, &x)?;
            each(call, UnaryOp::Whole, &wrapped)
        }
        (Kind::Float, to) if to.kind().is_int() => each(call, UnaryOp::Trunc, &x),
        _ => Ok(x),
    }
}

/// To what another value is.
fn cast_like(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let (x, kind) = (call.value(0)?.clone(), call.kind(1)?);
    let op = match (x.kind(), kind) {
        (Kind::Float | Kind::Int(_), Kind::Int(Bits::Few { .. })) => {
            return Ok(vec![call.wrapped(&x, kind)?]);
        }
        (Kind::Float, Kind::Int(_)) => UnaryOp::Trunc,
        (Kind::Float | Kind::Int(_), Kind::Bool) => UnaryOp::NonZero,
        _ => return Ok(vec![x.of_kind(kind)]),
    };
    Ok(vec![call.each_value(Unary::new(op), &x)?.of_kind(kind)])
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
