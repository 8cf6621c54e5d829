//! Operators that move nothing: the same elements in another shape or of another kind.

use ndarray::{ArrayD, IxDyn};

use crate::error::Cause;
use crate::kernel::{Cast, Unary, UnaryOp};
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
    match (x.kind(), to) {
        (Kind::Float, DataType::F16) => call.each_value(Unary::new(UnaryOp::ToF16), &x),
        (Kind::Float, DataType::Bf16) => call.each_value(Unary::new(UnaryOp::ToBf16), &x),
        (Kind::Int(_), DataType::F16 | DataType::Bf16) => {
            let floats = call.each_as_it_is(Cast::to_floats(), &x)?;
            let op = if to == DataType::F16 { UnaryOp::ToF16 } else { UnaryOp::ToBf16 };
            call.each_value(Unary::new(op), &floats)
        }
        // A negative number is one that 32 bits do not hold.
        (Kind::Int(_), DataType::U32 | DataType::U64) => call.each_as_it_is(Cast::to_bits(32, false), &x),
        (_, to) => as_kind(call, &x, to.kind()),
    }
}

/// To what another value is.
fn cast_like(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let (x, kind) = (call.value(0)?.clone(), call.kind(1)?);
    Ok(vec![as_kind(call, &x, kind)?.of_kind(kind)])
}

pub(super) fn as_kind(call: &mut Call<'_>, x: &Value, kind: Kind) -> Result<Value, Cause> {
    match (x.kind(), kind) {
        (_, Kind::Int(Bits::Few { .. })) => call.wrapped(x, kind),
        (Kind::Float | Kind::Bool, Kind::Int(_)) => call.each_as_it_is(Cast::to_ints(), x),
        (Kind::Int(_), Kind::Float) => call.each_as_it_is(Cast::to_floats(), x),
        (Kind::Int(_), Kind::Bool) => call.each_as_it_is(Cast::to_flags(), x),
        (Kind::Float, Kind::Bool) => call.each_value(Unary::new(UnaryOp::NonZero), x),
        _ => Ok(x.clone()),
    }
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
        outputs.push(Value::from(mask));
    }
    Ok(outputs)
}

fn shape(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let shape = fold::shape(call.node, call.value(0)?.shape())?;
    Ok(vec![Value::from(Tensor::ints(&shape))])
}

fn size(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let size = call.shape(0)?.iter().product::<usize>() as i64;
    Ok(vec![Value::from(Tensor::I64(ArrayD::from_elem(IxDyn(&[]), size)))])
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
