//! Bytes of a document: from where its uri points, into a file, into the uri itself.

use std::path::Path;
use std::time::Duration;

use super::{Content, Doc, data_uri, source};
use crate::error::Cause;

impl Doc {
    /// Reads what the uri names (a path, a data URI, or with the feature `http` an address) into the blob.
    ///
    /// An address may take 10 s; see [`load_blob_within`](Self::load_blob_within).
    ///
    /// # Errors
    /// It cannot be read.
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
        self.load_blob_within(source::TIMEOUT)
    }

    /// As [`load_blob`](Self::load_blob); an address may take so long, from the first byte sent to the last
    /// one read.
    ///
    /// # Errors
    /// It cannot be read in that time.
    ///
    /// ```
    /// # use gapless::doc::Doc;
    /// # use std::time::Duration;
    /// let mut doc = Doc::from_uri("photos/coffee.jpg");
    /// assert!(doc.load_blob_within(Duration::from_secs(1))?.blob().is_some());
    /// # Ok::<(), gapless::Cause>(())
    /// ```
    pub fn load_blob_within(&mut self, timeout: Duration) -> Result<&mut Self, Cause> {
        let bytes = source::read(&self.uri, timeout)?;
        Ok(self.set_blob(bytes))
    }

    /// Reads what the uri names as UTF-8 text.
    ///
    /// # Errors
    /// It cannot be read, or is no such text.
    ///
    /// ```
    /// # use gapless::doc::Doc;
    /// let mut doc = Doc::from_uri("data:,hello");
    /// assert_eq!(doc.load_text()?.text(), Some("hello"));
    /// # Ok::<(), gapless::Cause>(())
    /// ```
    #[doc(alias = "load_uri_to_text")]
    pub fn load_text(&mut self) -> Result<&mut Self, Cause> {
        let bytes = source::read(&self.uri, source::TIMEOUT)?;
        Ok(self.set_text(String::from_utf8(bytes)?))
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
        self.uri = data_uri::encode(&self.mime_type, self.bytes()?);
        Ok(self)
    }

    /// Puts what the uri names into the uri itself, as a data URI.
    ///
    /// # Errors
    /// It cannot be read.
    ///
    /// ```
    /// # use gapless::doc::Doc;
    /// let mut doc = Doc::from_uri("photos/coffee.jpg");
    /// assert!(doc.uri_to_data_uri()?.uri.starts_with("data:image/jpeg;base64,"));
    /// # Ok::<(), gapless::Cause>(())
    /// ```
    #[doc(alias = "convert_uri_to_datauri")]
    pub fn uri_to_data_uri(&mut self) -> Result<&mut Self, Cause> {
        if !data_uri::is(&self.uri) {
            self.uri = data_uri::encode(&self.mime_type, &source::read(&self.uri, source::TIMEOUT)?);
        }
        Ok(self)
    }

    /// Writes the blob into a file.
    ///
    /// # Errors
    /// The document holds no blob, or the file cannot be written.
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
        std::fs::write(path, self.bytes()?).map_err(|error| Cause::from(error).context(path.display()))?;
        Ok(self)
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
