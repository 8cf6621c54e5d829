//! Reductions of constants.

use ndarray::{ArrayD, Axis, IxDyn};

use super::known::Constants;
use crate::error::Cause;
use crate::onnx::shapes;
use crate::onnx::tensor::Tensor;

pub(super) fn evaluate(constants: &Constants<'_>) -> Result<Option<Tensor>, Cause> {
    Ok(match constants.node.operator.as_str() {
        "ReduceProd" => Some(fold(constants, |a, b| a * b, i64::wrapping_mul)?),
        "ReduceSum" => Some(fold(constants, |a, b| a + b, i64::wrapping_add)?),
        "ReduceMax" => Some(fold(constants, f32::max, i64::max)?),
        "ReduceMin" => Some(fold(constants, f32::min, i64::min)?),
        _ => None,
    })
}

fn fold(
    constants: &Constants<'_>,
    floats: fn(f32, f32) -> f32,
    ints: fn(i64, i64) -> i64,
) -> Result<Tensor, Cause> {
    let tensor = constants.input(0)?;
    let rank = tensor.shape().len();
    let given = constants.ints("axes", 1)?.unwrap_or_default();
    let axes = match given.is_empty() {
        true if constants.int("noop_with_empty_axes", 0)? == 1 => return Ok(tensor.clone()),
        true => (0..rank).collect(),
        false => shapes::axes(&given, rank)?,
    };
    if tensor.len() == 0 {
        return Err(Cause::msg("a constant without elements is reduced"));
    }
    let keep = constants.int("keepdims", 1)? == 1;
    Ok(match tensor {
        Tensor::I64(array) => Tensor::I64(reduced(array.clone(), &axes, keep, ints)),
        other => Tensor::F32(reduced(other.to_f32(), &axes, keep, floats)),
    })
}

fn reduced<T: Copy>(mut array: ArrayD<T>, axes: &[usize], keep: bool, join: fn(T, T) -> T) -> ArrayD<T> {
    for &axis in axes.iter().rev() {
        let first = array.index_axis(Axis(axis), 0).to_owned();
        let rest = array.axis_iter(Axis(axis)).skip(1);
        let whole = rest.fold(first, |mut whole, part| {
            whole.zip_mut_with(&part, |a, &b| *a = join(*a, b));
            whole
        });
        array = if keep { whole.insert_axis(Axis(axis)) } else { whole };
    }
    let shape = array.shape().to_vec();
    array.into_shape_with_order(IxDyn(&shape)).expect("the shape is its own")
}
