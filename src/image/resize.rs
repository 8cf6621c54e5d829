//! From a region of the decoded pixels to the size of the tensor, by `gapless-resize`.

use gapless_resize::{FilterType, Pixels, Region, ResizeAlg, ResizeOptions, Resizer};

use super::decode::{Decoded, Layout};
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
    pub(crate) fn kernel(self) -> FilterType {
        match self {
            Self::Bilinear => FilterType::Bilinear,
            Self::Bicubic => FilterType::CatmullRom,
            Self::Lanczos3 => FilterType::Lanczos3,
        }
    }

    fn options(self) -> ResizeOptions {
        // The fourth byte is no alpha to multiply with: alpha is dropped.
        ResizeOptions::new().use_alpha(false).resize_alg(ResizeAlg::Convolution(self.kernel()))
    }
}

/// Resizes a region of the decoded pixels into rows of `target_sides`, in the same layout.
///
/// Nothing outside the region counts, and a region of the target's size is copied.
pub(crate) fn resize(
    resizer: &mut Resizer,
    filter: Filter,
    (decoded, pixels): (Decoded, &[u8]),
    region: Region,
    target: ((u32, u32), &mut [u8]),
) -> Result<(), Cause> {
    let kind = match decoded.layout {
        Layout::Rgb => Pixels::Rgb,
        Layout::Rgbx => Pixels::Rgbx,
    };
    gapless_resize::resize(resizer, &filter.options(), kind, (decoded.sides, pixels), region, target)
        .map_err(Cause::msg)
}
