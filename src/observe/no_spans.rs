//! What stands in the place of `spans.rs` without the feature `tracing`: nothing, under the same names.

use std::time::Duration;

use super::accounts::Accounts;
use crate::error::stalled::Stalled;
use crate::error::{Cause, Error, Stage};
use crate::place::{BatchIndex, Position};

pub(crate) struct Spans;

pub(crate) struct Entered;

pub(crate) struct BatchSpan;

impl Spans {
    pub(crate) fn new(_: usize, _: usize, _: usize, _: usize, _: u64) -> Self {
        Self
    }

    pub(crate) fn enter(&self) -> Entered {
        Entered
    }

    pub(crate) fn batch(&self, _: BatchIndex, _: usize, _: &str) -> BatchSpan {
        BatchSpan
    }

    pub(crate) fn failed(&self, _: Position, _: Stage, _: &Cause) {}

    pub(crate) fn lost(&self, _: &str, _: &Cause) {}

    pub(crate) fn rebuilt(&self, _: &str, _: Duration) {}

    pub(crate) fn stalled(&self, _: &Stalled) {}

    pub(crate) fn ended(&self, _: &str, _: Option<&Error>, _: Accounts) {}
}

impl Entered {
    pub(crate) fn prepare<R>(&self, _: Position, call: impl FnOnce() -> R) -> R {
        call()
    }

    pub(crate) fn then<R>(&self, _: Position, call: impl FnOnce() -> R) -> R {
        call()
    }
}

impl BatchSpan {
    pub(crate) fn call<R>(&self, call: impl FnOnce() -> R) -> R {
        call()
    }
}
