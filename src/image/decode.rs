//! From the bytes of a photo to RGB pixels. The first bytes say which decoder is asked.
//!
//! A decoder checks size and memory from the header, then writes rows without gaps into a buffer that
//! is used again. It never crops, resizes or turns.

mod decoded;
mod gif;
mod jpeg;
mod png;
mod png_chunks;
mod webp;
mod webp_outline;

pub(crate) use self::decoded::{Decoded, Layout};
use super::allowance::Allowance;
use crate::error::Cause;
use crate::error::guard::guard;

/// Decodes a photo of any known format into `pixels`, whatever was in it before.
pub(crate) fn decode(photo: &[u8], allowance: &Allowance, pixels: &mut Vec<u8>) -> Result<Decoded, Cause> {
    let decode = decoder(photo)?;
    // The decoders are others' code on anyone's bytes: a panic there is a bad photo.
    guard(|| decode(photo, allowance, pixels)).unwrap_or_else(|panic| Err(panic.context("the decoder")))
}

type Decode = fn(&[u8], &Allowance, &mut Vec<u8>) -> Result<Decoded, Cause>;

fn decoder(photo: &[u8]) -> Result<Decode, Cause> {
    match photo {
        [0xFF, 0xD8, 0xFF, ..] => Ok(jpeg::decode),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Ok(png::decode),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Ok(webp::decode),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Ok(gif::decode),
        [] => Err(Cause::msg("no photo: there are no bytes")),
        _ => Err(Cause::msg("no photo: its first bytes are neither JPEG, PNG, WebP nor GIF")),
    }
}

/// Whether this is a GIF, the only format whose later frames are decoded.
pub(crate) fn is_gif(photo: &[u8]) -> bool {
    matches!(photo, [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..])
}

/// Shows each frame of a GIF on its canvas: RGB without gaps.
pub(crate) fn decode_frames(
    gif: &[u8],
    allowance: &Allowance,
    mut each: impl FnMut(Decoded, &[u8]) -> Result<(), Cause>,
) -> Result<(), Cause> {
    guard(|| gif::decode_frames(gif, allowance, &mut each))
        .unwrap_or_else(|panic| Err(panic.context("the decoder")))
}
