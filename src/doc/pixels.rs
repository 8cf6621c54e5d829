//! The pixels of a document's image: normalised, moved, resized, cut into windows.
//!
//! What goes wrong leaves the document as it was.

use ndarray::{Array3, ArrayD, Axis, Ix3};

use super::tensor::each;
use super::{Content, Doc, Number, Tensor};
use crate::error::Cause;
use crate::image::{self, Normalization, Sampling, Windows, axis_of, move_channel};

impl Doc {
    /// `(value / 255 - mean) / std`, from u8 to f32: see [`image::normalize`].
    ///
    /// # Errors
    /// The document holds no u8 image, or the channels do not fit.
    ///
    /// ```
    /// # use gapless::doc::{Doc, Tensor};
    /// # use gapless::image::Normalization;
    /// let mut doc = Doc::from_tensor(ndarray::Array3::<u8>::zeros((4, 4, 3)));
    /// doc.normalize(&Normalization::default(), -1)?;
    /// assert_eq!(doc.tensor().unwrap().kind(), "f32");
    /// # Ok::<(), gapless::Cause>(())
    /// ```
    #[doc(alias = "set_image_tensor_normalization")]
    #[doc(alias = "set_image_blob_normalization")]
    pub fn normalize(
        &mut self,
        normalization: &Normalization,
        channel_axis: isize,
    ) -> Result<&mut Self, Cause> {
        let image = self.image::<u8>()?.view().into_dimensionality::<Ix3>()?;
        let normalized = image::normalize(image, channel_axis, normalization)?;
        Ok(self.set_tensor(normalized))
    }

    /// The inverse, from f32 to u8, rounded: see [`image::denormalize`].
    ///
    /// # Errors
    /// The document holds no f32 image, or the channels do not fit.
    ///
    /// ```
    /// # use gapless::doc::Doc;
    /// # use gapless::image::Normalization;
    /// let mut doc = Doc::from_uri("photos/coffee.jpg");
    /// let image = doc.load_image()?.clone();
    /// doc.normalize(&Normalization::default(), -1)?.denormalize(&Normalization::default(), -1)?;
    /// assert_eq!(doc, image);
    /// # Ok::<(), gapless::Cause>(())
    /// ```
    #[doc(alias = "set_image_tensor_inv_normalization")]
    #[doc(alias = "set_image_blob_inv_normalization")]
    pub fn denormalize(
        &mut self,
        normalization: &Normalization,
        channel_axis: isize,
    ) -> Result<&mut Self, Cause> {
        let image = self.image::<f32>()?.view().into_dimensionality::<Ix3>()?;
        let bytes = image::denormalize(image, channel_axis, normalization)?;
        Ok(self.set_tensor(bytes))
    }

    /// Moves an axis of the tensor to another place: see [`image::move_channel`].
    ///
    /// # Errors
    /// The document holds no tensor, or the tensor has no such axis.
    ///
    /// ```
    /// # use gapless::doc::Doc;
    /// let mut doc = Doc::from_tensor(ndarray::Array3::<u8>::zeros((4, 5, 3)));
    /// assert_eq!(doc.move_channel(-1, 0)?.tensor().unwrap().shape(), [3, 4, 5]);
    /// # Ok::<(), gapless::Cause>(())
    /// ```
    #[doc(alias = "set_image_tensor_channel_axis")]
    #[doc(alias = "set_image_blob_channel_axis")]
    pub fn move_channel(&mut self, from: isize, to: isize) -> Result<&mut Self, Cause> {
        let axes = self.held_tensor()?.shape().len();
        axis_of(from, axes)?;
        axis_of(to, axes)?;
        if let Content::Tensor(tensor) = self.take_content() {
            self.content = Content::Tensor(each!(tensor, array => move_channel(array, from, to)?.into()));
        }
        Ok(self)
    }

    /// Gives the image another size, in pixels: see [`image::resize`].
    ///
    /// DocArray 0.21 takes the nearest pixels on a grid that never reaches the last row and column; here the
    /// whole image counts, and [`Sampling`] says how.
    ///
    /// # Errors
    /// The document holds no image of u8 or f32, or a side is 0 or too long.
    ///
    /// ```
    /// # use gapless::doc::Doc;
    /// # use gapless::image::Sampling;
    /// let mut doc = Doc::from_uri("photos/coffee.jpg");
    /// doc.load_image()?.resize(20, 30, Sampling::Nearest, -1)?;
    /// assert_eq!(doc.tensor().unwrap().shape(), [20, 30, 3]);
    /// # Ok::<(), gapless::Cause>(())
    /// ```
    #[doc(alias = "set_image_tensor_shape")]
    #[doc(alias = "set_image_blob_shape")]
    pub fn resize(
        &mut self,
        height: usize,
        width: usize,
        sampling: Sampling,
        channel_axis: isize,
    ) -> Result<&mut Self, Cause> {
        self.scaled(channel_axis, |image| match image {
            Image::Bytes(image) => Ok(Tensor::from(image::resize(image.view(), height, width, sampling)?)),
            Image::Floats(image) => Ok(Tensor::from(image::resize(image.view(), height, width, sampling)?)),
        })
    }

    /// Gives the image a size of its own times this ratio: see [`image::resample`].
    ///
    /// # Errors
    /// The document holds no image of u8 or f32, or the ratio makes no sense.
    ///
    /// ```
    /// # use gapless::doc::Doc;
    /// # use gapless::image::Sampling;
    /// let mut doc = Doc::from_uri("photos/coffee.jpg");
    /// doc.load_image()?.resample(0.5, Sampling::default(), -1)?;
    /// assert_eq!(doc.tensor().unwrap().shape(), [200, 300, 3]);
    /// # Ok::<(), gapless::Cause>(())
    /// ```
    #[doc(alias = "set_image_tensor_resample")]
    pub fn resample(
        &mut self,
        ratio: f64,
        sampling: Sampling,
        channel_axis: isize,
    ) -> Result<&mut Self, Cause> {
        self.scaled(channel_axis, |image| match image {
            Image::Bytes(image) => Ok(Tensor::from(image::resample(image.view(), ratio, sampling)?)),
            Image::Floats(image) => Ok(Tensor::from(image::resample(image.view(), ratio, sampling)?)),
        })
    }

