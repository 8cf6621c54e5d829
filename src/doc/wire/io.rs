//! Documents to bytes and back, through the engine.

use std::io::{BufReader, Cursor, Read, Write};
use std::path::Path;

use prost::Message;

use super::frames::{Frame, Frames, framed, header};
use super::{Compression, convert, outline};
use crate::doc::{Doc, DocArray};
use crate::engine::settings::WorkerCount;
use crate::error::{Cause, Error};
use crate::file::{self, NewFile};
use crate::parallel::{self, MapError, MapRun};

/// Memory that one document may take where nothing else is said.
const MOST: usize = 1 << 30;

/// Documents on the wire: DocArray's stream format V1, written and read on several workers.
///
/// ```text
/// u8 version = 1 | u64 count, big endian | { u32 length, big endian | document }*
/// ```
///
/// A document is a protobuf message, and compressed by itself, so that documents can be made and taken
/// apart in parallel while the bytes go out or come in. DocArray 0.21 reads what this writes, with
/// `load_binary`, and this reads what DocArray writes with `protocol='protobuf'`; a test with DocArray itself
/// proves it, field by field.
///
/// ```
/// use gapless::doc::{Compression, Doc, DocArray, Wire};
///
/// let mut docs: DocArray = ["one", "two"].map(Doc::from_text).into_iter().collect();
/// let wire = Wire::new(Compression::Lz4);
/// let mut bytes = Vec::new();
/// wire.write(&mut docs, &mut bytes)?;
/// let read: Result<DocArray, _> = wire.read(std::io::Cursor::new(bytes)).collect();
/// assert_eq!(read?, docs);
/// # Ok::<(), gapless::Error>(())
/// ```
///
/// # What is not the same
/// - Pickle is never read: it runs whatever code its writer wants. The whole-array protocols are not either.
/// - Sparse tensors are an error. Tensors of other frameworks, and lists, come as arrays and go out as numpy's;
///   booleans come as u8, and half floats as f32, which holds each of them.
/// - Numbers of tags are doubles, as protobuf has them.
///
/// # Hostile files
/// No file makes this panic, and none makes it take memory that its bytes do not fill: lengths are believed
/// when the bytes are there, and what a document would become is counted before it is made
/// ([`max_document`](Self::max_document)).
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Wire {
    compression: Compression,
    workers: WorkerCount,
    most: usize,
}

impl Wire {
    /// Each document compressed in this way.
    pub fn new(compression: Compression) -> Self {
        Self { compression, workers: WorkerCount::Auto, most: MOST }
    }

    /// The way that the endings of a file's name say: see [`Compression::of_path`].
    ///
    /// # Errors
    /// An ending is known and not read or written here.
    pub fn of_path(path: impl AsRef<Path>) -> Result<Self, Error> {
        Ok(Self::new(Compression::of_path(path).map_err(documents)?))
    }

    /// Workers: a number, or [`Auto`](crate::Auto). Default `Auto`: one a core; with 0 the caller.
    pub fn workers(self, workers: impl Into<WorkerCount>) -> Self {
        Self { workers: workers.into(), ..self }
    }

    /// Bytes of memory that one document of a stream may take; default 1 GiB. More is an error, found before
    /// the memory is taken.
    pub fn max_document(self, bytes: usize) -> Self {
        Self { most: bytes, ..self }
    }

    /// One document as it stands in a stream: its length and its bytes.
    ///
    /// # Errors
    /// It takes more than 2^32 - 1 bytes, or an axis of a tensor is as long.
    #[doc(alias = "_to_stream_bytes")]
    pub fn frame(&self, doc: &Doc) -> Result<Vec<u8>, Cause> {
        framed(&self.compression.compress(convert::to_proto(doc)?.encode_to_vec())?)
    }

    /// Writes documents: the next are made while the last go out.
    ///
    /// # Errors
    /// A document cannot be written, or the writer fails. The documents are in their places all the same.
    pub fn write(&self, docs: &mut DocArray, mut writer: impl Write) -> Result<(), Error> {
        writer.write_all(&header(docs.len() as u64)).map_err(|error| documents(error.into()))?;
        let wire = *self;
        let written = docs
            .apply(move |doc: &mut Doc| wire.frame(doc))
            .workers(self.workers)
            .run_with(|frame: Vec<u8>| writer.write_all(&frame));
        written.map_err(|error| match error.error {
            Error::Stopped { .. } => documents(Cause::from(error)),
            other => other,
        })?;
        writer.flush().map_err(|error| documents(error.into()))
    }

