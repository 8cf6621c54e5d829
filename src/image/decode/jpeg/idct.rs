//! From the coefficients of a block to its samples: the inverse DCT by whole numbers.
//!
//! C. Loeffler, A. Ligtenberg and G. Moschytz, "Practical fast 1-D DCT algorithms with 11 multiplications", ICASSP
//! 1989, rounded as libjpeg's `jpeg_idct_islow` rounds, so that samples are the same.

use std::num::Wrapping;

use super::blocks::Block;

/// Digits of the constants behind the point.
const DIGITS: usize = 13;
/// Digits that the first pass keeps.
const KEPT: usize = 2;

type Number = Wrapping<i32>;

/// Writes 8 rows of 8 samples, a row of the plane apart.
pub(super) fn samples(block: &Block, quantisation: &[u16; 64], plane: &mut [u8], stride: usize) {
    let mut values = [Wrapping(0); 64];
    for ((value, &coefficient), &step) in values.iter_mut().zip(block).zip(quantisation) {
        *value = Wrapping(i32::from(coefficient)) * Wrapping(i32::from(step));
    }
    for column in 0..8 {
        let at = |row: usize| values[8 * row + column];
        let all = pass([at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7)], DIGITS - KEPT);
        for (row, value) in all.into_iter().enumerate() {
            values[8 * row + column] = value;
        }
    }
    for (row, samples) in values.as_chunks().0.iter().zip(plane.chunks_mut(stride)) {
        for (sample, value) in samples.iter_mut().zip(pass(*row, DIGITS + KEPT + 3)) {
            *sample = (value.0 + 128).clamp(0, 255) as u8;
        }
    }
}

/// One dimension; `drop` digits are rounded away.
fn pass(input: [Number; 8], drop: usize) -> [Number; 8] {
    let [s0, s1, s2, s3, s4, s5, s6, s7] = input;
    let times = |value: Number, constant: i32| value * Wrapping(constant);

    let shared = times(s2 + s6, 4_433);
    let (low, high) = (shared - times(s6, 15_137), shared + times(s2, 6_270));
    let (sum, difference) = ((s0 + s4) << DIGITS, (s0 - s4) << DIGITS);
    let even = [sum + high, difference + low, difference - low, sum - high];

    let shared = times(s7 + s3 + s5 + s1, 9_633);
    let (z1, z2) = (times(s7 + s1, -7_373), times(s5 + s3, -20_995));
    let (z3, z4) = (shared - times(s7 + s3, 16_069), shared - times(s5 + s1, 3_196));
    let odd = [
        times(s1, 12_299) + z1 + z4,
        times(s3, 25_172) + z2 + z3,
        times(s5, 16_819) + z2 + z4,
        times(s7, 2_446) + z1 + z3,
    ];

    let half = Wrapping(1 << (drop - 1));
    let mut output = [Wrapping(0); 8];
    for at in 0..4 {
        output[at] = (even[at] + odd[at] + half) >> drop;
        output[7 - at] = (even[at] - odd[at] + half) >> drop;
    }
    output
}
