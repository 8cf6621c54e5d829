//! Images of another size, with antialiasing and without, of bytes and of floats.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{F32, F32x2, F32x3, F32x4, U8, U8x2, U8x3, U8x4};
use fast_image_resize::{PixelTrait, ResizeAlg, ResizeOptions, Resizer};
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

mod sealed {
    pub trait Sealed: Copy + Default + 'static {
        /// Resizes one to four channels; others are done one by one.
        fn resize(
            from: Image<'_, Self>,
            to: Image<'_, Self>,
            options: &super::ResizeOptions,
        ) -> Result<(), super::Cause>;
    }

    /// Pixels in rows without gaps, their width, height and channels.
    pub struct Image<'a, T>(pub &'a mut [T], pub (u32, u32), pub usize);
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
    let mut pixels: Vec<T> = image.iter().copied().collect();
    let mut resized = Array3::from_elem((height, width, channels), T::default());
    let target = resized.as_slice_mut().ok_or_else(|| Cause::msg("an image with gaps"))?;
    if (1..=4).contains(&channels) {
        let from = sealed::Image(&mut pixels, from, channels);
        T::resize(from, sealed::Image(target, to, channels), &options)?;
        return Ok(resized);
    }
    for channel in 0..channels {
        let mut plane: Vec<T> = pixels.iter().skip(channel).step_by(channels).copied().collect();
        let mut small = vec![T::default(); height * width];
        T::resize(sealed::Image(&mut plane, from, 1), sealed::Image(&mut small, to, 1), &options)?;
        for (to, from) in target.iter_mut().skip(channel).step_by(channels).zip(small) {
            *to = from;
        }
    }
    Ok(resized)
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

fn sides(height: usize, width: usize) -> Result<(u32, u32), Cause> {
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

fn typed<T: bytemuck::Pod, P: PixelTrait>(
    from: sealed::Image<'_, T>,
    to: sealed::Image<'_, T>,
    options: &ResizeOptions,
) -> Result<(), Cause> {
    let source = TypedImageRef::<P>::from_buffer(from.1.0, from.1.1, bytemuck::cast_slice(from.0))?;
    let mut target = TypedImage::<P>::from_buffer(to.1.0, to.1.1, bytemuck::cast_slice_mut(to.0))?;
    Resizer::new().resize_typed(&source, &mut target, options)?;
    Ok(())
}

macro_rules! pixels {
    ($($value:ty: $one:ty, $two:ty, $three:ty, $four:ty;)*) => { $(
        impl Pixel for $value {}
        impl sealed::Sealed for $value {
            fn resize(
                from: sealed::Image<'_, Self>,
                to: sealed::Image<'_, Self>,
                options: &ResizeOptions,
            ) -> Result<(), Cause> {
                match from.2 {
                    1 => typed::<$value, $one>(from, to, options),
                    2 => typed::<$value, $two>(from, to, options),
                    3 => typed::<$value, $three>(from, to, options),
                    _ => typed::<$value, $four>(from, to, options),
                }
            }
        }
    )* };
}

pixels! {
    u8: U8, U8x2, U8x3, U8x4;
    f32: F32, F32x2, F32x3, F32x4;
}
