//! Documents on the wire: DocArray's stream format V1, written and read on several workers.
//!
//! [`Wire`] says what the format is. Here lengths are believed when the bytes are there, and what a document would
//! become is counted before it is made.

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
pub use io::{ReadDocs, Wire};
