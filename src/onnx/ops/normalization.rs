//! Normalisations: of batches (as it was learned), layers, instances, groups and neighbours.

use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};

use super::arithmetic::join;
use super::movement::repeated;
use crate::error::Cause;
use crate::gpu::TensorId;
use crate::kernel::{BinaryOp, GroupNorm, InstanceNorm, LayerNorm, Lrn, Reduce, ReduceOp, Unary, UnaryOp};
use crate::onnx::call::Operator;
use crate::onnx::call::{Call, seen_as};
use crate::onnx::shapes;
use crate::onnx::tensor::Tensor;
use crate::onnx::value::Value;

pub(super) fn find(operator: &str) -> Option<Operator> {
    Some(match operator {
        "BatchNormalization" => batch,
        "LayerNormalization" => layer,
        "RMSNormalization" => root_mean_square,
        "InstanceNormalization" => instance,
        "GroupNormalization" => group,
        "LRN" => neighbours,
        _ => return None,
    })
}

/// `x · s + t` for each channel; after a convolution it is in its weights already.
fn batch(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let old_training = call.opset() < 7 && !call.flag("is_test", false)?;
    if call.flag("training_mode", false)? || (old_training && call.wants(1)) {
        return Err(Cause::msg("it is in training mode"));
    }
    if (1..5).any(|index| call.wants(index)) {
        return Err(Cause::msg("means and variances are outputs of training only"));
    }
    if call.opset() < 9 && !call.flag("spatial", true)? {
        return Err(Cause::msg("spatial = 0 is not supported"));
    }
    let x = call.value(0)?.clone();
    let [_, channels, behind @ ..] = x.shape() else {
        return Err(Cause::msg(format!("{:?} has no channels", x.shape())));
    };
    let values = |index| channel_values(call, index, *channels);
    let (scale, bias, mean, variance) = (values(1)?, values(2)?, values(3)?, values(4)?);
    let epsilon = call.float("epsilon", 1e-5)?;
    let scale = scale / variance.mapv_into(|variance| (variance + epsilon).sqrt());
    let shift = bias - mean * &scale;
    let shape = [&[*channels][..], &vec![1; behind.len()]].concat();
    let constant = |values: ArrayD<f32>| seen_as(Value::from(Tensor::F32(values)), shape.clone());
    let (scale, shift) = (constant(scale)?, constant(shift)?);
    let scaled = join(call, BinaryOp::Mul, &x, &scale)?;
    Ok(vec![join(call, BinaryOp::Add, &scaled, &shift)?])
}

fn channel_values(call: &Call<'_>, index: usize, channels: usize) -> Result<ArrayD<f32>, Cause> {
    let missing = || Cause::msg(format!("its input {index} is missing"));
    let values = call.constant(index)?.ok_or_else(missing)?.to_f32();
    if values.shape() == [channels] {
        return Ok(values);
    }
    Err(Cause::msg(format!("its input {index} is {:?}, and there are {channels} channels", values.shape())))
}

fn layer(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let x = call.value(0)?.clone();
    let axis = shapes::axis(call.int("axis", -1)?, x.shape().len())?;
    let epsilon = call.float("epsilon", 1e-5)?;
    let normal = normalised(call, LayerNorm::new(axis, epsilon), axis)?;
    if !call.wants(1) && !call.wants(2) {
        return Ok(vec![normal]);
    }
    let [mean, deviation] = statistics(call, &x, axis, epsilon)?;
    Ok(vec![normal, mean, deviation])
}

fn root_mean_square(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let axis = shapes::axis(call.int("axis", -1)?, call.shape(0)?.len())?;
    let kernel = LayerNorm::root_mean_square(axis, call.float("epsilon", 1e-5)?);
    Ok(vec![normalised(call, kernel, axis)?])
}

/// x, scale and a bias, where there is one, normalised from the axis on.
fn normalised(call: &mut Call<'_>, kernel: LayerNorm, axis: usize) -> Result<Value, Cause> {
    let x = call.value(0)?.clone();
    let mut ids = vec![call.tensor(&x, x.shape())?];
    for index in 1..call.count().min(3) {
        if let Some(value) = call.optional(index).cloned() {
            ids.push(weight(call, &value, &x.shape()[axis..])?);
        }
    }
    seen_as(call.add(kernel, &ids)?, x.shape().to_vec())
}

