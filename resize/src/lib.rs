//! Resizes photos for gapless: fast_image_resize, compiled for three kinds of pixels.
//!
//! That crate is compiled anew for each kind of pixel and of image, for bytes in thirty variants each: a third of what
//! would have to be compiled for gapless. Here it is compiled while gapless waits for other packages, and not again
//! when gapless changes. Nothing here is generic, so that it stays so.
//!
//! It knows nothing of photos and tensors, and is no part of what gapless promises.

pub use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use fast_image_resize::PixelTrait;
use fast_image_resize::images::{TypedCroppedImage, TypedImage, TypedImageRef};
use fast_image_resize::pixels::{F32, U8x3, U8x4};

/// What a pixel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pixels {
    /// Three bytes.
    Rgb,
    /// Four bytes.
    Rgbx,
    /// One float.
    Float,
}

/// A box of pixels, by its top left corner and its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Pixels to its left.
    pub left: u32,
    /// Pixels above it.
    pub top: u32,
    /// Pixels of a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// Resizes a region of `from` to the whole of `to`: width, height, and the bytes of rows without gaps.
///
/// Nothing outside the region counts, and a region of the target's size is copied.
///
/// # Errors
/// The bytes are too few for the sides or not aligned as floats, or the region reaches over an edge.
///
/// ```
/// use gapless_resize::{Pixels, Region, ResizeOptions, Resizer, resize};
/// let (from, mut to) = ([10, 20, 30, 30, 40, 50], [0; 3]);
/// let region = Region { left: 1, top: 0, width: 1, height: 1 };
/// let target = ((1, 1), &mut to[..]);
/// resize(&mut Resizer::new(), &ResizeOptions::new(), Pixels::Rgb, ((2, 1), &from), region, target)?;
/// assert_eq!(to, [30, 40, 50]);
/// # Ok::<(), String>(())
/// ```
pub fn resize(
    resizer: &mut Resizer,
    options: &ResizeOptions,
    pixels: Pixels,
    from: ((u32, u32), &[u8]),
    region: Region,
    to: ((u32, u32), &mut [u8]),
) -> Result<(), String> {
    let resize = match pixels {
        Pixels::Rgb => resize_typed::<U8x3>,
        Pixels::Rgbx => resize_typed::<U8x4>,
        Pixels::Float => resize_typed::<F32>,
    };
    resize(resizer, options, from, region, to)
}

fn resize_typed<P: PixelTrait>(
    resizer: &mut Resizer,
    options: &ResizeOptions,
    ((width, height), from): ((u32, u32), &[u8]),
    region: Region,
    (sides, to): ((u32, u32), &mut [u8]),
) -> Result<(), String> {
    let whole = TypedImageRef::<P>::from_buffer(width, height, from).map_err(|error| error.to_string())?;
    let part = TypedCroppedImage::from_ref(&whole, region.left, region.top, region.width, region.height)
        .map_err(|error| error.to_string())?;
    let mut target = TypedImage::<P>::from_buffer(sides.0, sides.1, to).map_err(|error| error.to_string())?;
    resizer.resize_typed(&part, &mut target, options).map_err(|error| error.to_string())
}
