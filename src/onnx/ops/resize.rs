//! Resize and its predecessor Upsample, in all their versions.

use crate::error::Cause;
use crate::kernel::{Coordinates, Interpolation, Nearest, Resize};
use crate::onnx::call::Call;
use crate::onnx::shapes;
use crate::onnx::tensor::Tensor;
use crate::onnx::value::Value;

/// The output's shape, the scales that lead to it, and the part of the input, one number an axis.
struct Target {
    shape: Vec<usize>,
    scales: Vec<f32>,
    starts: Vec<f32>,
    ends: Vec<f32>,
}

/// Scales are input 1 in opset 10; since 11 that is a part of the input, and scales or sizes follow.
pub(super) fn resize(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let x = call.value(0)?.clone();
    if call.opset() < 11 {
        let scales = floats(call, 1)?.ok_or_else(|| Cause::msg("its scales are missing"))?;
        return old(call, &x, &scales);
    }
    let target = target(call, x.shape())?;
    let mode = call.text("coordinate_transformation_mode", "half_pixel")?;
    let coordinates = coordinates(mode, &target, call.float("extrapolation_value", 0.0)?)?;
    let nearest = nearest(call.text("nearest_mode", "round_prefer_floor")?, mode)?;
    let interpolation = match call.text("mode", "nearest")? {
        "nearest" => Interpolation::Nearest(nearest),
        "linear" => Interpolation::Linear,
        "cubic" => Interpolation::Cubic(call.float("cubic_coeff_a", -0.75)?.into()),
        other => return Err(Cause::msg(format!("the mode {other:?} is not known"))),
    };
    let kernel = Resize::new(target.shape.clone(), interpolation)
        .coordinates(coordinates)
        .scales(target.scales.iter().map(|&scale| f64::from(scale)).collect::<Vec<_>>())
        .antialias(call.flag("antialias", false)?)
        .exclude_outside(call.flag("exclude_outside", false)?);
    let is_same = target.shape == x.shape() && target.scales.iter().all(|&scale| scale == 1.0);
    if is_same && mode != "tf_crop_and_resize" {
        return Ok(vec![x]);
    }
    run(call, &x, kernel)
}

/// Scales are an attribute before opset 9.
pub(super) fn upsample(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let scales = match call.node.attributes.floats("scales")? {
        Some(scales) => scales.to_vec(),
        None => floats(call, 1)?.ok_or_else(|| Cause::msg("its scales are missing"))?,
    };
    let x = call.value(0)?.clone();
    old(call, &x, &scales)
}

/// As it was before opset 11: places are points, of which the first lie on each other.
///
/// Source: ONNX Runtime, which takes the place behind where a tensor gets smaller.
fn old(call: &mut Call<'_>, x: &Value, scales: &[f32]) -> Result<Vec<Value>, Cause> {
    let shape = scaled(x.shape(), scales)?;
    let shrinks = scales.iter().any(|&scale| scale < 1.0);
    let interpolation = match call.text("mode", "nearest")? {
        "nearest" => Interpolation::Nearest(if shrinks { Nearest::Ceil } else { Nearest::Floor }),
        "linear" | "bilinear" => Interpolation::Linear,
        other => return Err(Cause::msg(format!("the mode {other:?} is not known"))),
    };
    let kernel = Resize::new(shape, interpolation)
        .coordinates(Coordinates::Asymmetric)
        .scales(scales.iter().map(|&scale| f64::from(scale)).collect::<Vec<_>>());
    run(call, x, kernel)
}

fn run(call: &mut Call<'_>, x: &Value, kernel: Resize) -> Result<Vec<Value>, Cause> {
    let table = kernel.table(x.shape())?;
    call.take(table.shape())?;
    let table = Value::from(Tensor::F32(table));
    let ids = [call.tensor(x, x.shape())?, call.tensor(&table, table.shape())?];
    Ok(vec![call.add(kernel, &ids)?.of_kind(x.kind())])
}

/// An input of floats; `None` where it is left out or has no elements.
fn floats(call: &Call<'_>, index: usize) -> Result<Option<Vec<f32>>, Cause> {
    let values = call.constant(index)?.map(|tensor| tensor.to_f32().into_iter().collect::<Vec<f32>>());
    Ok(values.filter(|values| !values.is_empty()))
}

