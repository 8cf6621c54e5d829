//! What travels through the engine: items, groups of them, batches, and what comes out.

use super::blame::Suspicion;
use super::line::Aftermath;
use crate::error::{Cause, Error, Failure};
use crate::observe::stalls::Trail;
use crate::place::{BatchIndex, Position};

/// Items that memory is taken for at once; beyond them it is taken as they come.
pub(crate) const RESERVED: usize = 1 << 12;

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
            Self::Waiting(document) => document,
            Self::Failed(document, cause) => {
                after.causes.push(cause);
                document
            }
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
    pub(crate) trail: Trail,
}

impl<D, P> Group<D, P> {
    /// Hands all parts out to be dropped without a lock.
    pub(crate) fn cancel(&mut self, after: &mut Aftermath<D, P>) {
        for (offset, slot) in self.slots.drain(..).enumerate() {
            slot.cancel(Position(self.first.0 + offset as u64), after);
        }
    }
}

/// Copies of the last item are to fill the batch up.
#[derive(Debug)]
pub(crate) struct Pad<P> {
    pub(crate) copy: fn(&P) -> P,
    pub(crate) size: usize,
}

/// What goes to the device at once.
pub(crate) struct Batch<D, P> {
    pub(crate) index: BatchIndex,
    pub(crate) items: Vec<Item<D>>,
    pub(crate) prepared: Vec<P>,
    /// Failed items that ride along.
    pub(crate) failures: Vec<Failure<D>>,
    pub(crate) pad: Option<Pad<P>>,
    /// Where it stands; a batch too large for the device comes out in parts.
    pub(crate) part: Part,
    /// What is known of it where the device was lost.
    pub(crate) suspicion: Suspicion,
    /// The run ends after this batch, for this reason.
    pub(crate) then_stop: Option<Error>,
    /// How the group came through that completed it; `None` where none did.
    pub(crate) trail: Option<Trail>,
}

/// A part of a batch: which of its items it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Part {
    /// Items of the batch before this part.
    pub(crate) start: usize,
    /// Items of the batch up to the end of this part.
    pub(crate) end: usize,
    /// Whether no other part of the batch follows.
    pub(crate) last: bool,
}

impl Part {
    /// A whole batch, however many items it will hold.
    const WHOLE: Self = Self { start: 0, end: usize::MAX, last: true };

    /// Whether the batch was not halved.
    pub(crate) fn is_whole(self) -> bool {
        self == Self::WHOLE
    }
}

impl<D, P> Batch<D, P> {
    pub(crate) fn new(index: BatchIndex, prepared: Vec<P>, capacity: usize) -> Self {
        let items = Vec::with_capacity(capacity.min(RESERVED));
        Self {
            index,
            items,
            prepared,
            failures: Vec::new(),
            pad: None,
            part: Part::WHOLE,
            suspicion: Suspicion::default(),
            then_stop: None,
            trail: None,
        }
    }

    /// What comes out where there is no device: what was prepared.
    pub(crate) fn without_device<R>(self, hand_over: impl FnOnce(Vec<P>) -> Option<R>) -> Done<D, R> {
        let Self { index, items, prepared, failures, part, then_stop, .. } = self;
        let output = if items.is_empty() { None } else { hand_over(prepared) };
        Done { index, part, delivery: Ok(Delivery { index, items, output, failures }), then_stop }
    }

    /// Items that hold a token here.
    pub(crate) fn len(&self) -> usize {
        self.items.len() + self.failures.len()
    }

    /// Splits off the second half; the failures come out with the first.
    pub(crate) fn halve(&mut self) -> Self {
        self.suspicion.narrow();
        let half = self.items.len().div_ceil(2);
        let middle = self.part.start + half;
        let second = Self {
            index: self.index,
            items: self.items.split_off(half),
            prepared: self.prepared.drain(half..).collect(),
            failures: Vec::new(),
            pad: None,
            part: Part { start: middle, ..self.part },
            suspicion: self.suspicion,
            then_stop: self.then_stop.take(),
            trail: self.trail,
        };
        self.part = Part { start: self.part.start, end: middle, last: false };
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
    pub(crate) part: Part,
    pub(crate) delivery: Result<Delivery<D, R>, Error>,
    /// The run ends after this delivery, for this reason.
    pub(crate) then_stop: Option<Error>,
}
