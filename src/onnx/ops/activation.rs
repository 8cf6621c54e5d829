//! Functions of single values.

use super::arithmetic::join;
use crate::error::Cause;
use crate::kernel::{BinaryOp, Unary, UnaryOp};
use crate::onnx::call::Call;
use crate::onnx::call::Operator;
use crate::onnx::tensor::{Kind, Tensor};
use crate::onnx::value::Value;

pub(super) fn find(operator: &str) -> Option<Operator> {
    Some(match operator {
        "Relu" => relu,
        "Clip" => clip,
        "Selu" => selu,
        "Gelu" => gelu,
        _ if function(operator, 0.0, 0.0).is_some() => unary,
        _ => return None,
    })
}

/// The function of an operator's name with its attributes `alpha` and `beta`.
fn function(operator: &str, alpha: f32, beta: f32) -> Option<UnaryOp> {
    Some(match operator {
        "Abs" => UnaryOp::Abs,
        "Ceil" => UnaryOp::Ceil,
        "Celu" => UnaryOp::Celu { alpha },
        "Cos" => UnaryOp::Cos,
        "Elu" => UnaryOp::Elu { alpha },
        "Erf" => UnaryOp::Erf,
        "Exp" => UnaryOp::Exp,
        "Floor" => UnaryOp::Floor,
        "HardSigmoid" => UnaryOp::HardSigmoid { alpha, beta },
        "HardSwish" => UnaryOp::HardSwish,
        "IsNaN" => UnaryOp::IsNan,
        "LeakyRelu" => UnaryOp::LeakyRelu { alpha },
        "Log" => UnaryOp::Log,
        "Mish" => UnaryOp::Mish,
        "Neg" => UnaryOp::Neg,
        "Reciprocal" => UnaryOp::Reciprocal,
        "Round" => UnaryOp::Round,
        "Sigmoid" => UnaryOp::Sigmoid,
        "Sign" => UnaryOp::Sign,
        "Sin" => UnaryOp::Sin,
        "Softplus" => UnaryOp::Softplus,
        "Softsign" => UnaryOp::Softsign,
        "Sqrt" => UnaryOp::Sqrt,
        "Swish" => UnaryOp::Swish { alpha },
        "Tanh" => UnaryOp::Tanh,
        "ThresholdedRelu" => UnaryOp::ThresholdedRelu { alpha },
        _ => return None,
    })
}

/// `alpha` and `beta` where the file leaves them out.
fn defaults(operator: &str) -> [f32; 2] {
    match operator {
        "HardSigmoid" => [0.2, 0.5],
        "LeakyRelu" => [0.01, 0.0],
        _ => [1.0, 0.0],
    }
}

fn unary(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let operator = call.node.operator.as_str();
    let [alpha, beta] = defaults(operator);
    let (alpha, beta) = (call.float("alpha", alpha)?, call.float("beta", beta)?);
    let op = function(operator, alpha, beta).ok_or_else(|| Cause::msg("the function is not known"))?;
    let kind = match op {
        UnaryOp::Abs | UnaryOp::Neg | UnaryOp::Sign => call.kind(0)?,
        UnaryOp::IsNan => Kind::Bool,
        _ => Kind::Float,
    };
    let value = call.value(0)?.clone();
    let given = match kind {
        Kind::Int(_) => call.each_as_it_is(Unary::new(op), &value)?,
        _ => call.each_value(Unary::new(op), &value)?,
    };
    Ok(vec![call.wrapped(&given, kind)?])
}

fn apply(call: &mut Call<'_>, op: UnaryOp) -> Result<Value, Cause> {
    let value = call.value(0)?.clone();
    call.each_value(Unary::new(op), &value)
}

fn selu(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let newer = call.opset() >= 6;
    let [alpha, gamma] = if newer { [1.673_263_2, 1.050_701] } else { [1.6732, 1.0507] };
    let op = UnaryOp::Selu { alpha: call.float("alpha", alpha)?, gamma: call.float("gamma", gamma)? };
    Ok(vec![apply(call, op)?])
}

fn gelu(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let op = match call.text("approximate", "none")? {
        "none" => UnaryOp::Gelu,
        "tanh" => UnaryOp::GeluTanh,
        other => return Err(Cause::msg(format!("the approximation {other:?} is not known"))),
    };
    Ok(vec![apply(call, op)?])
}

/// Bounds are attributes before opset 11 and inputs since. A low end above the high one gives the high.
fn clip(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    if [1, 2].into_iter().any(|index| matches!(call.optional(index), Some(Value::Runtime(_)))) {
        return bounded(call);
    }
    if call.kind(0)?.is_int() {
        return bounded(call);
    }
    let low = call.known_float("min", 1)?.unwrap_or(f32::NEG_INFINITY);
    let high = call.known_float("max", 2)?.unwrap_or(f32::INFINITY);
    let op = UnaryOp::Clip { low: low.min(high), high };
    Ok(vec![apply(call, op)?])
}

/// Bounds that come with every item, and those of whole numbers.
fn bounded(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let mut value = call.value(0)?.clone();
    for (index, op) in [(1, BinaryOp::Max), (2, BinaryOp::Min)] {
        if let Some(bound) = call.optional(index).cloned() {
            value = join(call, op, &value, &bound)?;
        }
    }
    Ok(vec![value])
}

fn relu(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let value = call.value(0)?.clone();
    if value.kind().is_int() {
        let zero = Value::from(Tensor::I64(ndarray::arr0(0).into_dyn()));
        return Ok(vec![join(call, BinaryOp::Max, &value, &zero)?]);
    }
    Ok(vec![apply(call, UnaryOp::Relu)?])
}
