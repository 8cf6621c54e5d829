//! What a device gets of a constant, and of an item of a batch.

use crate::gpu::constant::Constant;
use crate::gpu::item::RowMajor;

const STANDARD: &str = "it is in row-major order";

/// Two halves or four i8 share a `u32`; where the last one is not full, its buffer is padded.
pub(super) fn of_constant(constant: &Constant) -> &[u8] {
    match constant {
        Constant::F32(values) => bytemuck::cast_slice(values.as_slice().expect(STANDARD)),
        Constant::F16(bits) => bytemuck::cast_slice(bits.as_slice().expect(STANDARD)),
        Constant::I8(values) => bytemuck::cast_slice(values.as_slice().expect(STANDARD)),
        Constant::I32(values) => bytemuck::cast_slice(values.as_slice().expect(STANDARD)),
    }
}

pub(super) fn of_item<'a>(array: &'a RowMajor<'_>) -> &'a [u8] {
    match array {
        RowMajor::U8(array) => array.as_slice().expect(STANDARD),
        RowMajor::F32(array) => bytemuck::cast_slice(array.as_slice().expect(STANDARD)),
        RowMajor::I32(array) => bytemuck::cast_slice(array.as_slice().expect(STANDARD)),
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, ArrayD, IxDyn, ShapeBuilder as _};

    use super::*;
    use crate::gpu::item::Item as _;
    use crate::kernel::Spec;

    #[test]
    fn halves_keep_their_bits() {
        let three = ArrayD::from_shape_vec(IxDyn(&[3]), vec![0x3c00, 0x0001, 0xfbff]).expect("three values");
        assert_eq!(of_constant(&Constant::halves(&three)), [0x00, 0x3c, 0x01, 0x00, 0xff, 0xfb]);
    }

    #[test]
    fn columns_first_are_put_into_row_major_order() {
        let bits = ArrayD::from_shape_vec(IxDyn(&[2, 2]).f(), vec![1, 2, 3, 4]).expect("four values");
        assert_eq!(of_constant(&Constant::halves(&bits)), [1, 0, 3, 0, 2, 0, 4, 0]);
        let array = Array2::from_shape_vec((2, 2).f(), vec![1_u8, 2, 3, 4]).expect("four values");
        assert_eq!(of_item(&RowMajor::new(array.array(0), &Spec::bytes(&[2, 2]))), [1, 3, 2, 4]);
    }
}
