//! The bits of a scan's data.

use super::tables::Huffman;
use crate::error::Cause;

/// Reads the bits between two markers: stuffed bytes are taken out, and a marker is never read past.
pub(super) struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    /// The next bits, from the highest on; zeros where there are none any more.
    bits: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn of(data: &'a [u8]) -> Self {
        Self { data, at: 0, bits: 0, count: 0 }
    }

    fn fill(&mut self) {
        if let Some(&next) = self.data[self.at..].first_chunk() {
            let next = u64::from_be_bytes(next);
            if !has_ff(next) {
                // Bits behind the count are those that will be put there again.
                self.bits |= next >> self.count;
                let bytes = (64 - self.count) / 8;
                self.at += bytes as usize;
                self.count += 8 * bytes;
                return;
            }
        }
        while self.count <= 56 {
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
    #[inline]
    pub(super) fn coefficient(&mut self, table: &Huffman) -> Result<(u8, i32), Cause> {
        // A code and its number have 31 bits at most.
        if self.count < 32 {
            self.fill();
        }
        let (value, length) = table.find((self.bits >> 48) as usize).ok_or_else(unknown_code)?;
        let bits = u32::from(value & 15);
        let number = ((self.bits << length) >> 1 >> (63 - bits)) as i32;
        let number = if number < (1 << bits) >> 1 { number + 1 - (1 << bits) } else { number };
        self.take(u32::from(length) + bits)?;
        Ok((value, number))
    }

    /// The next bits without taking them; at most 16.
    #[inline]
    fn peek(&mut self, count: u32) -> usize {
        if self.count < count {
            self.fill();
        }
        (self.bits >> (64 - count)) as usize
    }

    #[inline]
    fn take(&mut self, count: u32) -> Result<(), Cause> {
        self.count = self.count.checked_sub(count).ok_or_else(ends_early)?;
        self.bits <<= count;
        Ok(())
    }

    /// A number of so many bits, at most 16.
    pub(super) fn number(&mut self, bits: u8) -> Result<i32, Cause> {
        if bits == 0 {
            return Ok(0);
        }
        let number = self.peek(bits.into()) as i32;
        self.take(bits.into())?;
        Ok(number)
    }

    pub(super) fn bit(&mut self) -> Result<bool, Cause> {
        Ok(self.number(1)? == 1)
    }

    /// The value of the next code.
    #[inline]
    pub(super) fn symbol(&mut self, table: &Huffman) -> Result<u8, Cause> {
        let next = self.peek(16);
        let (value, length) = table.find(next).ok_or_else(unknown_code)?;
        self.take(length.into())?;
        Ok(value)
    }

    /// Goes on behind a restart marker, which has to be this one and to stand right here.
    pub(super) fn restart(&mut self, expected: u8) -> Result<(), Cause> {
        if self.count < 8 {
            self.fill();
        }
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
