//! Documents on the wire: DocArray's stream format V1, written and read on several workers.
//!
//! ```text
//! u8 version = 1 | u64 count, big endian | { u32 length, big endian | document }*
//! ```
//!
//! A document is a protobuf message, and compressed by itself, so that documents can be made and taken
//! apart in parallel while the bytes go out or come in. DocArray 0.21 reads what this writes, with
//! `load_binary`, and this reads what DocArray writes with `protocol='protobuf'`; `scripts/wire_peer.py` proves
//! it, field by field.
//!
//! # What is not the same
//! - Pickle is never read: it runs whatever code its writer wants. The whole-array protocols are not either.
//! - Sparse tensors are an error. Tensors of other frameworks, and lists, come as arrays and go out as numpy's;
//!   booleans come as u8, and half floats as f32, which holds each of them.
//! - Numbers of tags are doubles, as protobuf has them.
//!
//! # Hostile files
//! No file makes this panic, and none makes it take memory that its bytes do not fill: lengths are believed
//! when the bytes are there, and what a document would become is counted before it is made
//! ([`Wire::max_document`]).

mod array;
mod compress;
mod convert;
mod frames;
mod io;
mod outline;
#[cfg(unix)]
mod process;
mod proto;

pub use compress::Compression;
pub use io::{Documents, Wire};
