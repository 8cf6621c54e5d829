//! Element-wise arithmetic on constants. Whole numbers wrap around, as they do everywhere else.
//!
//! The functions are pointers, so that loops over arrays are compiled once for all operators: constants are folded once.

use ndarray::{ArrayD, IxDyn, Zip};

use super::known::Constants;
use crate::error::Cause;
use crate::onnx::shapes;
use crate::onnx::tensor::Tensor;

pub(super) fn evaluate(constants: &mut Constants<'_>) -> Result<Option<Tensor>, Cause> {
    let operator = constants.node.operator.as_str();
    Ok(match operator {
        "Add" => Some(binary(constants, |a, b| a + b, |a, b| Some(a.wrapping_add(b)))?),
        "Sub" => Some(binary(constants, |a, b| a - b, |a, b| Some(a.wrapping_sub(b)))?),
        "Mul" => Some(binary(constants, |a, b| a * b, |a, b| Some(a.wrapping_mul(b)))?),
        "Div" => Some(binary(constants, |a, b| a / b, i64::checked_div)?),
        "Mod" if constants.int("fmod", 0)? == 0 => {
            Some(binary(constants, |a, b| a - (a / b).floor() * b, modulo)?)
        }
        "Pow" => Some(binary(constants, f32::powf, |a, b| a.checked_pow(u32::try_from(b).ok()?))?),
        "Equal" => Some(compare(constants, |a, b| a == b, |a, b| a == b)?),
        "Less" => Some(compare(constants, |a, b| a < b, |a, b| a < b)?),
        "Greater" => Some(compare(constants, |a, b| a > b, |a, b| a > b)?),
        "LessOrEqual" => Some(compare(constants, |a, b| a <= b, |a, b| a <= b)?),
        "GreaterOrEqual" => Some(compare(constants, |a, b| a >= b, |a, b| a >= b)?),
        "And" => Some(logic(constants, |a, b| a && b)?),
        "Or" => Some(logic(constants, |a, b| a || b)?),
        "Xor" => Some(logic(constants, |a, b| a != b)?),
        "Not" => Some(not(constants)?),
        "Min" if constants.inputs.len() == 2 => Some(binary(constants, f32::min, |a, b| Some(a.min(b)))?),
        "Max" if constants.inputs.len() == 2 => Some(binary(constants, f32::max, |a, b| Some(a.max(b)))?),
        "Neg" => Some(unary(constants, |x| -x, i64::wrapping_neg)?),
        "Abs" => Some(unary(constants, f32::abs, i64::wrapping_abs)?),
        "Floor" => Some(unary(constants, f32::floor, |x| x)?),
        "Ceil" => Some(unary(constants, f32::ceil, |x| x)?),
        "Sqrt" => Some(unary_float(constants, f32::sqrt)?),
        "Reciprocal" => Some(unary_float(constants, f32::recip)?),
        "Sign" => Some(unary(constants, |x| if x == 0.0 { x } else { x.signum() }, i64::signum)?),
        "IsNaN" => Some(Tensor::Bool(constants.input(0)?.to_f32().mapv(f32::is_nan))),
        "IsInf" => Some(infinite(constants)?),
        "Where" => Some(choose(constants)?),
        _ => None,
    })
}

/// The remainder with the sign of the divisor, as Python has it.
fn modulo(a: i64, b: i64) -> Option<i64> {
    let rest = a.checked_rem(b)?;
    Some(if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest })
}

fn unary(constants: &Constants<'_>, float: fn(f32) -> f32, int: fn(i64) -> i64) -> Result<Tensor, Cause> {
    Ok(match constants.input(0)? {
        Tensor::I64(array) => Tensor::I64(array.mapv(int)),
        other => Tensor::F32(other.to_f32().mapv_into(float)),
    })
}

fn unary_float(constants: &Constants<'_>, float: fn(f32) -> f32) -> Result<Tensor, Cause> {
    Ok(Tensor::F32(constants.input(0)?.to_f32().mapv_into(float)))
}

