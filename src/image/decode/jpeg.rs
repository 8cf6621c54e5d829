//! JPEG, behind the checks of its [`Outline`], which chooses the decoder too: zune-jpeg in its strict mode for the
//! layouts of nearly all photos, and the road of every layout for all others. ARCHITECTURE.md says what was measured.

mod bits;
mod blocks;
mod color;
mod frame;
mod idct;
mod outline;
mod paint;
mod picture;
mod rows;
mod scan;
mod segments;
mod tables;

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use self::outline::Outline;
use self::paint::Paint;
use super::decoded::{Decoded, Layout, Seen, blank};
use crate::error::Cause;
use crate::image::allowance::Allowance;
use crate::image::exif;

/// A photo of more pixels is decoded without the fourth byte: memory counts more there than speed.
const FOUR_BYTES_UP_TO: usize = 2 << 20;

/// Decodes into RGB, whatever the file holds: grey is repeated, CMYK and YCCK are read as Adobe
/// writes them (inverted) and multiplied out: R = C · K / 255, as Pillow does.
pub(crate) fn decode(
    jpeg: &[u8],
    allowance: &Allowance,
    seen: Seen,
    pixels: &mut Vec<u8>,
) -> Result<Decoded, Cause> {
    let outline = Outline::read(jpeg)?;
    let plain = outline.is_plain(seen);
    let sides = (outline.frame.width as u32, outline.frame.height as u32);
    let small = outline.frame.width * outline.frame.height <= FOUR_BYTES_UP_TO;
    let layout = if small { Layout::Rgbx } else { Layout::Rgb };
    let beside = if plain { 0 } else { outline.bytes() };
    allowance.admit(sides, layout.bytes(), beside)?;
    blank(pixels, sides, layout.bytes())?;
    if plain {
        decode_plain(jpeg, sides, layout, pixels)?;
    } else {
        let mut paint = Paint::new(pixels, layout, outline.frame.width, outline.colors);
        picture::read(jpeg, &outline.frame, outline.is_one_scan(), &mut paint)?;
    }
    let orientation = outline.exif.map(exif::orientation).unwrap_or_default();
    Ok(Decoded { sides, layout, orientation })
}

fn decode_plain(jpeg: &[u8], sides: (u32, u32), layout: Layout, pixels: &mut [u8]) -> Result<(), Cause> {
    let options = DecoderOptions::new_fast()
        .set_strict_mode(true)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_out_colorspace(match layout {
            Layout::Rgb => ColorSpace::RGB,
            Layout::Rgbx => ColorSpace::RGBA,
        });
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(jpeg), options);
    decoder.decode_headers()?;
    if decoder.dimensions().map(|(width, height)| (width as u32, height as u32)) != Some(sides) {
        return Err(Cause::msg("a JPEG with two sizes"));
    }
    Ok(decoder.decode_into(pixels)?)
}
