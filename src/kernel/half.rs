//! Floats of 16 bits, widened to 32.

/// IEEE 754 binary16 to f32: exact, since every half is a float.
pub(crate) fn from_f16(bits: u16) -> f32 {
    let sign = u32::from(bits >> 15) << 31;
    let exponent = u32::from(bits >> 10) & 31;
    let fraction = u32::from(bits) & 1023;
    match exponent {
        // Zero and the subnormals: a whole number of 2^-24.
        0 => f32::from_bits(sign | (fraction as f32 / 16_777_216.0).to_bits()),
        31 => f32::from_bits(sign | 0x7f80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}

/// The nearest binary16, halves to the even one, as a float; infinity from 65,520 on.
pub(crate) fn rounded_to_f16(value: f32) -> f32 {
    let (bits, size) = (value.to_bits(), value.to_bits() & 0x7fff_ffff);
    let sign = bits & 0x8000_0000;
    let rounded = match size {
        0x7f80_0001.. => return value,
        0x477f_f000.. => 0x7f80_0000,
        // Ten bits of a fraction of 23 stay.
        0x3880_0000.. => (size + 0xfff + (size >> 13 & 1)) & !0x1fff,
        // The subnormals: a whole number of 2^-24.
        _ => ((f32::from_bits(size) * 16_777_216.0).round_ties_even() / 16_777_216.0).to_bits(),
    };
    f32::from_bits(sign | rounded)
}

/// The nearest bfloat16, halves to the even one, as a float.
pub(crate) fn rounded_to_bf16(value: f32) -> f32 {
    let bits = value.to_bits();
    if value.is_nan() {
        return value;
    }
    f32::from_bits(bits.wrapping_add(0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_keep_their_value() {
        let pairs = [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x3555, 0.333_251_95),
            (0x7bff, 65504.0),
            (0x0400, 6.103_515_6e-5),
            (0x03ff, 6.097_555e-5),
            (0x0001, 5.960_464_5e-8),
        ];
        for (bits, value) in pairs {
            assert_eq!(from_f16(bits), value, "{bits:#x}");
        }
        assert!(from_f16(0x8000).is_sign_negative() && from_f16(0x8000) == 0.0);
    }

    #[test]
    fn a_float_becomes_the_nearest_half() {
        for bits in (0..0x7bff_u16).chain(0x8000..0xfbff) {
            let (value, next) = (from_f16(bits), from_f16(bits + 1));
            let even = if bits & 1 == 0 { value } else { next };
            assert_eq!(rounded_to_f16(value).to_bits(), value.to_bits());
            assert_eq!(rounded_to_f16((value + next) / 2.0), even, "{bits:#x}");
            assert_eq!(rounded_to_f16(value + (next - value) * 0.75), next, "{bits:#x}");
        }
        assert_eq!(
            [65_519.0, 65_520.0, -1e9].map(rounded_to_f16),
            [65_504.0, f32::INFINITY, f32::NEG_INFINITY]
        );
        assert!(rounded_to_f16(f32::NAN).is_nan());
    }

    #[test]
    fn bfloat16_is_rounded_to_the_even_one() {
        assert_eq!(rounded_to_bf16(1.0 + 1.0 / 256.0), 1.0);
        assert_eq!(rounded_to_bf16(1.0 + 3.0 / 256.0), 1.0 + 1.0 / 64.0);
        assert_eq!([f32::INFINITY, f32::MAX].map(rounded_to_bf16), [f32::INFINITY; 2]);
    }

    #[test]
    fn halves_keep_infinity_and_nan() {
        assert_eq!(from_f16(0x7c00), f32::INFINITY);
        assert_eq!(from_f16(0xfc00), f32::NEG_INFINITY);
        assert!(from_f16(0x7e00).is_nan());
    }
}