fn binary(
    constants: &mut Constants<'_>,
    float: fn(f32, f32) -> f32,
    int: fn(i64, i64) -> Option<i64>,
) -> Result<Tensor, Cause> {
    let shape = joint_shape(constants)?;
    let (one, other) = (constants.input(0)?, constants.input(1)?);
    if let (Tensor::I64(one), Tensor::I64(other)) = (one, other) {
        let (mut failed, wide) = (false, repeated(one, &shape)?);
        let result = Zip::from(&wide).and(&repeated(other, &shape)?).map_collect(|&a, &b| {
            int(a, b).unwrap_or_else(|| {
                failed = true;
                0
            })
        });
        return if failed {
            Err(Cause::msg("whole numbers overflow, or are divided by 0"))
        } else {
            Ok(Tensor::I64(result))
        };
    }
    let (one, other) = (repeated(&one.to_f32(), &shape)?, repeated(&other.to_f32(), &shape)?);
    Ok(Tensor::F32(Zip::from(&one).and(&other).map_collect(|&a, &b| float(a, b))))
}

fn compare(
    constants: &mut Constants<'_>,
    float: fn(f32, f32) -> bool,
    int: fn(i64, i64) -> bool,
) -> Result<Tensor, Cause> {
    let shape = joint_shape(constants)?;
    let (one, other) = (constants.input(0)?, constants.input(1)?);
    if let (Tensor::I64(one), Tensor::I64(other)) = (one, other) {
        let (one, other) = (repeated(one, &shape)?, repeated(other, &shape)?);
        return Ok(Tensor::Bool(Zip::from(&one).and(&other).map_collect(|&a, &b| int(a, b))));
    }
    let (one, other) = (repeated(&one.to_f32(), &shape)?, repeated(&other.to_f32(), &shape)?);
    Ok(Tensor::Bool(Zip::from(&one).and(&other).map_collect(|&a, &b| float(a, b))))
}

fn logic(constants: &mut Constants<'_>, join: fn(bool, bool) -> bool) -> Result<Tensor, Cause> {
    let shape = joint_shape(constants)?;
    let one = repeated(&flags(constants.input(0)?), &shape)?;
    let other = repeated(&flags(constants.input(1)?), &shape)?;
    Ok(Tensor::Bool(Zip::from(&one).and(&other).map_collect(|&a, &b| join(a, b))))
}

fn not(constants: &Constants<'_>) -> Result<Tensor, Cause> {
    Ok(Tensor::Bool(flags(constants.input(0)?).mapv_into(|flag| !flag)))
}

fn infinite(constants: &Constants<'_>) -> Result<Tensor, Cause> {
    let (up, down) = (constants.int("detect_positive", 1)? != 0, constants.int("detect_negative", 1)? != 0);
    let is = |value: f32| (up && value == f32::INFINITY) || (down && value == f32::NEG_INFINITY);
    Ok(Tensor::Bool(constants.input(0)?.to_f32().mapv(is)))
}

pub(super) fn flags(tensor: &Tensor) -> ArrayD<bool> {
    match tensor {
        Tensor::Bool(array) => array.clone(),
        other => other.to_f32().mapv(|value| value != 0.0),
    }
}

fn choose(constants: &mut Constants<'_>) -> Result<Tensor, Cause> {
    let [condition, one, other] = [constants.input(0)?, constants.input(1)?, constants.input(2)?];
    let shape = shapes::broadcast(&shapes::broadcast(condition.shape(), one.shape())?, other.shape())?;
    constants.budget.take(&shape)?;
    let condition = repeated(&flags(condition), &shape)?;
    if let (Tensor::I64(one), Tensor::I64(other)) = (one, other) {
        return Ok(Tensor::I64(chosen(&condition, &repeated(one, &shape)?, &repeated(other, &shape)?)));
    }
    let (one, other) = (repeated(&one.to_f32(), &shape)?, repeated(&other.to_f32(), &shape)?);
    Ok(Tensor::F32(chosen(&condition, &one, &other)))
}

fn chosen<T: Copy>(condition: &ArrayD<bool>, one: &ArrayD<T>, other: &ArrayD<T>) -> ArrayD<T> {
    Zip::from(condition).and(one).and(other).map_collect(|&flag, &a, &b| if flag { a } else { b })
}

fn joint_shape(constants: &mut Constants<'_>) -> Result<Vec<usize>, Cause> {
    let shape = shapes::broadcast(constants.input(0)?.shape(), constants.input(1)?.shape())?;
    constants.budget.take(&shape)?;
    Ok(shape)
}

fn repeated<T: Clone>(array: &ArrayD<T>, shape: &[usize]) -> Result<ArrayD<T>, Cause> {
    let misfit = || Cause::msg(format!("{:?} cannot be repeated into {shape:?}", array.shape()));
    array.broadcast(IxDyn(shape)).map(|view| view.to_owned()).ok_or_else(misfit)
}
