//! The twin: every tap of the kernel adds the whole plane, scaled, to the places of the output that it reaches.

use ndarray::{Array3, ArrayView3, ArrayView4, ArrayViewMutD, Axis, Slice, s};

use super::ConvTranspose;
use crate::kernel::Values;
use crate::kernel::pool::{four, planes, view};

pub(super) fn run<const N: usize>(
    conv: &ConvTranspose<N>,
    inputs: &[Values<'_>],
    mut output: ArrayViewMutD<'_, f32>,
) {
    let (x, weight) = (inputs[0].floats(), inputs[1].floats());
    let x = view(x);
    let share = weight.shape()[1];
    let in_group = x.len_of(Axis(0)) / conv.groups;
    let [_, plane @ ..] = planes(output.shape());
    let mut sums = Array3::<f64>::zeros(plane);
    for (number, mut y) in output.outer_iter_mut().enumerate() {
        sums.fill(inputs.get(2).map_or(0.0, |bias| bias.floats()[[number]].into()));
        for channel in (0..in_group).map(|channel| number / share * in_group + channel) {
            let taps: ArrayView4<'_, f32> = view(weight.index_axis(Axis(0), channel));
            spread(conv, x.index_axis(Axis(0), channel), taps.index_axis(Axis(0), number % share), &mut sums);
        }
        y.iter_mut().zip(&sums).for_each(|(y, &sum)| *y = sum as f32);
    }
}

/// Adds one plane, spread by one kernel.
fn spread<const N: usize>(
    conv: &ConvTranspose<N>,
    x: ArrayView3<'_, f32>,
    taps: ArrayView3<'_, f32>,
    y: &mut Array3<f64>,
) {
    for ((tap_z, tap_y, tap_x), &weight) in taps.indexed_iter() {
        let reached =
            |axis: usize, tap: usize| reach(conv, axis, tap, [x.len_of(Axis(axis)), y.len_of(Axis(axis))]);
        let reached = [reached(0, tap_z), reached(1, tap_y), reached(2, tap_x)];
        let [Some((from_z, to_z)), Some((from_y, to_y)), Some((from_x, to_x))] = reached else { continue };
        let from = x.slice(s![from_z, from_y, from_x]);
        let add = |y: &mut f64, &x: &f32| *y += f64::from(weight) * f64::from(x);
        y.slice_mut(s![to_z, to_y, to_x]).zip_mut_with(&from, add);
    }
}

/// The places of the input that a tap brings into the output on this axis, and those that it brings them to.
fn reach<const N: usize>(
    conv: &ConvTranspose<N>,
    axis: usize,
    tap: usize,
    [input, output]: [usize; 2],
) -> Option<(Slice, Slice)> {
    let of = |first, values: [usize; N]| four(first, values)[axis + 1];
    let (stride, before) = (of(1, conv.stride), of(0, conv.before));
    let shift = tap * of(1, conv.dilation);
    let first = before.saturating_sub(shift).div_ceil(stride);
    let end = (output + before).saturating_sub(shift).div_ceil(stride).min(input);
    let last = end.checked_sub(1).filter(|last| *last >= first)?;
    let to = |place: usize| (place * stride + shift - before) as isize;
    let from = Slice::new(first as isize, Some(end as isize), 1);
    Some((from, Slice::new(to(first), Some(to(last) + 1), stride as isize)))
}
