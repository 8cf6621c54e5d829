//! What stands at a path.

use std::fs::{FileType, OpenOptions};

use crate::error::Cause;

/// An error for everything but a regular file.
pub(super) fn regular(file_type: FileType) -> Result<(), Cause> {
    if file_type.is_file() { Ok(()) } else { Err(refused(file_type)) }
}

/// What says that this is no file.
pub(super) fn refused(file_type: FileType) -> Cause {
    Cause::msg(format_args!("is {}, not a file", kind(file_type)))
}

#[cfg(unix)]
fn kind(file_type: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    match () {
        () if file_type.is_dir() => "a directory",
        () if file_type.is_fifo() => "a FIFO",
        () if file_type.is_socket() => "a socket",
        () if file_type.is_char_device() || file_type.is_block_device() => "a device",
        () => "something else",
    }
}

#[cfg(not(unix))]
fn kind(file_type: FileType) -> &'static str {
    if file_type.is_dir() { "a directory" } else { "something else" }
}

/// How files are opened: without `O_NONBLOCK` the call waits for the other end of a FIFO, for ever.
pub(super) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32);
    }
    options
}
