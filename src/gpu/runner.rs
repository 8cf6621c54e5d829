//! What runs a program that is open: the ring on a device, else the twins. Its type is forgotten here, so that nobody
//! else has to know it, or to walk through all of it to see that it may go to another thread.

use std::any::Any;
use std::fmt::Debug;
use std::time::Duration;

use super::item::AnyBatch;
use super::plan::Plan;
use super::profile::KernelTime;
use super::tensors::Tensors;
use crate::error::Cause;
use crate::stage::{DeviceTimes, StageError};

pub(super) type Runner = Box<dyn Runs>;

pub(super) trait Runs: Debug + Send + Sync {
    fn plan(&self) -> &Plan;

    /// From now on it tells `times` what it measures.
    fn tell(&mut self, times: &DeviceTimes);

    /// Whether nothing of it is in use, and its device is there.
    fn is_idle(&self) -> bool;

    fn submit(&mut self, batch: &dyn AnyBatch) -> Result<ProgramTicket, StageError>;

    /// The rows of a batch that is in flight, once it is done.
    fn try_collect(&mut self, flying: &mut Flying, wait: Duration) -> Result<Option<Tensors>, StageError>;

    fn profile(&mut self, rows: usize) -> Result<Vec<KernelTime>, StageError>;
}

/// A batch on its way through a [`Program`](super::Program).
#[derive(Debug)]
pub struct ProgramTicket(pub(super) Flying);

/// What whoever submitted a batch keeps of it.
pub(super) type Flying = Box<dyn Any + Send + Sync>;

pub(super) fn opened_again() -> StageError {
    StageError::Batch(Cause::msg("the program was opened again after this batch"))
}
