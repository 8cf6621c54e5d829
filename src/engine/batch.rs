//! What travels through the engine: items, groups of them, batches, and what comes out.

use super::line::Aftermath;
use crate::error::{Cause, Error, Failure};
use crate::place::{BatchIndex, Position};

/// A document on its way, with its place in the source.
#[derive(Clone, Debug)]
pub(crate) struct Item<D> {
    pub(crate) position: Position,
    pub(crate) document: D,
}

/// What has become of an item on the workers.
pub(crate) enum Slot<D, P> {
    Waiting(D),
    Ready(D, P),
    Failed(D, Cause),
}

impl<D, P> Slot<D, P> {
    /// Hands the parts out to be dropped without a lock.
    pub(crate) fn cancel(self, position: Position, after: &mut Aftermath<D, P>) {
        let document = match self {
            Self::Waiting(document) | Self::Failed(document, _) => document,
            Self::Ready(document, prepared) => {
                after.trash.push(prepared);
                document
            }
        };
        after.cancelled.push(Item { position, document });
    }
}

/// Neighbours in the source that are prepared by one worker in one go.
pub(crate) struct Group<D, P> {
    pub(crate) first: Position,
    pub(crate) slots: Vec<Slot<D, P>>,
}

/// What goes to the device at once.
pub(crate) struct Batch<D, P> {
    pub(crate) index: BatchIndex,
    pub(crate) items: Vec<Item<D>>,
    pub(crate) prepared: Vec<P>,
    /// Failed items that ride along.
    pub(crate) failures: Vec<Failure<D>>,
    /// Copies of the last item that fill the batch up to this many.
    pub(crate) pad: Option<(fn(&P) -> P, usize)>,
    /// Whether no other part of this batch follows; a batch too large for the device comes out in parts.
    pub(crate) last_part: bool,
}

impl<D, P> Batch<D, P> {
    pub(crate) fn new(index: BatchIndex, prepared: Vec<P>, capacity: usize) -> Self {
        let items = Vec::with_capacity(capacity);
        Self { index, items, prepared, failures: Vec::new(), pad: None, last_part: true }
    }

    /// Items that hold a token here.
    pub(crate) fn len(&self) -> usize {
        self.items.len() + self.failures.len()
    }

    /// Splits off the second half; the failures come out with the first.
    pub(crate) fn halve(&mut self) -> Self {
        let half = self.items.len().div_ceil(2);
        let second = Self {
            index: self.index,
            items: self.items.split_off(half),
            prepared: self.prepared.drain(half..).collect(),
            failures: Vec::new(),
            pad: None,
            last_part: self.last_part,
        };
        self.pad = None;
        self.last_part = false;
        second
    }
}

/// What comes out of the engine for one batch, or for one part of it.
pub(crate) struct Delivery<D, R> {
    pub(crate) index: BatchIndex,
    pub(crate) items: Vec<Item<D>>,
    /// `None` where no item of the batch reached a result.
    pub(crate) output: Option<R>,
    pub(crate) failures: Vec<Failure<D>>,
}

/// A message to the caller: takes the place of its batch in the order of the results.
pub(crate) struct Done<D, R> {
    pub(crate) index: BatchIndex,
    pub(crate) last_part: bool,
    pub(crate) delivery: Result<Delivery<D, R>, Error>,
    /// The run ends after this delivery, for this reason.
    pub(crate) then_stop: Option<Error>,
}
