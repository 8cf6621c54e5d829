//! Closures as stages.

use std::time::Duration;

use super::{CpuStage, GpuStage, IntoResult, Output, StageError};
use crate::error::Cause;

impl<D, R, F> CpuStage<D> for F
where
    F: Fn(&mut D) -> R + Send + Sync,
    R: IntoResult,
    R::Value: Send,
{
    type Prepared = R::Value;

    fn prepare(&self, document: &mut D) -> Result<R::Value, Cause> {
        self(document).into_result()
    }
}

/// Ticket of a closure: the batch is done when `submit` returns.
#[derive(Debug)]
pub struct ClosureTicket<O>(Option<O>);

impl<P, R, F> GpuStage<P> for F
where
    F: FnMut(&[P]) -> R + Send,
    R: IntoResult,
    R::Value: Output,
{
    type Output = R::Value;
    type Ticket = ClosureTicket<R::Value>;

    fn submit(&mut self, batch: &[P]) -> Result<Self::Ticket, StageError> {
        Ok(ClosureTicket(Some(self(batch).into_result()?)))
    }

    fn try_collect(
        &mut self,
        ticket: &mut Self::Ticket,
        _wait: Duration,
    ) -> Result<Option<R::Value>, StageError> {
        Ok(ticket.0.take())
    }
}
