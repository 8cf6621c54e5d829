//! A convolution with one channel a group: along each row of the output, several pixels at once.
//!
//! Each row of the input is first laid out with its padding and split by the stride, so that whatever
//! the stride and the dilation, neighbouring pixels meet a value of the kernel at neighbouring places.

use std::ops::Range;

use super::{Work, with_scratch};

/// Pixels that are computed at once.
const WIDE: usize = 16;
const NARROW: usize = 8;
/// Most values of a kernel, which are added up one by one; products of matrices add up parts of longer sums.
const TAPS: usize = 1024;
/// Most floats in the scratch memory; where it would be more, the columns are used.
const FLOATS: usize = 1 << 22;

/// Where the values of one row of the input lie in the scratch memory.
struct Split {
    /// Floats of each part: one part for every place modulo the stride.
    part: usize,
    /// Floats of a row.
    row: usize,
    /// Where the first pixel meets each value of a row of the kernel.
    taps: Vec<usize>,
}

impl Split {
    fn new(work: &Work<'_>) -> Option<Self> {
        let (stride, dilation) = (work.window.stride[1], work.window.dilation[1]);
        let farthest = (work.window.kernel[1] - 1).checked_mul(dilation)? / stride;
        let part = work.out_size[1].next_multiple_of(WIDE).checked_add(farthest)?;
        let row = part.checked_mul(stride)?;
        (row.checked_mul(work.size[0])? <= FLOATS).then(|| {
            let place = |tap: usize| (tap * dilation) % stride * part + tap * dilation / stride;
            Self { part, row, taps: (0..work.window.kernel[1]).map(place).collect() }
        })
    }

    /// Lays one row of the input out.
    fn fill(&self, work: &Work<'_>, line: &[f32], row: &mut [f32]) {
        let (stride, pad) = (work.window.stride[1], work.window.pads[1]);
        for (phase, part) in row.chunks_exact_mut(self.part).enumerate() {
            // Place `index` of this part is column `phase + index * stride - pad` of the input.
            let first = pad.saturating_sub(phase).div_ceil(stride).min(part.len());
            let (padding, rest) = part.split_at_mut(first);
            padding.fill(0.0);
            let skipped = (phase + first * stride).saturating_sub(pad).min(line.len());
            let values = line[skipped..].iter().step_by(stride);
            let count = rest.len().min(values.len());
            rest.iter_mut().zip(values).for_each(|(to, from)| *to = *from);
            rest[count..].fill(0.0);
        }
    }
}

pub(super) fn suits(work: &Work<'_>) -> bool {
    work.window.kernel.iter().product::<usize>() <= TAPS && Split::new(work).is_some()
}

pub(super) fn run(work: &Work<'_>, output: &mut [f32]) {
    let split = Split::new(work).expect("it suits");
    let seen: Vec<Seen> = (0..work.out_size[0]).map(|y| Seen::new(work, &split, y)).collect();
    let (each, plane) = (work.outputs / work.groups, work.size[0] * work.size[1]);
    with_scratch(split.row * work.size[0], |scratch| {
        let planes = output.chunks_exact_mut(each * work.pixels());
        for (group, (planes, channel)) in planes.zip(work.x.chunks_exact(plane)).enumerate() {
            let lines = channel.chunks_exact(work.size[1]).zip(scratch.chunks_exact_mut(split.row));
            lines.for_each(|(line, row)| split.fill(work, line, row));
            for (index, plane) in planes.chunks_exact_mut(work.pixels()).enumerate() {
                run_plane(work, &split, &seen, group * each + index, scratch, plane);
                work.finish(group * each + index, 0, plane);
            }
        }
    });
}

/// What one row of the output sees.
struct Seen {
    /// Values of the kernel, in whole rows, that lie inside the input.
    kernel: Range<usize>,
    /// Where the first of these rows meets the scratch memory.
    start: usize,
}

impl Seen {
    fn new(work: &Work<'_>, split: &Split, y: usize) -> Self {
        let [height, width] = work.window.kernel;
        let inside = |tap: &usize| work.window.inside(0, *tap, work.size[0], work.out_size[0]).contains(&y);
        let first = (0..height).find(inside).unwrap_or(height);
        let end = (first..height).find(|tap| !inside(tap)).unwrap_or(height);
        let start = if first == end { 0 } else { work.window.source(0, first, y) * split.row };
        Self { kernel: first * width..end * width, start }
    }
}

fn run_plane(
    work: &Work<'_>,
    split: &Split,
    seen: &[Seen],
    output: usize,
    scratch: &[f32],
    plane: &mut [f32],
) {
    let kernel = &work.weight[output * work.window.kernel[0] * work.window.kernel[1]..];
    let step = work.window.dilation[0].saturating_mul(split.row);
    for (line, seen) in plane.chunks_exact_mut(work.out_size[1]).zip(seen) {
        let (source, kernel) = (&scratch[seen.start..], &kernel[seen.kernel.clone()]);
        Rows { split, step, source, kernel }.fill(line);
    }
}

/// What one row of the output is made of.
struct Rows<'a> {
    split: &'a Split,
    /// From one row of the kernel to the next.
    step: usize,
    source: &'a [f32],
    /// The rows of the kernel that lie inside the input.
    kernel: &'a [f32],
}

impl Rows<'_> {
    fn fill(&self, line: &mut [f32]) {
        let mut done = 0;
        while line.len() - done > NARROW {
            let sums = self.sums::<WIDE>(done);
            let count = WIDE.min(line.len() - done);
            line[done..done + count].copy_from_slice(&sums[..count]);
            done += count;
        }
        if done < line.len() {
            let count = line.len() - done;
            line[done..].copy_from_slice(&self.sums::<NARROW>(done)[..count]);
        }
    }

    fn sums<const N: usize>(&self, first: usize) -> [f32; N] {
        let mut sums = [0.0; N];
        for (index, kernel) in self.kernel.chunks_exact(self.split.taps.len()).enumerate() {
            let row = &self.source[index * self.step + first..];
            for (weight, tap) in kernel.iter().zip(&self.split.taps) {
                let values: &[f32; N] = row[*tap..].first_chunk().expect("a row is laid out to its end");
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum += weight * value;
                }
            }
        }
        sums
    }
}
