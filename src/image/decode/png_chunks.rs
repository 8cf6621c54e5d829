//! The chunks of a PNG that make its pixels, and the one note that turns them: all that its decoder gets to see.
//!
//! So no other note can cost the pixels, whatever is wrong with it. Transparency is such a note too, since nobody looks
//! at it, and so are the frames of an animation.
//!
//! Layout: PNG (third edition), section 5.3.

use std::io::{BufRead, Error, ErrorKind, Read, Result, Seek, SeekFrom};

const SIGNATURE: usize = 8;
/// Length, name and checksum of a chunk.
const AROUND: usize = 12;
/// More bytes than a JPEG's EXIF block can have.
const MOST_EXIF: usize = 1 << 16;

/// Reads a PNG without the chunks that are left out.
#[derive(Clone, Debug)]
pub(super) struct PixelChunks<'a> {
    /// What is left of the part that is read.
    part: &'a [u8],
    behind: &'a [u8],
}

impl<'a> PixelChunks<'a> {
    pub(super) fn of(png: &'a [u8]) -> Self {
        let (part, behind) = png.split_at(SIGNATURE.min(png.len()));
        Self { part, behind }
    }

    /// Takes the next chunk that is read.
    fn advance(&mut self) {
        while let Some((&length, rest)) = self.behind.split_first_chunk() {
            let length = u32::from_be_bytes(length) as usize;
            let end = length.saturating_add(AROUND).min(self.behind.len());
            let (chunk, behind) = self.behind.split_at(end);
            self.behind = behind;
            if is_read(rest, length) {
                self.part = chunk;
                return;
            }
        }
        self.part = std::mem::take(&mut self.behind);
    }
}

/// Whether a chunk of this name is read; those that make pixels have a capital first.
fn is_read(name: &[u8], length: usize) -> bool {
    match name {
        [first, ..] if first.is_ascii_uppercase() => true,
        [b'e', b'X', b'I', b'f', ..] => length < MOST_EXIF,
        _ => false,
    }
}

impl BufRead for PixelChunks<'_> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        if self.part.is_empty() {
            self.advance();
        }
        Ok(self.part)
    }

    fn consume(&mut self, amount: usize) {
        self.part = &self.part[amount..];
    }
}

impl Read for PixelChunks<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

/// The decoder asks for it and never uses it.
impl Seek for PixelChunks<'_> {
    fn seek(&mut self, _: SeekFrom) -> Result<u64> {
        Err(Error::from(ErrorKind::Unsupported))
    }
}
