//! The coefficients of one block, as each kind of scan has them.
//!
//! ITU-T T.81, F.2.2 for sequential scans and G.1.2 for progressive ones.

use super::bits::Bits;
use super::tables::{Huffman, ZIGZAG};
use crate::error::Cause;

pub(super) type Block = [i16; 64];

/// How the blocks of a scan are read.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Sequential,
    /// The first bits of DC, then one more of each.
    Dc,
    RefineDc,
    /// A band of AC.
    Ac,
    RefineAc,
}

/// What the blocks of a scan have in common.
pub(super) struct Reader<'a> {
    pub(super) bits: Bits<'a>,
    pub(super) kind: Kind,
    /// The first and the last coefficient.
    pub(super) band: (usize, usize),
    /// Bits that stay unknown.
    pub(super) shift: u8,
    /// Blocks that are still to come without coefficients of their own.
    pub(super) empty: u32,
}

/// What the blocks of one component have in common.
pub(super) struct Coding {
    pub(super) dc: Option<Huffman>,
    pub(super) ac: Option<Huffman>,
    pub(super) predictor: i32,
}

impl Reader<'_> {
    /// Reads a block; gives the place of the last coefficient that it may have put there.
    #[inline(always)]
    pub(super) fn block(&mut self, block: &mut Block, coding: &mut Coding) -> Result<usize, Cause> {
        let last = match self.kind {
            Kind::Sequential => {
                self.dc(block, coding)?;
                self.ac::<true>(block, table(&coding.ac)?)?
            }
            Kind::Dc => self.dc(block, coding)?,
            Kind::RefineDc => {
                block[0] |= i16::from(self.bits.bit()) << self.shift;
                0
            }
            Kind::Ac => self.ac::<false>(block, table(&coding.ac)?)?,
            Kind::RefineAc => self.refine_ac(block, table(&coding.ac)?)?,
        };
        self.bits.were_there()?;
        Ok(last)
    }

    #[inline(always)]
    fn dc(&mut self, block: &mut Block, coding: &mut Coding) -> Result<usize, Cause> {
        let (bits, difference) = self.bits.coefficient(table(&coding.dc)?)?;
        if bits > 15 {
            return Err(wrong());
        }
        coding.predictor = coding.predictor.wrapping_add(difference);
        block[0] = (coding.predictor << self.shift) as i16;
        Ok(0)
    }

    /// A band, or all of it in a sequential scan.
    #[inline(always)]
    fn ac<const ALL: bool>(&mut self, block: &mut Block, table: &Huffman) -> Result<usize, Cause> {
        if !ALL && self.empty > 0 {
            self.empty -= 1;
            return Ok(0);
        }
        let (mut place, last) = if ALL { (1, 63) } else { (self.band.0.max(1), self.band.1) };
        let mut put = 0;
        while place <= last {
            let (symbol, number) = self.bits.coefficient(table)?;
            place += usize::from(symbol >> 4);
            if symbol & 15 > 0 {
                if place > last {
                    return Err(wrong());
                }
                block[at(place)] = if ALL { number } else { number << self.shift } as i16;
                put = place;
                place += 1;
            } else if symbol == 0xF0 {
                place += 1;
            } else if symbol == 0 {
                break;
            } else if ALL {
                return Err(wrong());
            } else {
                self.empty = self.blocks_to_come(symbol >> 4)? - 1;
                break;
            }
        }
        Ok(put)
    }

    /// A run of blocks, this one the first of them.
    fn blocks_to_come(&mut self, run: u8) -> Result<u32, Cause> {
        Ok((1 << run) + self.bits.number(run) as u32)
    }

    #[inline(never)]
    fn refine_ac(&mut self, block: &mut Block, table: &Huffman) -> Result<usize, Cause> {
        let (mut place, last) = self.band;
        while self.empty == 0 && place <= last {
            let symbol = self.bits.symbol(table)?;
            let (run, bits) = (symbol >> 4, symbol & 15);
            let value = match (bits, run) {
                (0, 15) => 0,
                (0, _) => {
                    self.empty = self.blocks_to_come(run)?;
                    break;
                }
                (1, _) if self.bits.bit() => 1 << self.shift,
                (1, _) => -(1 << self.shift),
                _ => return Err(wrong()),
            };
            place = self.refine_until(block, place, Some(run))?;
            if value != 0 {
                if place > last {
                    return Err(wrong());
                }
                block[at(place)] = value;
            }
            place += 1;
        }
        if self.empty > 0 {
            self.refine_until(block, place, None)?;
            self.empty -= 1;
        }
        Ok(last)
    }

    /// Refines those that are not zero, from this place until behind so many zeros; to the end of the band where none
    /// are counted. Gives the place of the zero at which it stopped.
    fn refine_until(&mut self, block: &mut Block, from: usize, zeros: Option<u8>) -> Result<usize, Cause> {
        let mut left = zeros;
        for place in from..=self.band.1 {
            let value = &mut block[at(place)];
            if *value != 0 {
                let bit = 1_i16 << self.shift;
                if self.bits.bit() && *value & bit == 0 {
                    *value = value.wrapping_add(if *value > 0 { bit } else { -bit });
                }
            } else if let Some(zeros) = &mut left {
                match zeros.checked_sub(1) {
                    Some(fewer) => *zeros = fewer,
                    None => return Ok(place),
                }
            }
        }
        Ok(self.band.1 + 1)
    }
}

/// Where the coefficient of this place, of 64, stands in its block.
#[inline]
fn at(place: usize) -> usize {
    usize::from(ZIGZAG[place] & 63)
}

fn table(table: &Option<Huffman>) -> Result<&Huffman, Cause> {
    table.as_ref().ok_or_else(wrong)
}

#[cold]
fn wrong() -> Cause {
    Cause::msg("a JPEG with coefficients that cannot be")
}
