//! A value that shares its cache lines with nothing else.

use std::ops::Deref;

/// Stands on a line of the caches of its own, and on the one beside it, which processors fetch with it: what one
/// thread writes takes no line away under what another reads.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Apart<T>(pub(crate) T);

impl<T> Deref for Apart<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