    /// The documents as bytes to read from: the body of a request. The next are made while one is read.
    ///
    /// ```
    /// use gapless::doc::{Compression, DocArray, Wire};
    /// let wire = Wire::new(Compression::Gzip);
    /// let body = wire.stream(DocArray::empty(100));
    /// assert_eq!(wire.read(body).filter(Result::is_ok).count(), 100);
    /// ```
    pub fn stream(&self, docs: DocArray) -> impl Read + Send + use<> {
        let (wire, count) = (*self, docs.len() as u64);
        let frames = docs.map(move |doc: &mut Doc| wire.frame(doc)).workers(self.workers).run();
        Cursor::new(header(count)).chain(frames.into_read())
    }

    /// Reads documents in their order: the next come in while the last are taken apart.
    ///
    /// Nothing behind the last document is read.
    pub fn read<R: Read + Send + 'static>(&self, reader: R) -> ReadDocs {
        let wire = *self;
        let take_apart = move |frame: &mut Frame| {
            let bytes = std::mem::take(frame.as_mut().map_err(|cause| cause.clone())?);
            let message = wire.compression.expand(bytes, wire.most)?;
            outline::check(&message, wire.most)?;
            convert::of_proto(super::proto::DocumentProto::decode(message.as_slice())?)
        };
        let run = parallel::map(Frames::new(reader, self.most), take_apart).workers(self.workers).run();
        ReadDocs { run }
    }
}

/// An error about the documents of a file, with its name.
fn at(path: &Path, error: Error) -> Error {
    match error {
        Error::Documents { cause } => documents(named_once(cause, path)),
        other => other,
    }
}

/// Where the file itself failed, its name is there.
fn named_once(cause: Cause, path: &Path) -> Cause {
    let name = file::name(path).to_string();
    if cause.to_string().starts_with(&name) { cause } else { cause.context(name) }
}

fn documents(cause: Cause) -> Error {
    Error::Documents { cause }
}

/// Documents that are read from a stream: see [`Wire::read`].
///
/// A document that is broken is an `Err` in its place, and the others follow; where the stream itself ends too
/// soon that is the last item.
#[derive(Debug)]
#[must_use = "nothing is read until it is iterated over"]
pub struct ReadDocs {
    run: MapRun<Frame, Doc>,
}

impl Iterator for ReadDocs {
    type Item = Result<Doc, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(match self.run.next()? {
            Ok((_, doc)) => Ok(doc),
            Err(MapError::Document(failure)) => {
                // What the stream says of itself names the document, where it is about one.
                let of_stream = failure.document.is_err();
                let place = format_args!("document {}", failure.position);
                Err(documents(if of_stream { failure.cause } else { failure.cause.context(place) }))
            }
            Err(MapError::Run(error)) => Err(error),
        })
    }
}

impl std::iter::FusedIterator for ReadDocs {}

impl DocArray {
    /// Writes the documents into a file, as its name's endings say: `x.protobuf`, `x.protobuf.gzip`,
    /// `x.protobuf.lz4`. The file is there as a whole or not at all: see [`NewFile`].
    ///
    /// # Errors
    /// Names the path and why: an ending is not known, a document cannot be written, or the file cannot.
    ///
    /// ```
    /// use gapless::doc::DocArray;
    /// let path = std::env::temp_dir().join(format!("gapless-{}.protobuf.gzip", std::process::id()));
    /// let mut docs = DocArray::empty(10);
    /// docs.save(&path)?;
    /// assert_eq!(DocArray::load(&path)?, docs);
    /// # std::fs::remove_file(path).unwrap();
    /// # Ok::<(), gapless::Error>(())
    /// ```
    #[doc(alias = "save_binary")]
    pub fn save(&mut self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let wire = Wire::of_path(path)?;
        let mut file = NewFile::create(path).map_err(documents)?;
        wire.write(self, &mut file).map_err(|error| at(path, error))?;
        file.finish().map_err(documents)
    }

    /// Reads the documents of a file: see [`save`](Self::save), and [`Wire::read`] for one at a time.
    ///
    /// # Errors
    /// Names the path and why: it cannot be read or is no regular file, is not what a stream is, or a document of it is
    /// broken.
    #[doc(alias = "load_binary")]
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let wire = Wire::of_path(path)?;
        let file = file::open(path).map_err(documents)?;
        let docs: Result<Self, Error> = wire.read(BufReader::new(file)).collect();
        docs.map_err(|error| at(path, error))
    }
}
