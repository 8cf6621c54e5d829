//! How each document is compressed.

use std::io::{Read, Write};
use std::path::Path;

use flate2::read::{MultiGzDecoder, ZlibDecoder};
use flate2::write::{GzEncoder, ZlibEncoder};
use lz4_flex::frame::{FrameDecoder, FrameEncoder};

use crate::error::Cause;

/// How each document of a stream is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// gzip (RFC 1952), as `push` of DocArray sends it.
    Gzip,
    /// zlib (RFC 1950).
    Zlib,
    /// LZ4 in its frame format.
    Lz4,
}

impl Compression {
    /// What the endings of a file's name say: `x.protobuf`, `x.protobuf.gzip`, `x.protobuf.lz4`, …
    ///
    /// # Errors
    /// An ending is that of a protocol or a compression of DocArray's that is not read or written here.
    ///
    /// ```
    /// # use gapless::doc::Compression;
    /// assert_eq!(Compression::of_path("docs.protobuf.gzip").unwrap(), Compression::Gzip);
    /// assert_eq!(Compression::of_path("docs.protobuf").unwrap(), Compression::None);
    /// assert!(Compression::of_path("docs.pickle").is_err());
    /// ```
    pub fn of_path(path: impl AsRef<Path>) -> Result<Self, Cause> {
        let path = path.as_ref();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut compression = Self::None;
        for ending in name.split('.').skip(1) {
            compression = match ending {
                "gzip" | "gz" => Self::Gzip,
                "zlib" => Self::Zlib,
                "lz4" => Self::Lz4,
                "bz2" | "lzma" | "pickle" | "pickle-array" | "protobuf-array" => {
                    let reason =
                        "documents are read and written as protobuf, plain or with gzip, zlib or lz4";
                    let said = crate::file::name(path);
                    return Err(Cause::msg(format_args!("{said}: {ending} is not known; {reason}")));
                }
                _ => compression,
            };
        }
        Ok(compression)
    }

    pub(super) fn compress(self, bytes: Vec<u8>) -> Result<Vec<u8>, Cause> {
        Ok(match self {
            Self::None => bytes,
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(&bytes)?;
                encoder.finish()?
            }
            Self::Zlib => {
                let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(&bytes)?;
                encoder.finish()?
            }
            Self::Lz4 => {
                let mut encoder = FrameEncoder::new(Vec::new());
                encoder.write_all(&bytes)?;
                encoder.finish()?
            }
        })
    }

    /// The bytes before compression, at most so many.
    pub(super) fn expand(self, bytes: Vec<u8>, most: usize) -> Result<Vec<u8>, Cause> {
        match self {
            Self::None => Ok(bytes),
            Self::Gzip => read(MultiGzDecoder::new(bytes.as_slice()), most),
            Self::Zlib => read(ZlibDecoder::new(bytes.as_slice()), most),
            Self::Lz4 => read(FrameDecoder::new(bytes.as_slice()), most),
        }
    }
}

fn read(decoder: impl Read, most: usize) -> Result<Vec<u8>, Cause> {
    let mut bytes = Vec::new();
    decoder.take(most as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        return Err(Cause::msg(format_args!("a document of more than {most} bytes: see `max_document`")));
    }
    Ok(bytes)
}
