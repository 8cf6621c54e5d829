//! Where a system is asked for none of what `unix.rs` knows.

use std::fs::{File, Metadata, OpenOptions};
use std::io;

use crate::error::Cause;

pub(in crate::file) fn takes_bytes(_: &Metadata) -> bool {
    false
}

pub(in crate::file) fn refusal(_: &Metadata, error: io::Error) -> Cause {
    error.into()
}

pub(in crate::file) fn wait_for_reader(_: &File) -> io::Result<()> {
    Ok(())
}

pub(in crate::file) fn only_for_the_owner(_: &mut OpenOptions) {}

pub(in crate::file) fn keep_owner_and_mode(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

pub(in crate::file) fn has_other_names(_: &Metadata) -> bool {
    false
}
