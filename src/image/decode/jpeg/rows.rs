//! Rows of a component at the size of the picture, as libjpeg makes them: coarser components are interpolated where
//! they have half the samples, by the triangle that libjpeg calls fancy, and repeated otherwise.

use super::frame::{Component, Frame};
use crate::error::Cause;

/// The samples of a component.
pub(super) struct Plane {
    /// The last rows that were put here, each at its number of as many as are kept.
    samples: Vec<u8>,
    kept: usize,
    stride: usize,
    size: (usize, usize),
    way: Way,
    /// Samples of the picture for each of it, across and down.
    times: (usize, usize),
}

/// Eight rows of samples.
pub(super) struct RowOfBlocks<'a> {
    samples: &'a mut [u8],
    stride: usize,
}

impl RowOfBlocks<'_> {
    /// The rows of the block at this place.
    #[inline(always)]
    pub(super) fn at(&mut self, x: usize) -> impl Iterator<Item = &mut [u8; 8]> {
        let rows = self.samples.chunks_exact_mut(self.stride);
        rows.filter_map(move |row| row.get_mut(8 * x..).and_then(<[u8]>::first_chunk_mut))
    }
}

#[derive(Clone, Copy)]
enum Way {
    Repeat,
    /// Twice as many across, down, and both.
    Across,
    Down,
    Both,
}

impl Plane {
    /// All rows are kept, or those of two interleaved units: what a row of the picture is made of, where they come in
    /// order.
    pub(super) fn of(component: &Component, frame: &Frame, all: bool) -> Result<Self, Cause> {
        let (finest, size) = (frame.finest, component.size);
        let times = (finest.0 / component.across, finest.1 / component.down);
        // Of two samples or fewer across there is nothing to interpolate.
        let way = match times {
            (2, 1) if size.0 > 2 => Way::Across,
            (1, 2) => Way::Down,
            (2, 2) if size.0 > 2 => Way::Both,
            _ => Way::Repeat,
        };
        let stride = 8 * component.stored.0;
        let kept = component.rows(all);
        let mut samples = Vec::new();
        samples.try_reserve_exact(stride * kept)?;
        samples.resize(stride * kept, 0);
        Ok(Self { samples, kept, stride, size, way, times })
    }

    pub(super) fn blocks_across(&self) -> usize {
        self.stride / 8
    }

    /// The samples of a row of blocks.
    #[inline(always)]
    pub(super) fn row_of_blocks(&mut self, row: usize) -> RowOfBlocks<'_> {
        let first = 8 * row % self.kept * self.stride;
        RowOfBlocks { samples: &mut self.samples[first..][..8 * self.stride], stride: self.stride }
    }

    #[inline(always)]
    fn row(&self, row: usize) -> &[u8] {
        let row = row.min(self.size.1 - 1) % self.kept;
        &self.samples[self.stride * row..][..self.size.0]
    }

    /// A row of the picture, and perhaps a few samples more. `sums` is memory for a row.
    #[inline(always)]
    pub(super) fn write_row(&self, row: usize, sums: &mut Vec<u16>, output: &mut Vec<u8>) {
        output.resize(self.size.0 * self.times.0, 0);
        let near = self.row(row / self.times.1);
        // The row on the other side of the one that is wanted.
        let far = || {
            let near = row / 2;
            self.row(if row.is_multiple_of(2) { near.saturating_sub(1) } else { near + 1 })
        };
        match self.way {
            Way::Repeat if self.times.0 == 1 => output.copy_from_slice(near),
            Way::Repeat => {
                let all = output.chunks_exact_mut(self.times.0).zip(near);
                all.for_each(|(samples, sample)| samples.fill(*sample));
            }
            Way::Across => {
                sums.clear();
                sums.extend(near.iter().map(|&sample| u16::from(sample)));
                across::<2>(sums, [1, 2], output);
            }
            Way::Down => {
                let bias = if row.is_multiple_of(2) { 1 } else { 2 };
                for ((sample, &near), &far) in output.iter_mut().zip(near).zip(far()) {
                    *sample = ((3 * u16::from(near) + u16::from(far) + bias) >> 2) as u8;
                }
            }
            Way::Both => {
                sums.clear();
                let both = near.iter().zip(far());
                sums.extend(both.map(|(&near, &far)| 3 * u16::from(near) + u16::from(far)));
                across::<4>(sums, [8, 7], output);
            }
        }
    }
}

/// Two samples for each: three parts of it and one of its neighbour, on the side where the sample is. `bias` is added
/// to the left and to the right one before `DROP` digits are taken away.
#[inline(always)]
fn across<const DROP: u32>(input: &[u16], bias: [u16; 2], output: &mut [u8]) {
    let of = |value: u16, neighbour: u16, bias: u16| ((3 * value + neighbour + bias) >> DROP) as u8;
    let (Some(&first), Some(&last)) = (input.first(), input.last()) else { return };
    if let ([left, inner @ .., right], [_, pairs @ ..]) = (output, input) {
        *left = of(first, first, bias[0]);
        *right = of(last, last, bias[1]);
        for ((samples, &value), &next) in inner.chunks_exact_mut(2).zip(input).zip(pairs) {
            samples[0] = of(value, next, bias[1]);
            samples[1] = of(next, value, bias[0]);
        }
    }
}
