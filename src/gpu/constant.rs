//! The values of a constant, as they were given.

use std::sync::Arc;

use ndarray::ArrayD;

use crate::kernel::{Spec, Values, half};

/// A tensor that is the same for all items, in row-major order.
#[derive(Clone, Debug)]
pub(super) enum Constant {
    F32(Arc<ArrayD<f32>>),
    /// The bits of floats of 16 bits.
    F16(Arc<ArrayD<u16>>),
    I8(Arc<ArrayD<i8>>),
    I32(Arc<ArrayD<i32>>),
}

impl Constant {
    pub(super) fn floats(values: &ArrayD<f32>) -> Self {
        Self::F32(Arc::new(values.as_standard_layout().into_owned()))
    }

    pub(super) fn halves(bits: &ArrayD<u16>) -> Self {
        Self::F16(Arc::new(bits.as_standard_layout().into_owned()))
    }

    pub(super) fn bytes(values: &ArrayD<i8>) -> Self {
        Self::I8(Arc::new(values.as_standard_layout().into_owned()))
    }

    pub(super) fn ints(values: &ArrayD<i32>) -> Self {
        Self::I32(Arc::new(values.as_standard_layout().into_owned()))
    }

    pub(super) fn spec(&self) -> Spec {
        match self {
            Self::F32(values) => Spec::constant(values.shape()),
            Self::F16(bits) => Spec::constant_f16(bits.shape()),
            Self::I8(values) => Spec::constant_i8(values.shape()),
            Self::I32(values) => Spec::constant_ints(values.shape()),
        }
    }

    /// What the twins get: halves and i8 are widened, which changes no value.
    pub(super) fn widened(&self) -> Self {
        match self {
            Self::F16(bits) => Self::F32(Arc::new(bits.mapv(half::from_f16))),
            Self::I8(values) => Self::F32(Arc::new(values.mapv(f32::from))),
            other => other.clone(),
        }
    }

    /// The floats.
    pub(super) fn as_floats(&self) -> &[f32] {
        match self {
            Self::F32(values) => values.as_slice().expect("constants are in standard layout"),
            Self::F16(_) | Self::I8(_) | Self::I32(_) => unreachable!("what follows takes floats"),
        }
    }

    /// The floats, if it is of such.
    pub(super) fn floats_alone(&self) -> Option<&ArrayD<f32>> {
        if let Self::F32(values) = self { Some(values) } else { None }
    }

    /// The bits of halves, if it is of such.
    pub(super) fn halves_alone(&self) -> Option<&ArrayD<u16>> {
        if let Self::F16(bits) = self { Some(bits) } else { None }
    }

    /// The bits of its values, where each has 32.
    pub(super) fn bits(&self) -> Option<Vec<u32>> {
        match self {
            Self::F32(values) => Some(values.iter().map(|value| value.to_bits()).collect()),
            Self::I32(values) => Some(values.iter().map(|value| *value as u32).collect()),
            Self::F16(_) | Self::I8(_) => None,
        }
    }

    /// The one number that it is.
    pub(super) fn number(&self) -> Option<f32> {
        match self {
            Self::F32(values) if values.len() == 1 => values.first().copied(),
            _ => None,
        }
    }

    /// As a twin sees it, in this shape. Halves and i8 were widened before.
    pub(super) fn values(&self, shape: &[usize]) -> Values<'_> {
        match self {
            Self::F32(values) => Values::F32(values.view()).in_shape(shape),
            Self::I32(values) => Values::I32(values.view()).in_shape(shape),
            Self::F16(_) | Self::I8(_) => unreachable!("they are widened"),
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::IxDyn;

    use super::*;

    fn three() -> Constant {
        let bits = vec![0x3c00, 0x0001, 0xfbff];
        Constant::halves(&ArrayD::from_shape_vec(IxDyn(&[3]), bits).expect("three values"))
    }

    #[test]
    fn halves_keep_their_values_on_the_twins() {
        let Constant::F32(widened) = three().widened() else { panic!("halves are widened to floats") };
        assert_eq!(widened.as_slice(), Some(&[1.0, 5.960_464_5e-8, -65504.0][..]));
    }

    #[test]
    fn an_odd_half_is_padded_to_the_u32_that_it_is_in() {
        assert_eq!(three().spec(), Spec::constant_f16(&[3]));
        assert_eq!(three().spec().item_bytes(), 8);
    }
}
