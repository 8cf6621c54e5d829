//! Pixels as bytes become normalised planes of floats.

use ndarray::Axis;

use super::access;
use super::params::{params, wgsl};
use super::{
    Access, Computed, Dispatch, Element, Kernel, Needs, Spec, Values, ValuesMut, grid, rounds, rule,
};
use crate::error::Cause;

/// `(pixel - mean[channel]) / std[channel]`: u8 `[height, width, channels]` to f32
/// `[channels, height, width]`, with 1 to 4 channels.
///
/// The bytes go up as they were decoded, a quarter of the floats' size.
///
/// ```
/// use gapless::kernel::{Kernel, Normalize, Spec};
/// let normalize = Normalize::new([127.0; 3], [128.0; 3]);
/// let planes = normalize.output(&[&Spec::bytes(&[224, 224, 3])])?;
/// assert_eq!(planes, Spec::floats(&[3, 224, 224]));
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Normalize {
    mean: Vec<f32>,
    std: Vec<f32>,
}

params! {
    /// Mirrors `Params` of `shaders/normalize.wgsl`.
    struct NormalizeParams {
        mean: [f32; 4],
        deviation: [f32; 4],
        pixels: u32,
        channels: u32,
        item_bytes: u32,
        unused: u32,
    }
}

impl Normalize {
    /// Mean and standard deviation of each channel, in the unit of the pixels: 0 to 255.
    pub fn new(mean: impl Into<Vec<f32>>, std: impl Into<Vec<f32>>) -> Self {
        Self { mean: mean.into(), std: std.into() }
    }

    fn check(&self) -> Result<(), Cause> {
        let Self { mean, std } = self;
        let finite = mean.iter().chain(std).all(|value| value.is_finite());
        if mean.len() == std.len() && (1..=4).contains(&mean.len()) && finite && !std.contains(&0.0) {
            return Ok(());
        }
        let wanted = "1 to 4 finite numbers each would fit, no std of 0";
        Err(Cause::msg(format!("mean is {mean:?} and std {std:?}; {wanted}")))
    }

    /// How one value is computed where another kernel reads it: from one byte.
    pub(crate) fn computed(&self, inputs: &[&Spec], output: &Spec) -> Computed {
        let (channels, pixels) = (self.mean.len(), output.shape[1] * output.shape[2]);
        let (len, item_bytes) = (output.len(), inputs[0].item_bytes());
        let number = |number: &f32| format!("({number:?}f)");
        let [mean, std] = [&self.mean, &self.std].map(|all| all.iter().map(number).collect::<Vec<_>>());
        let of = |channel: usize| format!("return (value - {}) / {};", mean[channel], std[channel]);
        let others = (1..channels).map(|channel| format!("        case {channel}u: {{ {} }}\n", of(channel)));
        let others: String = others.collect();
        let one = format!(
            "
fn pixel(place: u32) -> f32 {{
    let rest = place % {len}u;
    let channel = rest / {pixels}u;
    let value = pixel_x(place / {len}u * {item_bytes}u + rest % {pixels}u * {channels}u + channel);
    switch channel {{
{others}        default: {{ {} }}
    }}
}}
",
            of(0)
        );
        let four = format!("{one}{}", access::four_by_one("pixel"));
        Computed { inputs: &["pixel_x"], value: "pixel", sources: [one, four], rounds: 0 }
    }

    /// One number a channel, in the four places of a `vec4`.
    fn four(values: &[f32]) -> [f32; 4] {
        std::array::from_fn(|channel| values.get(channel).copied().unwrap_or(1.0))
    }
}

impl Kernel for Normalize {
    fn name(&self) -> &'static str {
        "normalize"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        self.check()?;
        let [pixels] = rule::take(inputs, ["pixels"])?;
        let channels = self.mean.len();
        match pixels.shape[..] {
            [height, width, depth]
                if depth == channels && pixels.element == Element::U8 && pixels.batched =>
            {
                rule::output(&[channels, height, width])
            }
            _ => {
                let wanted = format!("a u8 activation [height, width, {channels}] would fit");
                Err(rule::misfit("pixels", pixels, wanted))
            }
        }
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        let (pixels, channels) = (output.shape[1] * output.shape[2], output.shape[0]);
        let params = NormalizeParams {
            mean: Self::four(&self.mean),
            deviation: Self::four(&self.std),
            pixels: pixels as u32,
            channels: channels as u32,
            item_bytes: inputs[0].item_bytes() as u32,
            unused: 0,
        };
        Dispatch {
            kernel: "normalize".into(),
            source: wgsl!("normalize", "shared/linear").into(),
            access: Access::ours(&["x"]),
            constants: Vec::new(),
            workgroups: grid::cover(pixels.div_ceil(4), 64),
            params: bytemuck::bytes_of(&params).to_vec(),
            needs: Needs::rounds(rounds::nested(&[channels, 4])),
        }
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        let mut output = output.floats();
        let Values::U8(pixels) = &inputs[0] else { unreachable!("the shape rule takes bytes") };
        for (channel, mut plane) in output.outer_iter_mut().enumerate() {
            let (mean, std) = (self.mean[channel], self.std[channel]);
            let pixels = pixels.index_axis(Axis(2), channel);
            plane.zip_mut_with(&pixels, |value, &pixel| *value = (f32::from(pixel) - mean) / std);
        }
    }
}
