//! Where the channels of an image stand among its axes.

use ndarray::{Array, Dimension};

use crate::error::Cause;

/// The axis that a number means in an array of `axes` axes: negative ones count from the end.
///
/// # Errors
/// There is no such axis.
///
/// ```
/// use gapless::image::axis_of;
/// assert_eq!(axis_of(-1, 3).unwrap(), 2);
/// assert!(axis_of(3, 3).is_err());
/// ```
pub fn axis_of(axis: isize, axes: usize) -> Result<usize, Cause> {
    let from_start = if axis < 0 { axes.checked_add_signed(axis) } else { usize::try_from(axis).ok() };
    from_start
        .filter(|axis| *axis < axes)
        .ok_or_else(|| Cause::msg(format_args!("there is no axis {axis} in a tensor of {axes} axes")))
}

/// Moves an axis to another place; the others keep their order. No number is copied.
///
/// Negative axes count from the end: `(-1, 0)` makes [3, height, width] of [height, width, 3].
///
/// # Errors
/// There is no such axis.
///
/// ```
/// use gapless::image::move_channel;
/// let image = ndarray::Array3::<u8>::zeros((4, 5, 3));
/// assert_eq!(move_channel(image, -1, 0)?.shape(), [3, 4, 5]);
/// # Ok::<(), gapless::Cause>(())
/// ```
#[doc(alias = "set_image_tensor_channel_axis")]
#[doc(alias = "set_image_blob_channel_axis")]
pub fn move_channel<T, D: Dimension>(
    mut array: Array<T, D>,
    from: isize,
    to: isize,
) -> Result<Array<T, D>, Cause> {
    let (from, to) = (axis_of(from, array.ndim())?, axis_of(to, array.ndim())?);
    let steps: Vec<usize> = if from < to { (from..to).collect() } else { (to..from).rev().collect() };
    for step in steps {
        array.swap_axes(step, step + 1);
    }
    Ok(array)
}