    /// Cuts the image into windows, one tensor with a new first axis: see [`image::sliding_windows`].
    ///
    /// # Errors
    /// The document holds no image of u8 or f32, or the windows do not fit.
    ///
    /// ```
    /// # use gapless::doc::Doc;
    /// # use gapless::image::Windows;
    /// let mut doc = Doc::from_tensor(ndarray::Array3::<u8>::zeros((3, 128, 192)));
    /// doc.sliding_windows(&Windows::default(), 0)?;
    /// assert_eq!(doc.tensor().unwrap().shape(), [6, 3, 64, 64]);
    /// # Ok::<(), gapless::Cause>(())
    /// ```
    #[doc(alias = "convert_image_tensor_to_sliding_windows")]
    #[doc(alias = "convert_image_blob_to_sliding_windows")]
    pub fn sliding_windows(&mut self, windows: &Windows, channel_axis: isize) -> Result<&mut Self, Cause> {
        let (windows, _) = self.windows(windows, channel_axis)?;
        self.content = Content::Tensor(windows);
        Ok(self)
    }

    /// Cuts the image into windows, each a chunk with its `location` (top, left, height, width), counted from
    /// the document's own location.
    ///
    /// # Errors
    /// The document holds no image of u8 or f32, or the windows do not fit.
    ///
    /// ```
    /// # use gapless::doc::Doc;
    /// # use gapless::image::Windows;
    /// let mut doc = Doc::from_tensor(ndarray::Array3::<u8>::zeros((128, 192, 3)));
    /// doc.window_chunks(&Windows::default(), -1)?;
    /// assert_eq!(doc.chunks.len(), 6);
    /// assert_eq!(doc.chunks[5].location, [64.0, 128.0, 64.0, 64.0]);
    /// assert_eq!(doc.chunks[5].parent_id, doc.id);
    /// # Ok::<(), gapless::Cause>(())
    /// ```
    #[doc(alias = "convert_image_tensor_to_sliding_windows")]
    #[doc(alias = "convert_image_blob_to_sliding_windows")]
    pub fn window_chunks(&mut self, windows: &Windows, channel_axis: isize) -> Result<&mut Self, Cause> {
        let (windows, places) = self.windows(windows, channel_axis)?;
        let from = [self.location.first(), self.location.get(1)].map(|from| from.copied().unwrap_or(0.0));
        for (window, [top, left, height, width]) in places.into_iter().enumerate() {
            let tensor = each!(&windows, array => array.index_axis(Axis(0), window).to_owned().into());
            let mut chunk = Self { content: Content::Tensor(tensor), ..Self::new() };
            chunk.location = vec![top as f32 + from[0], left as f32 + from[1], height as f32, width as f32];
            self.push_chunk(chunk);
        }
        Ok(self)
    }
}

/// An image with its channels last.
enum Image {
    Bytes(Array3<u8>),
    Floats(Array3<f32>),
}

impl Doc {
    fn held_tensor(&self) -> Result<&Tensor, Cause> {
        let none = || Cause::msg(format_args!("a tensor is needed, and the document holds {}", self.held()));
        self.tensor().ok_or_else(none)
    }

    pub(super) fn image<T: Number>(&self) -> Result<&ArrayD<T>, Cause> {
        let wanted = std::any::type_name::<T>();
        let other = || {
            let held = self.held();
            Cause::msg(format_args!(
                "an image of {wanted} with three axes is needed, and the document holds {held}"
            ))
        };
        self.held_tensor()?.get::<T>().filter(|array| array.ndim() == 3).ok_or_else(other)
    }

    /// The image with its channels last, whatever axis they are now.
    fn channels_last(&self, channel_axis: isize) -> Result<Image, Cause> {
        if let Ok(image) = self.image::<f32>() {
            let image = image.view().into_dimensionality::<Ix3>()?.to_owned();
            return Ok(Image::Floats(move_channel(image, channel_axis, -1)?));
        }
        let image = self.image::<u8>()?.view().into_dimensionality::<Ix3>()?.to_owned();
        Ok(Image::Bytes(move_channel(image, channel_axis, -1)?))
    }

    fn scaled(
        &mut self,
        channel_axis: isize,
        scale: impl FnOnce(Image) -> Result<Tensor, Cause>,
    ) -> Result<&mut Self, Cause> {
        let scaled = scale(self.channels_last(channel_axis)?)?;
        self.content = Content::Tensor(each!(scaled, array => move_channel(array, -1, channel_axis)?.into()));
        Ok(self)
    }

    /// The windows of the image, with the channels where they were.
    fn windows(&self, windows: &Windows, channel_axis: isize) -> Result<(Tensor, Vec<[usize; 4]>), Cause> {
        let (cut, places) = match self.channels_last(channel_axis)? {
            Image::Bytes(image) => {
                let (cut, places) = image::sliding_windows(image.view(), windows)?;
                (Tensor::from(cut), places)
            }
            Image::Floats(image) => {
                let (cut, places) = image::sliding_windows(image.view(), windows)?;
                (Tensor::from(cut), places)
            }
        };
        // The windows are a new first axis.
        let axis = axis_of(channel_axis, 3)? as isize + 1;
        Ok((each!(cut, array => move_channel(array, -1, axis)?.into()), places))
    }
}
