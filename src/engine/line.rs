//! The line: where prepared items stand in order until they are cut into batches.
//!
//! In source order the position alone decides where the cuts fall, never timing, unless sizes are chosen
//! from measured costs. Failed items ride along in the batch being filled without taking a place
//! in it, so batches stay full. Where that is decides a [`Cutter`]; what it holds is here.
//! The line never runs user code: what has to be dropped is handed out, to be dropped without the lock.
//!
//! Uses: `seam`, `batch`, `budget`. Used by: `work`, `feed`, `device`.

mod early;

use std::collections::VecDeque;
use std::time::Duration;

use super::batch::{Batch, Group, Item, Pad, RESERVED, Slot};
use super::budget::Budget;
use super::seam::{Moment, Receiver, Seam, Sender};
use super::settings::{LastBatch, Order};
use crate::error::{Cause, Error, Failure, Stage};
use crate::observe::stalls::Trail;
use crate::place::{BatchIndex, Position};
use crate::schedule::cutter::Cutter;

/// Where cut batches go.
pub(crate) enum Sink<D, P> {
    /// To the device threads, at once.
    Stream(Sender<Batch<D, P>>),
    /// Nowhere until the source has ended; then all at once, as one channel.
    Hold { seam: Seam, held: Vec<Batch<D, P>>, out: Sender<Receiver<Batch<D, P>>> },
}

/// What happens to items and batches on their way.
pub(crate) struct Cuts<P> {
    pub(crate) order: Order,
    pub(crate) last: LastBatch<P>,
    /// Whether whatever stands is cut at once, since there is no device that gains by a full batch.
    pub(crate) eager: bool,
}

/// Items that a batch is given room for at once.
fn room<P>(cuts: &Cuts<P>, cutter: &Cutter) -> usize {
    if cuts.eager { 0 } else { cutter.full().min(RESERVED) }
}

/// Documents in an item.
type Weigh<D> = fn(&D) -> usize;

/// What a call leaves to be done without the lock.
pub(crate) struct Aftermath<D, P> {
    /// Items that will not come out.
    pub(crate) cancelled: Vec<Item<D>>,
    /// Prepared items of those.
    pub(crate) trash: Vec<P>,
    /// Why others failed that will not come out.
    pub(crate) causes: Vec<Cause>,
    /// Batches that will not come out.
    pub(crate) batches: Vec<Batch<D, P>>,
    /// Whether the line has just closed itself: nothing more is to be taken in.
    pub(crate) ceased: bool,
}

impl<D, P> Default for Aftermath<D, P> {
    fn default() -> Self {
        Self {
            cancelled: Vec::new(),
            trash: Vec::new(),
            causes: Vec::new(),
            batches: Vec::new(),
            ceased: false,
        }
    }
}

pub(crate) struct Line<D, P> {
    cuts: Cuts<P>,
    cutter: Cutter,
    ring: VecDeque<Option<Slot<D, P>>>,
    head: u64,
    accepted: u64,
    /// Items that were put here.
    put: u64,
    /// Documents that went through the line; an item of `per_batch` holds several.
    seen: u64,
    weigh: Weigh<D>,
    end: Option<u64>,
    open: Batch<D, P>,
    /// When the first item came into the open batch.
    opened: Option<Moment>,
    /// How the group came through that is being put here.
    trail: Option<Trail>,
    /// Since when as many as a batch stand ready behind an item that is not.
    held_up: Option<Moment>,
    sink: Option<Sink<D, P>>,
    budget: Budget,
    /// Why the run ends when everything that was cut is out. It stands here, under the line's lock,
    /// because whoever sees the line closed must see the reason.
    ending: Option<Error>,
    spares: Vec<Vec<P>>,
}

impl<D, P> Line<D, P> {
    pub(crate) fn new(
        cuts: Cuts<P>,
        cutter: Cutter,
        sink: Sink<D, P>,
        budget: Budget,
        weigh: Weigh<D>,
    ) -> Self {
        let room = room(&cuts, &cutter);
        let capacity = match (&sink, cuts.order) {
            (Sink::Stream(_), Order::Source) => cutter.limit(),
            _ => 0,
        };
        Self {
            open: Batch::new(BatchIndex(0), Vec::with_capacity(room), room),
            cuts,
            cutter,
            ring: VecDeque::with_capacity(capacity.min(RESERVED)),
            head: 0,
            accepted: 0,
            put: 0,
            seen: 0,
            weigh,
            end: None,
            opened: None,
            trail: None,
            held_up: None,
            sink: Some(sink),
            budget,
            ending: None,
            spares: Vec::new(),
        }
    }

