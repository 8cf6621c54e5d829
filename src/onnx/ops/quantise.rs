//! Values as whole numbers of few bits, by a scale and a zero point.

use super::arithmetic::join;
use super::views::as_kind;
use crate::error::Cause;
use crate::kernel::{BinaryOp, Unary, UnaryOp};
use crate::onnx::call::{Call, seen_as};
use crate::onnx::read::DataType;
use crate::onnx::shapes;
use crate::onnx::tensor::{Bits, Kind};
use crate::onnx::value::Value;

/// `clip(round(x / scale) + zero point)`. A device has the whole numbers as floats, so that no pass is needed for them.
pub(super) fn quantize(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let x = call.value(0)?.clone();
    let kind = given_kind(call)?;
    let limits = limits(kind)?;
    let scale = of_axis(call, 1, &x)?;
    let scaled = join(call, BinaryOp::Div, &x, &scale)?;
    let zero = zero_point(call, &x)?;
    Ok(vec![rounded(call, &scaled, zero.as_ref(), limits)?.of_kind(kind)])
}

/// The least and the largest of whole numbers of this kind.
pub(super) fn limits(kind: Kind) -> Result<[f32; 2], Cause> {
    let Kind::Int(Bits::Few { bits, signed }) = kind else {
        return Err(Cause::msg("it gives whole numbers of 8 or 16 bits"));
    };
    let least = if signed { -(1_i32 << (bits - 1)) } else { 0 };
    Ok([least as f32, (least + ((1 << bits) - 1)) as f32])
}

/// The nearest whole numbers behind a zero point, cut off at the limits.
pub(super) fn rounded(
    call: &mut Call<'_>,
    value: &Value,
    zero: Option<&Value>,
    [low, high]: [f32; 2],
) -> Result<Value, Cause> {
    let mut value = call.each_value(Unary::new(UnaryOp::Round), value)?;
    if let Some(zero) = zero {
        value = join(call, BinaryOp::Add, &value, &zero.clone().of_kind(Kind::Float))?;
    }
    call.each_value(Unary::clip(low, high), &value)
}

/// `(x - zero point) · scale`.
pub(super) fn dequantize(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let given = call.value(0)?.clone();
    let scale = of_axis(call, 1, &given)?;
    let mut value = match given.kind() {
        // Sums of products may be larger than what floats tell apart.
        Kind::INT => as_kind(call, &given, Kind::Float)?,
        _ => given.clone(),
    };
    if let Some(zero) = zero_point(call, &given)? {
        value = join(call, BinaryOp::Sub, &value.of_kind(Kind::Float), &zero)?;
    }
    Ok(vec![join(call, BinaryOp::Mul, &value.of_kind(Kind::Float), &scale)?])
}

/// What the zero point is, or what is asked for where there is none; bytes without a sign by default.
fn given_kind(call: &Call<'_>) -> Result<Kind, Cause> {
    match (call.has(2), call.int("output_dtype", 0)?) {
        (true, _) => call.kind(2),
        (false, 0) => Ok(Kind::U8),
        (false, dtype) => Ok(DataType::new(i32::try_from(dtype).unwrap_or(0))?.kind()),
    }
}

/// The zero points, where they are not 0.
fn zero_point(call: &Call<'_>, x: &Value) -> Result<Option<Value>, Cause> {
    match call.optional(2) {
        None => Ok(None),
        Some(Value::Constant(zero)) if zero.to_ints()?.iter().all(|zero| *zero == 0) => Ok(None),
        Some(_) => of_axis(call, 2, x).map(Some),
    }
}

/// An input that is one value, or has one for each place of an axis of `x`.
fn of_axis(call: &Call<'_>, index: usize, x: &Value) -> Result<Value, Cause> {
    let value = call.value(index)?.clone();
    if shapes::count(value.shape()) == Some(1) {
        return along(value, x.shape(), 0);
    }
    if call.int("block_size", 0)? != 0 {
        return Err(Cause::msg("scales of blocks are supported for constants only"));
    }
    along(value, x.shape(), shapes::axis(call.int("axis", 1)?, x.shape().len())?)
}

/// One value, or one for each place of an axis of this shape, as it is repeated to that.
pub(super) fn along(value: Value, shape: &[usize], axis: usize) -> Result<Value, Cause> {
    if shapes::count(value.shape()) == Some(1) {
        return seen_as(value, vec![]);
    }
    let mut wide = vec![1; shape.len()];
    match (value.shape(), shape.get(axis)) {
        (&[count], Some(&len)) if count == len => wide[axis] = len,
        (other, _) => return Err(Cause::msg(format!("{other:?} is not for axis {axis} of {shape:?}"))),
    }
    seen_as(value, wide)
}
