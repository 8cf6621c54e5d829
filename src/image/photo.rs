//! Where a document's photo is.

use std::path::{Path, PathBuf};

/// A document that names a photo, so that [`Loader`](super::Loader) can prepare it.
///
/// Paths ([`PathBuf`], [`String`]) name a file, `Vec<u8>` is an encoded photo itself.
///
/// ```
/// use gapless::image::{Photo, PhotoSource};
/// struct Record { uri: String, blob: Option<Vec<u8>> }
/// impl Photo for Record {
///     fn source(&self) -> PhotoSource<'_> {
///         match &self.blob {
///             Some(bytes) => PhotoSource::Bytes(bytes),
///             None => PhotoSource::Path(self.uri.as_ref()),
///         }
///     }
/// }
/// # let record = Record { uri: "photos/coffee.jpg".into(), blob: None };
/// # assert_eq!(record.source(), PhotoSource::Path("photos/coffee.jpg".as_ref()));
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
        PhotoSource::Path(self.as_ref())
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
        PhotoSource::Path(self.as_ref())
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
