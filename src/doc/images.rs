//! Images of a document: loaded, normalised, resized, cut into windows, encoded.
//!
//! Each method changes the document in place and returns it, so that they chain.
//! What goes wrong leaves the document as it was.

use std::borrow::Cow;
use std::path::Path;
use std::sync::OnceLock;

use ndarray::{Array3, ArrayD, Axis, Ix3};

use super::source::{self, Source};
use super::{Content, Doc, Tensor, data_uri};
use crate::error::Cause;
use crate::image::{
    self, Format, Loader, Normalization, Photo, PhotoSource, Sampling, Windows, axis_of, move_channel,
};

/// Memory that a call of the loader below keeps for the next.
const KEPT: usize = 16 << 20;

/// Loads photos in their own size for documents that name no loader.
fn own_size() -> &'static Loader {
    static LOADER: OnceLock<Loader> = OnceLock::new();
    LOADER.get_or_init(|| Loader::own_size().kept_scratch(KEPT))
}

impl Photo for Doc {
    /// The blob, or else the file that the uri names; a tensor is no photo.
    fn source(&self) -> PhotoSource<'_> {
        match &self.content {
            Content::Blob(bytes) => PhotoSource::Bytes(bytes),
            _ if self.uri.is_empty() || data_uri::is(&self.uri) => PhotoSource::Missing,
            _ => PhotoSource::Path(Path::new(&self.uri)),
        }
    }
}

impl Doc {
    /// Loads the image that the uri names (a path, a data URI, or with the feature `http` an address) into the
    /// tensor: u8, [height, width, 3], RGB, upright.
    ///
    /// A GIF of several frames becomes as many chunks, and the tensor stays empty.
    ///
    /// # Errors
    /// It cannot be read or decoded.
    ///
    /// ```
    /// # use gapless::doc::Doc;
    /// let mut doc = Doc::from_uri("photos/coffee.jpg");
    /// assert_eq!(doc.load_image()?.tensor().unwrap().shape(), [400, 600, 3]);
    /// # Ok::<(), gapless::Cause>(())
    /// ```
    #[doc(alias = "load_uri_to_image_tensor")]
    #[doc(alias = "load_uri_to_image_blob")]
    pub fn load_image(&mut self) -> Result<&mut Self, Cause> {
        self.load_image_with(own_size())
    }

    /// As [`load_image`](Self::load_image), in the size and with the limits of a [`Loader`].
    ///
    /// # Errors
    /// It cannot be read or decoded.
    ///
    /// ```
    /// # use gapless::doc::Doc;
    /// # use gapless::image::Loader;
    /// let loader = Loader::rgb8(224, 224).center_crop(0.875);
    /// let mut doc = Doc::from_uri("photos/coffee.jpg");
    /// assert_eq!(doc.load_image_with(&loader)?.tensor().unwrap().shape(), [224, 224, 3]);
    /// # Ok::<(), gapless::Cause>(())
    /// ```
    pub fn load_image_with(&mut self, loader: &Loader) -> Result<&mut Self, Cause> {
        let frames = match source::find(&self.uri, source::TIMEOUT)? {
            Source::Path(path) => loader.frames(Path::new(&*path))?,
            Source::Bytes(bytes) => loader.frames(bytes.as_slice())?,
        };
        Ok(self.set_frames(frames))
    }

    /// Decodes the blob, as it would stand in a file, into the tensor: see [`load_image`](Self::load_image).
    ///
    /// # Errors
    /// The document holds no blob, or it is no image.
    ///
    /// ```
    /// # use gapless::doc::Doc;
    /// let mut doc = Doc::from_uri("photos/coffee.jpg");
    /// assert_eq!(doc.load_blob()?.decode_image()?.tensor().unwrap().shape(), [400, 600, 3]);
    /// # Ok::<(), gapless::Cause>(())
    /// ```
    #[doc(alias = "convert_blob_to_image_tensor")]
    #[doc(alias = "convert_buffer_to_image_blob")]
    pub fn decode_image(&mut self) -> Result<&mut Self, Cause> {
        self.decode_image_with(own_size())
    }

    /// As [`decode_image`](Self::decode_image), in the size and with the limits of a [`Loader`].
    ///
    /// # Errors
    /// The document holds no blob, or it is no image.
    pub fn decode_image_with(&mut self, loader: &Loader) -> Result<&mut Self, Cause> {
        let frames = loader.frames(self.bytes()?)?;
        Ok(self.set_frames(frames))
    }