    /// Takes a group of outcomes, moves the head on and cuts what is full. Where no more is accepted
    /// they are cancelled at once: the head may never come to them.
    pub(crate) fn put(&mut self, group: &mut Group<D, P>, now: Moment) -> Aftermath<D, P> {
        let mut after = Aftermath::default();
        let first = group.first.0;
        if self.sink.is_none() {
            group.cancel(&mut after);
            return after;
        }
        self.put += group.slots.len() as u64;
        self.trail = Some(Trail { held_up: self.held_up, ..group.trail });
        match self.cuts.order {
            Order::Completion => {
                for (offset, slot) in group.slots.drain(..).enumerate() {
                    self.accept(Position(first + offset as u64), slot, now, &mut after);
                }
            }
            Order::Source if first == self.head => {
                self.held_up = None;
                for slot in group.slots.drain(..) {
                    self.head_is(slot, now, &mut after);
                }
                self.advance(now, &mut after);
            }
            Order::Source => self.stand_in_ring(first, group),
        }
        if self.cuts.eager {
            self.cut(&mut after);
        }
        self.look_behind(now);
        self.finish(&mut after);
        after
    }

    /// Notes since when as many as a batch stand ready behind an item that is not.
    fn look_behind(&mut self, now: Moment) {
        let behind = self.put > self.accepted && self.standing() >= self.cutter.size();
        self.held_up = if behind { self.held_up.or(Some(now)) } else { None };
    }

    fn stand_in_ring(&mut self, first: u64, group: &mut Group<D, P>) {
        let start = usize::try_from(first - self.head).expect("the ring is as long as the tokens");
        if self.ring.len() < start + group.slots.len() {
            self.ring.resize_with(start + group.slots.len(), || None);
        }
        for (offset, slot) in group.slots.drain(..).enumerate() {
            self.ring[start + offset] = Some(slot);
        }
    }

    fn head_is(&mut self, slot: Slot<D, P>, now: Moment, after: &mut Aftermath<D, P>) {
        let empty = self.ring.pop_front();
        debug_assert!(!matches!(empty, Some(Some(_))), "a position is given once");
        self.take_head(slot, now, after);
    }

    fn advance(&mut self, now: Moment, after: &mut Aftermath<D, P>) {
        while let Some(slot) = self.ring.front_mut().and_then(Option::take) {
            self.ring.pop_front();
            self.take_head(slot, now, after);
        }
    }

    fn take_head(&mut self, slot: Slot<D, P>, now: Moment, after: &mut Aftermath<D, P>) {
        let position = Position(self.head);
        self.head += 1;
        self.accept(position, slot, now, after);
    }

    fn accept(&mut self, position: Position, slot: Slot<D, P>, now: Moment, after: &mut Aftermath<D, P>) {
        self.accepted += 1;
        if self.sink.is_none() {
            return slot.cancel(position, after);
        }
        self.seen += (self.weigh)(slot.document()) as u64;
        match slot {
            Slot::Waiting(document) => after.cancelled.push(Item { position, document }),
            Slot::Ready(document, prepared) => {
                self.opened.get_or_insert(now);
                self.open.items.push(Item { position, document });
                self.open.prepared.push(prepared);
            }
            Slot::Failed(document, cause) => {
                self.opened.get_or_insert(now);
                self.fail(position, document, cause, after);
            }
        }
        self.cut_if_full(after);
    }

    fn cut_if_full(&mut self, after: &mut Aftermath<D, P>) {
        if self.cutter.is_full(self.open.items.len(), self.open.len()) {
            self.cut(after);
        }
    }

    fn fail(&mut self, position: Position, document: D, cause: Cause, after: &mut Aftermath<D, P>) {
        let documents = (self.weigh)(&document) as u64;
        self.open.failures.push(Failure { document, position, stage: Stage::Cpu, cause });
        if self.budget.exceeded_by(documents, position, self.seen) {
            self.end_with(Error::Stopped { position }, after);
        }
    }

    /// Cuts what stands and accepts no more: what comes later is cancelled.
    fn end_with(&mut self, error: Error, after: &mut Aftermath<D, P>) {
        self.cut(after);
        // It stands before the end of the source: a panic of the source that was noted is beyond it.
        self.ending = Some(error);
        after.ceased = true;
        self.release(after);
        self.empty(after);
    }

    /// The source has ended, having given `total` items, by itself or for this reason.
    pub(crate) fn end(&mut self, total: u64, reason: Option<Error>, trail: Trail) -> Aftermath<D, P> {
        let mut after = Aftermath::default();
        self.trail = Some(trail);
        self.ending = self.ending.take().or(reason);
        self.end = Some(total);
        self.finish(&mut after);
        after
    }

    fn finish(&mut self, after: &mut Aftermath<D, P>) {
        if self.sink.is_none() || self.end != Some(self.accepted) {
            return;
        }
        if self.cutter.is_short(self.open.items.len()) {
            self.shorten(after);
        }
        if self.open.len() > 0 {
            self.cut(after);
        }
        self.release(after);
    }

