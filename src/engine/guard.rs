//! User code is called, and values of the user's are dropped, through here alone: neither a panic of a call nor
//! one of a `Drop` ends a thread of the run, or the process where the thread is a pool's.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::Cause;

/// Runs user code; a panic becomes a cause.
pub(crate) fn guard<R>(call: impl FnOnce() -> R) -> Result<R, Cause> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|payload| {
        let cause = Cause::panic(&*payload);
        forget_quietly(payload);
        cause
    })
}

/// Drops a value of the user's: its `Drop` is user code and may panic.
pub(crate) fn drop_user<T>(value: T) {
    if std::mem::needs_drop::<T>()
        && let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(value)))
    {
        forget_quietly(payload);
    }
}

/// Drops values of the user's one by one, so that of several whose `Drop` panics none is dropped
/// while another unwinds, which would end the process.
pub(crate) fn drop_each<T>(values: impl IntoIterator<Item = T>) {
    if std::mem::needs_drop::<T>() {
        values.into_iter().for_each(drop_user);
    }
}

/// Drops what a panic carried; its own `Drop` may panic too, and then it is leaked.
fn forget_quietly(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
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
