//! Products and convolutions of whole numbers of 8 bits, and what makes such of floats.

use ndarray::ArrayD;

use super::arithmetic::join;
use super::convolution::convolved;
use super::movement::part;
use super::product::multiplied;
use super::quantise::{along, limits, rounded};
use crate::error::Cause;
use crate::kernel::{BinaryOp, Cast, Reduce, ReduceOp, Unary, UnaryOp};
use crate::onnx::call::{Call, Operator, seen_as};
use crate::onnx::tensor::{Kind, Tensor};
use crate::onnx::value::Value;

pub(super) fn find(operator: &str) -> Option<Operator> {
    Some(match operator {
        "MatMulInteger" => mat_mul_integer,
        "ConvInteger" => conv_integer,
        "QLinearMatMul" => qlinear_mat_mul,
        "QLinearConv" => qlinear_conv,
        "DynamicQuantizeLinear" => dynamic_quantize,
        _ => return None,
    })
}

/// Products of so many pairs of numbers of 9 bits have sums that floats have all of, in whatever order they are added.
const EXACT_TERMS: usize = (1 << 24) / (255 * 255);

/// An input less its zero points, which are one or stand along an axis, as floats that are whole numbers.
fn centred(call: &mut Call<'_>, index: usize, zero: usize, axis: usize) -> Result<Value, Cause> {
    let x = call.value(index)?.clone();
    let Some(zero) = call.optional(zero).cloned() else { return Ok(x.of_kind(Kind::Float)) };
    let zero = along(zero, x.shape(), axis)?;
    match (&x, &zero) {
        (Value::Constant(x), Value::Constant(zero)) => {
            call.take(x.shape())?;
            Ok(Value::from(less(x, zero)?))
        }
        (_, Value::Constant(zero)) if zero.to_ints()?.iter().all(|zero| *zero == 0) => {
            Ok(x.of_kind(Kind::Float))
        }
        _ => join(call, BinaryOp::Sub, &x.of_kind(Kind::Float), &zero.of_kind(Kind::Float)),
    }
}

/// The difference of both, as bytes where all are such.
fn less(x: &Tensor, zero: &Tensor) -> Result<Tensor, Cause> {
    let difference = x.to_f32() - zero.to_f32();
    let fits = difference.iter().all(|value| (-128.0..=127.0).contains(value));
    Ok(if fits { Tensor::I8(difference.mapv(|value| value as i8)) } else { Tensor::F32(difference) })
}

