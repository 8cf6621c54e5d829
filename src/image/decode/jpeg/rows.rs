//! Rows of a component at the size of the picture, as libjpeg makes them: coarser components are interpolated where
//! they have half the samples, by the triangle that libjpeg calls fancy, and repeated otherwise.

use super::frame::{Component, Frame};
use crate::error::Cause;

/// The samples of a component.
pub(super) struct Plane {
    pub(super) samples: Vec<u8>,
    pub(super) stride: usize,
    size: (usize, usize),
    way: Way,
    /// Samples of the picture for each of it, across and down.
    times: (usize, usize),
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
    pub(super) fn of(component: &Component, frame: &Frame) -> Result<Self, Cause> {
        let (finest, size) = (frame.finest, component.size);
        if finest.0 % component.across != 0 || finest.1 % component.down != 0 {
            return Err(Cause::msg(format_args!(
                "a JPEG with a component sampled {}×{} where the finest is {}×{}: not decoded",
                component.across, component.down, finest.0, finest.1
            )));
        }
        let times = (finest.0 / component.across, finest.1 / component.down);
        // Of two samples or fewer across there is nothing to interpolate.
        let way = match times {
            (2, 1) if size.0 > 2 => Way::Across,
            (1, 2) => Way::Down,
            (2, 2) if size.0 > 2 => Way::Both,
            _ => Way::Repeat,
        };
        let stride = 8 * component.stored.0;
        let mut samples = Vec::new();
        samples.try_reserve_exact(stride * 8 * component.stored.1)?;
        samples.resize(stride * 8 * component.stored.1, 0);
        Ok(Self { samples, stride, size, way, times })
    }

    fn row(&self, row: usize) -> &[u8] {
        &self.samples[self.stride * row.min(self.size.1 - 1)..][..self.size.0]
    }

    /// A row of the picture, and perhaps a few samples more.
    pub(super) fn write_row(&self, row: usize, output: &mut Vec<u8>) {
        output.clear();
        let near = self.row(row / self.times.1);
        // The row on the other side of the one that is wanted.
        let far = || {
            let near = row / 2;
            self.row(if row.is_multiple_of(2) { near.saturating_sub(1) } else { near + 1 })
        };
        match self.way {
            Way::Repeat if self.times.0 == 1 => output.extend_from_slice(near),
            Way::Repeat => {
                near.iter().for_each(|&sample| output.extend(std::iter::repeat_n(sample, self.times.0)));
            }
            Way::Across => across(near.iter().map(|&sample| u16::from(sample)), [1, 2], 2, output),
            Way::Down => {
                let bias = if row.is_multiple_of(2) { 1 } else { 2 };
                let both = near.iter().zip(far());
                output.extend(
                    both.map(|(&near, &far)| ((3 * u16::from(near) + u16::from(far) + bias) >> 2) as u8),
                );
            }
            Way::Both => {
                let both = near.iter().zip(far());
                let sums = both.map(|(&near, &far)| 3 * u16::from(near) + u16::from(far));
                across(sums, [8, 7], 4, output);
            }
        }
    }
}

/// Two samples for each: three parts of it and one of its neighbour, on the side where the sample is. `bias` is added
/// to the left and to the right one before `drop` digits are taken away.
fn across(input: impl Iterator<Item = u16>, bias: [u16; 2], drop: u32, output: &mut Vec<u8>) {
    let mut input = input.peekable();
    let mut before = None;
    while let Some(value) = input.next() {
        let left = before.unwrap_or(value);
        let right = input.peek().copied().unwrap_or(value);
        output.push(((3 * value + left + bias[0]) >> drop) as u8);
        output.push(((3 * value + right + bias[1]) >> drop) as u8);
        before = Some(value);
    }
}
