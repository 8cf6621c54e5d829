//! Quantisation and Huffman tables.
//!
//! ITU-T T.81, B.2.4.1, B.2.4.2, annex C, and annex K.3 for the tables that stand for those that a file leaves out.

use super::segments::truncated;
use crate::error::Cause;

/// Where the coefficient that stands at a place in the file stands in its block: T.81, figure A.6.
#[rustfmt::skip]
pub(super) const ZIGZAG: [u8; 64] = [
     0,  1,  8, 16,  9,  2,  3, 10, 17, 24, 32, 25, 18, 11,  4,  5,
    12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13,  6,  7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
    58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// The tables as they stand when a scan begins.
#[derive(Clone, Default)]
pub(super) struct Tables {
    pub(super) quantisation: [Option<[u16; 64]>; 4],
    /// Those for DC, and those for AC.
    pub(super) huffman: [[Option<Huffman>; 4]; 2],
}

/// Codes of up to 16 bits and their values.
#[derive(Clone)]
pub(super) struct Huffman {
    /// For the next bits what a short code says.
    short: Box<[Short; 1 << SHORT]>,
    /// For each length the first code behind those of that length, from the top of 16 bits.
    ends: [u32; 17],
    /// Place of the first value of each length, less its code.
    offsets: [i32; 17],
    values: Vec<u8>,
}

/// What the next bits say: the number behind a code in the upper half, the code's value in a byte, a bit for whether
/// the number is among them, and how many bits it all takes; with the number elsewhere, the code alone; 0 for a code
/// that is longer.
#[derive(Clone, Copy, Default)]
pub(super) struct Short(u32);

/// Bits that are looked up at once: a code, and the number behind it where both are short.
const SHORT: u32 = 10;
const WHOLE: u32 = 1 << 5;

impl Short {
    fn new(bits: u32, value: u8, length: u32) -> Self {
        let of_number = u32::from(value & 15);
        let code = (u32::from(value) << 8) | length;
        if length + of_number > SHORT {
            return Self(code);
        }
        let number = (bits >> (SHORT - length - of_number)) & ((1 << of_number) - 1);
        let number = extended(number as i32, of_number) as u32;
        Self((number << 16) | (code + of_number) | WHOLE)
    }

    /// The number, where it is known.
    #[inline(always)]
    pub(super) fn number(self) -> Option<i32> {
        (self.0 & WHOLE > 0).then_some((self.0 as i32) >> 16)
    }

    #[inline(always)]
    pub(super) fn value(self) -> u8 {
        (self.0 >> 8) as u8
    }

    /// Bits of code and number together.
    #[inline(always)]
    pub(super) fn bits(self) -> u32 {
        self.0 & 31
    }
}

impl Huffman {
    pub(super) fn new(counts: &[u8; 16], values: &[u8]) -> Result<Self, Cause> {
        let mut table = Self {
            short: Box::new([Short::default(); 1 << SHORT]),
            ends: [0; 17],
            offsets: [0; 17],
            values: values.to_vec(),
        };
        let (mut code, mut place) = (0_u32, 0_usize);
        for length in 1..=16_u32 {
            let count = usize::from(counts[length as usize - 1]);
            table.offsets[length as usize] = place as i32 - code as i32;
            for value in values.get(place..place + count).ok_or_else(truncated)? {
                table.shorten(code, length, *value);
                code += 1;
            }
            place += count;
            if code > 1 << length {
                return Err(Cause::msg("a JPEG with a table of more codes than fit"));
            }
            table.ends[length as usize] = code << (16 - length);
            code <<= 1;
        }
        Ok(table)
    }

    fn shorten(&mut self, code: u32, length: u32, value: u8) {
        if length <= SHORT {
            let first = code << (SHORT - length);
            let all = first..first + (1 << (SHORT - length));
            for (bits, short) in all.clone().zip(self.short.iter_mut().skip(first as usize)) {
                *short = Short::new(bits, value, length);
            }
        }
    }

    /// What is known of the code that these bits begin with.
    #[inline(always)]
    pub(super) fn short(&self, bits: u64) -> Short {
        self.short[(bits >> (64 - SHORT)) as usize]
    }

    /// Value and length of the code that these bits begin with.
    #[inline(always)]
    pub(super) fn find(&self, bits: u64) -> Option<(u8, u32)> {
        let short = self.short(bits);
        match short.number() {
            Some(_) => Some((short.value(), short.bits() - u32::from(short.value() & 15))),
            None if short.bits() > 0 => Some((short.value(), short.bits())),
            None => self.find_long(bits),
        }
    }

    #[cold]
    fn find_long(&self, bits: u64) -> Option<(u8, u32)> {
        let bits = (bits >> 48) as u32;
        let length = (SHORT as usize + 1..=16).find(|&length| bits < self.ends[length])?;
        let place = (bits >> (16 - length)) as i32 + self.offsets[length];
        Some((*self.values.get(usize::try_from(place).ok()?)?, length as u32))
    }
}

/// The number that these bits stand for: T.81, F.1.2.1.
#[inline(always)]
pub(super) fn extended(number: i32, bits: u32) -> i32 {
    if number < (1 << bits) >> 1 { number + 1 - (1 << bits) } else { number }
}

impl Tables {
    /// Takes in a segment of quantisation tables.
    pub(super) fn quantisation(&mut self, mut content: &[u8]) -> Result<(), Cause> {
        while let Some((&head, rest)) = content.split_first() {
            let bytes = if head >> 4 == 0 { 1 } else { 2 };
            let (values, behind) = rest.split_at_checked(64 * bytes).ok_or_else(truncated)?;
            let mut table = [0; 64];
            for (value, &place) in values.chunks_exact(bytes).zip(&ZIGZAG) {
                table[usize::from(place)] =
                    value.iter().fold(0, |number, &byte| (number << 8) | u16::from(byte));
            }
            *slot(&mut self.quantisation, head)? = Some(table);
            content = behind;
        }
        Ok(())
    }

    /// Takes in a segment of Huffman tables.
    pub(super) fn huffman(&mut self, mut content: &[u8]) -> Result<(), Cause> {
        while let Some((&head, rest)) = content.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>().ok_or_else(truncated)?;
            let values = counts.iter().map(|&count| usize::from(count)).sum();
            let (values, behind) = rest.split_at_checked(values).ok_or_else(truncated)?;
            let class = self.huffman.get_mut(usize::from(head >> 4));
            let class = class.ok_or_else(|| Cause::msg("a JPEG with a table of no known class"))?;
            *slot(class, head)? = Some(Huffman::new(counts, values)?);
            content = behind;
        }
        Ok(())
    }

    /// The Huffman table of this class and number: the standard's own where the file has none, as in frames of
    /// Motion JPEG.
    pub(super) fn code(&mut self, class: usize, number: usize) -> Result<&Huffman, Cause> {
        let table = &mut self.huffman[class][number];
        if table.is_none() && number < 2 {
            let (counts, values) = STANDARD[class][number];
            *table = Some(Huffman::new(counts, values)?);
        }
        table.as_ref().ok_or_else(|| Cause::msg(format_args!("a JPEG without its Huffman table {number}")))
    }
}

