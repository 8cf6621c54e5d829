//! The shaders of the matrix product, and how each is put together and cut.

use std::borrow::Cow;

use super::MatMul;
use crate::kernel::inputs::Inputs;
use crate::kernel::params::wgsl;
use crate::kernel::product::{self, Tiling};
use crate::kernel::{Dispatch, Element, Spec};

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
        let [a, b] = if tiling.vectors() { self.factors_by_vectors(inputs) } else { [factors(inputs), ""] };
        let parts = [tiling.before(), own, products, arithmetic, a, b];
        let mut constants = vec![("activation".into(), self.activation.number())];
        if tiling != Tiling::Plain {
            constants.push(("over_items".into(), f64::from(u8::from(self.reaches_over_items(inputs)))));
        }
        Dispatch {
            kernel: kernel.into(),
            source: self.source(&parts, inputs, tiling.vectors()),
            constants,
            workgroups: tiling.workgroups(params.work),
            params: bytemuck::bytes_of(&params).to_vec(),
            needs: tiling.needs([1, params.k as usize]),
        }
    }

    /// The source of a shader of these parts, with what stands behind the sums.
    pub(super) fn source(&self, parts: &[&str], inputs: &[&Spec], vectors: bool) -> Cow<'static, str> {
        let Inputs { bias, residual, .. } = Inputs::accepted(inputs, self.residual);
        product::source(parts, bias.is_some(), residual.is_some(), vectors)
    }

    /// Whether tiles reach over the rows of all items.
    pub(super) fn reaches_over_items(&self, inputs: &[&Spec]) -> bool {
        let one = self.flattened(inputs).leading.iter().all(|axis| *axis == 1);
        one && !self.transpose_a && inputs[0].batched && !inputs[1].batched
    }

    /// How the shader reads a and b by vectors of four, each along the axis along which it lies.
    fn factors_by_vectors(&self, inputs: &[&Spec]) -> [&'static str; 2] {
        let a = match (self.transpose_a, inputs[0].element) {
            (true, Element::F16) => wgsl!("shared/a_along_rows", "shared/a_vectors_f16"),
            (true, _) => wgsl!("shared/a_along_rows", "shared/a_vectors"),
            (false, Element::F16) => wgsl!("shared/a_along_terms", "shared/a_vectors_f16"),
            (false, _) => wgsl!("shared/a_along_terms", "shared/a_vectors"),
        };
        let b = match (self.transpose_b, inputs[1].element) {
            (true, Element::F16) => wgsl!("shared/b_along_terms", "shared/b_vectors_f16"),
            (true, _) => wgsl!("shared/b_along_terms", "shared/b_vectors"),
            (false, Element::F16) => wgsl!("shared/b_along_columns", "shared/b_vectors_f16"),
            (false, _) => wgsl!("shared/b_along_columns", "shared/b_vectors"),
        };
        [a, b]
    }
}

/// How the shader reads a and b value by value; one of them is an activation, and so of f32.
pub(super) fn factors(inputs: &[&Spec]) -> &'static str {
    match (inputs[0].element, inputs[1].element) {
        (Element::F16, _) => wgsl!("shared/a_f16", "shared/b", "shared/half"),
        (_, Element::F16) => wgsl!("shared/a", "shared/b_f16", "shared/half"),
        _ => wgsl!("shared/a", "shared/b"),
    }
}
