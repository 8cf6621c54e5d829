//! The twin of the convolution: every part of the kernel adds its share, a row of the output at a time.

use ndarray::{ArrayView2, ArrayView3, ArrayViewMut1, ArrayViewMut2, ArrayViewMutD, Axis, Ix3, Ix4, s};

use super::Conv2d;
use crate::kernel::Values;
use crate::kernel::window::Window;

pub(super) fn run(conv: &Conv2d, inputs: &[Values<'_>], mut output: ArrayViewMutD<'_, f32>) {
    let inputs = conv.accepted(inputs);
    let x = inputs.x.floats().into_dimensionality::<Ix3>().expect("the shape rule takes three axes");
    let weight = inputs.weight.floats().into_dimensionality::<Ix4>().expect("the shape rule takes four axes");
    let (outputs, share, height, width) = weight.dim();
    let window = conv.window([height, width]);
    for (channel, plane) in output.outer_iter_mut().enumerate() {
        let mut plane: ArrayViewMut2<'_, f32> =
            plane.into_dimensionality().expect("the output has three axes");
        let group = channel / (outputs / conv.groups);
        let seen = x.slice(s![group * share..(group + 1) * share, .., ..]);
        plane.fill(inputs.bias.map_or(0.0, |bias| bias.floats()[[channel]]));
        convolve(&window, seen, weight.index_axis(Axis(0), channel), plane.view_mut());
        if let Some(residual) = inputs.residual {
            plane += &residual.floats().index_axis(Axis(0), channel);
        }
        conv.activation.apply_to(plane);
    }
}

/// Adds to one plane of the output what the channels that it sees give.
fn convolve(
    window: &Window,
    channels: ArrayView3<'_, f32>,
    kernels: ArrayView3<'_, f32>,
    mut plane: ArrayViewMut2<'_, f32>,
) {
    for (channel, kernel) in channels.outer_iter().zip(kernels.outer_iter()) {
        for (tap, &weight) in kernel.indexed_iter() {
            add_tap(window, channel, [tap.0, tap.1], weight, plane.view_mut());
        }
    }
}

/// Adds what one value of the kernel gives, where it lies inside the input.
fn add_tap(
    window: &Window,
    channel: ArrayView2<'_, f32>,
    tap: [usize; 2],
    weight: f32,
    mut plane: ArrayViewMut2<'_, f32>,
) {
    let ((height, width), (out_height, out_width)) = (channel.dim(), plane.dim());
    let columns = window.inside(1, tap[1], width, out_width);
    if columns.is_empty() {
        return;
    }
    let first = window.source(1, tap[1], columns.start);
    for row in window.inside(0, tap[0], height, out_height) {
        let source = channel.row(window.source(0, tap[0], row));
        let source = source.slice_move(s![first..;window.stride[1]]);
        let target: ArrayViewMut1<'_, f32> = plane.slice_mut(s![row, columns.clone()]);
        target.into_iter().zip(source).for_each(|(sum, value)| *sum += weight * value);
    }
}
