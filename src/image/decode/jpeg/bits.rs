//! The bits of a scan's data.

use super::tables::{Huffman, extended};
use crate::error::Cause;

/// Reads the bits between two markers: stuffed bytes are taken out, and a marker is never read past.
pub(super) struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    /// The next bits, from the highest on; zeros where there are none any more.
    bits: u64,
    /// How many they are; fewer than none, where more were taken than there are.
    count: i32,
}

impl<'a> Bits<'a> {
    pub(super) fn of(data: &'a [u8]) -> Self {
        Self { data, at: 0, bits: 0, count: 0 }
    }

    /// Makes 32 bits ready, more than a code and its number have, where there are as many.
    #[inline(always)]
    fn ready(&mut self) {
        if self.count >= 32 {
            return;
        }
        if let Some(&next) = self.data.get(self.at..).and_then(<[u8]>::first_chunk) {
            let next = u64::from_be_bytes(next);
            if !has_ff(next) {
                // Bits behind the count are those that will be put there again.
                self.bits |= next >> (self.count & 31);
                let bytes = (64 - self.count) >> 3;
                self.at += bytes as usize;
                self.count += 8 * bytes;
                return;
            }
        }
        self.fill();
    }

    /// Fills up byte by byte: one that is stuffed is taken out, and before a marker all ends.
    #[cold]
    fn fill(&mut self) {
        while (0..=56).contains(&self.count) {
            let Some(&byte) = self.data.get(self.at) else { return };
            if byte == 0xFF {
                if self.data.get(self.at + 1) != Some(&0) {
                    return;
                }
                self.at += 1;
            }
            self.at += 1;
            self.bits |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    /// The value of the next code, and the number of as many bits as its lower half says: T.81, F.2.2.1.
    #[inline(always)]
    pub(super) fn coefficient(&mut self, table: &Huffman) -> Result<(u8, i32), Cause> {
        self.ready();
        let short = table.short(self.bits);
        if let Some(number) = short.number() {
            self.take(short.bits());
            return Ok((short.value(), number));
        }
        let (value, length) = table.find(self.bits).ok_or_else(unknown_code)?;
        let bits = u32::from(value & 15);
        let number = extended(((self.bits << length) >> 1 >> (63 - bits)) as i32, bits);
        self.take(length + bits);
        Ok((value, number))
    }

    /// The value of the next code.
    #[inline(always)]
    pub(super) fn symbol(&mut self, table: &Huffman) -> Result<u8, Cause> {
        self.ready();
        let (value, length) = table.find(self.bits).ok_or_else(unknown_code)?;
        self.take(length);
        Ok(value)
    }

    #[inline(always)]
    fn take(&mut self, count: u32) {
        self.count -= count as i32;
        self.bits <<= count & 63;
    }

    /// A number of so many bits, at most 16.
    #[inline(always)]
    pub(super) fn number(&mut self, bits: u8) -> i32 {
        self.ready();
        let number = (self.bits >> 1 >> (63 - u32::from(bits & 31))) as i32;
        self.take(bits.into());
        number
    }

    #[inline(always)]
    pub(super) fn bit(&mut self) -> bool {
        self.number(1) == 1
    }

    /// Whether there were as many bits as were taken. What was read of others is zeros.
    #[inline(always)]
    pub(super) fn were_there(&self) -> Result<(), Cause> {
        if self.count < 0 { Err(ends_early()) } else { Ok(()) }
    }

    /// Goes on behind a restart marker, which has to be this one and to stand right here.
    pub(super) fn restart(&mut self, expected: u8) -> Result<(), Cause> {
        self.fill();
        let fill = self.data[self.at..].iter().take_while(|&&byte| byte == 0xFF).count();
        let marker = self.data.get(self.at + fill).copied();
        if self.count >= 8 || fill == 0 || marker != Some(0xD0 + expected) {
            return Err(Cause::msg(format_args!(
                "a JPEG without its restart marker {expected} where it belongs"
            )));
        }
        (self.bits, self.count) = (0, 0);
        self.at += fill + 1;
        Ok(())
    }
}

/// Whether one of eight bytes is FF.
#[inline(always)]
fn has_ff(bytes: u64) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let zeros = !bytes;
    zeros.wrapping_sub(ONES) & !zeros & (ONES << 7) != 0
}

#[cold]
fn unknown_code() -> Cause {
    Cause::msg("a JPEG with a code that its table does not have")
}

#[cold]
fn ends_early() -> Cause {
    Cause::msg("truncated: a scan of the JPEG ends before its last block")
}
