//! A document of a run without a device: what is made of it stands beside it.
//!
//! So nothing has to be handed through a device stage, and results need not be `Sync`.

use crate::error::{Cause, Failure};
use crate::stage::CpuStage;

/// A document, and what the stage made of it.
#[derive(Debug)]
pub(crate) struct Task<D, R> {
    pub(crate) document: D,
    pub(crate) result: Option<R>,
}

impl<D, R> Task<D, R> {
    pub(crate) fn new(document: D) -> Self {
        Self { document, result: None }
    }
}

/// A stage that keeps what it makes in the task.
#[derive(Debug)]
pub(crate) struct Keep<C>(pub(crate) C);

impl<D: Send + 'static, C: CpuStage<D>> CpuStage<Task<D, C::Prepared>> for Keep<C> {
    type Prepared = ();

    fn prepare(&self, task: &mut Task<D, C::Prepared>) -> Result<(), Cause> {
        task.result = Some(self.0.prepare(&mut task.document)?);
        Ok(())
    }
}

/// The failure of the document alone.
pub(crate) fn failure<D, R>(failure: Failure<Task<D, R>>) -> Failure<D> {
    let Failure { document, position, stage, cause } = failure;
    Failure { document: document.document, position, stage, cause }
}
