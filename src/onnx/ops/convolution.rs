//! Convolutions, and transposed ones.

use super::movement::transposed as transposed_axes;
use super::spatial::{Spatial, array, planes, sizes};
use crate::error::Cause;
use crate::gpu::TensorId;
use crate::kernel::{Conv2d, ConvTranspose, Kernel, Pad, PadMode, Rearrange};
use crate::onnx::call::{Call, seen_as};
use crate::onnx::shapes;
use crate::onnx::value::Value;

/// Shapes of input and weight.
struct Shapes {
    x: Vec<usize>,
    weight: Vec<usize>,
    groups: usize,
}

impl Shapes {
    fn new(call: &Call<'_>, x: &Value, weight: &Value) -> Result<Self, Cause> {
        let (x, weight, groups) = (x.shape().to_vec(), weight.shape().to_vec(), call.int("group", 1)?);
        if x.len() != weight.len() || x.len() < 3 {
            return Err(Cause::msg(format!("the weight {weight:?} does not fit {x:?}")));
        }
        Ok(Self { x, weight, groups: shapes::length(groups)? })
    }
}

/// The bias, where there is one.
fn bias(call: &mut Call<'_>) -> Result<Option<TensorId>, Cause> {
    if !call.has(2) {
        return Ok(None);
    }
    call.constant(2)?;
    let bias = call.shape(2)?;
    call.operand(2, &bias).map(Some)
}

pub(super) fn conv(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    call.constant(1)?;
    let (x, weight) = (call.value(0)?.clone(), call.value(1)?.clone());
    let bias = bias(call)?;
    Ok(vec![convolved(call, &x, &weight, bias)?])
}

/// The convolution of both that the attributes of the node say.
pub(super) fn convolved(
    call: &mut Call<'_>,
    x: &Value,
    weight: &Value,
    bias: Option<TensorId>,
) -> Result<Value, Cause> {
    let shapes = Shapes::new(call, x, weight)?;
    if shapes.x.len() == 5 {
        return over_three_axes(call, (x, weight, bias), &shapes);
    }
    let spatial = Spatial::new(call, &shapes.x[2..], &shapes.weight[2..])?;
    let mut shape = vec![shapes.x[0], shapes.weight[0]];
    shape.extend(spatial.windows(&shapes.x[2..]));
    let mut ids = vec![call.tensor(x, &planes(&shapes.x)?)?, call.weight(weight, &planes(&shapes.weight)?)?];
    ids.extend(bias);
    let kernel = Conv2d::new()
        .stride(Spatial::pair(&spatial.stride, 1))
        .dilation(Spatial::pair(&spatial.dilation, 1))
        .pads(spatial.pads())
        .groups(shapes.groups);
    seen_as(call.add_each(kernel, &ids)?, shape)
}

/// The planes that a window meets on the first axis are channels of one convolution over the other two.
fn over_three_axes(
    call: &mut Call<'_>,
    (x, weight, bias): (&Value, &Value, Option<TensorId>),
    shapes: &Shapes,
) -> Result<Value, Cause> {
    let (&[n, c, depth, h, w], &[out, share, taps, kh, kw]) = (&shapes.x[..], &shapes.weight[..]) else {
        return Err(Cause::msg(format!("{:?} and {:?} have not five axes", shapes.x, shapes.weight)));
    };
    let spatial = Spatial::new(call, &shapes.x[2..], &shapes.weight[2..])?;
    let windows = spatial.windows(&shapes.x[2..]);
    if windows.contains(&0) {
        return Err(Cause::msg(format!("no window fits {depth} × {h} × {w}")));
    }
    let mut id = call.tensor(x, &shapes.x)?;
    if spatial.before[0] + spatial.after[0] > 0 {
        let pads = |count: usize| [0, 0, count as i64, 0, 0];
        let pad = Pad::new(pads(spatial.before[0]), pads(spatial.after[0]), PadMode::Constant(0.0));
        id = call.added(pad, &[id])?;
    }
    let places = Rearrange::windows(2, [windows[0], spatial.stride[0]], [taps, spatial.dilation[0]]);
    id = call.added(places, &[id])?;
    id = call.added(Rearrange::transpose([0, 2, 1, 3, 4, 5]), &[id])?;
    id = call.seen(id, &[n * windows[0], c * taps, h, w])?;
    let mut ids = vec![id, call.weight(weight, &[out, share * taps, kh, kw])?];
    ids.extend(bias);
    let kernel = Conv2d::new()
        .stride([spatial.stride[1], spatial.stride[2]])
        .dilation([spatial.dilation[1], spatial.dilation[2]])
        .pads([spatial.before[1], spatial.before[2], spatial.after[1], spatial.after[2]])
        .groups(shapes.groups);
    let planes = call.add_each(kernel, &ids)?;
    let planes = seen_as(planes, vec![n, windows[0], out, windows[1], windows[2]])?;
    transposed_axes(call, &planes, &[0, 2, 1, 3, 4])
}

