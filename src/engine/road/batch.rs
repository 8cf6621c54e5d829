//! What travels along the road: groups, batches of them, and what comes out.
//!
//! From the worker on an item keeps its place: position, document and prepared item stand side by side in
//! columns, which groups hand to batches and batches to the caller. Each item has one owner at a time.

use std::time::Duration;

use super::blame::Suspicion;
use crate::engine::guard::{drop_each, drop_user};
use crate::engine::seam::Moment;
use crate::error::{Error, Failure};
use crate::observe::stalls::Trail;
use crate::place::{BatchIndex, Position, Within};

/// Items that memory is taken for at once; beyond them it is taken as they come.
pub(crate) const RESERVED: usize = 1 << 12;

/// Items side by side: those that are good in three columns, and those that failed.
pub(crate) struct Columns<D, P> {
    pub(crate) positions: Vec<Position>,
    pub(crate) documents: Vec<D>,
    pub(crate) prepared: Vec<P>,
    pub(crate) failures: Vec<Failure<D>>,
}

impl<D, P> Default for Columns<D, P> {
    fn default() -> Self {
        Self { positions: Vec::new(), documents: Vec::new(), prepared: Vec::new(), failures: Vec::new() }
    }
}

impl<D, P> Columns<D, P> {
    /// Room for so many good items; the prepared ones go into this memory.
    pub(crate) fn with_room(items: usize, prepared: Vec<P>) -> Self {
        let room = items.min(RESERVED);
        Self {
            positions: Vec::with_capacity(room),
            documents: Vec::with_capacity(room),
            prepared,
            failures: Vec::new(),
        }
    }

    /// Items with a prepared one.
    pub(crate) fn good(&self) -> usize {
        self.positions.len()
    }

    /// Items that hold a token here.
    pub(crate) fn len(&self) -> usize {
        self.positions.len() + self.failures.len()
    }

    pub(crate) fn push(&mut self, position: Position, document: D, prepared: P) {
        self.positions.push(position);
        self.documents.push(document);
        self.prepared.push(prepared);
    }

    /// Takes all items of another.
    pub(crate) fn append(&mut self, other: &mut Self) {
        self.positions.append(&mut other.positions);
        self.documents.append(&mut other.documents);
        self.prepared.append(&mut other.prepared);
        self.failures.append(&mut other.failures);
    }

    /// Takes a good item out; those behind it move up.
    pub(crate) fn take(&mut self, index: usize) -> (Position, D, P) {
        (self.positions.remove(index), self.documents.remove(index), self.prepared.remove(index))
    }

    /// Gives up what was prepared: the documents with their places. User code is dropped here.
    pub(crate) fn into_left(self) -> Vec<Left<D>> {
        let Self { positions, documents, prepared, failures } = self;
        drop_each(prepared);
        let good = positions.into_iter().zip(documents);
        good.map(|(position, document)| Left { position, document })
            .chain(failures.into_iter().map(Left::of_failure))
            .collect()
    }
}

/// A document that does not come out, with its place in the source.
#[derive(Clone, Debug)]
pub(crate) struct Left<D> {
    pub(crate) position: Position,
    pub(crate) document: D,
}

impl<D> Left<D> {
    pub(crate) fn of_failure(failure: Failure<D>) -> Self {
        drop_user(failure.cause);
        Self { position: failure.position, document: failure.document }
    }
}

/// Neighbours in the source that a worker has prepared in one go.
pub(crate) struct Group<D, P> {
    pub(crate) first: Position,
    /// Items in it, good or not.
    pub(crate) count: usize,
    pub(crate) items: Columns<D, P>,
    pub(crate) trail: Trail,
}

/// Copies of the last item are to fill the batch up.
#[derive(Debug)]
pub(crate) struct Pad<P> {
    pub(crate) copy: fn(&P) -> P,
    pub(crate) size: usize,
}

/// An item of a live source on its way: when it was pulled, and how long its batch waited for others with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OnItsWay {
    pub(crate) pulled: Moment,
    /// When it came into its batch.
    pub(crate) came: Moment,
    pub(crate) waited: Duration,
}

