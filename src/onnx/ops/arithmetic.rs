//! Functions of two and more values, broadcast as numpy does it, and of flags.

use crate::error::Cause;
use crate::kernel::{Binary, BinaryOp, Cast, Select, Unary, UnaryOp};
use crate::onnx::call::Operator;
use crate::onnx::call::{Call, seen_as};
use crate::onnx::shapes;
use crate::onnx::tensor::{Bits, Kind};
use crate::onnx::value::Value;

pub(super) fn find(operator: &str) -> Option<Operator> {
    Some(match operator {
        "Add" => |call| binary(call, BinaryOp::Add),
        "Sub" => |call| binary(call, BinaryOp::Sub),
        "Mul" => |call| binary(call, BinaryOp::Mul),
        "Div" => |call| binary(call, BinaryOp::Div),
        "Pow" => pow,
        "Mod" => modulo,
        "Equal" => |call| compare(call, BinaryOp::Equal),
        "Greater" => |call| compare(call, BinaryOp::Greater),
        "GreaterOrEqual" => |call| compare(call, BinaryOp::GreaterOrEqual),
        "Less" => |call| compare(call, BinaryOp::Less),
        "LessOrEqual" => |call| compare(call, BinaryOp::LessOrEqual),
        "And" => |call| compare(call, BinaryOp::And),
        "Or" => |call| compare(call, BinaryOp::Or),
        "Xor" => |call| compare(call, BinaryOp::Xor),
        "Not" => not,
        "IsInf" => is_infinite,
        "Where" => choose,
        "PRelu" => prelu,
        "Min" => |call| all(call, BinaryOp::Min),
        "Max" => |call| all(call, BinaryOp::Max),
        "Sum" => |call| all(call, BinaryOp::Add),
        "Mean" => mean,
        _ => return None,
    })
}

fn binary(call: &mut Call<'_>, op: BinaryOp) -> Result<Vec<Value>, Cause> {
    let one = call.value(0)?.clone();
    let other = aligned(call, &one)?;
    Ok(vec![join(call, op, &one, &other)?])
}

/// The second input. Before opset 7 its axes could stand at an axis of the first.
fn aligned(call: &Call<'_>, one: &Value) -> Result<Value, Cause> {
    let other = call.value(1)?.clone();
    if call.opset() >= 7 || call.int("broadcast", 0)? == 0 || !call.node.attributes.has("axis") {
        return Ok(other);
    }
    let rank = one.shape().len();
    let axis = shapes::axis(call.int("axis", 0)?, rank)?;
    let mut shape = other.shape().to_vec();
    let behind = rank.checked_sub(axis + shape.len());
    let misfit = || Cause::msg(format!("{shape:?} does not fit behind axis {axis} of {:?}", one.shape()));
    let behind = behind.ok_or_else(misfit)?;
    shape.resize(shape.len() + behind, 1);
    seen_as(other, shape)
}

/// Flags, which are floats of 0 and 1.
fn compare(call: &mut Call<'_>, op: BinaryOp) -> Result<Vec<Value>, Cause> {
    let flags = binary(call, op)?;
    Ok(flags.into_iter().map(|value| value.of_kind(Kind::Bool)).collect())
}

fn modulo(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let as_in_c = call.flag("fmod", false)?;
    binary(call, if as_in_c { BinaryOp::Fmod } else { BinaryOp::Mod })
}

fn not(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let flags = call.value(0)?.clone();
    Ok(vec![call.each_value(Unary::new(UnaryOp::Not), &flags)?.of_kind(Kind::Bool)])
}

fn is_infinite(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let x = call.value(0)?.clone();
    let limit = |value| Value::number(value);
    let flags = match (call.flag("detect_positive", true)?, call.flag("detect_negative", true)?) {
        (true, true) => call.each_value(Unary::new(UnaryOp::IsInf), &x)?,
        (true, false) => join(call, BinaryOp::Equal, &x, &limit(f32::INFINITY))?,
        (false, true) => join(call, BinaryOp::Equal, &x, &limit(f32::NEG_INFINITY))?,
        (false, false) => return Err(Cause::msg("it detects neither infinity")),
    };
    Ok(vec![flags.of_kind(Kind::Bool)])
}

