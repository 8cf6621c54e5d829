//! Files and addresses: the one place where they are opened, read and written.
//!
//! - A file is read where it is a regular one: a directory, a FIFO, a socket or a device is refused by name, and
//!   nothing is waited for but a disk. It is read up to a limit.
//! - A file is written as a whole or not at all: see [`NewFile`].
//! - An address is a path, `file:`, `data:`, or with the feature `http` `http:` and `https:`.
//! - Every error names the file or the address, and why.
//!
//! Documents, photos, models and traces are read and written by this. It is here for programs around a run, whose own
//! files are then treated in the same way.
//!
//! ```
//! let path = std::env::temp_dir().join(format!("gapless-file-{}.txt", std::process::id()));
//! gapless::file::write(&path, "hello")?;
//! assert_eq!(gapless::file::read(&path, 100)?, b"hello");
//! assert!(gapless::file::read(&path, 4).unwrap_err().to_string().contains("more than the limit of 4"));
//! # std::fs::remove_file(path).unwrap();
//! # Ok::<(), gapless::Cause>(())
//! ```

// Uses: `error`. Used by: every floor that has to do with files.

#[cfg(any(feature = "doc", feature = "image"))]
mod address;
#[cfg(any(feature = "doc", feature = "image"))]
mod data;
mod kind;
mod most;
mod name;
mod read;
#[cfg(all(test, unix))]
mod tests;
#[cfg(feature = "http")]
mod web;
mod write;

#[cfg(feature = "doc")]
pub(crate) use self::address::last_name;
#[cfg(any(feature = "doc", feature = "image"))]
pub(crate) use self::address::{Reach, TIMEOUT, fetch};
#[cfg(feature = "doc")]
pub(crate) use self::data::{data_type, encode as data_uri};
pub(crate) use self::most::Most;
#[cfg(any(feature = "doc", feature = "image"))]
pub(crate) use self::name::address_name;
pub(crate) use self::name::name;
#[cfg(any(feature = "doc", feature = "image"))]
pub(crate) use self::read::read_into;
pub use self::read::{open, read};
pub use self::write::{NewFile, write};
