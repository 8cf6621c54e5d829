//! Reads a file into a buffer that is used again.
//!
//! It waits for nothing but a disk: no FIFO, no device, no terminal. A file is never mapped into
//! memory, since a mapped file that shrinks kills the process. The descriptor is open only here.

use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::allowance::Allowance;
use crate::error::Cause;

/// Reads the whole file into `into`, whatever was in it before.
pub(crate) fn read(path: &Path, allowance: &Allowance, into: &mut Vec<u8>) -> Result<(), Cause> {
    let file = open(path)?;
    let metadata = file.metadata()?;
    regular(&metadata)?;
    allowance.admit_file(metadata.len())?;
    let length = usize::try_from(metadata.len())?;
    into.clear();
    into.try_reserve_exact(length)?;
    into.resize(length, 0);
    let read = fill(&file, into)?;
    into.truncate(read);
    Ok(())
}

#[cfg(unix)]
fn open(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    // Without `O_NONBLOCK` the call waits for the other end of a FIFO, for ever.
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

fn regular(metadata: &Metadata) -> Result<(), Cause> {
    if metadata.is_file() {
        return Ok(());
    }
    Err(Cause::msg(format_args!("is {}, not a file", kind(metadata.file_type()))))
}

#[cfg(unix)]
fn kind(file_type: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    match () {
        () if file_type.is_dir() => "a directory",
        () if file_type.is_fifo() => "a FIFO",
        () if file_type.is_char_device() || file_type.is_block_device() => "a device",
        () => "something else",
    }
}

#[cfg(not(unix))]
fn kind(file_type: FileType) -> &'static str {
    if file_type.is_dir() { "a directory" } else { "something else" }
}

/// Reads until the buffer is full or the file ends; never more, though the file may grow meanwhile.
fn fill(mut file: &File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