fn slot<T>(tables: &mut [T; 4], head: u8) -> Result<&mut T, Cause> {
    let number = usize::from(head & 15);
    tables.get_mut(number).ok_or_else(|| Cause::msg(format_args!("a JPEG with a table of number {number}")))
}

type Standard = (&'static [u8; 16], &'static [u8]);

/// Tables K.3 and K.4 for DC, K.5 and K.6 for AC, of luminance and of chrominance.
static STANDARD: [[Standard; 2]; 2] = [
    [
        (&[0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
        (&[0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
    ],
    [
        (&[0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7D], &LUMINANCE),
        (&[0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77], &CHROMINANCE),
    ],
];

#[rustfmt::skip]
static LUMINANCE: [u8; 162] = [
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07, 0x22, 0x71,
    0x14, 0x32, 0x81, 0x91, 0xA1, 0x08, 0x23, 0x42, 0xB1, 0xC1, 0x15, 0x52, 0xD1, 0xF0, 0x24, 0x33, 0x62, 0x72,
    0x82, 0x09, 0x0A, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2A, 0x34, 0x35, 0x36, 0x37,
    0x38, 0x39, 0x3A, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59,
    0x5A, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A, 0x83,
    0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0xA2, 0xA3,
    0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA, 0xC2, 0xC3,
    0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA, 0xE1, 0xE2,
    0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0xFA,
];

#[rustfmt::skip]
static CHROMINANCE: [u8; 162] = [
    0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71, 0x13, 0x22,
    0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xA1, 0xB1, 0xC1, 0x09, 0x23, 0x33, 0x52, 0xF0, 0x15, 0x62, 0x72, 0xD1,
    0x0A, 0x16, 0x24, 0x34, 0xE1, 0x25, 0xF1, 0x17, 0x18, 0x19, 0x1A, 0x26, 0x27, 0x28, 0x29, 0x2A, 0x35, 0x36,
    0x37, 0x38, 0x39, 0x3A, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58,
    0x59, 0x5A, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A,
    0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A,
    0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA,
    0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA,
    0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0xFA,
];
