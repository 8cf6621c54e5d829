//! The segments of a JPEG file, one after the other, and the scans between them.
//!
//! Layout: ITU-T T.81, annex B.

use crate::error::Cause;

/// What is left of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segments<'a> {
    rest: &'a [u8],
}

/// The end of the image.
pub(super) const END: u8 = 0xD9;
/// The head of a scan, behind which its data stands.
pub(super) const SCAN: u8 = 0xDA;

impl<'a> Segments<'a> {
    /// Those of a file, behind the marker that it starts with.
    pub(super) fn of(jpeg: &'a [u8]) -> Self {
        Self { rest: jpeg.get(2..).unwrap_or_default() }
    }

    /// The next marker with what belongs to it: nothing, at the end of the image.
    pub(super) fn next(&mut self) -> Result<(u8, &'a [u8]), Cause> {
        let (marker, rest) = marker(self.rest)?;
        self.rest = rest;
        match marker {
            END => Ok((marker, &[])),
            0x01 | 0xD0..=0xD8 => {
                Err(Cause::msg(format_args!("marker FF{marker:02X} in a JPEG where none may stand")))
            }
            _ => Ok((marker, self.content(marker)?)),
        }
    }

    fn content(&mut self, marker: u8) -> Result<&'a [u8], Cause> {
        let (&length, _) = self.rest.split_first_chunk().ok_or_else(truncated)?;
        let length = usize::from(u16::from_be_bytes(length));
        // A note without a length is one without content.
        let length = if matches!(marker, 0xE0..=0xEF | 0xFE) { length.max(2) } else { length };
        let content = self.rest.get(2..length).ok_or_else(truncated)?;
        self.rest = &self.rest[length..];
        Ok(content)
    }

    /// What stands behind the head of a scan, to the end of the file.
    pub(super) fn data(&self) -> &'a [u8] {
        self.rest
    }

    /// Goes on behind the data of a scan, restarts included.
    pub(super) fn skip_scan(&mut self) -> Result<(), Cause> {
        loop {
            self.rest = &self.rest[find_ff(self.rest).ok_or_else(truncated)?..];
            match self.rest.get(1).ok_or_else(truncated)? {
                0 | 0xD0..=0xD7 => self.rest = &self.rest[2..],
                0xFF => self.rest = &self.rest[1..],
                _ => return Ok(()),
            }
        }
    }
}

pub(super) fn truncated() -> Cause {
    Cause::msg("truncated: the JPEG ends before its end-of-image marker")
}

/// The next marker and what follows it. Bytes before it are skipped, as every decoder does.
fn marker(bytes: &[u8]) -> Result<(u8, &[u8]), Cause> {
    let mut rest = bytes;
    loop {
        rest = &rest[find_ff(rest).ok_or_else(truncated)?..];
        let fill = rest.iter().take_while(|&&byte| byte == 0xFF).count();
        match rest.get(fill).ok_or_else(truncated)? {
            0 => rest = &rest[fill + 1..],
            &marker => return Ok((marker, &rest[fill + 1..])),
        }
    }
}

/// Where the next FF byte is, sought in blocks because the compiler vectorises those.
fn find_ff(bytes: &[u8]) -> Option<usize> {
    const BLOCK: usize = 64;
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let clean =
        blocks.iter().take_while(|block| !block.iter().fold(false, |any, &b| any | (b == 0xFF))).count();
    let start = clean * BLOCK;
    bytes[start..].iter().position(|&byte| byte == 0xFF).map(|at| start + at)
}