    fn set_frames(&mut self, mut frames: Vec<Array3<u8>>) -> &mut Self {
        match frames.pop() {
            Some(frame) if frames.is_empty() => return self.set_tensor(frame),
            Some(last) => frames.push(last),
            None => {}
        }
        self.chunks = super::DocArray::new();
        self.content = Content::Empty;
        for frame in frames {
            self.push_chunk(Self::from_tensor(frame));
        }
        self
    }

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
            self.content =
                Content::Tensor(super::tensor::each!(tensor, array => move_channel(array, from, to)?.into()));
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
            let tensor =
                super::tensor::each!(&windows, array => array.index_axis(Axis(0), window).to_owned().into());
            let mut chunk = Self { content: Content::Tensor(tensor), ..Self::new() };
            chunk.location = vec![top as f32 + from[0], left as f32 + from[1], height as f32, width as f32];
            self.push_chunk(chunk);
        }
        Ok(self)
    }

    /// Encodes the image into the blob, in place of the tensor: see [`image::encode`].
    ///
    /// # Errors
    /// The document holds no u8 image of one channel or three.
    ///
    /// ```
    /// # use gapless::doc::Doc;
    /// # use gapless::image::Format;
    /// let mut doc = Doc::from_uri("photos/coffee.jpg");
    /// doc.load_image()?.encode_image(Format::Png, -1)?;
    /// assert!(doc.blob().unwrap().starts_with(b"\x89PNG"));
    /// # Ok::<(), gapless::Cause>(())
    /// ```
    #[doc(alias = "convert_image_tensor_to_blob")]
    pub fn encode_image(&mut self, format: Format, channel_axis: isize) -> Result<&mut Self, Cause> {
        let encoded = self.encoded(format, channel_axis)?;
        self.mime_type = format.mime_type().into();
        Ok(self.set_blob(encoded))
    }

    /// Encodes the image into the uri, as a data URI; the tensor stays.
    ///
    /// # Errors
    /// The document holds no u8 image of one channel or three.
    ///
    /// ```
    /// # use gapless::doc::Doc;
    /// # use gapless::image::Format;
    /// let mut doc = Doc::from_uri("photos/coffee.jpg");
    /// let image = doc.load_image()?.take_content();
    /// doc.content = image.clone();
    /// doc.image_to_uri(Format::Png, -1)?.load_image()?;
    /// assert_eq!(doc.content, image);
    /// # Ok::<(), gapless::Cause>(())
    /// ```
    #[doc(alias = "convert_image_tensor_to_uri")]
    #[doc(alias = "load_pil_image_to_datauri")]
    pub fn image_to_uri(&mut self, format: Format, channel_axis: isize) -> Result<&mut Self, Cause> {
        self.uri = data_uri::encode(format.mime_type(), &self.encoded(format, channel_axis)?);
        self.mime_type = format.mime_type().into();
        Ok(self)
    }

    /// Writes the image into a file, in the format that its name's ending says.
    ///
    /// # Errors
    /// The ending is none of an image, the document holds no u8 image of one channel or three, or the file
    /// cannot be written.
    ///
    /// ```no_run
    /// # use gapless::doc::Doc;
    /// Doc::from_uri("photos/coffee.jpg").load_image()?.save_image("coffee.png", -1)?;
    /// # Ok::<(), gapless::Cause>(())
    /// ```
    #[doc(alias = "save_image_tensor_to_file")]
    pub fn save_image(&mut self, path: impl AsRef<Path>, channel_axis: isize) -> Result<&mut Self, Cause> {
        let path = path.as_ref();
        let encoded = self.encoded(Format::of_path(path)?, channel_axis)?;
        std::fs::write(path, encoded).map_err(|error| Cause::from(error).context(path.display()))?;
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

    fn image<T: super::Number>(&self) -> Result<&ArrayD<T>, Cause> {
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
        self.content = Content::Tensor(
            super::tensor::each!(scaled, array => move_channel(array, -1, channel_axis)?.into()),
        );
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
        Ok((super::tensor::each!(cut, array => move_channel(array, -1, axis)?.into()), places))
    }

    fn encoded(&self, format: Format, channel_axis: isize) -> Result<Vec<u8>, Cause> {
        let grey = self.tensor().and_then(Tensor::get::<u8>).filter(|array| array.ndim() == 2);
        let image: Cow<'_, ArrayD<u8>> = match grey {
            Some(grey) => {
                return image::encode(grey.view().insert_axis(Axis(2)).into_dimensionality()?, format);
            }
            None => Cow::Borrowed(self.image::<u8>()?),
        };
        let image = move_channel(image.into_owned(), channel_axis, -1)?;
        image::encode(image.view().into_dimensionality()?, format)
    }
}
