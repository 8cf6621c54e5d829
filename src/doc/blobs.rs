//! Bytes of a document: from where its uri points, into a file, into the uri itself.

use std::path::Path;
use std::time::Duration;

use super::{Content, Doc};
use crate::error::Cause;
use crate::file::{self, Most, Reach};

/// Most bytes of a file that a document takes: more have no place on the wire.
pub(super) const MOST: u64 = u32::MAX as u64;
/// Most bytes that a server may send: as many as are read of a photo.
const MOST_FETCHED: u64 = 64 << 20;

impl Doc {
    /// Reads what the uri names into the blob: a path as it stands, `file:` (percent-decoded, of this machine),
    /// `data:` (in base64, also wrapped and without padding, or percent-encoded), or with the feature `http` `http:`
    /// and `https:`. A scheme may be written in any case.
    ///
    /// A server may take 10 s, see [`load_blob_within`](Self::load_blob_within), and send 64 MiB. A file must be a
    /// regular one of less than 4 GiB.
    ///
    /// # Errors
    /// Names the uri and why it cannot be read.
    ///
    /// ```
    /// use gapless::doc::Doc;
    /// let mut doc = Doc::from_uri("data:text/plain;base64,aGVsbG8=");
    /// assert_eq!(doc.load_blob()?.blob(), Some(&b"hello"[..]));
    /// # Ok::<(), gapless::Cause>(())
    /// ```
    #[doc(alias = "load_uri_to_blob")]
    #[doc(alias = "load_uri_to_buffer")]
    pub fn load_blob(&mut self) -> Result<&mut Self, Cause> {
        self.load_blob_within(file::TIMEOUT)
    }

    /// As [`load_blob`](Self::load_blob); a server may take so long, from the first byte sent to the last
    /// one read.
    ///
    /// # Errors
    /// Names the uri and why it cannot be read in that time.
    ///
    /// ```
    /// # use gapless::doc::Doc;
    /// # use std::time::Duration;
    /// let mut doc = Doc::from_uri("photos/coffee.jpg");
    /// assert!(doc.load_blob_within(Duration::from_secs(1))?.blob().is_some());
    /// # Ok::<(), gapless::Cause>(())
    /// ```
    pub fn load_blob_within(&mut self, timeout: Duration) -> Result<&mut Self, Cause> {
        let bytes = self.fetched(timeout)?;
        Ok(self.set_blob(bytes))
    }

    /// Reads what the uri names as UTF-8 text: see [`load_blob`](Self::load_blob).
    ///
    /// # Errors
    /// Names the uri and why: it cannot be read, or is no such text.
    ///
    /// ```
    /// # use gapless::doc::Doc;
    /// let mut doc = Doc::from_uri("data:,hello");
    /// assert_eq!(doc.load_text()?.text(), Some("hello"));
    /// # Ok::<(), gapless::Cause>(())
    /// ```
    #[doc(alias = "load_uri_to_text")]
    pub fn load_text(&mut self) -> Result<&mut Self, Cause> {
        let bytes = self.fetched(file::TIMEOUT)?;
        let text = String::from_utf8(bytes)
            .map_err(|error| Cause::from(error.utf8_error()).context(file::address_name(&self.uri)))?;
        Ok(self.set_text(text))
    }

    /// Puts the blob into the uri, as a data URI; the blob stays.
    ///
    /// # Errors
    /// The document holds no blob.
    ///
    /// ```
    /// # use gapless::doc::Doc;
    /// let mut doc = Doc::new();
    /// doc.set_blob(*b"hello").blob_to_uri()?;
    /// assert_eq!(doc.uri, "data:application/octet-stream;base64,aGVsbG8=");
    /// # Ok::<(), gapless::Cause>(())
    /// ```
    #[doc(alias = "convert_blob_to_datauri")]
    #[doc(alias = "convert_buffer_to_datauri")]
    pub fn blob_to_uri(&mut self) -> Result<&mut Self, Cause> {
        self.uri = file::data_uri(&self.mime_type, self.bytes()?);
        Ok(self)
    }

    /// Puts what the uri names into the uri itself, as a data URI: see [`load_blob`](Self::load_blob).
    ///
    /// # Errors
    /// Names the uri and why it cannot be read.
    ///
    /// ```
    /// # use gapless::doc::Doc;
    /// let mut doc = Doc::from_uri("photos/coffee.jpg");
    /// assert!(doc.uri_to_data_uri()?.uri.starts_with("data:image/jpeg;base64,"));
    /// # Ok::<(), gapless::Cause>(())
    /// ```
    #[doc(alias = "convert_uri_to_datauri")]
    pub fn uri_to_data_uri(&mut self) -> Result<&mut Self, Cause> {
        if file::data_type(&self.uri).is_none() {
            self.uri = file::data_uri(&self.mime_type, &self.fetched(file::TIMEOUT)?);
        }
        Ok(self)
    }

    /// Writes the blob into a file, which is there as a whole or not at all: see [`NewFile`](crate::file::NewFile).
    ///
    /// # Errors
    /// Names the path and why: the document holds no blob, or the file cannot be written.
    ///
    /// ```no_run
    /// # use gapless::doc::Doc;
    /// Doc::from_uri("photos/coffee.jpg").load_blob()?.save_blob("copy.jpg")?;
    /// # Ok::<(), gapless::Cause>(())
    /// ```
    #[doc(alias = "save_blob_to_file")]
    #[doc(alias = "dump_buffer_to_file")]
    pub fn save_blob(&mut self, path: impl AsRef<Path>) -> Result<&mut Self, Cause> {
        let path = path.as_ref();
        file::write(path, self.bytes().map_err(|cause| cause.context(file::name(path)))?)?;
        Ok(self)
    }

    fn fetched(&self, timeout: Duration) -> Result<Vec<u8>, Cause> {
        let most = |bytes| Most { bytes, setting: "" };
        let mut bytes = Vec::new();
        let reach = Reach { most: most(MOST), most_fetched: most(MOST_FETCHED), timeout };
        file::fetch(&self.uri, &reach, &mut bytes)?;
        Ok(bytes)
    }

    pub(crate) fn bytes(&self) -> Result<&[u8], Cause> {
        self.blob().ok_or_else(|| {
            Cause::msg(format_args!("a blob is needed, and the document holds {}", self.held()))
        })
    }

    /// What the document holds, in words.
    pub(crate) fn held(&self) -> String {
        match &self.content {
            Content::Empty => "nothing".into(),
            Content::Text(_) => "a text".into(),
            Content::Blob(_) => "a blob".into(),
            Content::Tensor(tensor) => format!("a tensor of {} {:?}", tensor.kind(), tensor.shape()),
        }
    }
}
