//! Columns put back to the places of an image that windows took them from.

use ndarray::{ArrayD, IxDyn};

use super::spatial::{Spatial, sizes};
use crate::error::Cause;
use crate::kernel::{Gather, Pad, PadMode, Reduce, ReduceOp};
use crate::onnx::call::{Call, seen_as};
use crate::onnx::shapes;
use crate::onnx::tensor::Tensor;
use crate::onnx::value::Value;

/// Each place of the image looks up the values of all windows that meet it, and has their sum.
pub(super) fn col2im(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let (image, block) = (known(call, 1, "image shape")?, known(call, 2, "block shape")?);
    let x = call.shape(0)?;
    let mut spatial = Spatial::without_pads(call, &block)?;
    let pads = sizes(call, "pads", 2 * block.len(), 0)?;
    let (before, after) = pads.split_at(block.len());
    (spatial.before, spatial.after) = (before.to_vec(), after.to_vec());
    let (taps, pixels) = (shapes::count(&block).unwrap_or(0), shapes::count(&image).unwrap_or(0));
    let fits = image.len() == block.len() && taps > 0 && x.len() == 3 && x[1].is_multiple_of(taps);
    let windows = if fits { spatial.windows(&image) } else { vec![0] };
    if !fits || pixels == 0 || x[2] == 0 || shapes::count(&windows) != Some(x[2]) {
        return Err(Cause::msg(format!("columns {x:?} are no windows {block:?} of {image:?}")));
    }
    let [n, channels, len] = [x[0], x[1] / taps, taps * x[2]];
    let (met, most) = meeting(call, &spatial, &image, &windows)?;
    let columns = call.operand(0, &[n * channels, len])?;
    // A place behind all values is 0.
    let padded = call.added(Pad::new([0, 0], [0, 1], PadMode::Constant(0.0)), &[columns])?;
    let met = call.ints_of(&Value::from(met), &[pixels, most])?;
    let found = call.added(Gather::new(1), &[padded, met])?;
    let sums = call.add(Reduce::new(ReduceOp::Sum, [2]), &[found])?;
    Ok(vec![seen_as(sums, [&[n, channels], &image[..]].concat())?])
}

fn known(call: &Call<'_>, index: usize, name: &str) -> Result<Vec<usize>, Cause> {
    let lengths = call.constant(index)?.ok_or_else(|| Cause::msg(format!("its {name} is missing")))?;
    shapes::lengths(&lengths.to_ints()?)
}

/// For each place of the image the values that meet it, as their places in the columns of a channel, filled up with the
/// place behind these; and how many there are at most.
fn meeting(
    call: &mut Call<'_>,
    spatial: &Spatial,
    image: &[usize],
    windows: &[usize],
) -> Result<(Tensor, usize), Cause> {
    let [pixels, columns] = [image, windows].map(|axes| axes.iter().product::<usize>());
    let taps: usize = spatial.kernel.iter().product();
    call.take(&[taps, columns])?;
    let mut met: Vec<Vec<i64>> = vec![Vec::new(); pixels];
    for (tap, at) in ndarray::indices(IxDyn(&spatial.kernel)).into_iter().enumerate() {
        for (column, window) in ndarray::indices(IxDyn(windows)).into_iter().enumerate() {
            let place = (0..image.len()).try_fold(0, |place, axis| {
                let on = window[axis] * spatial.stride[axis] + at[axis] * spatial.dilation[axis];
                let on = on.checked_sub(spatial.before[axis]).filter(|on| *on < image[axis])?;
                Some(place * image[axis] + on)
            });
            if let Some(place) = place {
                met[place].push((tap * columns + column) as i64);
            }
        }
    }
    let most = met.iter().map(Vec::len).max().unwrap_or(0).max(1);
    call.take(&[pixels, most])?;
    let none = (taps * columns) as i64;
    let filled =
        ArrayD::from_shape_fn(IxDyn(&[pixels, most]), |at| met[at[0]].get(at[1]).copied().unwrap_or(none));
    Ok((Tensor::I64(filled), most))
}
