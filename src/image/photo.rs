//! Where a document's photo is.

use std::path::{Path, PathBuf};

/// A document that names a photo, so that [`Loader`](super::Loader) can prepare it.
///
/// A [`PathBuf`] names a file, a [`String`] a file or an address (see [`PhotoSource::Uri`]), and `Vec<u8>` is an
/// encoded photo itself.
///
/// ```
/// use gapless::image::{Photo, PhotoSource};
/// struct Record { uri: String, blob: Option<Vec<u8>> }
/// impl Photo for Record {
///     fn source(&self) -> PhotoSource<'_> {
///         match &self.blob {
///             Some(bytes) => PhotoSource::Bytes(bytes),
///             None => PhotoSource::Uri(&self.uri),
///         }
///     }
/// }
/// # let record = Record { uri: "photos/coffee.jpg".into(), blob: None };
/// # assert_eq!(record.source(), PhotoSource::Uri("photos/coffee.jpg"));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` names no photo",
    note = "implement `gapless::image::Photo` for it, or use a path (`PathBuf`, `String`) or encoded bytes (`Vec<u8>`)"
)]
pub trait Photo {
    /// Where the photo is.
    fn source(&self) -> PhotoSource<'_>;
}

/// Where a photo is: see [`Photo`].
///
/// ```
/// use gapless::image::{Photo, PhotoSource};
/// assert_eq!(vec![0xFF, 0xD8].source(), PhotoSource::Bytes(&[0xFF, 0xD8]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PhotoSource<'a> {
    /// A file.
    Path(&'a Path),
    /// A path as it stands, or an address: `file:` (percent-decoded, of this machine), `data:` (in base64, also wrapped
    /// and without padding, or percent-encoded), or with the feature `http` `http:` and `https:`, in any case. A server
    /// has 10 s, and may send as much as a file may have.
    Uri(&'a str),
    /// The encoded photo, as it would stand in a file.
    Bytes(&'a [u8]),
    /// The document has none: preparing it is a failure that says so.
    Missing,
}

impl Photo for PathBuf {
    fn source(&self) -> PhotoSource<'_> {
        PhotoSource::Path(self)
    }
}

impl Photo for String {
    fn source(&self) -> PhotoSource<'_> {
        PhotoSource::Uri(self)
    }
}

impl Photo for Vec<u8> {
    fn source(&self) -> PhotoSource<'_> {
        PhotoSource::Bytes(self)
    }
}

impl<P: Photo + ?Sized> Photo for &P {
    fn source(&self) -> PhotoSource<'_> {
        (**self).source()
    }
}

impl Photo for str {
    fn source(&self) -> PhotoSource<'_> {
        PhotoSource::Uri(self)
    }
}

impl Photo for Path {
    fn source(&self) -> PhotoSource<'_> {
        PhotoSource::Path(self)
    }
}

impl Photo for [u8] {
    fn source(&self) -> PhotoSource<'_> {
        PhotoSource::Bytes(self)
    }
}
