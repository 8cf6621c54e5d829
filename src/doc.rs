//! Documents: a record of a name and what it holds, arrays of them, and everything that is done with many.
//!
//! A [`Doc`] names its content and holds it: a text, a blob of bytes, or a tensor. A [`DocArray`] comes from
//! files, an ndarray or a stream, goes through [`map`](DocArray::map) and [`apply`](DocArray::apply), and
//! its documents are what a [`Pipeline`](crate::Pipeline) takes. The engine never needs a `Doc`: it runs on
//! any type.
//!
#![cfg_attr(feature = "image", doc = "```")]
#![cfg_attr(not(feature = "image"), doc = "```ignore")]
//! use gapless::doc::{Doc, DocArray};
//! use gapless::image::Normalization;
//! use gapless::Cause;
//!
//! let mut docs = DocArray::from_files("photos/*.jpg")?;
//! docs.apply(|doc: &mut Doc| {
//!     doc.load_image()?.normalize(&Normalization::default(), -1)?.move_channel(-1, 0)?;
//!     Ok::<_, Cause>(())
//! })
//! .workers(2)
//! .run()?;
//! assert!(docs.iter().all(|doc| doc.tensor().is_some_and(|tensor| tensor.shape()[0] == 3)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
#![cfg_attr(
    feature = "wire",
    doc = "A [`Wire`] writes documents as DocArray does, and reads what DocArray wrote."
)]

// Uses: every floor below. Used by: nothing else of the crate.

mod array;
mod blobs;
mod document;
mod element;
mod embed;
mod files;
#[cfg(feature = "image")]
mod images;
mod map;
mod mime;
#[cfg(feature = "image")]
mod pixels;
mod random;
mod split_mix;
mod tags;
mod tensor;
#[cfg(feature = "wire")]
mod wire;

pub use array::DocArray;
pub use document::{Content, Doc, Score};
pub use element::Number;
pub use embed::{Embed, OwnTensor};
pub use files::{FoundDocs, FromFiles, Patterns, Read};
pub use tags::{Tags, Value};
pub use tensor::Tensor;
#[cfg(feature = "wire")]
pub use wire::{Compression, ReadDocs, Wire};
