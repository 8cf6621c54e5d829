//! From a region of RGB pixels to the size of the tensor, by fast_image_resize.

use fast_image_resize::images::{Image, TypedCroppedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ImageView, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::orient::Region;
use crate::error::Cause;

/// How the value of a resized pixel is taken from its neighbours.
///
/// All filters are antialiased: where a photo shrinks, the filter grows with it, so that every pixel
/// counts. This is what Pillow's `resize` does, and torchvision's with `antialias=True`.
///
/// ```
/// use gapless::image::{Filter, Loader};
/// let loader = Loader::rgb8(224, 224).filter(Filter::Bicubic);
/// # let _ = loader;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Filter {
    /// A triangle over 2×2 pixels: Pillow's `BILINEAR`. The default.
    #[default]
    Bilinear,
    /// A cubic over 4×4 pixels with a = −0.5 (Catmull-Rom, R. Keys 1981): Pillow's `BICUBIC`.
    ///
    /// OpenCV, and PyTorch without antialiasing, take a = −0.75, which is sharper.
    Bicubic,
    /// A windowed sinc over 6×6 pixels: Pillow's `LANCZOS`.
    Lanczos3,
}

impl Filter {
    fn options(self) -> ResizeOptions {
        ResizeOptions::new().resize_alg(ResizeAlg::Convolution(match self {
            Self::Bilinear => FilterType::Bilinear,
            Self::Bicubic => FilterType::CatmullRom,
            Self::Lanczos3 => FilterType::Lanczos3,
        }))
    }
}

/// Resizes a region of `pixels`, RGB rows of a photo with these sides, into `target`, RGB rows of
/// `target_sides`. Nothing outside the region counts; a region of the target's size is copied.
pub(crate) fn resize(
    resizer: &mut Resizer,
    filter: Filter,
    (pixels, sides): (&[u8], (u32, u32)),
    region: Region,
    (target, target_sides): (&mut [u8], (u32, u32)),
) -> Result<(), Cause> {
    let photo = TypedImageRef::<U8x3>::from_buffer(sides.0, sides.1, pixels)?;
    let part = TypedCroppedImage::from_ref(&photo, region.left, region.top, region.width, region.height)?;
    debug_assert_eq!((part.width(), part.height()), (region.width, region.height));
    let mut target = Image::from_slice_u8(target_sides.0, target_sides.1, target, PixelType::U8x3)?;
    let mut target = target.typed_image_mut().ok_or_else(|| Cause::msg("a tensor that is not RGB"))?;
    resizer.resize_typed::<U8x3>(&part, &mut target, &filter.options())?;
    Ok(())
}