    /// What happens to a last batch that is not full.
    fn shorten(&mut self, after: &mut Aftermath<D, P>) {
        match self.cuts.last {
            LastBatch::Short | LastBatch::Pad(_) => {}
            LastBatch::Drop => {
                after.cancelled.append(&mut self.open.items);
                after.trash.append(&mut self.open.prepared);
            }
        }
    }

    /// A batch that is cut short for whatever reason is filled up, where that was asked for. The copies
    /// are made by user code; the device thread does that, without the lock.
    fn padding(&self) -> Option<Pad<P>> {
        let short = !self.open.items.is_empty() && self.cutter.is_short(self.open.items.len());
        match self.cuts.last {
            LastBatch::Pad(copy) if short => Some(Pad { copy, size: self.cutter.full() }),
            _ => None,
        }
    }

    fn cut(&mut self, after: &mut Aftermath<D, P>) {
        if self.open.len() == 0 {
            return;
        }
        self.open.pad = self.padding();
        let room = room(&self.cuts, &self.cutter);
        let prepared = self.spares.pop().unwrap_or_else(|| Vec::with_capacity(room));
        let next = Batch::new(BatchIndex(self.open.index.0 + 1), prepared, room);
        let mut batch = std::mem::replace(&mut self.open, next);
        batch.trail = self.trail;
        self.opened = None;
        self.cutter.was_cut(batch.items.len());
        match &mut self.sink {
            Some(Sink::Stream(out)) => after.batches.extend(out.send(batch).err()),
            Some(Sink::Hold { held, .. }) => held.push(batch),
            None => after.batches.push(batch),
        }
    }

    /// Lets the devices know that no batch will follow.
    fn release(&mut self, after: &mut Aftermath<D, P>) {
        let Some(Sink::Hold { seam, held, out }) = self.sink.take() else { return };
        let (sender, receiver) = seam.channel(held.len().max(1));
        for batch in held {
            after.batches.extend(sender.send(batch).err());
        }
        // Whoever receives the batches must find their end, and not wait for it.
        drop(sender);
        // Where the caller is gone nobody takes the batches.
        if let Err(receiver) = out.send(receiver) {
            while let Ok(Some(batch)) = receiver.try_recv() {
                after.batches.push(batch);
            }
        }
    }

    fn empty(&mut self, after: &mut Aftermath<D, P>) {
        for (offset, slot) in self.ring.drain(..).enumerate() {
            if let Some(slot) = slot {
                self.accepted += 1;
                slot.cancel(Position(self.head + offset as u64), after);
            }
        }
    }

    /// Accepts no more and hands out everything that stands here.
    pub(crate) fn close(&mut self) -> Aftermath<D, P> {
        let mut after = Aftermath::default();
        if let Some(Sink::Hold { held, .. }) = self.sink.take() {
            after.batches = held;
        }
        let open = Batch::new(self.open.index, Vec::new(), 0);
        after.batches.push(std::mem::replace(&mut self.open, open));
        self.empty(&mut after);
        after
    }

    /// Cuts the open batch if its oldest item has waited for `max_wait`; else says for how long it may still wait.
    pub(crate) fn cut_overdue(&mut self, max_wait: Duration, now: Moment) -> (Duration, Aftermath<D, P>) {
        let mut after = Aftermath::default();
        let waited = self.opened.map(|opened| now.saturating_sub(opened));
        match waited {
            Some(waited) if waited >= max_wait => {
                self.trail = None;
                self.cut(&mut after);
                (max_wait, after)
            }
            Some(waited) => (max_wait - waited, after),
            None => (max_wait, after),
        }
    }

    /// Takes an empty vector back for the prepared items of a later batch.
    pub(crate) fn recycle(&mut self, spare: Vec<P>) {
        debug_assert!(spare.is_empty(), "only memory is recycled here");
        if self.spares.len() < 8 && spare.capacity() >= self.cutter.full().min(RESERVED) {
            self.spares.push(spare);
        }
    }

    /// Counts documents that failed after they were cut; true if they are more than the policy allows.
    pub(crate) fn count_failures(&mut self, failures: u64, position: Position) -> bool {
        self.budget.exceeded_by(failures, position, self.seen)
    }

    /// Why the run ends when everything that was cut is out; `None` where it simply ends.
    pub(crate) fn take_ending(&mut self) -> Option<Error> {
        let share = || self.budget.exceeded_at_end(self.seen);
        self.ending.take().or_else(|| share().map(|position| Error::Stopped { position }))
    }

    /// Items that stand here: behind one that is not ready, or in the batch being filled.
    pub(crate) fn standing(&self) -> usize {
        self.put.saturating_sub(self.accepted) as usize + self.open.len()
    }

    /// Batches cut so far.
    pub(crate) fn cut_so_far(&self) -> u64 {
        self.open.index.0
    }
}
