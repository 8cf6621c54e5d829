//! GIF, by the `gif` crate: the first frame, on its canvas.

use gif::{ColorOutput, DecodeOptions, Decoder, Frame, MemoryLimit};

use super::decoded::{Decoded, Layout, Seen, blank};
use crate::error::Cause;
use crate::image::allowance::Allowance;
use crate::image::orient::Orientation;

/// Decodes into RGB. A transparent pixel keeps the colour that its index has in the palette; what
/// the frame leaves of the canvas is black.
pub(crate) fn decode(
    gif: &[u8],
    allowance: &Allowance,
    _: Seen,
    pixels: &mut Vec<u8>,
) -> Result<Decoded, Cause> {
    let mut decoder = open(gif)?;
    let sides = (decoder.width().into(), decoder.height().into());
    allowance.admit(sides, 4, 0)?;
    let frame = decoder.next_frame_info()?.ok_or_else(|| Cause::msg("a GIF without a frame"))?.clone();
    // Canvas and indices share one buffer: RGB first, then one byte a pixel of the frame.
    blank(pixels, sides, 4)?;
    let canvas = pixels.len() / 4 * 3;
    let (canvas, indices) = pixels.split_at_mut(canvas);
    let indices = &mut indices[..usize::from(frame.width) * usize::from(frame.height)];
    decoder.read_into_buffer(indices)?;
    paint(canvas, sides.0 as usize, &frame, indices, decoder.palette()?);
    let length = canvas.len();
    pixels.truncate(length);
    Ok(Decoded { sides, layout: Layout::Rgb, orientation: Orientation::default() })
}

/// A decoder of palette indices.
pub(super) fn open(gif: &[u8]) -> Result<Decoder<&[u8]>, Cause> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.check_frame_consistency(true);
    // Application data is kept by the decoder as it comes: it cannot be longer than the file.
    options.set_memory_limit(MemoryLimit::Unlimited);
    Ok(options.read_info(gif)?)
}

fn paint(canvas: &mut [u8], canvas_width: usize, frame: &Frame<'_>, indices: &[u8], palette: &[u8]) {
    let colors = palette.as_chunks::<3>().0;
    let rows = canvas.chunks_exact_mut(3 * canvas_width).skip(frame.top.into());
    for (row, indices) in rows.zip(indices.chunks_exact(frame.width.max(1).into())) {
        let row = row.as_chunks_mut::<3>().0;
        for (pixel, &index) in row[usize::from(frame.left)..].iter_mut().zip(indices) {
            *pixel = colors.get(usize::from(index)).copied().unwrap_or_default();
        }
    }
}
