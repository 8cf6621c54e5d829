//! The shaders of the matrix product, and how each is put together and cut.

use super::MatMul;
use crate::kernel::params::wgsl;
use crate::kernel::product::{self, Tiling};
use crate::kernel::{Access, Dispatch, Spec};

impl MatMul {
    /// A dispatch for an output cut into such tiles.
    pub(super) fn tiled(&self, inputs: &[&Spec], output: &Spec, tiling: Tiling) -> Dispatch {
        let params = self.params(inputs, output, tiling.size());
        let (kernel, own) = match tiling {
            Tiling::Plain => ("mat_mul", wgsl!("mat_mul", "shared/matrices")),
            Tiling::Tall => (
                "mat_mul_tall",
                wgsl!("mat_mul_tall", "shared/rows_of_items", "shared/matrices", "shared/four"),
            ),
            Tiling::Tiled(_) => (
                "mat_mul_tiled",
                wgsl!("mat_mul_tiled", "shared/matrix_tiles", "shared/rows_of_items", "shared/matrices"),
            ),
            Tiling::TiledVec4(_) => (
                "mat_mul_tiled_vec4",
                wgsl!("mat_mul_tiled_vec4", "shared/matrix_tiles", "shared/rows_of_items", "shared/matrices"),
            ),
        };
        let [products, arithmetic] = tiling.shared();
        let fill = if tiling.vectors() { self.fill_by_vectors() } else { "" };
        let parts = [tiling.before(), own, products, arithmetic, fill];
        let mut constants = Vec::new();
        if tiling != Tiling::Plain {
            constants.push(("over_items".into(), f64::from(u8::from(self.reaches_over_items(inputs)))));
        }
        Dispatch {
            kernel: kernel.into(),
            source: product::source(&parts),
            access: self.access(inputs),
            constants,
            workgroups: tiling.workgroups(params.work),
            params: bytemuck::bytes_of(&params).to_vec(),
            needs: tiling.needs([1, params.k as usize]),
        }
    }

    /// How its shaders reach the inputs.
    pub(super) fn access(&self, inputs: &[&Spec]) -> Access {
        product::access(["a", "b"], inputs)
    }

    /// Whether tiles reach over the rows of all items.
    pub(super) fn reaches_over_items(&self, inputs: &[&Spec]) -> bool {
        let one = self.flattened(inputs).leading.iter().all(|axis| *axis == 1);
        one && !self.transpose_a && inputs[0].batched && !inputs[1].batched
    }

    /// How the shader fills its tiles with vectors of four, of a and b each along the axis along which it lies.
    fn fill_by_vectors(&self) -> &'static str {
        match (self.transpose_a, self.transpose_b) {
            (true, true) => wgsl!("shared/a_along_rows", "shared/b_along_terms"),
            (true, false) => wgsl!("shared/a_along_rows", "shared/b_along_columns"),
            (false, true) => wgsl!("shared/a_along_terms", "shared/b_along_terms"),
            (false, false) => wgsl!("shared/a_along_terms", "shared/b_along_columns"),
        }
    }
}
