//! What the pictures show.

use crate::jpeg::layout::{Colour, Layout};
use crate::random::Random;

/// What a picture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Smooth,
    Noise,
    Edges,
    Text,
    Flat,
}

/// What the samples are that blocks have beyond the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Padding {
    Repeated,
    Black,
    Noise,
}

/// One channel of the picture, a sample for each pixel.
pub(crate) type Channel = Vec<f32>;

/// The picture as grey, RGB, or amounts of CMYK ink.
pub(crate) fn picture(layout: &Layout) -> Vec<Channel> {
    let mut random = Random::new(layout.seed, 2);
    let channels = layout.components.len();
    let (width, height) = (layout.width, layout.height);
    let mut picture = vec![vec![0.0; width * height]; channels];
    let colour = |random: &mut Random| (0..channels).map(|_| random.share() * 255.0).collect::<Vec<_>>();
    let (one, other) = (colour(&mut random), colour(&mut random));
    match layout.content {
        Content::Flat => fill(&mut picture, |channel, _, _| one[channel], width),
        Content::Smooth => {
            let slope = |random: &mut Random| random.share() * 3.0 - 1.5;
            let slopes: Vec<_> = (0..channels).map(|_| (slope(&mut random), slope(&mut random))).collect();
            let level = |channel: usize, x: usize, y: usize| {
                one[channel] * 0.6 + 50.0 + slopes[channel].0 * x as f32 + slopes[channel].1 * y as f32
            };
            // Folded back at the limits, so that a slope never jumps.
            let folded = |level: f32| 255.0 - (level.rem_euclid(510.0) - 255.0).abs();
            fill(&mut picture, |channel, x, y| folded(level(channel, x, y)), width);
        }
        Content::Noise => {
            let strength = random.share();
            fill(
                &mut picture,
                |channel, _, _| one[channel] + (random.share() * 255.0 - one[channel]) * strength,
                width,
            );
        }
        Content::Edges => {
            let (tilt, place) = (random.share() * 4.0 - 2.0, random.between(0, width + height) as f32);
            let period = random.between(3, 60) as f32;
            let side =
                |x: usize, y: usize| (x as f32 + tilt * y as f32 - place).rem_euclid(period) < period * 0.4;
            fill(&mut picture, |channel, x, y| if side(x, y) { one[channel] } else { other[channel] }, width);
        }
        Content::Text => {
            let (size, ink) = (random.between(2, 9), random.next());
            let glyph = |x: usize, y: usize| {
                let cell = (x / size) as u64 * 31 + (y / size) as u64 * 57;
                let bit = (x % size) * 3 / size + (y % size) * 5 / size * 3;
                (y / size) & 1 == 0 && ink.rotate_left(cell as u32) >> bit & 1 == 1
            };
            fill(
                &mut picture,
                |channel, x, y| if glyph(x, y) { one[channel] } else { other[channel] },
                width,
            );
        }
    }
    for sample in picture.iter_mut().flatten() {
        *sample = sample.round().clamp(0.0, 255.0);
    }
    picture
}

fn fill(picture: &mut [Channel], mut sample: impl FnMut(usize, usize, usize) -> f32, width: usize) {
    for (channel, samples) in picture.iter_mut().enumerate() {
        for (place, value) in samples.iter_mut().enumerate() {
            *value = sample(channel, place % width, place / width);
        }
    }
}

/// The channels as the file keeps them.
pub(crate) fn stored(layout: &Layout, mut picture: Vec<Channel>) -> Vec<Channel> {
    let colour = layout.colour();
    if matches!(colour, Colour::Ycc | Colour::Ycck) {
        for place in 0..picture[0].len() {
            let [red, green, blue] = [0, 1, 2].map(|channel| picture[channel][place]);
            picture[0][place] = 0.299 * red + 0.587 * green + 0.114 * blue;
            picture[1][place] = 128.0 - 0.168_735_9 * red - 0.331_264_1 * green + 0.5 * blue;
            picture[2][place] = 128.0 + 0.5 * red - 0.418_687_6 * green - 0.081_312_4 * blue;
        }
    }
    // Adobe keeps ink inverted; what YCCK calls red is the inverse of that again.
    let inverted = match colour {
        Colour::Cmyk => 0..4,
        Colour::Ycck => 3..4,
        _ => 0..0,
    };
    for sample in picture[inverted].iter_mut().flatten() {
        *sample = 255.0 - *sample;
    }
    picture
}
