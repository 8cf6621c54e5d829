//! User code on threads of ours: what it throws is caught, also where it is dropped.

use std::any::Any;
use std::mem::needs_drop;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Cause;

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
    if needs_drop::<T>()
        && let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(value)))
    {
        forget_quietly(payload);
    }
}

/// Drops what a panic carried; its own `Drop` may panic too, and what that carries is leaked.
fn forget_quietly(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}
