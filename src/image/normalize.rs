//! From bytes to the floats that networks are trained on, and back.

use ndarray::{Array3, ArrayView3, Axis};

use super::channels::axis_of;
use crate::error::Cause;

/// A mean and a standard deviation a channel, of values from 0 to 1.
///
/// The default is that of ImageNet: means 0.485, 0.456 and 0.406, deviations 0.229, 0.224 and 0.225.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Normalization {
    /// The mean of each channel.
    pub mean: Vec<f32>,
    /// The standard deviation of each channel.
    pub std: Vec<f32>,
}

impl Default for Normalization {
    fn default() -> Self {
        Self::new([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    }
}

impl Normalization {
    /// These means and deviations, one a channel.
    pub fn new(mean: impl Into<Vec<f32>>, std: impl Into<Vec<f32>>) -> Self {
        Self { mean: mean.into(), std: std.into() }
    }

    /// Mean and deviation of each of the channels.
    fn channels(&self, channels: usize) -> Result<Vec<(f32, f32)>, Cause> {
        if self.mean.len() != channels || self.std.len() != channels {
            return Err(Cause::msg(format_args!(
                "{} means and {} deviations for {channels} channels",
                self.mean.len(),
                self.std.len()
            )));
        }
        if let Some(std) = self.std.iter().find(|std| !(std.is_finite() && **std != 0.0)) {
            return Err(Cause::msg(format_args!("a deviation of {std}")));
        }
        Ok(self.mean.iter().copied().zip(self.std.iter().copied()).collect())
    }
}

/// `(value / 255 - mean) / std`, in the same axes; the numbers stand in rows without gaps.
///
/// The same numbers, bit for bit, as DocArray's `set_image_tensor_normalization`; it also takes images of
/// other than three channels, where as many means are given.
///
/// # Errors
/// The channel axis or the number of channels does not fit, or a deviation is 0.
///
/// ```
/// use gapless::image::{Normalization, normalize};
/// let image = ndarray::Array3::<u8>::from_elem((2, 2, 3), 255);
/// let normalized = normalize(image.view(), -1, &Normalization::new([0.5; 3], [0.25; 3]))?;
/// assert_eq!(normalized[[0, 0, 0]], 2.0);
/// # Ok::<(), gapless::Cause>(())
/// ```
#[doc(alias = "set_image_tensor_normalization")]
#[doc(alias = "set_image_blob_normalization")]
pub fn normalize(
    image: ArrayView3<'_, u8>,
    channel_axis: isize,
    normalization: &Normalization,
) -> Result<Array3<f32>, Cause> {
    let axis = axis_of(channel_axis, 3)?;
    let tables: Vec<[f32; 256]> =
        normalization.channels(image.len_of(Axis(axis)))?.into_iter().map(table).collect();
    if let (2, 3, Some(bytes)) = (axis, tables.len(), image.as_slice()) {
        return Ok(Array3::from_shape_vec(image.raw_dim(), interleaved(bytes, &tables))?);
    }
    let mut normalized = Array3::zeros(image.raw_dim());
    let planes = image.axis_iter(Axis(axis)).zip(normalized.axis_iter_mut(Axis(axis)));
    for ((from, mut to), table) in planes.zip(&tables) {
        to.zip_mut_with(&from, |to, from| *to = table[usize::from(*from)]);
    }
    Ok(normalized)
}

/// What each of the 256 bytes becomes, in the order of rounding that numpy has.
fn table((mean, std): (f32, f32)) -> [f32; 256] {
    std::array::from_fn(|byte| ((byte as f64 / 255.0) as f32 - mean) / std)
}

/// The common case: RGB, pixel by pixel.
fn interleaved(bytes: &[u8], tables: &[[f32; 256]]) -> Vec<f32> {
    let [red, green, blue] = [&tables[0], &tables[1], &tables[2]];
    let pixel = |&[r, g, b]: &[u8; 3]| [red[usize::from(r)], green[usize::from(g)], blue[usize::from(b)]];
    bytes.as_chunks::<3>().0.iter().map(pixel).collect::<Vec<_>>().into_flattened()
}

/// The inverse: `(value * std + mean) * 255`, rounded to the nearest byte, and 0 or 255 beyond them.
///
/// DocArray 0.21 cuts the fraction off and lets values outside wrap around, so its own images come back
/// darker by one and with wrong pixels; here [`normalize`] and back gives the same image.
///
/// # Errors
/// The channel axis or the number of channels does not fit, or a deviation is 0.
///
/// ```
/// use gapless::image::{Normalization, denormalize, normalize};
/// let image = ndarray::Array3::from_shape_fn((8, 32, 3), |(y, x, _)| (32 * y + x) as u8);
/// let there = normalize(image.view(), -1, &Normalization::default())?;
/// assert_eq!(denormalize(there.view(), -1, &Normalization::default())?, image);
/// # Ok::<(), gapless::Cause>(())
/// ```
#[doc(alias = "set_image_tensor_inv_normalization")]
#[doc(alias = "set_image_blob_inv_normalization")]
pub fn denormalize(
    image: ArrayView3<'_, f32>,
    channel_axis: isize,
    normalization: &Normalization,
) -> Result<Array3<u8>, Cause> {
    let axis = axis_of(channel_axis, 3)?;
    let channels = normalization.channels(image.len_of(Axis(axis)))?;
    let mut bytes = Array3::zeros(image.raw_dim());
    let planes = image.axis_iter(Axis(axis)).zip(bytes.axis_iter_mut(Axis(axis)));
    for ((from, mut to), (mean, std)) in planes.zip(channels) {
        to.zip_mut_with(&from, |to, from| *to = ((from * std + mean) * 255.0).round() as u8);
    }
    Ok(bytes)
}
