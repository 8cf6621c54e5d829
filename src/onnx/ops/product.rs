//! Products of matrices.

use super::arithmetic::join;
use crate::error::Cause;
use crate::gpu::TensorId;
use crate::kernel::{BinaryOp, MatMul, Unary, UnaryOp};
use crate::onnx::call::{Call, seen_as};
use crate::onnx::shapes;
use crate::onnx::tensor::{Kind, Tensor};
use crate::onnx::value::Value;

/// `alpha · a · b + beta · c`.
pub(super) fn gemm(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let (a, mut b) = (call.value(0)?.clone(), call.value(1)?.clone());
    let (transpose_a, transpose_b) = (call.flag("transA", false)?, call.flag("transB", false)?);
    if a.shape().len() != 2 || b.shape().len() != 2 {
        return Err(Cause::msg(format!("{:?} and {:?} are no matrices", a.shape(), b.shape())));
    }
    let alpha = call.float("alpha", 1.0)?;
    let scales_b = matches!(b, Value::Constant(_));
    if scales_b {
        b = scaled(call, b, alpha)?;
    }
    let added = match call.optional(2).cloned() {
        Some(c) => Some(scaled(call, c, call.float("beta", 1.0)?)?),
        None => None,
    };
    let columns = if transpose_b { b.shape()[0] } else { b.shape()[1] };
    let bias = added.as_ref().filter(|_| scales_b || alpha == 1.0).and_then(|c| row(c, columns));
    let done = bias.is_some() || (added.is_none() && (scales_b || alpha == 1.0));
    let kernel = MatMul::new().transpose_a(transpose_a).transpose_b(transpose_b);
    let mut ids = vec![call.weight(&a, a.shape())?, call.weight(&b, b.shape())?];
    if let Some(bias) = bias {
        ids.push(call.tensor(&Value::from(bias), &[columns])?);
    }
    let mut result = call.add(kernel, &ids)?;
    if !scales_b {
        result = scaled(call, result, alpha)?;
    }
    if let Some(c) = added.filter(|_| !done) {
        if !shapes::broadcasts_to(c.shape(), result.shape()) {
            return Err(Cause::msg(format!("c {:?} is not repeated into {:?}", c.shape(), result.shape())));
        }
        result = join(call, BinaryOp::Add, &result, &c)?;
    }
    Ok(vec![result])
}

fn scaled(call: &mut Call<'_>, value: Value, factor: f32) -> Result<Value, Cause> {
    match value {
        value if factor == 1.0 => Ok(value),
        Value::Constant(tensor) => {
            call.take(tensor.shape())?;
            let scaled = tensor.to_f32().mapv_into(|value| value * factor);
            Ok(Value::from(Tensor::F32(scaled)))
        }
        value @ Value::Runtime(_) => {
            let factor = Value::number(factor);
            join(call, BinaryOp::Mul, &value, &factor)
        }
    }
}

/// A constant that is the same for every row, as one row.
fn row(value: &Value, columns: usize) -> Option<Tensor> {
    let Value::Constant(tensor) = value else { return None };
    let fits = match tensor.shape() {
        [] | [1] | [1, 1] => true,
        [axis] | [1, axis] => *axis == columns,
        _ => false,
    };
    let floats = tensor.to_f32();
    let flat = floats.to_shape(floats.len()).ok().filter(|_| fits)?;
    Some(Tensor::F32(flat.broadcast(columns)?.to_owned().into_dyn()))
}

/// As numpy's matmul: a vector is a row on the left and a column on the right.
pub(super) fn mat_mul(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let (one, other) = (call.value(0)?.clone(), call.value(1)?.clone());
    let bias = match call.optional(2).cloned() {
        Some(bias) => Some(call.tensor(&bias, bias.shape())?),
        None => None,
    };
    let result = multiplied(call, &one, &other, bias)?;
    if one.kind().is_int() && other.kind().is_int() {
        let whole = call.each_value(Unary::new(UnaryOp::Whole), &result)?;
        return Ok(vec![whole.of_kind(Kind::INT)]);
    }
    Ok(vec![result])
}

/// The product of both, and the bias that fusing gave it, as floats.
pub(super) fn multiplied(
    call: &mut Call<'_>,
    one: &Value,
    other: &Value,
    bias: Option<TensorId>,
) -> Result<Value, Cause> {
    let (a, b) = (one.shape().to_vec(), other.shape().to_vec());
    let a_seen = if let [k] = a[..] { vec![1, k] } else { a.clone() };
    let b_seen = if let [k] = b[..] { vec![k, 1] } else { b.clone() };
    if a.is_empty() || b.is_empty() {
        return Err(Cause::msg("one value is no matrix"));
    }
    let mut ids = vec![call.weight(one, &a_seen)?, call.weight(other, &b_seen)?];
    ids.extend(bias);
    let seen = whole(&a_seen, &b_seen)?;
    let mut shape = seen.clone();
    if b.len() == 1 {
        shape.pop();
    }
    if a.len() == 1 {
        shape.remove(shape.len() - 1 - usize::from(b.len() > 1));
    }
    seen_as(call.add(MatMul::new(), &ids)?, shape)
}

/// The shape of a product of many matrices.
fn whole(a: &[usize], b: &[usize]) -> Result<Vec<usize>, Cause> {
    let ([a_leading @ .., rows, _], [b_leading @ .., _, columns]) = (a, b) else {
        return Err(Cause::msg("one value is no matrix"));
    };
    let mut shape = shapes::broadcast(a_leading, b_leading)?;
    shape.extend([rows, columns]);
    Ok(shape)
}
