//! Spans and events of a run through the `tracing` crate, with the feature `tracing`.
//!
//! Levels: the run and its batches are spans at DEBUG, each document in `prepare` and `then` is one at
//! TRACE; failures and lost devices are events at WARN. Where a level is off a group of documents costs one
//! look at it. `no_spans.rs` is what stands here without the feature: the same names, and nothing in them.

use std::time::Duration;

use tracing::{Level, Span, debug, debug_span, level_enabled, trace_span, warn};

use super::accounts::Accounts;
use crate::error::stalled::Stalled;
use crate::error::{Cause, Error, Stage};
use crate::place::{BatchIndex, Position};

/// The span of a run.
pub(crate) struct Spans {
    run: Span,
    /// Documents in an item: positions are told in documents.
    documents: u64,
}

/// Inside a run, on this thread.
pub(crate) struct Entered<'a> {
    _run: Option<tracing::span::Entered<'a>>,
    spans: &'a Spans,
    /// Whether each document has a span.
    each: bool,
}

/// The span of a batch on its device.
pub(crate) struct BatchSpan(Span);

impl Spans {
    pub(crate) fn new(
        workers: usize,
        devices: usize,
        batch_size: usize,
        tokens: usize,
        documents: u64,
    ) -> Self {
        Self { run: debug_span!(target: "gapless", "run", workers, devices, batch_size, tokens), documents }
    }

    /// Users' own events fall into the run from now on, until the result is dropped.
    pub(crate) fn enter(&self) -> Entered<'_> {
        let run = (!self.run.is_disabled()).then(|| self.run.enter());
        Entered { _run: run, spans: self, each: level_enabled!(Level::TRACE) }
    }

    pub(crate) fn batch(&self, batch: BatchIndex, items: usize, device: &str) -> BatchSpan {
        BatchSpan(debug_span!(target: "gapless", parent: &self.run, "batch", batch = batch.0, items, device))
    }

    fn place(&self, position: Position) -> u64 {
        position.0 * self.documents
    }

    pub(crate) fn failed(&self, position: Position, stage: Stage, cause: &Cause) {
        let position = self.place(position);
        warn!(target: "gapless", parent: &self.run, position, %stage, %cause, "failed");
    }

    pub(crate) fn lost(&self, device: &str, cause: &Cause) {
        warn!(target: "gapless", parent: &self.run, device, %cause, "device lost");
    }

    pub(crate) fn rebuilt(&self, device: &str, took: Duration) {
        let seconds = took.as_secs_f64();
        warn!(target: "gapless", parent: &self.run, device, seconds, "device rebuilt");
    }

    pub(crate) fn stalled(&self, stalled: &Stalled) {
        warn!(target: "gapless", parent: &self.run, %stalled, "stalled");
    }

    /// The run has ended, by this error where there is one, or else as this says.
    pub(crate) fn ended(&self, ending: &str, error: Option<&Error>, accounts: Accounts) {
        let Accounts { pulled, delivered, failed, cancelled, stuck } = accounts;
        match error {
            Some(error) => {
                warn!(target: "gapless", parent: &self.run, ending, %error, pulled, delivered, failed, cancelled, stuck, "ended");
            }
            None => {
                debug!(target: "gapless", parent: &self.run, ending, pulled, delivered, failed, cancelled, stuck, "ended");
            }
        }
    }
}

impl Entered<'_> {
    /// Runs the CPU stage on this document.
    pub(crate) fn prepare<R>(&self, position: Position, call: impl FnOnce() -> R) -> R {
        if !self.each {
            return call();
        }
        let position = self.spans.place(position);
        trace_span!(target: "gapless", parent: &self.spans.run, "prepare", position).in_scope(call)
    }

    /// Runs `then` on this document.
    pub(crate) fn then<R>(&self, position: Position, call: impl FnOnce() -> R) -> R {
        if !self.each {
            return call();
        }
        trace_span!(target: "gapless", parent: &self.spans.run, "then", position = position.0).in_scope(call)
    }
}

impl BatchSpan {
    /// Runs a call of the GPU stage on this batch.
    pub(crate) fn call<R>(&self, call: impl FnOnce() -> R) -> R {
        self.0.in_scope(call)
    }
}
