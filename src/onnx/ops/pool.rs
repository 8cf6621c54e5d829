//! Pools over windows and over whole planes.

use ndarray::{ArrayD, IxDyn};

use super::arithmetic::join;
use super::spatial::{Spatial, sizes};
use crate::error::Cause;
use crate::kernel::{
    AveragePool, AveragePool1d, AveragePool2d, AveragePool3d, BinaryOp, GlobalAveragePool, Kernel, MaxPool,
    MaxPool1d, MaxPool2d, MaxPool3d, PlaceOrder, Reduce, ReduceOp,
};
use crate::onnx::call::{Call, seen_as};
use crate::onnx::tensor::{Kind, Tensor};
use crate::onnx::value::Value;

/// The window of a pool over the axes behind the channels.
fn window(call: &Call<'_>) -> Result<Spatial, Cause> {
    let x = call.shape(0)?;
    let given = call.ints("kernel_shape")?.ok_or_else(|| Cause::msg("its kernel_shape is missing"))?;
    let axes = x.get(2..).unwrap_or_default();
    if given.len() != axes.len() || !(1..=3).contains(&axes.len()) {
        return Err(Cause::msg(format!("the window {given:?} does not fit {x:?}")));
    }
    let kernel = sizes(call, "kernel_shape", axes.len(), 1)?;
    Spatial::new(call, axes, &kernel)
}

pub(super) fn max_pool(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let window = window(call)?;
    match window.kernel.len() {
        1 => max::<1, 2>(call, &window, MaxPool1d::new),
        2 => max::<2, 4>(call, &window, MaxPool2d::new),
        _ => max::<3, 6>(call, &window, MaxPool3d::new),
    }
}

fn max<const N: usize, const M: usize>(
    call: &mut Call<'_>,
    window: &Spatial,
    new: fn([usize; N]) -> MaxPool<N>,
) -> Result<Vec<Value>, Cause> {
    let pool = new(window.kernel()?)
        .stride(window.stride()?)
        .dilation(window.dilation()?)
        .pads(window.all_pads::<M>()?)
        .ceil_mode(call.flag("ceil_mode", false)?);
    let largest = planes(call, pool)?;
    if !call.wants(1) {
        return Ok(vec![largest]);
    }
    let column_major = call.flag("storage_order", false)?;
    let order = if column_major { PlaceOrder::ColumnMajor } else { PlaceOrder::RowMajor };
    let places = planes(call, pool.indices(order))?.of_kind(Kind::INT);
    Ok(vec![largest, through_all(call, places)?])
}

/// Places count through the whole tensor, and those of a kernel through a part of the first axis.
fn through_all(call: &mut Call<'_>, places: Value) -> Result<Value, Cause> {
    let shape = call.shape(0)?;
    let (parts, each) = (shape[0], shape[1..].iter().product::<usize>());
    if parts == 1 {
        return Ok(places);
    }
    let before = ArrayD::from_shape_fn(IxDyn(&[parts]), |part| (part[0] * each) as i64);
    let before =
        seen_as(Value::from(Tensor::I64(before)), [&[parts][..], &vec![1; shape.len() - 1]].concat())?;
    join(call, BinaryOp::Add, &places, &before)
}

pub(super) fn average_pool(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let window = window(call)?;
    match window.kernel.len() {
        1 => average::<1, 2>(call, &window, AveragePool1d::new),
        2 => average::<2, 4>(call, &window, AveragePool2d::new),
        _ => average::<3, 6>(call, &window, AveragePool3d::new),
    }
}

fn average<const N: usize, const M: usize>(
    call: &mut Call<'_>,
    window: &Spatial,
    new: fn([usize; N]) -> AveragePool<N>,
) -> Result<Vec<Value>, Cause> {
    let pool = new(window.kernel()?)
        .stride(window.stride()?)
        .dilation(window.dilation()?)
        .pads(window.all_pads::<M>()?)
        .ceil_mode(call.flag("ceil_mode", false)?)
        .count_include_pad(call.flag("count_include_pad", false)?);
    Ok(vec![planes(call, pool)?])
}

/// A kernel on the planes of each part of the first axis.
fn planes(call: &mut Call<'_>, kernel: impl Kernel) -> Result<Value, Cause> {
    let shape = call.shape(0)?;
    let id = call.operand(0, &shape)?;
    call.add_each(kernel, &[id])
}

/// First axis, channels, and the rest as one plane.
fn flat(call: &Call<'_>) -> Result<([usize; 4], Vec<usize>), Cause> {
    match &call.shape(0)?[..] {
        [n, c, axes @ ..] if !axes.is_empty() => {
            let result = [&[*n, *c][..], &vec![1; axes.len()]].concat();
            Ok(([*n, *c, 1, axes.iter().product()], result))
        }
        shape => Err(Cause::msg(format!("{shape:?} has no planes"))),
    }
}

pub(super) fn global_average_pool(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let (seen, result) = flat(call)?;
    let id = call.operand(0, &seen)?;
    Ok(vec![seen_as(call.add_each(GlobalAveragePool::new(), &[id])?, result)?])
}

pub(super) fn global_max_pool(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let (seen, result) = flat(call)?;
    let id = call.operand(0, &seen)?;
    Ok(vec![seen_as(call.add(Reduce::new(ReduceOp::Max, [3]), &[id])?, result)?])
}
