//! From pixels to the bytes of a file.

use std::path::Path;

use jpeg_encoder::{Encoder, ImageBuffer, JpegColorType, rgb_to_ycbcr};
use ndarray::ArrayView3;

use crate::error::Cause;

/// The format of an encoded image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Without loss.
    Png,
    /// With loss, in this quality from 1 to 100; see [`Format::jpeg`] for the usual one.
    Jpeg(u8),
}

impl Format {
    /// JPEG in quality 75, as Pillow and DocArray write it.
    pub fn jpeg() -> Self {
        Self::Jpeg(75)
    }

    /// The format that the ending of a file's name stands for.
    ///
    /// # Errors
    /// The ending is neither `png`, `jpg` nor `jpeg`.
    ///
    /// ```
    /// # use gapless::image::Format;
    /// assert_eq!(Format::of_path("a/b.PNG").unwrap(), Format::Png);
    /// assert!(Format::of_path("a/b.bmp").is_err());
    /// ```
    pub fn of_path(path: impl AsRef<Path>) -> Result<Self, Cause> {
        let path = path.as_ref();
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        match ending.as_str() {
            "png" => Ok(Self::Png),
            "jpg" | "jpeg" => Ok(Self::jpeg()),
            _ => Err(Cause::msg(format_args!(
                "{}: the name ends in neither png, jpg nor jpeg",
                crate::file::name(path)
            ))),
        }
    }

    /// The media type.
    pub fn mime_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg(_) => "image/jpeg",
        }
    }
}

/// Encodes an image [height, width, channels] of one channel (grey) or three (RGB).
///
/// # Errors
/// It is empty, has another number of channels, or is too large for the format.
///
/// ```
/// use gapless::image::{Format, Loader, encode};
/// let image = ndarray::Array3::from_shape_fn((4, 6, 3), |(y, x, c)| (40 * y + 4 * x + c) as u8);
/// let png = encode(image.view(), Format::Png)?;
/// assert_eq!(Loader::own_size().decode(&png)?, image);
/// # Ok::<(), gapless::Cause>(())
/// ```
#[doc(alias = "convert_image_tensor_to_blob")]
pub fn encode(image: ArrayView3<'_, u8>, format: Format) -> Result<Vec<u8>, Cause> {
    let (height, width, channels) = image.dim();
    if height == 0 || width == 0 || !matches!(channels, 1 | 3) {
        return Err(Cause::msg(format_args!(
            "an image of {height}×{width} pixels and {channels} channels; 1 channel or 3 can be encoded"
        )));
    }
    let pixels = image.as_standard_layout();
    let pixels = pixels.as_slice().ok_or_else(|| Cause::msg("an image with gaps"))?;
    match format {
        Format::Png => png(pixels, (u32::try_from(width)?, u32::try_from(height)?), channels),
        Format::Jpeg(quality) => {
            jpeg(pixels, (u16::try_from(width)?, u16::try_from(height)?), channels, quality)
        }
    }
}

fn png(pixels: &[u8], (width, height): (u32, u32), channels: usize) -> Result<Vec<u8>, Cause> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(if channels == 1 { png::ColorType::Grayscale } else { png::ColorType::Rgb });
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}

fn jpeg(values: &[u8], sides: (u16, u16), channels: usize, quality: u8) -> Result<Vec<u8>, Cause> {
    let mut bytes = Vec::new();
    Encoder::new(&mut bytes, quality.clamp(1, 100)).encode_image(Rows { values, sides, channels })?;
    Ok(bytes)
}

/// Rows of pixels of one channel or three. The encoder is compiled for this one kind of image, where its own choice of
/// eleven would be compiled eleven times.
struct Rows<'a> {
    values: &'a [u8],
    sides: (u16, u16),
    channels: usize,
}

impl ImageBuffer for Rows<'_> {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        if self.channels == 1 { JpegColorType::Luma } else { JpegColorType::Ycbcr }
    }

    fn width(&self) -> u16 {
        self.sides.0
    }

    fn height(&self) -> u16 {
        self.sides.1
    }

    fn fill_buffers(&self, y: u16, buffers: &mut [Vec<u8>; 4]) {
        let length = usize::from(self.sides.0) * self.channels;
        let row = &self.values[usize::from(y) * length..][..length];
        if self.channels == 1 {
            buffers[0].extend_from_slice(row);
            return;
        }
        let [luma, blue, red, _] = buffers;
        for rgb in row.chunks_exact(3) {
            let (y, cb, cr) = rgb_to_ycbcr(rgb[0], rgb[1], rgb[2]);
            luma.push(y);
            blue.push(cb);
            red.push(cr);
        }
    }
}
