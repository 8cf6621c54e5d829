//! From pixels to quantised coefficients.

use std::array::from_fn;
use std::f32::consts::{FRAC_1_SQRT_2, PI};

use crate::jpeg::geometry::{Extent, extents};
use crate::jpeg::layout::Layout;
use crate::jpeg::pixels::{Channel, Padding, picture, stored};
use crate::random::Random;

/// The 64 coefficients of a block in zigzag order.
pub(crate) type Block = [i32; 64];

/// The place in a block, row by row, of each coefficient in zigzag order.
fn zigzag() -> [usize; 64] {
    let mut places: [usize; 64] = from_fn(|place| place);
    // Along the diagonals, every other one upwards.
    places.sort_by_key(|place| {
        let (row, column) = (place / 8, place % 8);
        let diagonal = row + column;
        (diagonal, if diagonal % 2 == 0 { column } else { row })
    });
    places
}

/// The blocks of each component, row by row, with those that only pad a unit.
pub(crate) fn coefficients(layout: &Layout) -> Vec<Vec<Block>> {
    let extents = extents(layout);
    let channels = stored(layout, picture(layout));
    let (order, basis) = (zigzag(), basis());
    let mut random = Random::new(layout.seed, 3);
    let mut all = Vec::new();
    for (index, extent) in extents.iter().enumerate() {
        let values = &layout.quantisations[layout.components[index].quantisation].values;
        let samples = shrunk(layout, &channels[index], index, extent);
        let mut blocks = Vec::with_capacity(extent.stored_across * extent.stored_down);
        for place in 0..extent.stored_across * extent.stored_down {
            let (top, left) = (place / extent.stored_across * 8, place % extent.stored_across * 8);
            let block: [f32; 64] = from_fn(|inner| {
                sample(layout.padding, &samples, extent, left + inner % 8, top + inner / 8, &mut random)
                    - 128.0
            });
            let frequencies = transformed(&block, &basis);
            blocks.push(from_fn(|place| {
                let level = (frequencies[order[place]] / f32::from(values[place])).round() as i32;
                if place == 0 { level.clamp(-1024, 1023) } else { level.clamp(-1023, 1023) }
            }));
        }
        all.push(blocks);
    }
    all
}

fn sample(
    padding: Padding,
    samples: &[f32],
    extent: &Extent,
    x: usize,
    y: usize,
    random: &mut Random,
) -> f32 {
    let inside = x < extent.width && y < extent.height;
    match padding {
        Padding::Black if !inside => 0.0,
        Padding::Noise if !inside => random.share() * 255.0,
        _ => samples[y.min(extent.height - 1) * extent.width + x.min(extent.width - 1)],
    }
}

/// A channel at the size of its component: each sample is the mean of the pixels that it covers.
fn shrunk(layout: &Layout, channel: &Channel, index: usize, extent: &Extent) -> Vec<f32> {
    let (most_across, most_down) = layout.most();
    let component = &layout.components[index];
    // How many pixels a sample covers.
    let across = most_across as f32 / component.across as f32;
    let down = most_down as f32 / component.down as f32;
    let narrow: Vec<f32> =
        (channel.chunks(layout.width)).flat_map(|row| means(row, extent.width, across)).collect();
    let mut samples = vec![0.0; extent.width * extent.height];
    for x in 0..extent.width {
        let column: Vec<f32> = narrow[x..].iter().step_by(extent.width).copied().collect();
        let means = means(&column, extent.height, down);
        for (y, mean) in means.into_iter().enumerate() {
            samples[y * extent.width + x] = mean;
        }
    }
    samples
}

fn means(line: &[f32], samples: usize, share: f32) -> Vec<f32> {
    let mean = |place: usize| {
        let (start, end) = (place as f32 * share, ((place + 1) as f32 * share).min(line.len() as f32));
        let (mut sum, mut weight) = (0.0, 0.0);
        for (pixel, level) in line.iter().enumerate().take(end.ceil() as usize).skip(start as usize) {
            let part = end.min(pixel as f32 + 1.0) - start.max(pixel as f32);
            sum += level * part;
            weight += part;
        }
        sum / weight
    };
    (0..samples).map(mean).collect()
}

/// The cosines, a row for each frequency.
fn basis() -> [[f32; 8]; 8] {
    from_fn(|frequency| {
        let scale = if frequency == 0 { FRAC_1_SQRT_2 / 2.0 } else { 0.5 };
        from_fn(|place| scale * ((2 * place + 1) as f32 * frequency as f32 * PI / 16.0).cos())
    })
}

fn transformed(block: &[f32; 64], basis: &[[f32; 8]; 8]) -> [f32; 64] {
    let rows: [f32; 64] = from_fn(|place| {
        let row = &block[place / 8 * 8..][..8];
        row.iter().zip(&basis[place % 8]).map(|(level, cosine)| level * cosine).sum()
    });
    from_fn(|place| (0..8).map(|row| rows[row * 8 + place % 8] * basis[place / 8][row]).sum())
}