fn target(call: &Call<'_>, shape: &[usize]) -> Result<Target, Cause> {
    let rank = shape.len();
    let axes = match call.ints("axes")? {
        Some(axes) => {
            shapes::axes(axes, rank)?;
            axes.iter().map(|&axis| shapes::axis(axis, rank)).collect::<Result<Vec<_>, _>>()?
        }
        None => (0..rank).collect(),
    };
    let mut target = Target {
        shape: shape.to_vec(),
        scales: vec![1.0; rank],
        starts: vec![0.0; rank],
        ends: vec![1.0; rank],
    };
    let count = |values: usize, per_axis: usize| match values == axes.len() * per_axis {
        true => Ok(()),
        false => Err(Cause::msg(format!("{values} numbers are given for {} axes", axes.len()))),
    };
    let crops = call.text("coordinate_transformation_mode", "half_pixel")? == "tf_crop_and_resize";
    if let Some(part) = floats(call, 1)?.filter(|_| crops) {
        count(part.len(), 2)?;
        for (place, &axis) in axes.iter().enumerate() {
            (target.starts[axis], target.ends[axis]) = (part[place], part[place + axes.len()]);
        }
    }
    let sizes = call.constant(3)?.map(Tensor::to_ints).transpose()?.filter(|sizes| !sizes.is_empty());
    match (floats(call, 2)?, sizes) {
        (_, Some(sizes)) => {
            count(sizes.len(), 1)?;
            target.resize_to(&shapes::lengths(&sizes)?, &axes, policy(call)?);
        }
        (Some(scales), None) => {
            count(scales.len(), 1)?;
            axes.iter().zip(scales).for_each(|(&axis, scale)| target.scales[axis] = scale);
            let parts = target.starts.iter().zip(&target.ends).map(|(start, end)| end - start);
            let scales: Vec<f32> =
                target.scales.iter().zip(parts).map(|(scale, part)| scale * part).collect();
            target.shape = scaled(shape, if crops { &scales } else { &target.scales })?;
        }
        (None, None) => return Err(Cause::msg("it has neither scales nor sizes")),
    }
    Ok(target)
}

/// Chooses one of two scales.
type Choice = fn(f32, f32) -> f32;

/// How the sizes are kept to: which of the scales they would take is the scale of all axes.
fn policy(call: &Call<'_>) -> Result<Option<Choice>, Cause> {
    Ok(match call.text("keep_aspect_ratio_policy", "stretch")? {
        "stretch" => None,
        "not_larger" => Some(f32::min),
        "not_smaller" => Some(f32::max),
        other => return Err(Cause::msg(format!("the policy {other:?} is not known"))),
    })
}

impl Target {
    fn resize_to(&mut self, sizes: &[usize], axes: &[usize], policy: Option<Choice>) {
        let input = self.shape.clone();
        for (&axis, &size) in axes.iter().zip(sizes) {
            self.shape[axis] = size;
            self.scales[axis] = size as f32 / input[axis] as f32;
        }
        let Some(choose) = policy else { return };
        let Some(scale) = axes.iter().map(|&axis| self.scales[axis]).reduce(choose) else { return };
        for &axis in axes {
            self.scales[axis] = scale;
            self.shape[axis] = (scale * input[axis] as f32 + 0.5).floor() as usize;
        }
    }
}

/// Lengths after scaling, rounded down, in the arithmetic of ONNX's shape inference.
fn scaled(shape: &[usize], scales: &[f32]) -> Result<Vec<usize>, Cause> {
    if shape.len() != scales.len() || scales.iter().any(|scale| !scale.is_finite() || *scale <= 0.0) {
        return Err(Cause::msg(format!("the scales {scales:?} do not fit {shape:?}")));
    }
    Ok(shape.iter().zip(scales).map(|(&axis, scale)| (axis as f32 * scale).floor() as usize).collect())
}

fn coordinates(mode: &str, target: &Target, outside: f32) -> Result<Coordinates, Cause> {
    let wide = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect();
    Ok(match mode {
        "half_pixel" | "tf_half_pixel_for_nn" => Coordinates::HalfPixel,
        "half_pixel_symmetric" => Coordinates::HalfPixelSymmetric,
        "pytorch_half_pixel" => Coordinates::PytorchHalfPixel,
        "align_corners" => Coordinates::AlignCorners,
        "asymmetric" => Coordinates::Asymmetric,
        "tf_crop_and_resize" => {
            Coordinates::TfCropAndResize { starts: wide(&target.starts), ends: wide(&target.ends), outside }
        }
        other => return Err(Cause::msg(format!("the coordinates {other:?} are not known"))),
    })
}

/// `tf_half_pixel_for_nn` lies half a place behind `half_pixel`, where rounding down is rounding.
fn nearest(name: &str, coordinates: &str) -> Result<Nearest, Cause> {
    Ok(match (name, coordinates) {
        ("floor", "tf_half_pixel_for_nn") => Nearest::RoundPreferCeil,
        (_, "tf_half_pixel_for_nn") => {
            return Err(Cause::msg(format!("tf_half_pixel_for_nn with {name:?} is not supported")));
        }
        ("round_prefer_floor", _) => Nearest::RoundPreferFloor,
        ("round_prefer_ceil", _) => Nearest::RoundPreferCeil,
        ("floor", _) => Nearest::Floor,
        ("ceil", _) => Nearest::Ceil,
        (other, _) => return Err(Cause::msg(format!("the nearest_mode {other:?} is not known"))),
    })
}
