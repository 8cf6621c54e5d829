//! Constants that a file keeps in another form: weights of whole numbers, and weights that are standardised.

use ndarray::{ArrayD, Axis, IxDyn};

use super::known::Constants;
use crate::error::Cause;
use crate::onnx::shapes;
use crate::onnx::tensor::Tensor;

pub(super) fn evaluate(constants: &mut Constants<'_>) -> Result<Option<Vec<Tensor>>, Cause> {
    Ok(match constants.node.operator.as_str() {
        "DequantizeLinear" => Some(vec![dequantized(constants)?]),
        "BatchNormalization" if trains(constants)? => Some(standardised(constants)?),
        _ => None,
    })
}

/// `(x - zero point) · scale`, for all values, for those of an axis, or for blocks along it.
fn dequantized(constants: &mut Constants<'_>) -> Result<Tensor, Cause> {
    let (x, scale) = (constants.input(0)?, constants.input(1)?);
    let shape = x.shape().to_vec();
    constants.budget.take(&shape)?;
    let block = shapes::length(constants.int("block_size", 0)?)?;
    let axis = if scale.len() == 1 { 0 } else { shapes::axis(constants.int("axis", 1)?, shape.len())? };
    let scale = spread(&scale.to_f32(), &shape, axis, block)?;
    let x = x.to_f32();
    let x = match constants.optional(2) {
        Some(zero) => x - spread(&zero.to_f32(), &shape, axis, block)?,
        None => x,
    };
    Ok(Tensor::F32(x * scale))
}

/// Each value for all that it is for.
fn spread(values: &ArrayD<f32>, shape: &[usize], axis: usize, block: usize) -> Result<ArrayD<f32>, Cause> {
    let misfit = || Cause::msg(format!("{:?} is not for axis {axis} of {shape:?}", values.shape()));
    if values.len() == 1 {
        return Ok(ArrayD::from_elem(IxDyn(shape), values.iter().copied().sum()));
    }
    if block > 0 {
        let fits = values.ndim() == shape.len()
            && (0..shape.len()).all(|place| {
                let wanted = if place == axis { shape[place].div_ceil(block) } else { shape[place] };
                values.shape()[place] == wanted
            });
        return if fits {
            Ok(ArrayD::from_shape_fn(IxDyn(shape), |mut at| {
                at[axis] /= block;
                values[at]
            }))
        } else {
            Err(misfit())
        };
    }
    if values.shape() != [shape[axis]] {
        return Err(misfit());
    }
    Ok(ArrayD::from_shape_fn(IxDyn(shape), |at| values[at[axis]]))
}

fn trains(constants: &Constants<'_>) -> Result<bool, Cause> {
    Ok(constants.int("training_mode", 0)? != 0 && constants.node.outputs.len() <= 3)
}

/// In training mode a batch normalisation has the mean and the variance of its own input: of a constant, these are
/// known. Behind the result come the means and variances that it would go on with.
fn standardised(constants: &mut Constants<'_>) -> Result<Vec<Tensor>, Cause> {
    let mut x = constants.input(0)?.to_f32();
    constants.budget.take(x.shape())?;
    let channels = |index: usize| constants.input(index).map(Tensor::to_f32);
    let learned = [channels(1)?, channels(2)?, channels(3)?, channels(4)?];
    let count = x.shape().get(1).copied().unwrap_or(0);
    if x.ndim() < 2 || x.is_empty() || learned.iter().any(|values| values.shape() != [count]) {
        return Err(Cause::msg(format!("{:?} has not the channels of its scale", x.shape())));
    }
    let float = |name, default| Ok::<_, Cause>(constants.node.attributes.float(name)?.unwrap_or(default));
    let (epsilon, momentum) = (float("epsilon", 1e-5)?, float("momentum", 0.9)?);
    let [scale, bias, mut means, mut variances] = learned;
    for (place, mut channel) in x.axis_iter_mut(Axis(1)).enumerate() {
        let count = channel.len() as f64;
        let mean = channel.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
        let variance = channel.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / count;
        let factor = f64::from(scale[place]) / (variance + f64::from(epsilon)).sqrt();
        let shift = f64::from(bias[place]);
        channel.mapv_inplace(|value| ((f64::from(value) - mean) * factor + shift) as f32);
        means[place] = means[place] * momentum + mean as f32 * (1.0 - momentum);
        variances[place] = variances[place] * momentum + variance as f32 * (1.0 - momentum);
    }
    Ok([x, means, variances].map(Tensor::F32).into())
}
