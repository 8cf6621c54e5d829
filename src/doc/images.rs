//! Images of a document: from files, blobs and addresses, and back.
//!
//! Each method changes the document in place and returns it, so that they chain.
//! What goes wrong leaves the document as it was.

use std::borrow::Cow;
use std::path::Path;
use std::sync::OnceLock;

use ndarray::{Array3, ArrayD, Axis};

use super::{Content, Doc, Tensor};
use crate::error::Cause;
use crate::file;
use crate::image::{self, Format, Loader, Photo, PhotoSource, move_channel};

/// Memory that a call of the loader below keeps for the next.
const KEPT: usize = 16 << 20;

/// Loads photos in their own size for documents that name no loader.
fn own_size() -> &'static Loader {
    static LOADER: OnceLock<Loader> = OnceLock::new();
    LOADER.get_or_init(|| Loader::own_size().kept_scratch(KEPT))
}

impl Photo for Doc {
    /// The blob, or else what the uri names; a tensor is no photo.
    fn source(&self) -> PhotoSource<'_> {
        match &self.content {
            Content::Blob(bytes) => PhotoSource::Bytes(bytes),
            _ if self.uri.is_empty() => PhotoSource::Missing,
            _ => PhotoSource::Uri(&self.uri),
        }
    }
}

impl Doc {
    /// Loads the image that the uri names (see [`load_blob`](Self::load_blob)) into the tensor: u8,
    /// [height, width, 3], RGB, upright.
    ///
    /// A GIF of several frames becomes as many chunks, and the tensor stays empty.
    ///
    /// # Errors
    /// Names the uri and why it cannot be read or decoded.
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
    /// Names the uri and why it cannot be read or decoded.
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
        let frames = loader.frames(&*self.uri)?;
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
        self.uri = file::data_uri(format.mime_type(), &self.encoded(format, channel_axis)?);
        self.mime_type = format.mime_type().into();
        Ok(self)
    }

    /// Writes the image into a file, in the format that its name's ending says. It is there as a whole or not at all:
    /// see [`NewFile`](crate::file::NewFile).
    ///
    /// # Errors
    /// Names the path and why: the ending is none of an image, the document holds no u8 image of one channel or three, or the file
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
        let format = Format::of_path(path)?;
        let encoded = self.encoded(format, channel_axis).map_err(|cause| cause.context(file::name(path)))?;
        file::write(path, encoded)?;
        Ok(self)
    }
}

impl Doc {
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
