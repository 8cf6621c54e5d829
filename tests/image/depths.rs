//! A PNG of every colour type and depth has the pixels that were written.

use gapless::image::Loader;
use png::{BitDepth, ColorType, Encoder};

const SIDES: (usize, usize) = (19, 7);

/// The samples of every pixel in turn, each with as many bits as it has.
fn samples(count: usize, bits: u32) -> Vec<u16> {
    let numbers = (0..count as u32).map(|at| at.wrapping_mul(40_503) >> 2);
    numbers.map(|number| (number % (1 << bits)) as u16).collect()
}

/// Rows of samples as bytes, each row from a byte of its own on.
fn packed(samples: &[u16], bits: u32, a_row: usize) -> Vec<u8> {
    let row = |samples: &[u16]| -> Vec<u8> {
        match bits {
            16 => samples.iter().flat_map(|sample| sample.to_be_bytes()).collect(),
            8 => samples.iter().map(|&sample| sample as u8).collect(),
            _ => {
                let together = |samples: &[u16]| {
                    let shifted = samples.iter().zip((0..8 / bits).rev());
                    shifted.fold(0, |byte, (&sample, place)| byte | ((sample as u8) << (bits * place)))
                };
                samples.chunks((8 / bits) as usize).map(together).collect()
            }
        }
    };
    samples.chunks(a_row).flat_map(row).collect()
}

/// A sample as a byte: the high byte of 16 bits, and fewer bits stretched to all of its range.
fn byte(sample: u16, bits: u32) -> u8 {
    match bits {
        16 => (sample >> 8) as u8,
        8 => sample as u8,
        _ => (u32::from(sample) * 255 / ((1 << bits) - 1)) as u8,
    }
}

#[test]
fn every_colour_type_and_depth_has_the_pixels_that_were_written() {
    use ColorType::{Grayscale, GrayscaleAlpha, Indexed, Rgb, Rgba};
    let depths = [BitDepth::One, BitDepth::Two, BitDepth::Four, BitDepth::Eight, BitDepth::Sixteen];
    for color in [Grayscale, Rgb, Indexed, GrayscaleAlpha, Rgba] {
        for depth in depths {
            let bits = depth as u32;
            let legal = match color {
                Grayscale => true,
                Indexed => bits < 16,
                _ => bits >= 8,
            };
            if !legal {
                continue;
            }
            for transparency in
                [None, Some(vec![0, 1]), Some(vec![0; 6]), Some((0..=255).collect::<Vec<u8>>())]
            {
                check(color, depth, transparency);
            }
        }
    }
}

fn check(color: ColorType, depth: BitDepth, transparency: Option<Vec<u8>>) {
    let (bits, channels) = (depth as u32, color.samples());
    let palette: Vec<u8> = (0..3 << bits.min(8)).map(|at: usize| (at * 83 % 256) as u8).collect();
    let samples = samples(SIDES.0 * SIDES.1 * channels, bits);
    let expected: Vec<u8> = samples
        .chunks(channels)
        .flat_map(|pixel| match *pixel {
            [index] if color == ColorType::Indexed => {
                let at = 3 * usize::from(index);
                [palette[at], palette[at + 1], palette[at + 2]]
            }
            [grey] | [grey, _] => [byte(grey, bits); 3],
            [red, green, blue, ..] => [red, green, blue].map(|sample| byte(sample, bits)),
            [] => [0; 3],
        })
        .collect();
    let mut png = Vec::new();
    let mut encoder = Encoder::new(&mut png, SIDES.0 as u32, SIDES.1 as u32);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if color == ColorType::Indexed {
        encoder.set_palette(palette.clone());
    }
    if let Some(alpha) = &transparency {
        encoder.set_trns(alpha.clone());
    }
    let data = packed(&samples, bits, SIDES.0 * channels);
    encoder.write_header().unwrap().write_image_data(&data).unwrap();
    let tensor =
        Loader::own_size().decode(&png).unwrap_or_else(|cause| panic!("{color:?} {depth:?}: {cause}"));
    assert_eq!(tensor.dim(), (SIDES.1, SIDES.0, 3));
    assert_eq!(tensor.as_slice().unwrap(), expected, "{color:?} {depth:?} {transparency:?}");
}
