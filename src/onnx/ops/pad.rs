//! Borders around tensors.

use crate::error::Cause;
use crate::kernel::{Pad, PadMode};
use crate::onnx::call::Call;
use crate::onnx::shapes;
use crate::onnx::value::Value;

/// Borders are an attribute before opset 11 and an input since; opset 18 can name axes.
pub(super) fn pad(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let x = call.value(0)?.clone();
    let name = if call.opset() < 2 { "paddings" } else { "pads" };
    let pads = call.known_ints(name, 1)?.ok_or_else(|| Cause::msg("its pads are missing"))?;
    let axes = match call.constant(3)? {
        Some(axes) => axes.to_ints()?,
        None => (0..x.shape().len() as i64).collect(),
    };
    let [before, after] = borders(&pads, &axes, x.shape().len())?;
    if before.iter().chain(&after).all(|&border| border == 0) {
        return Ok(vec![x]);
    }
    let id = call.as_it_is(&x, x.shape())?;
    let mode = mode(call)?;
    if let (true, PadMode::Constant(value)) = (x.kind().is_int(), mode)
        && value.abs() >= 16_777_216.0
    {
        return Err(Cause::msg(format!("the border is {value}; a whole number below 2^24 would fit")));
    }
    Ok(vec![call.add(Pad::new(before, after, mode), &[id])?.of_kind(x.kind())])
}

fn mode(call: &Call<'_>) -> Result<PadMode, Cause> {
    Ok(match call.text("mode", "constant")? {
        "constant" => PadMode::Constant(call.known_float("value", 2)?.unwrap_or(0.0)),
        "reflect" => PadMode::Reflect,
        "edge" => PadMode::Edge,
        "wrap" => PadMode::Wrap,
        other => return Err(Cause::msg(format!("the mode {other:?} is not known"))),
    })
}

/// Borders before and after every axis from those of some axes.
fn borders(pads: &[i64], axes: &[i64], rank: usize) -> Result<[Vec<i64>; 2], Cause> {
    shapes::axes(axes, rank)?;
    if pads.len() != 2 * axes.len() {
        return Err(Cause::msg(format!("{pads:?} are not the borders of {} axes", axes.len())));
    }
    let (mut before, mut after) = (vec![0; rank], vec![0; rank]);
    for (place, &axis) in axes.iter().enumerate() {
        let axis = shapes::axis(axis, rank)?;
        (before[axis], after[axis]) = (pads[place], pads[place + axes.len()]);
    }
    Ok([before, after])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_of_some_axes_leave_the_others() {
        assert_eq!(borders(&[1, 2, 3, 4], &[-1, 0], 3).unwrap(), [vec![2, 0, 1], vec![4, 0, 3]]);
        assert!(borders(&[1, 2, 3], &[0], 3).is_err());
        assert!(borders(&[1, 2, 3, 4], &[0, 0], 3).is_err());
    }
}
