//! WebP, by the `image-webp` crate: lossy, lossless, and the first frame of an animation.

use std::io::Cursor;

use image_webp::WebPDecoder;

use super::{Decoded, blank, webp_outline};
use crate::error::Cause;
use crate::image::limits::Limits;
use crate::image::{exif, pixels};

/// Decodes into RGB; alpha is dropped. Of an animation, the first frame on its canvas.
pub(crate) fn decode(webp: &[u8], limits: &Limits, pixels: &mut Vec<u8>) -> Result<Decoded, Cause> {
    let mut decoder = WebPDecoder::new(Cursor::new(webp))?;
    let sides = decoder.dimensions();
    // The pixels, a frame of four channels, and for an animation its canvas.
    limits.admit(sides, if decoder.is_animated() { 12 } else { 8 })?;
    webp_outline::check(webp, sides)?;
    // Chunks say how long they are; none is longer than the file.
    decoder.set_memory_limit(webp.len());
    let orientation = decoder.exif_metadata()?.as_deref().map(exif::orientation).unwrap_or_default();
    blank(pixels, sides, if decoder.has_alpha() { 4 } else { 3 });
    decoder.read_image(pixels)?;
    if decoder.has_alpha() {
        pixels::drop_fourth(pixels);
    }
    Ok(Decoded { sides, orientation })
}
