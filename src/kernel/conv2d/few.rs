//! A convolution that gives few pixels, such as those of squeeze and excitation, or a classifier that is
//! written as a convolution: many invocations share the terms of one output.

use super::shaders::Shader;
use super::{Conv2d, weight_shape};
use crate::kernel::lanes::Join;
use crate::kernel::params::wgsl;
use crate::kernel::product::{self, Tiling};
use crate::kernel::{Dispatch, Precision, Spec};

/// Pixels of a tile, and the most that are few.
const PIXELS: usize = 4;

pub(super) fn variants(conv: &Conv2d, inputs: &[&Spec], output: &Spec) -> Vec<Dispatch> {
    let [outputs, channels, height, width] = weight_shape(inputs);
    let pixels = output.shape[1] * output.shape[2];
    let terms = channels * height * width;
    let is_few = pixels <= PIXELS && terms >= product::TERMS_TO_SHARE;
    if !is_few && terms < product::TERMS_THAT_MUST_BE_SHARED {
        return Vec::new();
    }
    let joined = |join| {
        let parts = &[
            wgsl!("conv2d_few", "shared/seen", "shared/four", "shared/finish4"),
            product::sum_of_column(join),
        ];
        // One workgroup an output, as for tiles in workgroup memory.
        let shader =
            Shader { name: "conv2d_few", parts, constants: &[], tiling: Tiling::Tiled(Precision::Full) };
        let tiles = [outputs / conv.groups, pixels.div_ceil(PIXELS)];
        Dispatch {
            needs: product::needs_of_column(join, terms.div_ceil(64)),
            ..conv.tiled(inputs, output, tiles, shader)
        }
    };
    Join::ALL.map(joined).into()
}