/// What goes to the device at once.
pub(crate) struct Batch<D, P> {
    pub(crate) index: BatchIndex,
    /// With the failed items that ride along.
    pub(crate) items: Columns<D, P>,
    pub(crate) pad: Option<Pad<P>>,
    /// Where it stands; a batch too large for the device comes out in parts.
    pub(crate) part: Part,
    /// What is known of it where the device was lost.
    pub(crate) suspicion: Suspicion,
    /// The run ends after this batch, for this reason.
    pub(crate) then_stop: Option<Error>,
    /// How the group came through that completed it; `None` where none did.
    pub(crate) trail: Option<Trail>,
    /// Where the source is live: its items, and how long they are on their way.
    pub(crate) on_their_way: Vec<OnItsWay>,
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
    /// Its place, and the items of the batch before it where it is a part.
    pub(crate) fn place(&self) -> Within {
        (self.index.0, self.part.start)
    }

    pub(crate) fn new(index: BatchIndex, items: Columns<D, P>) -> Self {
        Self {
            index,
            items,
            pad: None,
            part: Part::WHOLE,
            suspicion: Suspicion::default(),
            then_stop: None,
            trail: None,
            on_their_way: Vec::new(),
        }
    }

    /// What comes out of it, with this output.
    pub(crate) fn done<R>(self, output: Option<R>) -> Done<D, R> {
        let Self { index, items, part, then_stop, on_their_way, .. } = self;
        let Columns { positions, documents, failures, .. } = items;
        let delivery = Delivery { index, positions, documents, output, failures };
        Done { index, part, delivery: Ok(delivery), then_stop, on_their_way }
    }

    /// Splits off the second half; the failures come out with the first.
    pub(crate) fn halve(&mut self) -> Self {
        self.suspicion.narrow();
        let half = self.items.good().div_ceil(2);
        let middle = self.part.start + half;
        let second = Columns {
            positions: self.items.positions.split_off(half),
            documents: self.items.documents.split_off(half),
            prepared: self.items.prepared.drain(half..).collect(),
            failures: Vec::new(),
        };
        let second = Self {
            part: Part { start: middle, ..self.part },
            suspicion: self.suspicion,
            then_stop: self.then_stop.take(),
            on_their_way: std::mem::take(&mut self.on_their_way),
            trail: self.trail,
            ..Self::new(self.index, second)
        };
        self.part = Part { start: self.part.start, end: middle, last: false };
        second
    }
}

/// What comes out of the engine for one batch, or for one part of it.
pub(crate) struct Delivery<D, R> {
    pub(crate) index: BatchIndex,
    pub(crate) positions: Vec<Position>,
    pub(crate) documents: Vec<D>,
    /// `None` where no item of the batch reached a result.
    pub(crate) output: Option<R>,
    pub(crate) failures: Vec<Failure<D>>,
}

/// A result for the caller: takes the place of its batch in the order of the results.
pub(crate) struct Done<D, R> {
    pub(crate) index: BatchIndex,
    pub(crate) part: Part,
    pub(crate) delivery: Result<Delivery<D, R>, Error>,
    /// The run ends after this delivery, for this reason.
    pub(crate) then_stop: Option<Error>,
    /// Items of a live source that are out with it.
    pub(crate) on_their_way: Vec<OnItsWay>,
}

impl<D, R> Done<D, R> {
    /// Its batch, and the items of that batch before it.
    pub(crate) fn place(&self) -> Within {
        (self.index.0, self.part.start)
    }

    /// Items that come out with it.
    pub(crate) fn items(&self) -> u64 {
        let delivery = self.delivery.as_ref();
        delivery.map_or(0, |delivery| (delivery.positions.len() + delivery.failures.len()) as u64)
    }
}

/// A message to the caller.
pub(crate) enum Message<D, R> {
    Done(Done<D, R>),
    /// The line has opened for a device that the caller runs itself.
    Opened,
    /// No batch follows; so many items are in those that were cut.
    End {
        items: u64,
    },
    /// Somebody wants the run to end.
    Stopped,
    /// The run ends now, for this reason, whatever else is on its way.
    Ends(Error),
}