pub(super) fn conv_transpose(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    call.constant(1)?;
    let shapes = Shapes::new(call, call.value(0)?, call.value(1)?)?;
    match shapes.x.len() {
        3 => transposed::<1, 2>(call, &shapes, ConvTranspose::new()),
        4 => transposed::<2, 4>(call, &shapes, ConvTranspose::new()),
        5 => transposed::<3, 6>(call, &shapes, ConvTranspose::new()),
        _ => Err(Cause::msg(format!("{:?} has not one to three axes behind the channels", shapes.x))),
    }
}

fn transposed<const N: usize, const M: usize>(
    call: &mut Call<'_>,
    shapes: &Shapes,
    kernel: ConvTranspose<N>,
) -> Result<Vec<Value>, Cause>
where
    ConvTranspose<N>: Kernel,
{
    let axes = &shapes.x[2..];
    let mut spatial = Spatial::without_pads(call, &shapes.weight[2..])?;
    let mut extra = sizes(call, "output_padding", axes.len(), 0)?;
    transposed_pads(call, &mut spatial, &mut extra, axes)?;
    let kernel = kernel
        .stride(spatial.stride()?)
        .dilation(spatial.dilation()?)
        .pads(spatial.all_pads::<M>()?)
        .output_padding(array(&extra)?)
        .groups(shapes.groups);
    let mut ids = vec![call.operand(0, &shapes.x)?, call.operand(1, &shapes.weight)?];
    ids.extend(bias(call)?);
    Ok(vec![call.add_each(kernel, &ids)?])
}

/// Sets pads, and what is put behind, so that the output has the length that is asked for.
///
/// Source: the rules for `output_shape` and `auto_pad` of ONNX's ConvTranspose.
fn transposed_pads(
    call: &Call<'_>,
    spatial: &mut Spatial,
    extra: &mut [usize],
    axes: &[usize],
) -> Result<(), Cause> {
    let auto = call.text("auto_pad", "NOTSET")?;
    let wanted: Option<Vec<usize>> = match (call.ints("output_shape")?, auto) {
        (Some(lengths), _) => Some(shapes::lengths(&lengths[lengths.len().saturating_sub(axes.len())..])?),
        (None, "SAME_UPPER" | "SAME_LOWER") => Some(
            axes.iter().zip(&spatial.stride).map(|(axis, stride)| axis.saturating_mul(*stride)).collect(),
        ),
        _ => None,
    };
    let whole = |spatial: &Spatial, extra: &[usize], axis: usize| {
        let steps = axes[axis].saturating_sub(1).saturating_mul(spatial.stride[axis]);
        steps.saturating_add(spatial.reach(axis)).saturating_add(extra[axis])
    };
    let Some(wanted) = wanted.filter(|wanted| wanted.len() == axes.len()) else {
        let pads = sizes(call, "pads", 2 * axes.len(), 0)?;
        let (before, after) = pads.split_at(axes.len());
        (spatial.before, spatial.after) = (before.to_vec(), after.to_vec());
        return Ok(());
    };
    for (axis, &length) in wanted.iter().enumerate() {
        let whole = whole(spatial, extra, axis);
        extra[axis] = extra[axis].saturating_add(length.saturating_sub(whole));
        let pads = whole.saturating_sub(length);
        let (less, more) = (pads / 2, pads - pads / 2);
        let upper = auto == "SAME_UPPER";
        (spatial.before[axis], spatial.after[axis]) = if upper { (less, more) } else { (more, less) };
    }
    Ok(())
}
