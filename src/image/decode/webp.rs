//! WebP, by the `image-webp` crate: lossy, lossless, and the first frame of an animation.

use std::borrow::Cow;
use std::io::Cursor;

use image_webp::WebPDecoder;

use super::decoded::{Decoded, Layout, blank};
use super::webp_outline::{self, Outline};
use crate::error::Cause;
use crate::image::allowance::Allowance;

/// Decodes into RGB; alpha is dropped. Of an animation, the first frame on its canvas.
pub(crate) fn decode(webp: &[u8], allowance: &Allowance, pixels: &mut Vec<u8>) -> Result<Decoded, Cause> {
    let outline = Outline::read(webp);
    let mut decoder = WebPDecoder::new(Cursor::new(&outline.file))?;
    let sides = decoder.dimensions();
    // The pixels, a frame of four channels, and for an animation its canvas.
    let copied = if let Cow::Owned(file) = &outline.file { file.len() } else { 0 };
    allowance.admit(sides, if decoder.is_animated() { 12 } else { 8 }, copied as u64)?;
    webp_outline::check(webp, sides)?;
    // Chunks say how long they are; none is longer than the file.
    decoder.set_memory_limit(webp.len());
    let orientation = outline.notes.orientation();
    let layout = if decoder.has_alpha() { Layout::Rgbx } else { Layout::Rgb };
    blank(pixels, sides, layout.bytes())?;
    decoder.read_image(pixels)?;
    Ok(Decoded { sides, layout, orientation })
}