fn choose(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let [flag, one, other] = [call.value(0)?.clone(), call.value(1)?.clone(), call.value(2)?.clone()];
    Ok(vec![chosen(call, &flag, [&one, &other], one.kind())?])
}

/// Values of one where a flag is set, else those of the other, all of this kind.
pub(super) fn chosen(
    call: &mut Call<'_>,
    flag: &Value,
    [one, other]: [&Value; 2],
    kind: Kind,
) -> Result<Value, Cause> {
    let wide = shapes::broadcast(&shapes::broadcast(flag.shape(), one.shape())?, other.shape())?;
    let mut ids = vec![call.tensor(flag, flag.shape())?];
    for value in [one, other] {
        let shape = value.shape();
        ids.push(if kind.is_int() { call.ints_of(value, shape)? } else { call.tensor(value, shape)? });
    }
    Ok(seen_as(call.add(Select::new(), &ids)?, wide)?.of_kind(kind))
}

/// The power is of the kind of its base.
fn pow(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let [base, exponent] = [call.kind(0)?, call.kind(1)?];
    let given = binary(call, BinaryOp::Pow)?;
    if !base.is_int() || exponent.is_int() {
        return Ok(given);
    }
    given
        .iter()
        .map(|value| {
            let whole = call.each_value(Unary::new(UnaryOp::Whole), value)?;
            Ok(call.each_as_it_is(Cast::to_ints(), &whole)?.of_kind(base))
        })
        .collect()
}

/// Both after one function; whole numbers stay whole numbers.
pub(super) fn join(call: &mut Call<'_>, op: BinaryOp, one: &Value, other: &Value) -> Result<Value, Cause> {
    let kind = match (one.kind(), other.kind()) {
        // The kind of a constant does not say how many bits the file gives it.
        (Kind::Int(Bits::All), Kind::Int(bits)) | (Kind::Int(bits), Kind::Int(_)) => Kind::Int(bits),
        _ => Kind::Float,
    };
    let shape = shapes::broadcast(one.shape(), other.shape())?;
    let inputs = match kind {
        Kind::Int(_) if op.compares() || matches!(op, BinaryOp::Min | BinaryOp::Max) => {
            [call.bounds_of(one, one.shape())?, call.bounds_of(other, other.shape())?]
        }
        Kind::Int(_) => [call.ints_of(one, one.shape())?, call.ints_of(other, other.shape())?],
        _ => [call.tensor(one, one.shape())?, call.tensor(other, other.shape())?],
    };
    let given = seen_as(call.add(Binary::new(op), &inputs)?, shape)?;
    if op.compares() { Ok(given) } else { call.wrapped(&given, kind) }
}

fn prelu(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let (x, mut slope) = (call.value(0)?.clone(), call.value(1)?.clone());
    if call.opset() < 7 && slope.shape().len() == 1 && x.shape().len() > 2 {
        let mut shape = vec![1; x.shape().len() - 1];
        shape[0] = slope.shape()[0];
        slope = seen_as(slope, shape)?;
    }
    if !shapes::broadcasts_to(slope.shape(), x.shape()) {
        let message = format!("the slope {:?} is not repeated into {:?}", slope.shape(), x.shape());
        return Err(Cause::msg(message));
    }
    Ok(vec![join(call, BinaryOp::PRelu, &x, &slope)?])
}

/// All inputs, one after the other. Constants among them come last, since they need an activation.
fn all(call: &mut Call<'_>, op: BinaryOp) -> Result<Vec<Value>, Cause> {
    Ok(vec![joined(call, op)?])
}

fn joined(call: &mut Call<'_>, op: BinaryOp) -> Result<Value, Cause> {
    let mut values =
        (0..call.count()).map(|index| call.value(index).cloned()).collect::<Result<Vec<_>, _>>()?;
    values.sort_by_key(|value| matches!(value, Value::Constant(_)));
    let mut values = values.into_iter();
    let first = values.next().ok_or_else(|| Cause::msg("it has no input"))?;
    values.try_fold(first, |whole, value| join(call, op, &whole, &value))
}

fn mean(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let (sum, count) = (joined(call, BinaryOp::Add)?, call.count());
    let count = Value::number(count as f32);
    Ok(vec![join(call, BinaryOp::Div, &sum, &count)?])
}
