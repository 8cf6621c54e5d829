//! From the coefficients of a block to its samples: the inverse DCT by whole numbers.
//!
//! C. Loeffler, A. Ligtenberg and G. Moschytz, "Practical fast 1-D DCT algorithms with 11 multiplications", ICASSP
//! 1989, multiplied out: that is more products, of 16 bits each, and every processor has instructions for eight of
//! those at once. Both passes go down the columns of all eight rows, with the block turned between them. It is rounded as libjpeg's `jpeg_idct_islow` rounds, so that samples are the same.

use super::blocks::Block;

/// Digits of the constants behind the point.
const DIGITS: u32 = 13;
/// Digits that the first pass keeps.
const KEPT: u32 = 2;

type Row = [i16; 8];
type Rows = [Row; 8];

/// Writes 8 rows of 8 samples. `last` is the place of the last coefficient that is not zero,
/// in the order of the file, or any behind it.
#[inline(always)]
pub(super) fn samples<'a>(
    block: &Block,
    last: usize,
    quantisation: &[u16; 64],
    output: impl Iterator<Item = &'a mut [u8; 8]>,
) {
    if last == 0 {
        let sample = flat(block[0].wrapping_mul(quantisation[0] as i16));
        return output.for_each(|row| *row = [sample; 8]);
    }
    let mut rows = [[0; 8]; 8];
    let values = rows.as_flattened_mut().iter_mut().zip(block.iter().zip(quantisation));
    values.for_each(|(value, (coefficient, step))| *value = coefficient.wrapping_mul(*step as i16));
    let rows = if last < CORNER { both::<4>(&rows) } else { both::<8>(&rows) };
    let mut samples = [[0; 8]; 8];
    let values = samples.as_flattened_mut().iter_mut().zip(rows.as_flattened());
    values.for_each(|(sample, value)| *sample = value.saturating_add(128).clamp(0, 255) as u8);
    output.zip(samples).for_each(|(row, samples)| *row = samples);
}

/// Coefficients, in the order of the file, of which none is beyond the fourth row or the fourth column.
const CORNER: usize = 10;

/// Both passes, where nothing is behind so many rows and columns.
#[inline(always)]
fn both<const FEW: usize>(rows: &Rows) -> Rows {
    let columns = pass::<{ DIGITS - KEPT }, FEW>(rows);
    turned(pass::<{ DIGITS + KEPT + 3 }, FEW>(&turned(columns)))
}

/// The sample of a block of one colour, as the two passes round it.
#[inline(always)]
fn flat(value: i16) -> u8 {
    let value = ((i32::from(value) << KEPT) + (1 << (KEPT + 2))) >> (KEPT + 3);
    (value + 128).clamp(0, 255) as u8
}

/// The transform down each of the eight columns; `DROP` digits are rounded away. Rows from `FEW` on are zero.
#[inline(always)]
fn pass<const DROP: u32, const FEW: usize>(rows: &Rows) -> Rows {
    let mut output = [[0; 8]; 8];
    for column in 0..8 {
        let at = |row: usize| if row < FEW { rows[row][column] } else { 0 };
        let times = |row: usize, constant: i16| i32::from(at(row)) * i32::from(constant);
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
        let half = 1 << (DROP - 1);
        for at in 0..4 {
            output[at][column] = narrow((even[at].wrapping_add(odd[at]).wrapping_add(half)) >> DROP);
            output[7 - at][column] = narrow((even[at].wrapping_sub(odd[at]).wrapping_add(half)) >> DROP);
        }
    }
    output
}

/// Numbers of a picture are far from these bounds; those of a damaged file stay within them.
#[inline(always)]
fn narrow(value: i32) -> i16 {
    value.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

/// Rows for columns, by interleaving the halves three times: every processor has an instruction for that.
#[inline(always)]
fn turned(rows: Rows) -> Rows {
    interleaved(interleaved(interleaved(rows)))
}

#[inline(always)]
fn interleaved(rows: Rows) -> Rows {
    let [a, b, c, d, e, f, g, h] = rows;
    [low(a, e), high(a, e), low(b, f), high(b, f), low(c, g), high(c, g), low(d, h), high(d, h)]
}

#[inline(always)]
fn low(a: Row, b: Row) -> Row {
    [a[0], b[0], a[1], b[1], a[2], b[2], a[3], b[3]]
}

#[inline(always)]
fn high(a: Row, b: Row) -> Row {
    [a[4], b[4], a[5], b[5], a[6], b[6], a[7], b[7]]
}

#[cfg(test)]
mod tests {
    use super::super::wide::{Work, wide};
    use super::*;

    #[derive(Clone, Copy)]
    struct Samples<'a>(&'a Block, usize, &'a [u16; 64]);

    impl Work for Samples<'_> {
        type Output = [[u8; 8]; 8];

        #[inline(always)]
        fn run(self) -> [[u8; 8]; 8] {
            let mut output = [[0; 8]; 8];
            samples(self.0, self.1, self.2, output.iter_mut());
            output
        }
    }

    #[test]
    fn what_is_known_of_a_block_and_how_wide_a_processor_is_change_no_sample() {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as i16
        };
        for round in 0..20_000 {
            let last = (next() as usize) % 64;
            let mut block = [0; 64];
            for place in 0..=last {
                // Coefficients as photos have them, and any.
                let value = if round % 2 == 0 { next() % 64 } else { next() };
                block[usize::from(super::super::tables::ZIGZAG[place])] = value;
            }
            let steps = std::array::from_fn(|_| next() as u16 % 99 + 1);
            let all = Samples(&block, 63, &steps).run();
            for known in [last, last.max(9), last.max(10)] {
                let few = Samples(&block, known, &steps);
                assert_eq!(few.run(), all, "{known}: {block:?}");
                assert_eq!(wide(few), all, "{known}: {block:?}");
            }
        }
    }
}
