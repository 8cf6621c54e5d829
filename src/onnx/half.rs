//! Floats of 16 bits, widened to 32.

use crate::kernel::half::rounded_to_f16;
pub(super) use crate::kernel::half::{from_f16, rounded_to_bf16};

/// The bits of the nearest binary16.
pub(super) fn to_f16(value: f32) -> u16 {
    let rounded = rounded_to_f16(value).to_bits();
    let (sign, size) = ((rounded >> 16 & 0x8000) as u16, rounded & 0x7fff_ffff);
    sign | match size {
        0x7f80_0001.. => 0x7e00,
        0x7f80_0000 => 0x7c00,
        0x3880_0000.. => ((size >> 13) - (112 << 10)) as u16,
        _ => (f32::from_bits(size) * 16_777_216.0) as u16,
    }
}

/// The upper half of an f32.
pub(super) fn from_bf16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_has_its_bits() {
        for bits in (0..=0x7c00_u16).chain(0x8000..=0xfc00) {
            assert_eq!(to_f16(from_f16(bits)), bits);
        }
        assert!(from_f16(to_f16(f32::NAN)).is_nan());
    }

    #[test]
    fn bf16_is_the_upper_half_of_a_float() {
        assert_eq!(from_bf16(0x3f80), 1.0);
        assert_eq!(from_bf16(0xc040), -3.0);
        assert!(from_bf16(0x7fc0).is_nan());
    }
}
