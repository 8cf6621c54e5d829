//! Closures as stages.

use std::time::Duration;

use super::{CpuStage, GpuStage, Output, StageError};
use crate::error::Cause;

impl<D, P, F> CpuStage<D> for F
where
    F: Fn(&mut D) -> Result<P, Cause> + Send + Sync,
    P: Send,
{
    type Prepared = P;

    fn prepare(&self, document: &mut D) -> Result<P, Cause> {
        self(document)
    }
}

/// Ticket of a closure: the batch is done when `submit` returns.
#[derive(Debug)]
pub struct ClosureTicket<O>(Option<O>);

impl<P, O, F> GpuStage<P> for F
where
    F: FnMut(&[P]) -> Result<O, Cause> + Send,
    O: Output,
{
    type Output = O;
    type Ticket = ClosureTicket<O>;

    fn submit(&mut self, batch: &[P]) -> Result<Self::Ticket, StageError> {
        Ok(ClosureTicket(Some(self(batch)?)))
    }

    fn try_collect(&mut self, ticket: &mut Self::Ticket, _wait: Duration) -> Result<Option<O>, StageError> {
        Ok(ticket.0.take())
    }
}
