//! The values of a constant, as they were given.

use std::sync::Arc;

use ndarray::ArrayD;

use crate::kernel::{Spec, half};

/// A tensor that is the same for all items, in row-major order.
#[derive(Clone, Debug)]
pub(super) enum Constant {
    F32(Arc<ArrayD<f32>>),
    /// The bits of floats of 16 bits.
    F16(Arc<ArrayD<u16>>),
}

impl Constant {
    pub(super) fn floats(values: &ArrayD<f32>) -> Self {
        Self::F32(Arc::new(values.as_standard_layout().into_owned()))
    }

    pub(super) fn halves(bits: &ArrayD<u16>) -> Self {
        Self::F16(Arc::new(bits.as_standard_layout().into_owned()))
    }

    pub(super) fn spec(&self) -> Spec {
        match self {
            Self::F32(values) => Spec::constant(values.shape()),
            Self::F16(bits) => Spec::constant_f16(bits.shape()),
        }
    }

    /// What a device gets. Two halves share a `u32`; where an odd one is last, its buffer is padded.
    pub(super) fn bytes(&self) -> &[u8] {
        const STANDARD: &str = "constants are in standard layout";
        match self {
            Self::F32(values) => bytemuck::cast_slice(values.as_slice().expect(STANDARD)),
            Self::F16(bits) => bytemuck::cast_slice(bits.as_slice().expect(STANDARD)),
        }
    }

    /// What the twins get: halves are widened, which changes no value.
    pub(super) fn widened(&self) -> Arc<ArrayD<f32>> {
        match self {
            Self::F32(values) => values.clone(),
            Self::F16(bits) => Arc::new(bits.mapv(half::from_f16)),
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, IxDyn, ShapeBuilder as _};

    use super::*;

    fn three() -> Constant {
        let bits = vec![0x3c00, 0x0001, 0xfbff];
        Constant::halves(&ArrayD::from_shape_vec(IxDyn(&[3]), bits).expect("three values"))
    }

    #[test]
    fn halves_keep_their_bits_on_a_device_and_their_values_on_the_twins() {
        assert_eq!(three().bytes(), [0x00, 0x3c, 0x01, 0x00, 0xff, 0xfb]);
        assert_eq!(three().widened().as_slice(), Some(&[1.0, 5.960_464_5e-8, -65504.0][..]));
    }

    #[test]
    fn an_odd_half_is_padded_to_the_u32_that_it_is_in() {
        assert_eq!(three().spec(), Spec::constant_f16(&[3]));
        assert_eq!(three().spec().item_bytes(), 8);
    }

    #[test]
    fn columns_first_are_put_into_row_major_order() {
        let bits = ArrayD::from_shape_vec(IxDyn(&[2, 2]).f(), vec![1, 2, 3, 4]).expect("four values");
        assert_eq!(Constant::halves(&bits).bytes(), [1, 0, 3, 0, 2, 0, 4, 0]);
    }
}
