//! One document.

use std::collections::BTreeMap;

use ndarray::{Array, Dimension};

use super::tags::{Tags, Value};
use super::{DocArray, Number, Tensor, mime, random};
use crate::file;

/// One document: a name, what it holds, and what is known of it, as in DocArray.
///
/// ```
/// use gapless::doc::Doc;
/// let mut doc = Doc::from_uri("photos/coffee.jpg");
/// assert_eq!(doc.mime_type, "image/jpeg");
/// doc.set_text("a cup");
/// assert_eq!(doc.text(), Some("a cup"));
/// assert_ne!(doc.id, Doc::new().id);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Doc {
    /// Its name in an array: 32 random hexadecimal digits unless you say otherwise.
    pub id: String,
    /// Where its content is: a path, an address, or a data URI.
    pub uri: String,
    /// What kind of content it is, as an Internet media type.
    pub mime_type: String,
    /// What it holds.
    pub content: Content,
    /// A vector that stands for it.
    pub embedding: Option<Tensor>,
    /// What else is known.
    pub tags: Tags,
    /// Its parts: windows of an image, frames of an animation, sentences.
    pub chunks: DocArray,
    /// Documents that were found for it.
    pub matches: DocArray,
    /// Where in its parent it lies: for a window of an image its top, left, height and width.
    pub location: Vec<f32>,
    /// Where in its parent it begins.
    pub offset: f32,
    /// How much it counts.
    pub weight: f32,
    /// How deep it is in chunks of chunks.
    pub granularity: u32,
    /// How deep it is in matches of matches.
    pub adjacency: u32,
    /// What kind of thing it is: image, text, …
    pub modality: String,
    /// The id of the document that it is a part of.
    pub parent_id: String,
    /// Scores by their names.
    pub scores: BTreeMap<String, Score>,
    /// Results of evaluations by their names.
    pub evaluations: BTreeMap<String, Score>,
    /// What programs note for themselves.
    pub metadata: Tags,
}

/// What a document holds: one thing at a time, as in DocArray and on the wire.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Content {
    /// Nothing yet.
    #[default]
    Empty,
    /// A text.
    Text(String),
    /// Bytes: an encoded image, a file.
    Blob(Vec<u8>),
    /// A tensor.
    Tensor(Tensor),
}

/// A score, and how it came about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Score {
    /// The score.
    pub value: f32,
    /// What computed it.
    pub op_name: String,
    /// What it means.
    pub description: String,
    /// The id of the document that it refers to.
    pub ref_id: String,
}

impl Default for Doc {
    fn default() -> Self {
        Self::with_id(random::fresh_id())
    }
}

impl Doc {
    /// A blank document with a fresh id.
    pub fn new() -> Self {
        Self::default()
    }

    /// A blank document with this id.
    pub(crate) fn with_id(id: String) -> Self {
        Self {
            id,
            uri: String::new(),
            mime_type: String::new(),
            content: Content::Empty,
            embedding: None,
            tags: Tags::new(),
            chunks: DocArray::new(),
            matches: DocArray::new(),
            location: Vec::new(),
            offset: 0.0,
            weight: 0.0,
            granularity: 0,
            adjacency: 0,
            modality: String::new(),
            parent_id: String::new(),
            scores: BTreeMap::new(),
            evaluations: BTreeMap::new(),
            metadata: Tags::new(),
        }
    }

    /// A document whose content is at this path, address or data URI; its media type follows from that.
    pub fn from_uri(uri: impl Into<String>) -> Self {
        let uri = uri.into();
        let guessed = || mime::guess(&file::last_name(&uri));
        let mime_type = file::data_type(&uri).unwrap_or_else(guessed).to_owned();
        Self { uri, mime_type, ..Self::new() }
    }

    /// A document that holds this text.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self { content: Content::Text(text.into()), mime_type: "text/plain".into(), ..Self::new() }
    }

    /// A document that holds this tensor.
    ///
    /// ```
    /// use gapless::doc::Doc;
    /// let doc = Doc::from_tensor(ndarray::array![1.0_f32, 2.0]);
    /// assert_eq!(doc.tensor().unwrap().shape(), [2]);
    /// ```
    pub fn from_tensor(tensor: impl Into<Tensor>) -> Self {
        Self { content: Content::Tensor(tensor.into()), ..Self::new() }
    }

    /// Its text, if it holds one.
    pub fn text(&self) -> Option<&str> {
        if let Content::Text(text) = &self.content { Some(text) } else { None }
    }

    /// Its bytes, if it holds some.
    pub fn blob(&self) -> Option<&[u8]> {
        if let Content::Blob(bytes) = &self.content { Some(bytes) } else { None }
    }

    /// Its tensor, if it holds one.
    pub fn tensor(&self) -> Option<&Tensor> {
        if let Content::Tensor(tensor) = &self.content { Some(tensor) } else { None }
    }

    /// Holds this text instead of what it held.
    pub fn set_text(&mut self, text: impl Into<String>) -> &mut Self {
        self.content = Content::Text(text.into());
        self
    }

    /// Holds these bytes instead of what it held.
    pub fn set_blob(&mut self, bytes: impl Into<Vec<u8>>) -> &mut Self {
        self.content = Content::Blob(bytes.into());
        self
    }

    /// Holds this tensor instead of what it held.
    pub fn set_tensor<T: Number, D: Dimension>(&mut self, tensor: Array<T, D>) -> &mut Self {
        self.content = Content::Tensor(tensor.into());
        self
    }

    /// Takes the content out; nothing is left in its place.
    ///
    /// ```
    /// use gapless::doc::{Content, Doc};
    /// let mut doc = Doc::from_text("a cup");
    /// assert_eq!(doc.take_content(), Content::Text("a cup".into()));
    /// assert_eq!(doc.content, Content::Empty);
    /// ```
    pub fn take_content(&mut self) -> Content {
        std::mem::take(&mut self.content)
    }

    /// The tag at a path: names of nested tags, or places in lists, are divided by `__`.
    pub fn tag(&self, path: &str) -> Option<&Value> {
        Value::at(&self.tags, path)
    }

    /// Adds a chunk: one level deeper, with the parent's id.
    pub fn push_chunk(&mut self, mut chunk: Self) {
        chunk.parent_id.clone_from(&self.id);
        chunk.granularity = self.granularity.saturating_add(1);
        self.chunks.push(chunk);
    }
}
