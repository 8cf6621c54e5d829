//! Mean and variance of rows: what the normalisations have in common.

use super::inputs::Inputs;
use super::lanes::Rows;
use super::{Access, Spec, Values, rule};
use crate::error::Cause;

/// Mean of a row, which is 0 where it is not centred, and what its values are multiplied by to have a variance of one.
///
/// The variance is made of differences from the mean, so that a large mean costs no digits.
pub(super) fn moments(row: &[f32], epsilon: f32, centred: bool) -> [f64; 2] {
    let sum = if centred { row.iter().copied().map(f64::from).sum::<f64>() } else { 0.0 };
    let mean = sum / row.len() as f64;
    let square = |value: &f32| (f64::from(*value) - mean).powi(2);
    let variance = row.iter().map(square).sum::<f64>() / row.len() as f64;
    [mean, 1.0 / (variance + f64::from(epsilon)).sqrt()]
}

/// What the shader of a normalisation walks: by four for each of the two moments, and once more to write.
pub(super) fn walks(rows: &Rows) -> [u32; 3] {
    let by_four = rows.walk(4, &[]);
    [by_four, by_four, rows.walk(1, &[])]
}

/// x, scale and the bias that may be third.
pub(super) fn take<'a>(inputs: &[&'a Spec]) -> Result<(&'a Spec, &'a Spec, Option<&'a Spec>), Cause> {
    let Inputs { one: x, other: scale, bias } = Inputs::take(inputs, ["x", "scale"])?;
    let bias = bias.copied();
    rule::floats("x", x)?;
    rule::floats("scale", scale)?;
    bias.map_or(Ok(()), |bias| rule::floats("bias", bias))?;
    if inputs.iter().any(|input| input.batched) {
        return Ok((x, scale, bias));
    }
    Err(rule::misfit("x", x, "an activation would fit, since all others are constants"))
}

/// Scale and bias have this shape; axes of 1 before it do not matter.
pub(super) fn check_factors(scale: &Spec, bias: Option<&Spec>, shape: &[usize]) -> Result<(), Cause> {
    let fits = |spec: &Spec| {
        let added = spec.shape.len().checked_sub(shape.len());
        added.is_some_and(|added| {
            spec.shape[added..] == *shape && spec.shape[..added].iter().all(|&axis| axis == 1)
        })
    };
    for (name, spec) in std::iter::once(("scale", scale)).chain(bias.map(|bias| ("bias", bias))) {
        if !fits(spec) {
            return Err(rule::misfit(name, spec, format!("{shape:?} would fit")));
        }
    }
    Ok(())
}

/// What the shader of a normalisation calls its inputs.
pub(super) fn access(inputs: &[&Spec]) -> Access {
    Access::first(&["x", "scale", "bias"], inputs.len())
}

/// Scale and bias, pair by pair; a bias that is left out is 0.
pub(super) fn factors(inputs: &[Values<'_>]) -> Vec<[f32; 2]> {
    let scale = inputs[1].floats();
    match inputs.get(2).map(Values::floats) {
        Some(bias) => scale.iter().zip(&bias).map(|(&scale, &bias)| [scale, bias]).collect(),
        None => scale.iter().map(|&scale| [scale, 0.0]).collect(),
    }
}

/// A value between mean and scale.
pub(super) fn normal(value: f32, [mean, inverse_std]: [f64; 2]) -> f32 {
    ((f64::from(value) - mean) * inverse_std) as f32
}

pub(super) fn check_epsilon(epsilon: f32) -> Result<(), Cause> {
    if epsilon.is_finite() && epsilon >= 0.0 {
        return Ok(());
    }
    Err(Cause::msg(format!("epsilon is {epsilon}; 0 or a positive number would fit")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_mean_costs_no_digits() {
        let [mean, inverse] = moments(&[10_000.0, 10_001.0, 10_002.0], 0.0, true);
        assert!((mean - 10_001.0).abs() < 1e-9 && (inverse - 1.5_f64.sqrt()).abs() < 1e-9);
    }

    #[test]
    fn a_row_that_is_not_centred_has_a_mean_of_zero() {
        assert_eq!(moments(&[1.0, 7.0], 0.0, false), [0.0, 0.2]);
    }

    #[test]
    fn an_input_of_constants_alone_is_refused() {
        let (x, scale) = (Spec::constant(&[2, 3]), Spec::constant(&[3]));
        let reason = "x is an f32 constant [2, 3]; an activation would fit, since all others are constants";
        assert_eq!(take(&[&x, &scale]).unwrap_err().to_string(), reason);
    }
}
