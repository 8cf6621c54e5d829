//! Images of another size, with antialiasing and without, of bytes and of floats.

use std::ops::Range;

use gapless_resize::{Pixels, Region, ResizeAlg, ResizeOptions, Resizer};
use ndarray::{Array3, ArrayView3};

use super::resize::Filter;
use crate::error::Cause;

/// How the pixels of an image of another size are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sampling {
    /// The pixel whose middle is nearest.
    Nearest,
    /// The filter grows where the image shrinks, so that every pixel counts: what Pillow does.
    Antialiased(Filter),
    /// The filter keeps its size, so that pixels are left out where the image shrinks: what OpenCV does, and
    /// PyTorch where it is not asked for more.
    Plain(Filter),
}

impl Default for Sampling {
    /// Bilinear and antialiased.
    fn default() -> Self {
        Self::Antialiased(Filter::Bilinear)
    }
}

/// Width and height, in pixels.
type Sides = (u32, u32);

mod sealed {
    pub trait Sealed: bytemuck::Pod + Default {
        /// Channels that are resized at once, of so many.
        fn at_once(channels: usize) -> usize;

        /// What a pixel of that many channels is.
        fn kind(at_once: usize) -> super::Pixels;
    }
}

/// A value of a pixel: a byte or a float.
pub trait Pixel: sealed::Sealed {}

/// An image [height, width, channels] in another size.
///
/// # Errors
/// A side is 0 or more than 65,535 pixels, or the image is empty.
///
/// ```
/// use gapless::image::{Filter, Sampling, resize};
/// let image = ndarray::Array3::from_shape_fn((2, 4, 1), |(_, x, _)| 10 * x as u8);
/// let half = resize(image.view(), 2, 2, Sampling::Antialiased(Filter::Bilinear))?;
/// assert_eq!(half.iter().copied().collect::<Vec<_>>(), [7, 23, 7, 23]);
/// # Ok::<(), gapless::Cause>(())
/// ```
#[doc(alias = "set_image_tensor_shape")]
#[doc(alias = "set_image_blob_shape")]
pub fn resize<T: Pixel>(
    image: ArrayView3<'_, T>,
    height: usize,
    width: usize,
    sampling: Sampling,
) -> Result<Array3<T>, Cause> {
    let (from_height, from_width, channels) = image.dim();
    let (from, to) = (sides(from_height, from_width)?, sides(height, width)?);
    let options = options(sampling);
    let pixels: Vec<T> = image.iter().copied().collect();
    let mut resized = Array3::from_elem((height, width, channels), T::default());
    let target = resized.as_slice_mut().ok_or_else(|| Cause::msg("an image with gaps"))?;
    let at_once = T::at_once(channels);
    if channels == at_once {
        whole(T::kind(at_once), (from, &pixels), (to, target), &options)?;
        return Ok(resized);
    }
    for first in (0..channels).step_by(at_once) {
        let some = first..channels.min(first + at_once);
        let part = with_room(&pixels, channels, some.clone(), at_once);
        let mut small = vec![T::default(); height * width * at_once];
        whole(T::kind(at_once), (from, &part), (to, &mut small), &options)?;
        for (to, from) in target.chunks_exact_mut(channels).zip(small.chunks_exact(at_once)) {
            to[some.clone()].copy_from_slice(&from[..some.len()]);
        }
    }
    Ok(resized)
}

/// Some channels of all pixels, and zeros where there are less than are resized at once.
fn with_room<T: Pixel>(pixels: &[T], channels: usize, some: Range<usize>, at_once: usize) -> Vec<T> {
    let mut part = vec![T::default(); pixels.len() / channels * at_once];
    for (to, from) in part.chunks_exact_mut(at_once).zip(pixels.chunks_exact(channels)) {
        to[..some.len()].copy_from_slice(&from[some.clone()]);
    }
    part
}

/// An image [height, width, channels] with its sides times this ratio, rounded down, at least one pixel.
///
/// # Errors
/// The ratio is no number above 0, or a side becomes more than 65,535 pixels.
///
/// ```
/// use gapless::image::{Sampling, resample};
/// let image = ndarray::Array3::<f32>::zeros((40, 30, 3));
/// assert_eq!(resample(image.view(), 0.5, Sampling::default())?.dim(), (20, 15, 3));
/// # Ok::<(), gapless::Cause>(())
/// ```
#[doc(alias = "set_image_tensor_resample")]
pub fn resample<T: Pixel>(
    image: ArrayView3<'_, T>,
    ratio: f64,
    sampling: Sampling,
) -> Result<Array3<T>, Cause> {
    if !(ratio.is_finite() && ratio > 0.0) {
        return Err(Cause::msg(format_args!("a ratio of {ratio}")));
    }
    let side = |side: usize| ((side as f64 * ratio) as usize).max(1);
    let (height, width, _) = image.dim();
    resize(image, side(height), side(width), sampling)
}

fn sides(height: usize, width: usize) -> Result<Sides, Cause> {
    let side = |side: usize| u16::try_from(side).ok().filter(|side| *side > 0).map(u32::from);
    side(width)
        .zip(side(height))
        .ok_or_else(|| Cause::msg(format_args!("{width}×{height} pixels; a side has 1 to 65535")))
}

fn options(sampling: Sampling) -> ResizeOptions {
    let algorithm = match sampling {
        Sampling::Nearest => ResizeAlg::Nearest,
        Sampling::Antialiased(filter) => ResizeAlg::Convolution(filter.kernel()),
        Sampling::Plain(filter) => ResizeAlg::Interpolation(filter.kernel()),
    };
    // A fourth channel is no alpha to multiply with.
    ResizeOptions::new().use_alpha(false).resize_alg(algorithm)
}

/// Resizes whole images of pixels of this kind.
fn whole<T: Pixel>(
    kind: Pixels,
    (sides, from): (Sides, &[T]),
    (target_sides, to): (Sides, &mut [T]),
    options: &ResizeOptions,
) -> Result<(), Cause> {
    let region = Region { left: 0, top: 0, width: sides.0, height: sides.1 };
    let (from, to) = (bytemuck::cast_slice(from), bytemuck::cast_slice_mut(to));
    gapless_resize::resize(&mut Resizer::new(), options, kind, (sides, from), region, (target_sides, to))
        .map_err(Cause::msg)
}

impl Pixel for u8 {}
impl sealed::Sealed for u8 {
    fn at_once(channels: usize) -> usize {
        if channels == 3 { 3 } else { 4 }
    }

    fn kind(at_once: usize) -> Pixels {
        if at_once == 3 { Pixels::Rgb } else { Pixels::Rgbx }
    }
}

impl Pixel for f32 {}
impl sealed::Sealed for f32 {
    fn at_once(_channels: usize) -> usize {
        1
    }

    fn kind(_at_once: usize) -> Pixels {
        Pixels::Float
    }
}
