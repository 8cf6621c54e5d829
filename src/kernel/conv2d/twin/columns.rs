//! A convolution as products of matrices: the weights of a group times columns, one a pixel of the output.
//!
//! A pointwise convolution needs no columns: its input is them.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, s};

use super::{Work, with_scratch};

/// Most pixels that are computed at once, so that they are in the cache when they are finished.
const PIXELS: usize = 2048;
/// Most floats in the columns, unless that is less than eight pixels.
const FLOATS: usize = 1 << 18;

pub(super) fn run(work: &Work<'_>, output: &mut [f32]) {
    let own = work.outputs / work.groups;
    for (group, output) in output.chunks_exact_mut(own * work.pixels()).enumerate() {
        if is_pointwise(work) { pointwise(work, group, output) } else { by_columns(work, group, output) }
    }
}

fn is_pointwise(work: &Work<'_>) -> bool {
    let window = &work.window;
    window.kernel == [1, 1] && window.stride == [1, 1] && window.pads == [0; 4]
}

fn pointwise(work: &Work<'_>, group: usize, output: &mut [f32]) {
    let seen = &work.x[group * work.share * work.pixels()..][..work.share * work.pixels()];
    let seen = matrix(seen, work.share, work.pixels());
    for first in (0..work.pixels()).step_by(PIXELS) {
        let end = (first + PIXELS).min(work.pixels());
        multiply(work, group, first, seen.slice(s![.., first..end]), output);
    }
}

fn by_columns(work: &Work<'_>, group: usize, output: &mut [f32]) {
    let [height, width] = work.window.kernel;
    let terms = work.share * height * width;
    let at_once = (FLOATS / terms).clamp(8, PIXELS).min(work.pixels());
    with_scratch(terms * at_once, |scratch| {
        for first in (0..work.pixels()).step_by(at_once) {
            let pixels = at_once.min(work.pixels() - first);
            let columns = &mut scratch[..terms * pixels];
            fill(work, group, first, pixels, columns);
            multiply(work, group, first, matrix(columns, terms, pixels), output);
        }
    });
}

fn matrix(values: &[f32], rows: usize, columns: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((rows, columns), values).expect("as many values as places")
}

/// Computes the pixels of one group from `first` on, one a column.
fn multiply(work: &Work<'_>, group: usize, first: usize, columns: ArrayView2<'_, f32>, output: &mut [f32]) {
    let (terms, pixels) = columns.dim();
    let own = output.len() / work.pixels();
    let weight = matrix(&work.weight[group * own * terms..][..own * terms], own, terms);
    let mut sums = ArrayViewMut2::from_shape((own, work.pixels()), output).expect("a group of planes");
    let mut sums = sums.slice_mut(s![.., first..first + pixels]);
    general_mat_mul(1.0, &weight, &columns, 0.0, &mut sums);
    for (index, mut row) in sums.rows_mut().into_iter().enumerate() {
        work.finish(group * own + index, first, row.as_slice_mut().expect("a part of a row"));
    }
}

/// Puts what the pixels from `first` on see into columns, one row a value of the kernel.
fn fill(work: &Work<'_>, group: usize, first: usize, pixels: usize, columns: &mut [f32]) {
    let [height, width] = work.window.kernel;
    let plane = work.size[0] * work.size[1];
    for (term, row) in columns.chunks_exact_mut(pixels).enumerate() {
        let (channel, tap) = (term / (height * width), term % (height * width));
        let channel = &work.x[(group * work.share + channel) * plane..][..plane];
        fill_row(work, channel, [tap / width, tap % width], first, row);
    }
}

/// What one value of the kernel meets at the pixels from `first` on; zeros in the padding.
fn fill_row(work: &Work<'_>, channel: &[f32], tap: [usize; 2], first: usize, row: &mut [f32]) {
    let Work { window, size: [height, width], out_size: [out_height, out_width], .. } = *work;
    let rows = window.inside(0, tap[0], height, out_height);
    let columns = window.inside(1, tap[1], width, out_width);
    let mut done = 0;
    while done < row.len() {
        let (y, x) = ((first + done) / out_width, (first + done) % out_width);
        let part = &mut row[done..];
        let count = part.len().min(out_width - x);
        let part = &mut part[..count];
        done += count;
        let start = columns.start.clamp(x, x + count);
        let end = columns.end.clamp(start, x + count);
        if !rows.contains(&y) || start == end {
            part.fill(0.0);
            continue;
        }
        part[..start - x].fill(0.0);
        part[end - x..].fill(0.0);
        let line = &channel[window.source(0, tap[0], y) * width..][..width];
        let line = &line[window.source(1, tap[1], start)..];
        let part = &mut part[start - x..end - x];
        match window.stride[1] {
            1 => part.copy_from_slice(&line[..part.len()]),
            stride => part.iter_mut().zip(line.iter().step_by(stride)).for_each(|(to, from)| *to = *from),
        }
    }
}
