//! JPEG of every layout, behind the checks of its [`Outline`]. ARCHITECTURE.md says what was measured.

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
mod wide;

use self::outline::Outline;
use self::paint::Paint;
use super::decoded::{Decoded, Layout, blank};
use crate::error::Cause;
use crate::image::allowance::Allowance;

/// A photo of more pixels is decoded without the fourth byte: memory counts more there than speed.
const FOUR_BYTES_UP_TO: usize = 2 << 20;

/// Decodes into RGB, whatever the file holds: grey is repeated, CMYK and YCCK are read as Adobe
/// writes them (inverted) and multiplied out: R = C · K / 255, as Pillow does.
pub(crate) fn decode(jpeg: &[u8], allowance: &Allowance, pixels: &mut Vec<u8>) -> Result<Decoded, Cause> {
    let outline = Outline::read(jpeg)?;
    let sides = (outline.frame.width as u32, outline.frame.height as u32);
    let small = outline.frame.width * outline.frame.height <= FOUR_BYTES_UP_TO;
    let layout = if small { Layout::Rgbx } else { Layout::Rgb };
    allowance.admit(sides, layout.bytes(), outline.bytes())?;
    blank(pixels, sides, layout.bytes())?;
    let mut paint = Paint::new(pixels, layout, outline.frame.width, outline.colors);
    picture::read(jpeg, &outline.frame, outline.is_one_scan(), &mut paint)?;
    let orientation = outline.notes.orientation();
    Ok(Decoded { sides, layout, orientation })
}
