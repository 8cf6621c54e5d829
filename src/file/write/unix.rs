//! What of a file only its system knows: kinds of files, owners, and how many names a file has.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, fchown};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use crate::error::Cause;

/// Whether it is no file, and takes bytes all the same.
pub(in crate::file) fn takes_bytes(metadata: &Metadata) -> bool {
    metadata.file_type().is_fifo() || metadata.file_type().is_char_device()
}

/// Why it cannot be opened, in better words than the system's.
pub(in crate::file) fn refusal(metadata: &Metadata, error: io::Error) -> Cause {
    match metadata.file_type().is_fifo()
        && error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error())
    {
        true => Cause::msg("is a FIFO that nobody reads"),
        false => error.into(),
    }
}

/// It was opened without waiting; whoever reads may be slower than this writes.
pub(in crate::file) fn wait_for_reader(file: &File) -> io::Result<()> {
    Ok(fcntl_setfl(file, fcntl_getfl(file)? - OFlags::NONBLOCK)?)
}

pub(in crate::file) fn only_for_the_owner(options: &mut OpenOptions) {
    options.mode(0o600);
}

pub(in crate::file) fn keep_owner_and_mode(file: &File, before: &Metadata) -> io::Result<()> {
    let now = file.metadata()?;
    if (now.uid(), now.gid()) != (before.uid(), before.gid()) {
        // Only root gives files away. The content is the user's all the same.
        let _ = fchown(file, Some(before.uid()), Some(before.gid()));
    }
    file.set_permissions(before.permissions())
}

/// Whether the file has other names, which would keep the old content if this one was given to another file.
pub(in crate::file) fn has_other_names(metadata: &Metadata) -> bool {
    metadata.nlink() > 1
}
