//! What of a program that was opened is kept for the next run.
//!
//! Clones of a program share one [`Kept`]. A run that ends leaves its runner there, with its plan and its memory,
//! and the next one takes it, where it is large enough. Two runs at once have a runner each, and share what does not
//! depend on the batch; of theirs the larger one is kept, so memory is bounded. All of it goes with the last clone.

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::graph::Graph;
use super::runner::Runner;

#[derive(Debug, Default)]
pub(super) struct Kept {
    idle: Mutex<Option<Runner>>,
    pub(super) shared: Shared,
    /// The graph as the device of the program runs it.
    pub(super) graph: OnceLock<Arc<Graph>>,
}

/// What all rings of a program have in common, if there was one; `hardware` knows what. It is locked while a ring is
/// opened, so that of two that are opened at once one finds what the other made.
#[derive(Debug, Default)]
pub(super) struct Shared(Mutex<Option<Box<dyn Any + Send + Sync>>>);

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, Option<Box<dyn Any + Send + Sync>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// An idle runner for batches of so many items, if there is one. One that is too small is given up, since a larger
    /// one will be made.
    fn take(&self, max_batch: usize) -> Option<Runner> {
        let idle = self.idle().take()?;
        let fits = (1..=idle.plan().max_batch).contains(&max_batch);
        (fits && idle.is_idle()).then_some(idle)
    }

    /// Keeps a runner, unless something of it is in use, or a larger one is kept.
    fn give(&self, runner: Runner) {
        if !runner.is_idle() {
            return;
        }
        let mut idle = self.idle();
        let smaller = idle.as_ref().is_some_and(|kept| kept.plan().max_batch > runner.plan().max_batch);
        let dropped = if smaller { Some(runner) } else { idle.replace(runner) };
        drop(idle);
        // Memory of a device goes outside of the lock.
        drop(dropped);
    }

    /// Gives up all that is kept.
    pub(super) fn clear(&self) {
        let idle = self.idle().take();
        drop(idle);
        drop(self.shared.lock().take());
    }

    fn idle(&self) -> MutexGuard<'_, Option<Runner>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A runner that is in use. It goes back when it is dropped.
#[derive(Debug)]
pub(super) struct Lent {
    runner: Option<Runner>,
    kept: Arc<Kept>,
}

impl Lent {
    /// One that is kept for batches of so many items, else a new one.
    pub(super) fn new<E>(
        kept: &Arc<Kept>,
        max_batch: usize,
        make: impl FnOnce() -> Result<Runner, E>,
    ) -> Result<Self, E> {
        let runner = match kept.take(max_batch) {
            Some(runner) => runner,
            None => make()?,
        };
        Ok(Self { runner: Some(runner), kept: kept.clone() })
    }

    pub(super) fn runner(&mut self) -> &mut Runner {
        self.runner.as_mut().expect("it is there until it is dropped")
    }

    /// Drops the runner: its device is lost.
    pub(super) fn give_up(mut self) {
        self.runner = None;
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(runner) = self.runner.take() {
            self.kept.give(runner);
        }
    }
}
