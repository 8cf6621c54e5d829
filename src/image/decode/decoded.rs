//! What a decoder gives, and the memory that it writes into.

use crate::error::Cause;
use crate::image::orient::Orientation;

/// A photo as it is stored; its pixels stand in the buffer given to `decode`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decoded {
    /// Width and height, as stored.
    pub(crate) sides: (u32, u32),
    pub(crate) layout: Layout,
    pub(crate) orientation: Orientation,
}

/// What stands in the buffer for a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    Rgb,
    /// RGB and a byte that means nothing, for which SIMD has better instructions.
    Rgbx,
}

impl Layout {
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Rgb => 3,
            Self::Rgbx => 4,
        }
    }
}

/// Makes the buffer as long as the photo is and black, so that no pixel of another photo can remain.
///
/// Memory that is not there is a failure: without limits a header can ask for any amount.
pub(super) fn blank(pixels: &mut Vec<u8>, (width, height): (u32, u32), bytes: usize) -> Result<(), Cause> {
    let length = width as usize * height as usize * bytes;
    pixels.clear();
    pixels.try_reserve_exact(length)?;
    pixels.resize(length, 0);
    Ok(())
}
