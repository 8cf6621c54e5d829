//! Floats of 16 bits, widened to 32.

pub(super) use crate::kernel::half::{from_f16, rounded_to_bf16, to_f16};

/// The upper half of an f32.
pub(super) fn from_bf16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bf16_is_the_upper_half_of_a_float() {
        assert_eq!(from_bf16(0x3f80), 1.0);
        assert_eq!(from_bf16(0xc040), -3.0);
        assert!(from_bf16(0x7fc0).is_nan());
    }
}
