//! From the coefficients of a block to its samples: the inverse DCT by whole numbers.
//!
//! C. Loeffler, A. Ligtenberg and G. Moschytz, "Practical fast 1-D DCT algorithms with 11 multiplications", ICASSP
//! 1989, multiplied out: that is more products, of 16 bits each, and every processor has instructions for eight of
//! those at once. It is rounded as libjpeg's `jpeg_idct_islow` rounds, so that samples are the same.

use super::blocks::Block;

/// Digits of the constants behind the point.
const DIGITS: u32 = 13;
/// Digits that the first pass keeps.
const KEPT: u32 = 2;

type Rows = [[i16; 8]; 8];

/// Writes 8 rows of 8 samples, a row of the plane apart.
pub(super) fn samples(block: &Block, quantisation: &[u16; 64], plane: &mut [u8], stride: usize) {
    if block[1..].iter().fold(0, |any, value| any | value) == 0 {
        return flat(block[0].wrapping_mul(quantisation[0] as i16), plane, stride);
    }
    let mut rows = [[0; 8]; 8];
    for (row, (values, steps)) in
        rows.iter_mut().zip(block.as_chunks::<8>().0.iter().zip(quantisation.as_chunks::<8>().0))
    {
        for (value, (&coefficient, &step)) in row.iter_mut().zip(values.iter().zip(steps)) {
            *value = coefficient.wrapping_mul(step as i16);
        }
    }
    let columns = pass(&transposed(&pass(&rows, DIGITS - KEPT)), DIGITS + KEPT + 3);
    for (row, samples) in transposed(&columns).iter().zip(plane.chunks_mut(stride)) {
        for (sample, value) in samples.iter_mut().zip(row) {
            *sample = (value + 128).clamp(0, 255) as u8;
        }
    }
}

/// A block of one colour, as the two passes round it.
fn flat(value: i16, plane: &mut [u8], stride: usize) {
    let value = ((i32::from(value) << KEPT) + (1 << (KEPT + 2))) >> (KEPT + 3);
    let sample = (value + 128).clamp(0, 255) as u8;
    plane.chunks_mut(stride).take(8).for_each(|row| row[..8].fill(sample));
}

/// The transform down each of the eight columns; `drop` digits are rounded away.
fn pass(rows: &Rows, drop: u32) -> Rows {
    let mut output = [[0; 8]; 8];
    for column in 0..8 {
        let times = |row: usize, constant: i16| i32::from(rows[row][column]) * i32::from(constant);
        let sum = times(0, 8_192) + times(4, 8_192);
        let difference = times(0, 8_192) - times(4, 8_192);
        let high = times(2, 10_703) + times(6, 4_433);
        let low = times(2, 4_433) + times(6, -10_704);
        let even = [sum + high, difference + low, difference - low, sum - high];
        let odd = [
            times(1, 11_363) + times(3, 9_633) + times(5, 6_437) + times(7, 2_260),
            times(1, 9_633) + times(3, -2_259) + times(5, -11_362) + times(7, -6_436),
            times(1, 6_437) + times(3, -11_362) + times(5, 2_261) + times(7, 9_633),
            times(1, 2_260) + times(3, -6_436) + times(5, 9_633) + times(7, -11_363),
        ];
        let half = 1 << (drop - 1);
        for at in 0..4 {
            output[at][column] = narrow((even[at].wrapping_add(odd[at]).wrapping_add(half)) >> drop);
            output[7 - at][column] = narrow((even[at].wrapping_sub(odd[at]).wrapping_add(half)) >> drop);
        }
    }
    output
}

/// Numbers of a picture are far from these bounds; those of a damaged file stay within them.
fn narrow(value: i32) -> i16 {
    value.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

fn transposed(rows: &Rows) -> Rows {
    let mut columns = [[0; 8]; 8];
    for (row, values) in rows.iter().enumerate() {
        for (column, value) in values.iter().enumerate() {
            columns[column][row] = *value;
        }
    }
    columns
}
