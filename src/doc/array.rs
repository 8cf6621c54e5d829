//! Many documents in their order.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};

use ndarray::{Array, Axis, RemoveAxis};

use super::files::{FromFiles, Patterns};
use super::random::Random;
use super::tags::Value;
use super::{Doc, Number, Tensor};
use crate::error::Error;

/// Many documents in their order: a vector with what is done with many documents at once.
///
/// It is a slice of documents for whoever reads it, and a source for a [`Pipeline`](crate::Pipeline).
///
/// ```
/// use gapless::doc::{Doc, DocArray};
/// let mut docs: DocArray = ["one", "two"].map(Doc::from_text).into_iter().collect();
/// docs.push(Doc::from_text("three"));
/// assert_eq!(docs.len(), 3);
/// assert_eq!(docs[1].text(), Some("two"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DocArray(Vec<Doc>);

impl DocArray {
    /// No documents.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Blank documents with fresh ids.
    ///
    /// ```
    /// # use gapless::doc::DocArray;
    /// assert_eq!(DocArray::empty(1024).len(), 1024);
    /// ```
    pub fn empty(count: usize) -> Self {
        (0..count).map(|_| Doc::new()).collect()
    }

    /// Documents that name the files of these patterns: see [`FromFiles`], which has settings.
    ///
    /// # Errors
    /// A pattern makes no sense, or its folder is missing.
    ///
    /// ```
    /// # use gapless::doc::DocArray;
    /// let docs = DocArray::from_files("photos/*.jpg")?;
    /// assert_eq!(docs[0].uri, "photos/camera.jpg");
    /// # Ok::<(), gapless::Error>(())
    /// ```
    pub fn from_files(patterns: impl Into<Patterns>) -> Result<Self, Error> {
        FromFiles::new(patterns).docs()
    }

    /// One document for each slice of an array along an axis.
    ///
    /// DocArray 0.21 slices along the first whatever it is told; this takes the one it is given.
    ///
    /// # Errors
    /// The array has no such axis.
    ///
    /// ```
    /// # use gapless::doc::DocArray;
    /// let columns = DocArray::from_ndarray(ndarray::array![[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]], 1)?;
    /// assert_eq!(columns.len(), 3);
    /// assert_eq!(columns[2].tensor(), Some(&ndarray::array![3.0_f32, 6.0].into()));
    /// # Ok::<(), gapless::Error>(())
    /// ```
    pub fn from_ndarray<T: Number, D: RemoveAxis>(array: Array<T, D>, axis: usize) -> Result<Self, Error> {
        if axis >= array.ndim() {
            let reason = format!("{axis} is given, and the array has {} axes, from 0", array.ndim());
            return Err(Error::Setting { name: "axis", reason });
        }
        let slices = array.axis_iter(Axis(axis));
        Ok(slices.map(|slice| Doc::from_tensor(Tensor::from(slice.to_owned()))).collect())
    }

    /// Adds a document at the end.
    pub fn push(&mut self, doc: Doc) {
        self.0.push(doc);
    }

    /// The documents as a plain vector.
    pub fn into_vec(self) -> Vec<Doc> {
        self.0
    }

    /// The first document with this id.
    pub fn by_id(&self, id: &str) -> Option<&Doc> {
        self.0.iter().find(|doc| doc.id == id)
    }

