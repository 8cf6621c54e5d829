//! JPEG, by zune-jpeg in its strict mode, behind the checks of [`Outline`].

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::jpeg_outline::Outline;
use super::{Decoded, blank};
use crate::error::Cause;
use crate::image::exif;
use crate::image::limits::Limits;

/// Decodes into RGB, whatever the file holds: grey is repeated, CMYK and YCCK are read as Adobe
/// writes them (inverted) and multiplied out: R = C · K / 255, as Pillow does.
pub(crate) fn decode(jpeg: &[u8], limits: &Limits, pixels: &mut Vec<u8>) -> Result<Decoded, Cause> {
    let outline = Outline::read(jpeg)?;
    let sides = (outline.width.into(), outline.height.into());
    limits.admit(sides, outline.bytes_per_pixel())?;
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(jpeg), options());
    decoder.decode_headers()?;
    if decoder.dimensions().map(|(width, height)| (width as u32, height as u32)) != Some(sides) {
        return Err(Cause::msg("a JPEG with two sizes"));
    }
    blank(pixels, sides, 3);
    decoder.decode_into(pixels)?;
    Ok(Decoded { sides, orientation: outline.exif.map(exif::orientation).unwrap_or_default() })
}

fn options() -> DecoderOptions {
    DecoderOptions::new_fast()
        .set_strict_mode(true)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_out_colorspace(ColorSpace::RGB)
}
