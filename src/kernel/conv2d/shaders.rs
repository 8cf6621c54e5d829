//! The shaders of the convolution, and how each is put together and cut.

use super::{Conv2d, is_depthwise, strip, weight_shape};
use crate::kernel::params::wgsl;
use crate::kernel::product::{self, Tiling};
use crate::kernel::{Dispatch, Needs, Spec, rounds};

/// What a shader of the convolution is made of.
pub(super) struct Shader<'a> {
    pub(super) name: &'static str,
    pub(super) parts: &'a [&'a str],
    pub(super) constants: &'a [(&'static str, f64)],
    pub(super) tiling: Tiling,
}

impl Conv2d {
    /// A dispatch of this shader, whose parts are given, for an output cut into so many tiles.
    pub(super) fn tiled(
        &self,
        inputs: &[&Spec],
        output: &Spec,
        tiles: [usize; 2],
        shader: Shader<'_>,
    ) -> Dispatch {
        let params = self.params(inputs, output, tiles);
        let [_, channels, height, width] = weight_shape(inputs);
        // With one channel a group no shader has a loop over channels.
        let loops = if is_depthwise(inputs) { [1, height * width] } else { [height * width, channels] };
        let parts = [&[shader.tiling.before()], shader.parts, &[wgsl!("shared/conv2d_params")]].concat();
        let constants = shader.constants.iter().map(|(name, value)| ((*name).into(), *value));
        Dispatch {
            kernel: shader.name.into(),
            source: product::source(&parts),
            access: product::access(["x", "weight"], inputs),
            constants: constants.collect(),
            workgroups: shader.tiling.workgroups(params.work),
            params: bytemuck::bytes_of(&params).to_vec(),
            needs: shader.tiling.needs(loops),
        }
    }

    /// Whether pixels are where they were, so that it is a product of matrices as they lie.
    pub(super) fn is_pointwise(&self, inputs: &[&Spec]) -> bool {
        let [_, _, kernel @ ..] = weight_shape(inputs);
        kernel == [1, 1] && self.stride == [1, 1] && self.pads == [0; 4]
    }

    /// The convolution as a product: rows are outputs of a group, columns are pixels.
    pub(super) fn as_product(&self, inputs: &[&Spec], output: &Spec, tiling: Tiling) -> Dispatch {
        let outputs = weight_shape(inputs)[0];
        let [rows, columns] = tiling.size();
        let pixels = output.shape[1] * output.shape[2];
        let tiles = [(outputs / self.groups).div_ceil(rows), pixels.div_ceil(columns)];
        let (name, own) = match tiling {
            Tiling::Plain => ("conv2d", wgsl!("conv2d", "shared/seen", "shared/four")),
            Tiling::Tall => ("conv2d_tall", wgsl!("conv2d_tall", "shared/seen", "shared/four")),
            Tiling::Tiled(_) => {
                ("conv2d_tiled", wgsl!("conv2d_tiled", "shared/conv2d_tiles", "shared/seen", "shared/four"))
            }
            Tiling::TiledVec4(_) => (
                "conv2d_tiled_vec4",
                wgsl!(
                    "conv2d_tiled_vec4",
                    "shared/conv2d_tiles",
                    "shared/a_along_terms",
                    "shared/b_along_columns"
                ),
            ),
        };
        let [products, arithmetic] = tiling.shared();
        // Places of 16 times four columns, for each value of the kernel.
        let [_, _, height, width] = weight_shape(inputs);
        let places = if matches!(tiling, Tiling::Tiled(_)) { height * width * 16 } else { 0 };
        let count = if places == 0 { String::new() } else { format!("\nconst PLACES = {places}u;\n") };
        let parts = &[own, products, arithmetic, &count];
        let dispatch = self.tiled(inputs, output, tiles, Shader { name, parts, constants: &[], tiling });
        let Needs { workgroup_bytes, rounds, .. } = dispatch.needs;
        let needs = Needs {
            workgroup_bytes: workgroup_bytes + (places * size_of::<[u32; 4]>()) as u32,
            rounds: rounds::all(&[rounds, rounds::nested(&[places.div_ceil(64)])]),
            ..dispatch.needs
        };
        Dispatch { needs, ..dispatch }
    }

    pub(super) fn depthwise(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        let tiles = [1, (output.shape[1] * output.shape[2]).div_ceil(4)];
        let parts = &[wgsl!("depthwise_conv2d", "shared/seen", "shared/four", "shared/finish4")];
        let shader = Shader { name: "depthwise_conv2d", parts, constants: &[], tiling: Tiling::Plain };
        self.tiled(inputs, output, tiles, shader)
    }

    /// With one channel a group, strip by strip; where there is such a shader.
    pub(super) fn by_strips(&self, inputs: &[&Spec], output: &Spec) -> Option<Dispatch> {
        let [_, _, kernel @ ..] = weight_shape(inputs);
        if !strip::suits(kernel, self.stride, self.dilation) {
            return None;
        }
        let tiles = [output.shape[1].div_ceil(strip::ROWS), output.shape[2].div_ceil(strip::COLUMNS)];
        let function = strip::function(kernel, self.stride);
        let own = wgsl!("depthwise_conv2d_strip");
        let [finish4, finish_at] = strip::finish(output.shape[2]);
        let parts = &[own, &function, finish4, finish_at];
        let constants = &[("rows", strip::ROWS as f64)];
        let shader = Shader { name: "depthwise_conv2d_strip", parts, constants, tiling: Tiling::Plain };
        // Rows of the output, and those above that its first one adds to.
        let needs = Needs::rounds(rounds::nested(&[strip::ROWS + kernel[0] - 1]));
        Some(Dispatch { needs, ..self.tiled(inputs, output, tiles, shader) })
    }
}