    /// The array in batches; only the last may be short.
    ///
    /// # Errors
    /// 0 documents a batch.
    ///
    /// ```
    /// # use gapless::doc::DocArray;
    /// let docs = DocArray::empty(10);
    /// assert_eq!(docs.batches(4)?.map(|batch| batch.len()).collect::<Vec<_>>(), [4, 4, 2]);
    /// assert!(docs.batches(0).is_err());
    /// # Ok::<(), gapless::Error>(())
    /// ```
    pub fn batches(&self, batch_size: usize) -> Result<std::slice::Chunks<'_, Doc>, Error> {
        if batch_size == 0 {
            return Err(Error::Setting { name: "batch_size", reason: "give 1 or more".into() });
        }
        Ok(self.0.chunks(batch_size))
    }

    /// The ids of the documents, in batches; only the last may be short.
    ///
    /// # Errors
    /// 0 documents a batch.
    ///
    /// ```
    /// # use gapless::doc::DocArray;
    /// let docs = DocArray::empty(3);
    /// assert_eq!(docs.batch_ids(2)?.last().unwrap(), [docs[2].id.as_str()]);
    /// # Ok::<(), gapless::Error>(())
    /// ```
    pub fn batch_ids(&self, batch_size: usize) -> Result<impl Iterator<Item = Vec<&str>>, Error> {
        Ok(self.batches(batch_size)?.map(|batch| batch.iter().map(|doc| doc.id.as_str()).collect()))
    }

    /// Copies of `count` different documents in random order, the same for a seed on every platform.
    ///
    /// # Errors
    /// There are fewer documents.
    ///
    /// ```
    /// # use gapless::doc::DocArray;
    /// let docs = DocArray::empty(100);
    /// assert_eq!(docs.sample(10, 1)?, docs.sample(10, 1)?);
    /// assert!(docs.sample(101, 1).is_err());
    /// # Ok::<(), gapless::Error>(())
    /// ```
    pub fn sample(&self, count: usize, seed: u64) -> Result<Self, Error> {
        if count > self.len() {
            let reason = format!("{count} different documents of {} are asked for", self.len());
            return Err(Error::Setting { name: "sample", reason });
        }
        let mut places = Vec::from_iter(0..self.len());
        Random::new(seed).shuffle(&mut places, count);
        Ok(places[..count].iter().map(|place| self.0[*place].clone()).collect())
    }

    /// Puts the documents in random order, the same for a seed on every platform.
    ///
    /// ```
    /// # use gapless::doc::DocArray;
    /// let docs = DocArray::empty(100);
    /// let mut shuffled = docs.clone();
    /// shuffled.shuffle(7);
    /// assert_ne!(shuffled, docs);
    /// assert_eq!(shuffled, docs.sample(100, 7)?);
    /// # Ok::<(), gapless::Error>(())
    /// ```
    pub fn shuffle(&mut self, seed: u64) {
        let all = self.len();
        Random::new(seed).shuffle(&mut self.0, all);
    }

    /// The documents by the value of a tag, in their order; those without it are dropped.
    ///
    /// Names of nested tags, or places in lists, are divided by `__`.
    ///
    /// ```
    /// use gapless::doc::{Doc, DocArray, Value};
    /// let docs: DocArray = (0..6_u32)
    ///     .map(|number| {
    ///         let mut doc = Doc::new();
    ///         let kind = [("odd".to_string(), Value::from(number % 2 == 1))].into();
    ///         doc.tags.insert("kind".into(), Value::Map(kind));
    ///         doc
    ///     })
    ///     .collect();
    /// let groups = docs.split_by_tag("kind__odd");
    /// assert_eq!(groups.iter().map(|(odd, docs)| (odd.clone(), docs.len())).collect::<Vec<_>>(),
    ///     [(Value::Bool(false), 3), (Value::Bool(true), 3)]);
    /// ```
    pub fn split_by_tag(self, tag: &str) -> Vec<(Value, Self)> {
        let mut groups: Vec<(Value, Self)> = Vec::new();
        let mut places = HashMap::new();
        for doc in self {
            let Some(value) = doc.tag(tag).cloned() else { continue };
            let place = *places.entry(value.key()).or_insert(groups.len());
            match groups.get_mut(place) {
                Some((_, group)) => group.push(doc),
                None => groups.push((value, [doc].into_iter().collect())),
            }
        }
        groups
    }

    pub(crate) fn as_vec(&mut self) -> &mut Vec<Doc> {
        &mut self.0
    }
}

impl Deref for DocArray {
    type Target = [Doc];

    fn deref(&self) -> &[Doc] {
        &self.0
    }
}

impl DerefMut for DocArray {
    fn deref_mut(&mut self) -> &mut [Doc] {
        &mut self.0
    }
}

impl From<Vec<Doc>> for DocArray {
    fn from(docs: Vec<Doc>) -> Self {
        Self(docs)
    }
}

impl FromIterator<Doc> for DocArray {
    fn from_iter<I: IntoIterator<Item = Doc>>(docs: I) -> Self {
        Self(docs.into_iter().collect())
    }
}

impl Extend<Doc> for DocArray {
    fn extend<I: IntoIterator<Item = Doc>>(&mut self, docs: I) {
        self.0.extend(docs);
    }
}

impl IntoIterator for DocArray {
    type Item = Doc;
    type IntoIter = std::vec::IntoIter<Doc>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a DocArray {
    type Item = &'a Doc;
    type IntoIter = std::slice::Iter<'a, Doc>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a mut DocArray {
    type Item = &'a mut Doc;
    type IntoIter = std::slice::IterMut<'a, Doc>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter_mut()
    }
}