/// Scale or bias in the shape of what is normalised.
fn weight(call: &mut Call<'_>, value: &Value, shape: &[usize]) -> Result<TensorId, Cause> {
    match value {
        Value::Constant(tensor) if tensor.shape() != shape => {
            let tensor = Arc::clone(tensor);
            let whole = repeated(call, &tensor, shape)?;
            call.tensor(&whole, shape)
        }
        value => call.tensor(value, shape),
    }
}

/// The mean over the axes from `axis` on, and one over the standard deviation.
fn statistics(call: &mut Call<'_>, x: &Value, axis: usize, epsilon: f32) -> Result<[Value; 2], Cause> {
    let axes: Vec<usize> = (axis..x.shape().len()).collect();
    let id = call.tensor(x, x.shape())?;
    let mean = call.add(Reduce::new(ReduceOp::Mean, axes.clone()), &[id])?;
    let away = join(call, BinaryOp::Sub, x, &mean)?;
    let square = join(call, BinaryOp::Mul, &away, &away)?;
    let square = call.tensor(&square, x.shape())?;
    let variance = call.add(Reduce::new(ReduceOp::Mean, axes), &[square])?;
    let epsilon = Value::number(epsilon);
    let variance = join(call, BinaryOp::Add, &variance, &epsilon)?;
    let deviation = call.each_value(Unary::new(UnaryOp::Sqrt), &variance)?;
    Ok([mean, call.each_value(Unary::new(UnaryOp::Reciprocal), &deviation)?])
}

fn instance(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let kernel = InstanceNorm::new(call.float("epsilon", 1e-5)?);
    let x = call.value(0)?.clone();
    let channels = [*x.shape().get(1).ok_or_else(|| Cause::msg("its input has no channels"))?];
    let ids = [call.tensor(&x, x.shape())?, call.operand(1, &channels)?, call.operand(2, &channels)?];
    Ok(vec![seen_as(call.add_each(kernel, &ids)?, x.shape().to_vec())?])
}

/// Scale and bias are one a group before opset 21 and one a channel since.
fn group(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let groups = shapes::length(call.int("num_groups", 0)?)?;
    let kernel = GroupNorm::new(groups, call.float("epsilon", 1e-5)?);
    let x = call.value(0)?.clone();
    let channels = *x.shape().get(1).ok_or_else(|| Cause::msg("its input has no channels"))?;
    let ids = [
        call.tensor(&x, x.shape())?,
        for_channels(call, 1, groups, channels)?,
        for_channels(call, 2, groups, channels)?,
    ];
    Ok(vec![seen_as(call.add_each(kernel, &ids)?, x.shape().to_vec())?])
}

fn for_channels(
    call: &mut Call<'_>,
    index: usize,
    groups: usize,
    channels: usize,
) -> Result<TensorId, Cause> {
    let shape = call.shape(index)?;
    if shape == [channels] || shape != [groups] || groups == 0 || !channels.is_multiple_of(groups) {
        return call.operand(index, &[channels]);
    }
    let missing = || Cause::msg(format!("its input {index} is missing"));
    let values = call.constant(index)?.ok_or_else(missing)?.to_f32();
    let share = channels / groups;
    let whole = ArrayD::from_shape_fn(IxDyn(&[channels]), |place| values[[place[0] / share]]);
    call.tensor(&Value::from(Tensor::F32(whole)), &[channels])
}

fn neighbours(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let size = shapes::length(call.int("size", 0)?)?;
    let (alpha, beta) = (call.float("alpha", 1e-4)?, call.float("beta", 0.75)?);
    let kernel = Lrn::new(size, alpha, beta, call.float("bias", 1.0)?);
    let x = call.value(0)?.clone();
    let id = call.tensor(&x, x.shape())?;
    Ok(vec![seen_as(call.add_each(kernel, &[id])?, x.shape().to_vec())?])
}
