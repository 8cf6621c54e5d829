//! A stage that is called as the engine calls it: panics are caught, and results are waited for.

use std::time::{Duration, Instant};

use super::broken::{Checked, Law, broken, ensure};
use crate::error::Cause;
use crate::error::guard::guard;
use crate::stage::{GpuStage, Output, StageError};

/// How long one call waits for a result.
const WAIT: Duration = Duration::from_millis(1);

/// A stage that is open.
pub(super) struct Probe<G> {
    pub(super) stage: G,
    pub(super) patience: Duration,
}

/// What a call came to: a panic breaks a law of its own.
fn calm<T>(call: &str, made: Result<T, Cause>) -> Checked<T> {
    made.or_else(|panic| broken(Law::Panics, format!("{call} {panic}")))
}

impl<G> Probe<G> {
    /// Calls the stage.
    pub(super) fn call<T>(&mut self, name: &str, call: impl FnOnce(&mut G) -> T) -> Checked<T> {
        calm(name, guard(|| call(&mut self.stage)))
    }

    pub(super) fn open<P>(mut stage: G, max_batch: usize, patience: Duration) -> Checked<Self>
    where
        G: GpuStage<P>,
    {
        match calm("open", guard(|| stage.open(max_batch)))? {
            Ok(()) => Ok(Self { stage, patience }),
            Err(cause) => broken(Law::Open, format!("for batches of {max_batch}: {cause}")),
        }
    }

    pub(super) fn depth<P>(&mut self) -> Checked<usize>
    where
        G: GpuStage<P>,
    {
        let depth = self.call("depth", |stage| stage.depth())?;
        ensure(Law::Depth, depth > 0, || "no batch may be in flight".into())?;
        Ok(depth)
    }

    /// A batch that works.
    pub(super) fn submit<P>(&mut self, batch: &[P]) -> Checked<G::Ticket>
    where
        G: GpuStage<P>,
    {
        let submitted = self.try_submit(batch)?;
        submitted.or_else(|error| {
            broken(Law::Result, format!("a batch of {} was not submitted: {}", batch.len(), told(&error)))
        })
    }

    pub(super) fn try_submit<P>(&mut self, batch: &[P]) -> Checked<Result<G::Ticket, StageError>>
    where
        G: GpuStage<P>,
    {
        self.call("submit", |stage| stage.submit(batch))
    }

    /// The result of a batch that works.
    pub(super) fn collect<P>(&mut self, ticket: &mut G::Ticket, items: usize) -> Checked<G::Output>
    where
        G: GpuStage<P>,
    {
        let output = match self.try_collect(ticket)? {
            Ok(output) => output,
            Err(error) => return broken(Law::Result, format!("a batch of {items}: {}", told(&error))),
        };
        let rows = output.rows();
        let said = || format!("an output for {items} items has {rows:?} rows");
        ensure(Law::Rows, rows == Some(items), said)?;
        Ok(output)
    }

    /// The result, or the error that came instead; waits for one of them.
    pub(super) fn try_collect<P>(&mut self, ticket: &mut G::Ticket) -> Checked<Result<G::Output, StageError>>
    where
        G: GpuStage<P>,
    {
        let begin = Instant::now();
        let mut wait = Duration::ZERO;
        loop {
            match self.call("try_collect", |stage| stage.try_collect(ticket, wait))? {
                Ok(Some(output)) => return Ok(Ok(output)),
                Ok(None) => {}
                Err(error) => return Ok(Err(error)),
            }
            wait = WAIT;
            if begin.elapsed() > self.patience {
                return broken(Law::Result, format!("none came within {:?}", self.patience));
            }
        }
    }

    /// Submits a batch and waits for its result.
    pub(super) fn run<P>(&mut self, batch: &[P]) -> Checked<G::Output>
    where
        G: GpuStage<P>,
    {
        let mut ticket = self.submit(batch)?;
        self.collect(&mut ticket, batch.len())
    }
}

/// What an error says, with its kind.
pub(super) fn told(error: &StageError) -> String {
    let kind = match error {
        StageError::Batch(_) => "it failed",
        StageError::TooLarge(_) => "it is too large",
        StageError::Lost(_) => "the device is lost",
    };
    format!("{kind}: {}", error.cause())
}
