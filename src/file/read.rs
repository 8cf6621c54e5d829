//! The one reader of files.
//!
//! It waits for nothing but a disk. A file is never mapped into memory, since a mapped file that shrinks kills the
//! process.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::kind::{options, regular};
use super::{Most, name};
use crate::error::Cause;

/// Opens a regular file to read from.
///
/// # Errors
/// Names the path and why: it cannot be opened, or is a directory, a FIFO, a socket or a device.
///
/// ```
/// use std::io::Read;
/// let mut start = [0; 2];
/// gapless::file::open("photos/coffee.jpg")?.read_exact(&mut start)?;
/// assert_eq!(start, [0xFF, 0xD8]);
/// # #[cfg(unix)]
/// assert_eq!(gapless::file::open("photos").unwrap_err().to_string(), "photos: is a directory, not a file");
/// # Ok::<(), gapless::Cause>(())
/// ```
pub fn open(path: impl AsRef<Path>) -> Result<File, Cause> {
    let path = path.as_ref();
    opened(path).map_err(|cause| cause.context(name(path)))
}

/// Reads a regular file of at most so many bytes; 0 is no limit.
///
/// # Errors
/// Names the path and why: as [`open`], or it is larger, or cannot be read.
pub fn read(path: impl AsRef<Path>, most: u64) -> Result<Vec<u8>, Cause> {
    let mut bytes = Vec::new();
    read_into(path.as_ref(), Most { bytes: most, setting: "" }, &mut bytes)?;
    Ok(bytes)
}

/// Reads a regular file into a buffer, whatever was in it before.
pub(crate) fn read_into(path: &Path, most: Most, into: &mut Vec<u8>) -> Result<(), Cause> {
    read_unnamed(path, most, into).map_err(|cause| cause.context(name(path)))
}

/// As [`read_into`], for whoever says the name: an address is named as it was given.
pub(super) fn read_unnamed(path: &Path, most: Most, into: &mut Vec<u8>) -> Result<(), Cause> {
    fill(&opened(path)?, most, into)
}

fn opened(path: &Path) -> Result<File, Cause> {
    // To open a FIFO would wake its writer, and a device may do anything: so neither is opened where that can be known.
    regular(std::fs::metadata(path)?.file_type())?;
    let file = options().read(true).open(path)?;
    // What was opened may be another than what was looked at.
    regular(file.metadata()?.file_type())?;
    Ok(file)
}

/// Reads until the file ends. Its length is only believed as far as memory goes: it may grow meanwhile, and those of
/// the system say 0.
fn fill(file: &File, most: Most, into: &mut Vec<u8>) -> Result<(), Cause> {
    let length = file.metadata()?.len();
    most.admit(length)?;
    into.clear();
    into.try_reserve_exact(usize::try_from(length)?)?;
    file.take(most.look()).read_to_end(into)?;
    most.admit(into.len() as u64)
}
