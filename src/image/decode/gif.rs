//! GIF: its blocks are read here, its codes by the `weezl` crate. The first frame and all of them go one way.

mod blocks;
mod canvas;
mod rows;

use self::blocks::Blocks;
use self::canvas::Canvas;
use super::decoded::{Decoded, Layout};
use crate::error::Cause;
use crate::image::allowance::Allowance;
use crate::image::orient::Orientation;

/// Takes a canvas: RGB without gaps.
pub(super) type Each<'a> = dyn FnMut(Decoded, &[u8]) -> Result<(), Cause> + 'a;

/// Shows the first frame. A transparent pixel of it has the colour that its index has in the palette, and so has what
/// the frame leaves of the canvas: that of the transparent index, or of the first.
pub(super) fn decode(gif: &[u8], allowance: &Allowance, pixels: &mut Vec<u8>) -> Result<Decoded, Cause> {
    let mut blocks = Blocks::open(gif)?;
    let frame = blocks.next()?.ok_or_else(none)?;
    let mut canvas = Canvas::new(std::mem::take(pixels));
    let shown = canvas.show(&frame, &blocks, allowance);
    let sides = canvas.sides();
    *pixels = canvas.into_pixels();
    shown.map(|()| decoded(sides))
}

/// Gives every frame's canvas. All of them together must be within the limit.
pub(super) fn decode_frames(gif: &[u8], allowance: &Allowance, each: &mut Each<'_>) -> Result<(), Cause> {
    let mut blocks = Blocks::open(gif)?;
    let mut canvas = Canvas::new(Vec::new());
    while let Some(frame) = blocks.next()? {
        canvas.show(&frame, &blocks, allowance)?;
        each(decoded(canvas.sides()), canvas.pixels())?;
    }
    if canvas.is_empty() { Err(none()) } else { Ok(()) }
}

fn decoded(sides: (u32, u32)) -> Decoded {
    Decoded { sides, layout: Layout::Rgb, orientation: Orientation::default() }
}

fn none() -> Cause {
    Cause::msg("a GIF without a frame")
}
