//! What came out of the engine at once, given on item by item in the order of the source.

use std::iter::Peekable;
use std::vec::IntoIter;

use super::failed::Outcome;
use crate::error::Failure;
use crate::pipeline::{Batch, drop_each};
use crate::place::Position;

/// Items that are out of the engine and not yet with the caller.
pub(super) struct Ready<D, R> {
    positions: Peekable<IntoIter<Position>>,
    documents: IntoIter<D>,
    results: IntoIter<R>,
    failures: Peekable<IntoIter<Failure<D>>>,
}

impl<D, R> Default for Ready<D, R> {
    fn default() -> Self {
        Self {
            positions: Vec::new().into_iter().peekable(),
            documents: Vec::new().into_iter(),
            results: Vec::new().into_iter(),
            failures: Vec::new().into_iter().peekable(),
        }
    }
}

impl<D, R> Ready<D, R> {
    pub(super) fn new(batch: Batch<D, Vec<R>>) -> Self {
        let Batch { documents, positions, output, failures, .. } = batch;
        Self {
            positions: positions.into_iter().peekable(),
            documents: documents.into_iter(),
            results: output.unwrap_or_default().into_iter(),
            failures: failures.into_iter().peekable(),
        }
    }

    /// Items with a result, and items that failed.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.documents.len() as u64, self.failures.len() as u64)
    }

    /// Whether the next item failed; `None` where there is none.
    pub(super) fn next_failed(&mut self) -> Option<bool> {
        match (self.positions.peek(), self.failures.peek()) {
            (None, None) => None,
            (good, failure) => {
                Some(failure.is_some_and(|failure| good.is_none_or(|good| failure.position < *good)))
            }
        }
    }

    pub(super) fn pop(&mut self) -> Option<Result<Outcome<D, R>, Failure<D>>> {
        if self.next_failed()? {
            return self.failures.next().map(Err);
        }
        let (position, document) = (self.positions.next()?, self.documents.next()?);
        self.results.next().map(|result| Ok(Outcome { position, document, result }))
    }

    /// The items without their results.
    pub(super) fn take_items(&mut self) -> Vec<(Position, D)> {
        drop_each(self.results.by_ref());
        let failed = self.failures.by_ref().map(|failure| (failure.position, failure.document));
        self.positions.by_ref().zip(self.documents.by_ref()).chain(failed).collect()
    }
}

/// Dropped one by one: of several whose `Drop` panics none may be dropped while another unwinds.
impl<D, R> Drop for Ready<D, R> {
    fn drop(&mut self) {
        drop_each(self.documents.by_ref());
        drop_each(self.results.by_ref());
        drop_each(self.failures.by_ref());
    }
}
