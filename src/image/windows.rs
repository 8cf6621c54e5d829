//! An image in windows.

use ndarray::{Array4, ArrayView3, s};

use crate::error::Cause;

/// Values that the windows of one image may have: 2^30.
const MOST: usize = 1 << 30;

/// Windows of one size that slide over an image.
///
/// ```
/// use gapless::image::{Windows, sliding_windows};
/// let image = ndarray::Array3::<u8>::zeros((5, 4, 3));
/// let (windows, places) = sliding_windows(image.view(), &Windows::new(2, 2))?;
/// assert_eq!(windows.dim(), (4, 2, 2, 3)); // the fifth row is in no window
/// assert_eq!(places, [[0, 0, 2, 2], [0, 2, 2, 2], [2, 0, 2, 2], [2, 2, 2, 2]]);
/// let (windows, _) = sliding_windows(image.view(), &Windows::new(2, 2).padding(true))?;
/// assert_eq!(windows.dim(), (6, 2, 2, 3));
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Windows {
    size: (usize, usize),
    strides: (usize, usize),
    padding: bool,
}

impl Default for Windows {
    /// Windows of 64×64 pixels, side by side.
    fn default() -> Self {
        Self::new(64, 64)
    }
}

impl Windows {
    /// Windows of this height and width, side by side.
    pub fn new(height: usize, width: usize) -> Self {
        Self { size: (height, width), strides: (height, width), padding: false }
    }

    /// Pixels from one window to the next, down and across. Default: the window's own sides.
    pub fn strides(self, down: usize, across: usize) -> Self {
        Self { strides: (down, across), ..self }
    }

    /// Whether every window that begins in the image counts, with zeros where it reaches beyond. Default
    /// false: only windows that lie in the image.
    pub fn padding(self, padding: bool) -> Self {
        Self { padding, ..self }
    }

    /// How many windows there are along a side.
    fn count(&self, side: usize, window: usize, stride: usize) -> Result<usize, Cause> {
        if window == 0 || stride == 0 {
            return Err(Cause::msg("windows and strides are 1 pixel or more"));
        }
        if self.padding {
            return Ok(side.div_ceil(stride));
        }
        match side.checked_sub(window) {
            Some(room) => Ok(room / stride + 1),
            None => Err(Cause::msg(format_args!(
                "a window of {window} pixels does not fit into {side}; pad, or take smaller ones"
            ))),
        }
    }
}

/// The windows of an image [height, width, channels], and where each lies: top, left, height, width.
///
/// DocArray 0.21 counts one window too many where they do not end with the image, and that one reads memory
/// that is not the image's; with padding it adds a window's height where none is needed. Here windows are
/// those that its documentation promises.
///
/// # Errors
/// A window or a stride is 0, a window does not fit, or all of them are more than 2^30 values.
#[doc(alias = "convert_image_tensor_to_sliding_windows")]
#[doc(alias = "convert_image_blob_to_sliding_windows")]
pub fn sliding_windows<T: Clone + Default>(
    image: ArrayView3<'_, T>,
    windows: &Windows,
) -> Result<(Array4<T>, Vec<[usize; 4]>), Cause> {
    let (height, width, channels) = image.dim();
    let (window_height, window_width) = windows.size;
    let down = windows.count(height, window_height, windows.strides.0)?;
    let across = windows.count(width, window_width, windows.strides.1)?;
    let values = [down, across, window_height, window_width, channels];
    if values.into_iter().fold(1, usize::saturating_mul) > MOST {
        return Err(Cause::msg(format_args!("{down}×{across} windows are more than 2^30 values")));
    }
    let mut cut = Array4::from_elem((down * across, window_height, window_width, channels), T::default());
    let mut places = Vec::with_capacity(down * across);
    for (row, column) in (0..down).flat_map(|row| (0..across).map(move |column| (row, column))) {
        let (top, left) = (row * windows.strides.0, column * windows.strides.1);
        let (bottom, right) = ((top + window_height).min(height), (left + window_width).min(width));
        let part = image.slice(s![top..bottom, left..right, ..]);
        cut.slice_mut(s![places.len(), ..bottom - top, ..right - left, ..]).assign(&part);
        places.push([top, left, window_height, window_width]);
    }
    Ok((cut, places))
}
