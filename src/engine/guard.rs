//! User code is called, and values of the user's are dropped, through here alone: neither a panic of a call nor
//! one of a `Drop` ends a thread of the run, or the process where the thread is a pool's.

pub(crate) use crate::error::guard::{drop_user, guard};

/// Drops values of the user's one by one, so that of several whose `Drop` panics none is dropped
/// while another unwinds, which would end the process.
pub(crate) fn drop_each<T>(values: impl IntoIterator<Item = T>) {
    if std::mem::needs_drop::<T>() {
        values.into_iter().for_each(drop_user);
    }
}

/// A value of the user's that several threads hold: whichever is the last drops it.
pub(crate) struct Held<T>(Option<T>);

impl<T> Held<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T> std::ops::Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("it is there until it is dropped")
    }
}

impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        drop_user(self.0.take());
    }
}
