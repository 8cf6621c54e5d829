//! The frames of a stream: its header, then each document's bytes.

use std::io::{ErrorKind, Read};

use crate::error::Cause;

/// The version that is read and written.
const VERSION: u8 = 1;
/// With what pickle begins, where others would have a version.
const PICKLE: u8 = 0x80;
/// Bytes that are read before more memory is taken.
const STEP: u64 = 1 << 20;

/// One document's bytes, or why there are none.
pub(super) type Frame = Result<Vec<u8>, Cause>;

/// The first bytes of a stream of so many documents.
pub(super) fn header(documents: u64) -> [u8; 9] {
    let mut header = [VERSION; 9];
    header[1..].copy_from_slice(&documents.to_be_bytes());
    header
}

/// The length of a document's bytes before them.
pub(super) fn framed(bytes: &[u8]) -> Result<Vec<u8>, Cause> {
    let length = u32::try_from(bytes.len()).map_err(|_| {
        Cause::msg(format_args!("a document of {} bytes; a stream takes 2^32 - 1", bytes.len()))
    })?;
    Ok([&length.to_be_bytes(), bytes].concat())
}

/// Reads a stream frame by frame, and nothing behind the last.
pub(super) struct Frames<R> {
    reader: R,
    /// Documents that the header promised; `None` before it is read.
    promised: Option<u64>,
    read: u64,
    most: usize,
    ended: bool,
}

impl<R: Read> Frames<R> {
    /// Frames of at most so many bytes.
    pub(super) fn new(reader: R, most: usize) -> Self {
        Self { reader, promised: None, read: 0, most, ended: false }
    }

    fn frame(&mut self) -> Result<Option<Vec<u8>>, Cause> {
        let promised = match self.promised {
            Some(promised) => promised,
            None => self.read_header()?,
        };
        if self.read == promised {
            return Ok(None);
        }
        let place = self.read;
        let cut = |cause: Cause| cause.context(format_args!("document {place} of {promised}"));
        let mut length = [0; 4];
        self.reader.read_exact(&mut length).map_err(|error| cut(said(&error)))?;
        let bytes = self.bytes(u32::from_be_bytes(length)).map_err(cut)?;
        self.read += 1;
        Ok(Some(bytes))
    }

    fn read_header(&mut self) -> Result<u64, Cause> {
        let mut header = [0; 9];
        self.reader
            .read_exact(&mut header)
            .map_err(|error| said(&error).context("the header of the stream"))?;
        let [version, count @ ..] = header;
        if version == PICKLE {
            return Err(Cause::msg(
                "this is pickle, which runs whatever its writer wants, and is never read",
            ));
        }
        if version != VERSION {
            return Err(Cause::msg(format_args!(
                "version {version} of the stream format; only {VERSION} is read"
            )));
        }
        let promised = u64::from_be_bytes(count);
        self.promised = Some(promised);
        Ok(promised)
    }

    /// So many bytes; memory is taken as they come.
    fn bytes(&mut self, length: u32) -> Result<Vec<u8>, Cause> {
        if length as usize > self.most {
            let most = self.most;
            return Err(Cause::msg(format_args!("{length} bytes are more than {most}: see `max_document`")));
        }
        let (mut bytes, mut left) = (Vec::new(), u64::from(length));
        while left > 0 {
            let step = left.min(STEP);
            bytes.try_reserve(step as usize)?;
            let read = self.reader.by_ref().take(step).read_to_end(&mut bytes)? as u64;
            if read < step {
                return Err(Cause::msg("the stream ends within it"));
            }
            left -= read;
        }
        Ok(bytes)
    }
}

fn said(error: &std::io::Error) -> Cause {
    match error.kind() {
        ErrorKind::UnexpectedEof => Cause::msg("the stream ends before it"),
        _ => Cause::msg(error),
    }
}

impl<R: Read> Iterator for Frames<R> {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        if self.ended {
            return None;
        }
        let frame = self.frame();
        self.ended = !matches!(frame, Ok(Some(_)));
        frame.transpose()
    }
}
