//! The chunks of a PNG: those that make its pixels, which are all that its decoder gets to see, and the notes that turn
//! them.
//!
//! So no note can cost the pixels, whatever is wrong with it. Transparency is a note too, since nobody looks at it, and
//! so are the frames of an animation. A note whose checksum is wrong says nothing.
//!
//! Layout: PNG (third edition), section 5.3.

use std::io::{BufRead, Error, ErrorKind, Read, Result, Seek, SeekFrom};

use crate::image::notes::Notes;

const SIGNATURE: usize = 8;
/// Length, name and checksum of a chunk.
const AROUND: usize = 12;

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
            // The names of chunks that make pixels have a capital first.
            if rest.first().is_some_and(u8::is_ascii_uppercase) {
                self.part = chunk;
                return;
            }
        }
        self.part = std::mem::take(&mut self.behind);
    }
}

/// The notes that turn the pixels: the first EXIF block and the last XMP packet, before the pixels or behind them.
pub(super) fn notes(png: &[u8]) -> Notes<'_> {
    let (mut notes, mut rest) = (Notes::default(), png.get(SIGNATURE..).unwrap_or_default());
    while let Some((&length, behind)) = rest.split_first_chunk() {
        let length = u32::from_be_bytes(length) as usize;
        let Some(end) = length.checked_add(AROUND).filter(|&end| end <= rest.len()) else { break };
        let (named, sum) = behind[..end - 4].split_at(end - 8);
        let whole = || sum == checksum(named).to_be_bytes();
        match named.split_at(4) {
            (b"eXIf", exif) if notes.exif.is_none() && whole() => notes.exif = Some(exif),
            (b"iTXt", text) => notes.xmp = packet(text).filter(|_| whole()).or(notes.xmp),
            _ => {}
        }
        rest = &rest[end..];
    }
    notes
}

/// The text of an XMP packet that is not compressed, behind the names of its language and of itself.
fn packet(text: &[u8]) -> Option<&[u8]> {
    let names = text.strip_prefix(b"XML:com.adobe.xmp\0\0")?.get(1..)?;
    names.splitn(3, |&byte| byte == 0).nth(2)
}

/// CRC-32 of a chunk's name and content (PNG, annex D). Notes are short, so there is no table.
fn checksum(bytes: &[u8]) -> u32 {
    let shifted = |sum: u32, _| if sum & 1 > 0 { (sum >> 1) ^ 0xEDB8_8320 } else { sum >> 1 };
    !bytes.iter().fold(u32::MAX, |sum, &byte| (0..8).fold(sum ^ u32::from(byte), shifted))
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