/// The sum of what parts of an axis of each give, every one of which floats have, as whole numbers.
fn in_exact_parts(
    call: &mut Call<'_>,
    [one, other]: [(&Value, usize); 2],
    most: usize,
    product: impl Fn(&mut Call<'_>, &Value, &Value) -> Result<Value, Cause>,
) -> Result<Value, Cause> {
    let len = one.0.shape()[one.1];
    let mut whole: Option<Value> = None;
    for start in (0..len).step_by(most.max(1)) {
        let places = start..len.min(start + most);
        let [one, other] = [one, other].map(|(value, axis)| part(call, value, axis, places.clone()));
        let given = product(call, &one?, &other?)?;
        let given = call.each_as_it_is(Cast::to_ints(), &given)?;
        whole = Some(match whole {
            Some(whole) => join(call, BinaryOp::Add, &whole, &given)?,
            None => given,
        });
    }
    whole.ok_or_else(|| Cause::msg("there is nothing to multiply"))
}

fn mat_mul_integer(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let (a_rank, b_rank) = (call.shape(0)?.len(), call.shape(1)?.len());
    if a_rank == 0 || b_rank == 0 {
        return Err(Cause::msg("one value is no matrix"));
    }
    let a = centred(call, 0, 2, a_rank.saturating_sub(2))?;
    let b = centred(call, 1, 3, b_rank - 1)?;
    let factors = [(&a, a_rank - 1), (&b, b_rank.saturating_sub(2))];
    if a.shape()[factors[0].1] != b.shape()[factors[1].1] {
        return Err(Cause::msg(format!("{:?} and {:?} are not multiplied", a.shape(), b.shape())));
    }
    let product = |call: &mut Call<'_>, a: &Value, b: &Value| multiplied(call, a, b, None);
    Ok(vec![in_exact_parts(call, factors, EXACT_TERMS, product)?])
}

fn conv_integer(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let x = centred(call, 0, 2, 0)?;
    let weight = centred(call, 1, 3, 0)?;
    let taps: usize = weight.shape().iter().skip(2).product();
    let most = EXACT_TERMS / taps.max(1);
    let groups = call.int("group", 1)?;
    if weight.shape().len() < 3 || most == 0 || (groups != 1 && weight.shape()[1] > most) {
        let message = format!("a window of {:?} has sums that floats do not have", weight.shape());
        return Err(Cause::msg(message));
    }
    let most = if groups == 1 { most } else { usize::MAX };
    let conv = |call: &mut Call<'_>, x: &Value, weight: &Value| convolved(call, x, weight, None);
    Ok(vec![in_exact_parts(call, [(&x, 1), (&weight, 1)], most, conv)?])
}

/// The scale of a result, from those of both factors and its own: known, and the second one's along an axis.
fn factor(call: &Call<'_>, [one, other, given]: [usize; 3]) -> Result<ArrayD<f32>, Cause> {
    let scale = |index: usize| {
        let scale =
            call.constant(index)?.ok_or_else(|| Cause::msg(format!("its input {index} is missing")))?;
        Ok::<_, Cause>(scale.to_f32())
    };
    let (one, other, given) = (scale(one)?, scale(other)?, scale(given)?);
    let single = |values: &ArrayD<f32>| match values.len() {
        1 => Ok(values.sum()),
        _ => Err(Cause::msg(format!("the scale {:?} is not one", values.shape()))),
    };
    let (one, given) = (single(&one)?, single(&given)?);
    Ok(other.mapv_into(|other| one * other / given))
}

/// What is written as bytes again: times the factor, rounded, behind the zero point, cut off.
fn requantised(call: &mut Call<'_>, value: &Value, factor: Value, zero: usize) -> Result<Vec<Value>, Cause> {
    let scaled = join(call, BinaryOp::Mul, value, &factor)?;
    let kind = if call.has(zero) { call.kind(zero)? } else { Kind::U8 };
    let zero = call.optional(zero).cloned().map(|zero| seen_as(zero, vec![])).transpose()?;
    Ok(vec![rounded(call, &scaled, zero.as_ref(), limits(kind)?)?.of_kind(kind)])
}

fn qlinear_mat_mul(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let columns = call.shape(3)?.len().saturating_sub(1);
    let (a, b) = (centred(call, 0, 2, 0)?, centred(call, 3, 5, columns)?);
    let factor = Value::from(Tensor::F32(factor(call, [1, 4, 6])?));
    let product = multiplied(call, &a, &b, None)?;
    let factor = along(factor, product.shape(), product.shape().len().saturating_sub(1))?;
    requantised(call, &product, factor, 7)
}

fn qlinear_conv(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let (x, weight) = (centred(call, 0, 2, 0)?, centred(call, 3, 5, 0)?);
    let factor = Value::from(Tensor::F32(factor(call, [1, 4, 6])?));
    let mut sums = convolved(call, &x, &weight, None)?;
    let factor = along(factor, sums.shape(), 1)?;
    if let Some(bias) = call.optional(8).cloned() {
        let bias = along(bias, sums.shape(), 1)?;
        sums = join(call, BinaryOp::Add, &sums, &bias)?;
    }
    requantised(call, &sums, factor, 7)
}

/// Bytes, with the scale and the zero point that let them have all values and 0.
fn dynamic_quantize(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let x = call.value(0)?.clone();
    let axes: Vec<usize> = (0..x.shape().len()).collect();
    let mut ends = Vec::new();
    for (op, with_zero) in [(ReduceOp::Min, BinaryOp::Min), (ReduceOp::Max, BinaryOp::Max)] {
        let id = call.tensor(&x, x.shape())?;
        let end = call.add(Reduce::new(op, axes.clone()), &[id])?;
        ends.push(join(call, with_zero, &seen_as(end, vec![])?, &Value::number(0.0))?);
    }
    let span = join(call, BinaryOp::Sub, &ends[1], &ends[0])?;
    let scale = join(call, BinaryOp::Div, &span, &Value::number(255.0))?;
    // Where all values are 0 the scale is 1.
    let none = join(call, BinaryOp::Equal, &scale, &Value::number(0.0))?;
    let scale = join(call, BinaryOp::Add, &scale, &none)?;
    let low = call.each_value(Unary::new(UnaryOp::Neg), &ends[0])?;
    let zero = join(call, BinaryOp::Div, &low, &scale)?;
    let zero = rounded(call, &zero, None, [0.0, 255.0])?;
    let scaled = join(call, BinaryOp::Div, &x, &scale)?;
    let bytes = rounded(call, &scaled, Some(&zero), [0.0, 255.0])?;
    Ok(vec![bytes.of_kind(Kind::U8), scale, zero.of_kind(Kind::U8)])
}
