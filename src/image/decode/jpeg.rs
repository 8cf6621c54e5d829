//! JPEG, by zune-jpeg in its strict mode, behind the checks of [`Outline`].

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::jpeg_outline::Outline;
use super::{Decoded, Layout, blank};
use crate::error::Cause;
use crate::image::allowance::Allowance;
use crate::image::exif;

/// A photo of more pixels is decoded without the fourth byte: memory counts more there than speed.
const FOUR_BYTES_UP_TO: u32 = 2 << 20;

type Decoder<'a> = JpegDecoder<ZCursor<&'a [u8]>>;

/// Decodes into RGB, whatever the file holds: grey is repeated, CMYK and YCCK are read as Adobe
/// writes them (inverted) and multiplied out: R = C · K / 255, as Pillow does.
pub(crate) fn decode(jpeg: &[u8], allowance: &Allowance, pixels: &mut Vec<u8>) -> Result<Decoded, Cause> {
    let outline = Outline::read(jpeg)?;
    let sides = (outline.width.into(), outline.height.into());
    let small = u32::from(outline.width) * u32::from(outline.height) <= FOUR_BYTES_UP_TO;
    let wanted = if small { Layout::Rgbx } else { Layout::Rgb };
    allowance.admit(sides, wanted.bytes() + outline.coefficient_bytes())?;
    let (mut decoder, layout) = open(jpeg, wanted)?;
    if decoder.dimensions().map(|(width, height)| (width as u32, height as u32)) != Some(sides) {
        return Err(Cause::msg("a JPEG with two sizes"));
    }
    blank(pixels, sides, layout.bytes())?;
    decoder.decode_into(pixels)?;
    let orientation = outline.exif.map(exif::orientation).unwrap_or_default();
    Ok(Decoded { sides, layout, orientation })
}

/// A decoder that has read the headers, in the layout wanted where it can write that.
fn open(jpeg: &[u8], wanted: Layout) -> Result<(Decoder<'_>, Layout), Cause> {
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(jpeg), options(wanted));
    decoder.decode_headers()?;
    // zune-jpeg 0.5.15 writes four bytes a pixel from these only: RGB is an error, CMYK is garbled.
    let four = matches!(decoder.input_colorspace(), Some(ColorSpace::YCbCr | ColorSpace::Luma));
    if wanted == Layout::Rgbx && !four { open(jpeg, Layout::Rgb) } else { Ok((decoder, wanted)) }
}

fn options(layout: Layout) -> DecoderOptions {
    DecoderOptions::new_fast()
        .set_strict_mode(true)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_out_colorspace(match layout {
            Layout::Rgb => ColorSpace::RGB,
            Layout::Rgbx => ColorSpace::RGBA,
        })
}
