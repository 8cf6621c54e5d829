//! PNG, by the `png` crate.

use png::{ColorType, Decoder, Limits as PngLimits, Transformations};

use super::decoded::{Decoded, Layout, blank};
use super::png_chunks::{self, PixelChunks};
use crate::error::Cause;
use crate::image::allowance::Allowance;
use crate::image::pixels;

/// Decodes into RGB: palettes are looked up, 16 bits keep their high byte, grey is repeated, alpha is
/// dropped. An animation gives its default image.
pub(crate) fn decode(png: &[u8], allowance: &Allowance, pixels: &mut Vec<u8>) -> Result<Decoded, Cause> {
    let mut decoder = Decoder::new_with_limits(PixelChunks::of(png), png_limits(allowance));
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    let header = decoder.read_header_info()?;
    let sides = (header.width, header.height);
    allowance.admit(sides, 4, 0)?;
    let mut reader = decoder.read_info()?;
    let channels = reader.output_color_type().0.samples();
    blank(pixels, sides, channels.max(3))?;
    let length = reader.output_buffer_size().ok_or_else(|| Cause::msg("a PNG too large to address"))?;
    let color = reader.next_frame(&mut pixels[..length])?.color_type;
    match color {
        ColorType::Grayscale => pixels::expand_grey(pixels),
        ColorType::GrayscaleAlpha => pixels::repeat_first_of_two(pixels),
        ColorType::Rgb | ColorType::Rgba | ColorType::Indexed => {}
    }
    let layout = if color == ColorType::Rgba { Layout::Rgbx } else { Layout::Rgb };
    Ok(Decoded { sides, layout, orientation: png_chunks::notes(png).orientation() })
}

fn png_limits(allowance: &Allowance) -> PngLimits {
    match allowance.decoded {
        0 => PngLimits { bytes: usize::MAX },
        bytes => PngLimits { bytes },
    }
}
