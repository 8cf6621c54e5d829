//! The outline of a WebP file: what its flags announce and which chunks are there, and the size of every bitstream,
//! before one is decoded.
//!
//! The decoder refuses a file without a chunk that is announced, whatever it is, and reads an alpha that nobody looks
//! at; here a file announces what is there and needed. The decoder takes memory for what a bitstream says and then
//! compares it with the canvas; here no bitstream may be larger than the canvas.
//!
//! Layout: RFC 9649, sections 2.7 (container), 3.4 (lossless header), and RFC 6386 section 9.1.

use std::borrow::Cow;

use crate::error::Cause;
use crate::image::notes::Notes;

const RIFF_HEADER: usize = 12;
/// Where the flags of an extended file stand: first in its first chunk.
const FLAGS: usize = RIFF_HEADER + 8;
const ALPHA: u8 = 0x10;
const EXIF: u8 = 0x08;
const XMP: u8 = 0x04;
const ANIMATION: u8 = 0x02;

/// The notes of a file that are looked at, and the file as its decoder reads it.
#[derive(Debug)]
pub(crate) struct Outline<'a> {
    /// What there is of the EXIF block and the XMP packet, where they are announced.
    pub(crate) notes: Notes<'a>,
    /// The file, with other flags where it announces what is not there or not needed.
    pub(crate) file: Cow<'a, [u8]>,
}

impl<'a> Outline<'a> {
    pub(crate) fn read(webp: &'a [u8]) -> Self {
        let mut chunks = chunks(webp.get(RIFF_HEADER..).unwrap_or_default());
        let flags = match chunks.next() {
            Some((b"VP8X", &[flags, ..])) => flags,
            _ => return Self { notes: Notes::default(), file: webp.into() },
        };
        let (mut there, mut notes) = (0, Notes::default());
        for (kind, content) in chunks {
            there |= match kind {
                b"EXIF" => EXIF,
                b"XMP " => XMP,
                b"ANMF" => ANIMATION,
                // One that is lossless has its alpha in itself.
                b"VP8L" => ALPHA,
                _ => 0,
            };
            match kind {
                b"EXIF" if flags & EXIF > 0 => notes.exif = notes.exif.or(Some(content)),
                b"XMP " if flags & XMP > 0 => notes.xmp = notes.xmp.or(Some(content)),
                _ => {}
            }
        }
        // An animation's alpha says how its frames lie over each other.
        there |= if flags & there & ANIMATION > 0 { ALPHA } else { 0 };
        let wanted = flags & (there | !(ALPHA | EXIF | XMP | ANIMATION));
        let mut file = Cow::Borrowed(webp);
        if wanted != flags {
            file.to_mut()[FLAGS] = wanted;
        }
        Self { notes, file }
    }
}

/// What stands in an `ANMF` chunk before the chunks of its frame.
const FRAME_HEADER: usize = 16;

/// Whether no bitstream of the file is larger than the canvas.
pub(crate) fn check(webp: &[u8], canvas: (u32, u32)) -> Result<(), Cause> {
    chunks(webp.get(RIFF_HEADER..).unwrap_or_default()).try_for_each(|(kind, content)| match kind {
        b"ANMF" => frame(content.get(FRAME_HEADER..).unwrap_or_default(), canvas),
        _ => bitstream(kind, content, canvas),
    })
}

/// A frame has no frame in it, so that the depth of a file is not its author's choice.
fn frame(content: &[u8], canvas: (u32, u32)) -> Result<(), Cause> {
    chunks(content).try_for_each(|(kind, content)| match kind {
        b"ANMF" => Err(Cause::msg("a WebP frame inside a frame")),
        _ => bitstream(kind, content, canvas),
    })
}

fn bitstream(kind: &[u8; 4], content: &[u8], canvas: (u32, u32)) -> Result<(), Cause> {
    match kind {
        b"VP8 " => fits(lossy(content), canvas),
        b"VP8L" => fits(lossless(content), canvas),
        _ => Ok(()),
    }
}

/// Every chunk's name and what is there of its content.
fn chunks(mut bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let (kind, content, rest) = chunk(bytes)?;
        bytes = rest;
        Some((kind, content))
    })
}

/// The first chunk: its name, what is there of its content, and what follows it.
fn chunk(bytes: &[u8]) -> Option<(&[u8; 4], &[u8], &[u8])> {
    let (kind, rest) = bytes.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let length = u32::from_le_bytes(*length) as usize;
    let (content, rest) = rest.split_at(length.min(rest.len()));
    Some((kind, content, rest.get(length % 2..).unwrap_or_default()))
}

fn lossy(content: &[u8]) -> Option<(u32, u32)> {
    let &[w0, w1, h0, h1] = content.get(6..)?.first_chunk()?;
    let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3FFF);
    Some((side(w0, w1), side(h0, h1)))
}

fn lossless(content: &[u8]) -> Option<(u32, u32)> {
    let bits = u32::from_le_bytes(*content.get(1..)?.first_chunk()?);
    Some(((bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1))
}

fn fits(sides: Option<(u32, u32)>, canvas: (u32, u32)) -> Result<(), Cause> {
    let (width, height) =
        sides.ok_or_else(|| Cause::msg("truncated: a WebP bitstream without its header"))?;
    if width > canvas.0 || height > canvas.1 {
        return Err(Cause::msg(format_args!(
            "a WebP bitstream of {width}×{height} pixels in a canvas of {}×{}",
            canvas.0, canvas.1
        )));
    }
    Ok(())
}
