//! The line: where prepared items stand in order until they are cut into batches, and batches until a device
//! takes them.
//!
//! In source order the position alone decides where the cuts fall (the rules are `schedule::cutter`), never
//! timing, unless sizes are chosen from measured costs. Failed items ride along in the batch being filled without taking a place
//! in it, so batches stay full.
//! The line never runs user code and wakes nobody: what has to be dropped, and who has to be woken, is handed
//! out, to be done without its lock. It counts no failures against a policy: the ledger does.
//!
//! Uses: `seam`, `ledger`, `batch`. Used by: `road`.

mod aftermath;
mod ready;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::aftermath::{Aftermath, Wake};
use self::ready::Ready;
pub(crate) use self::ready::{Asks, Taken};
use super::batch::{Batch, Columns, Group, OnItsWay, Pad, RESERVED};
use crate::engine::auto::CutAt;
use crate::engine::ledger::Ledger;
use crate::engine::seam::Moment;
use crate::engine::settings::{LastBatch, Order};
use crate::error::{Error, Failure};
use crate::observe::stalls::Trail;
use crate::place::{BatchIndex, Position};
use crate::schedule::cutter::Cutter;

/// How the line cuts.
pub(crate) struct Cuts<P> {
    pub(crate) cutter: Cutter,
    pub(crate) order: Order,
    pub(crate) last: LastBatch<P>,
    /// There is no device that gains by a full batch: whatever stands is cut at once, and handed out.
    pub(crate) without_device: bool,
    /// Devices that take batches.
    pub(crate) devices: usize,
    /// Whether batches are kept back until the last one is cut.
    pub(crate) opens_late: bool,
    /// Whether the source is live: a batch waits for others only while some are on their way.
    pub(crate) live: bool,
}

pub(crate) struct Line<D, P> {
    ledger: Arc<Ledger>,
    cuts: Cuts<P>,
    /// The last decision about sizes that was heard of.
    decision: u64,
    /// Groups behind one that is not ready, by their places.
    behind: VecDeque<Group<D, P>>,
    head: u64,
    accepted: u64,
    /// Items that were put here.
    put: u64,
    /// Items in batches that were cut.
    cut_items: u64,
    end: Option<u64>,
    open: Batch<D, P>,
    /// When the first item came into the open batch.
    opened: Option<Moment>,
    /// How the group came through that is being put here.
    trail: Option<Trail>,
    /// Since when as many as a batch stand ready behind an item that is not.
    held_up: Option<Moment>,
    ready: Ready<D, P>,
    /// Whether no more is accepted, and no batch follows.
    closed: bool,
    /// Memory of groups that were put here, and of prepared items of batches that were run.
    groups: Vec<Columns<D, P>>,
    spares: Vec<Vec<P>>,
}

impl<D, P> Line<D, P> {
    pub(crate) fn new(ledger: &Arc<Ledger>, cuts: Cuts<P>) -> Self {
        let mut line = Self {
            ledger: ledger.clone(),
            open: Batch::new(BatchIndex(0), Columns::default()),
            decision: 0,
            behind: VecDeque::new(),
            head: 0,
            accepted: 0,
            put: 0,
            cut_items: 0,
            end: None,
            opened: None,
            trail: None,
            held_up: None,
            ready: Ready::new(cuts.devices, cuts.opens_late),
            closed: false,
            groups: Vec::new(),
            spares: Vec::new(),
            cuts,
        };
        line.open.items = line.columns();
        line
    }

    /// Takes a group of outcomes, moves the head on and cuts what is full. Where no more is accepted
    /// they are cancelled at once: the head may never come to them. Gives memory for another group.
    pub(crate) fn put(
        &mut self,
        mut group: Group<D, P>,
        now: Moment,
    ) -> (Aftermath<D, P>, Option<Columns<D, P>>) {
        let mut after = Aftermath::default();
        if self.closed {
            after.cancelled.push(group.items);
            return (after, None);
        }
        self.put += group.count as u64;
        group.trail.held_up = self.held_up;
        self.trail = Some(group.trail);
        if self.cuts.order == Order::Completion {
            self.accept(group, now, &mut after);
        } else if group.first.0 == self.head {
            self.held_up = None;
            self.head += group.count as u64;
            self.accept(group, now, &mut after);
            self.advance(now, &mut after);
        } else {
            self.stand_behind(group);
        }
        if self.cuts.without_device || (self.ready.is_idle() && self.is_alone()) {
            self.cut(&mut after);
        }
        self.look_behind(now);
        self.finish(&mut after);
        (after, self.groups.pop())
    }

    /// Notes since when as many as a batch stand ready behind an item that is not.
    fn look_behind(&mut self, now: Moment) {
        let behind = self.put > self.accepted && self.standing() >= self.cuts.cutter.size();
        self.held_up = if behind { self.held_up.or(Some(now)) } else { None };
    }

    fn stand_behind(&mut self, group: Group<D, P>) {
        let place = self.behind.partition_point(|other| other.first < group.first);
        self.behind.insert(place, group);
    }

    fn advance(&mut self, now: Moment, after: &mut Aftermath<D, P>) {
        while self.behind.front().is_some_and(|group| group.first.0 == self.head) {
            let Some(group) = self.behind.pop_front() else { return };
            self.head += group.count as u64;
            self.accept(group, now, after);
        }
    }

    /// Puts the items of a group into the open batch, and cuts it as often as it is full.
    fn accept(&mut self, group: Group<D, P>, now: Moment, after: &mut Aftermath<D, P>) {
        let Group { count, mut items, trail, .. } = group;
        self.accepted += count as u64;
        if self.closed {
            after.cancelled.push(items);
            return;
        }
        if self.cuts.live {
            // A group of a live source is one item.
            let item = OnItsWay { pulled: trail.pulled, came: now, waited: Duration::ZERO };
            self.open.on_their_way.push(item);
        }
        self.opened.get_or_insert(now);
        let (good, all) = (self.open.items.good() + count, self.open.items.len() + count);
        // All but the last of them leave the batch open, so that it is cut behind them at the earliest.
        if items.failures.is_empty() && !self.cuts.cutter.is_full(good - 1, all - 1) {
            self.see(items.positions.iter().copied());
            self.open.items.append(&mut items);
            self.cut_if_full(after);
        } else {
            self.accept_each(&mut items, now, after);
        }
        if items.len() > 0 {
            after.cancelled.push(items);
        } else if self.groups.len() < 16 {
            self.groups.push(items);
        }
    }

    /// As `accept`, one by one, in the order of the source.
    fn accept_each(&mut self, items: &mut Columns<D, P>, now: Moment, after: &mut Aftermath<D, P>) {
        let mut good = items.positions.drain(..).zip(items.documents.drain(..)).zip(items.prepared.drain(..));
        let mut failures = items.failures.drain(..).peekable();
        let mut next = good.next();
        let mut left = Columns::default();
        loop {
            let failed_first = failures.peek().is_some_and(|failure| {
                next.as_ref().is_none_or(|((position, _), _)| failure.position < *position)
            });
            if failed_first && let Some(failure) = failures.next() {
                if self.closed {
                    left.failures.push(failure);
                } else {
                    self.opened.get_or_insert(now);
                    self.see(std::iter::once(failure.position));
                    self.fail(failure, after);
                }
            } else if let Some(((position, document), prepared)) = next.take() {
                next = good.next();
                if self.closed {
                    left.push(position, document, prepared);
                } else {
                    self.opened.get_or_insert(now);
                    self.see(std::iter::once(position));
                    self.open.items.push(position, document, prepared);
                    self.cut_if_full(after);
                }
            } else {
                break;
            }
        }
        if left.len() > 0 {
            after.cancelled.push(left);
        }
    }

    fn see(&self, positions: impl ExactSizeIterator<Item = Position>) {
        let books = &self.ledger.books;
        books.sees(books.weights.of_all(positions));
    }

    fn cut_if_full(&mut self, after: &mut Aftermath<D, P>) {
        if self.cuts.cutter.is_full(self.open.items.good(), self.open.items.len()) {
            self.cut(after);
        }
    }

    fn fail(&mut self, failure: Failure<D>, after: &mut Aftermath<D, P>) {
        let documents = self.ledger.books.weights.of(failure.position);
        let stopped = self.ledger.counts_failed(documents, failure.position, failure.stage, &failure.cause);
        self.open.items.failures.push(failure);
        if let Some(stopped) = stopped {
            // It stands before the end of the source: a panic of the source that was noted is beyond it.
            self.ledger.ends_for(stopped);
            return self.cease(after);
        }
        self.cut_if_full(after);
    }

    /// Cuts what stands and accepts no more: what comes later is cancelled.
    fn cease(&mut self, after: &mut Aftermath<D, P>) {
        self.cut(after);
        after.ceased = true;
        self.end_here(after);
        self.empty(after);
    }

    /// The source has ended, having given `total` items, by itself or for this reason.
    pub(crate) fn end(&mut self, total: u64, reason: Option<Error>, trail: Trail) -> Aftermath<D, P> {
        let mut after = Aftermath::default();
        self.trail = Some(trail);
        if let Some(reason) = reason {
            self.ledger.ends_for_unless_said(reason);
        }
        self.end = Some(total);
        self.finish(&mut after);
        after
    }

    fn finish(&mut self, after: &mut Aftermath<D, P>) {
        if self.closed || self.end != Some(self.accepted) {
            return;
        }
        if self.cuts.cutter.is_short(self.open.items.good()) && matches!(self.cuts.last, LastBatch::Drop) {
            let failures = std::mem::take(&mut self.open.items.failures);
            let dropped = std::mem::take(&mut self.open.items);
            self.open.items.failures = failures;
            after.cancelled.push(dropped);
        }
        self.cut(after);
        self.end_here(after);
    }

    /// A batch that is cut short for whatever reason is filled up, where that was asked for. The copies
    /// are made by user code; the device thread does that, without the lock.
    fn padding(&self) -> Option<Pad<P>> {
        let (cutter, good) = (&self.cuts.cutter, self.open.items.good());
        match self.cuts.last {
            LastBatch::Pad(copy) if good > 0 && cutter.is_short(good) => {
                Some(Pad { copy, size: cutter.full() })
            }
            _ => None,
        }
    }

    fn cut(&mut self, after: &mut Aftermath<D, P>) {
        if self.open.items.len() == 0 {
            return;
        }
        self.open.pad = self.padding();
        let next = Batch::new(BatchIndex(self.open.index.0 + 1), self.columns());
        let mut batch = std::mem::replace(&mut self.open, next);
        batch.trail = self.trail;
        if self.cuts.live {
            let now = self.ledger.now();
            batch.on_their_way.iter_mut().for_each(|item| item.waited = now.since(item.came));
        }
        self.opened = None;
        self.cut_items += batch.items.len() as u64;
        self.cuts.cutter.was_cut(batch.items.good());
        if self.cuts.without_device {
            debug_assert!(after.cut.is_none(), "a group is cut at its end alone");
            after.cut = Some(batch);
        } else {
            self.ready.push(batch, &mut after.wake);
            self.count_ready();
        }
    }

    /// Memory for the items of a batch.
    fn columns(&mut self) -> Columns<D, P> {
        let room = if self.cuts.without_device { 0 } else { self.cuts.cutter.full().min(RESERVED) };
        let prepared = self.spares.pop().unwrap_or_else(|| Vec::with_capacity(room));
        Columns::with_room(room, prepared)
    }

    /// No batch follows.
    fn end_here(&mut self, after: &mut Aftermath<D, P>) {
        self.closed = true;
        self.ready.end(&mut after.wake);
        after.ended = Some(self.cut_items);
    }

    fn empty(&mut self, after: &mut Aftermath<D, P>) {
        for group in self.behind.drain(..) {
            self.accepted += group.count as u64;
            after.cancelled.push(group.items);
        }
    }

    /// Accepts no more and hands out everything that stands here.
    pub(crate) fn close(&mut self) -> Aftermath<D, P> {
        let mut after = Aftermath::default();
        after.cancelled.push(std::mem::take(&mut self.open.items));
        after.cancelled.extend(self.ready.close().map(|batch| batch.items));
        self.closed = true;
        after.wake = Wake::All;
        self.empty(&mut after);
        after
    }

    /// Whether nothing is on its way from a live source that the open batch could wait for.
    fn is_alone(&self) -> bool {
        self.cuts.live && self.put == self.accepted && self.put == self.ledger.books.items_pulled()
    }

    /// Cuts the open batch if its oldest item has waited for `max_wait`, or none is on its way; says for how long it
    /// may still wait.
    fn cut_overdue(&mut self, max_wait: Duration, now: Moment, after: &mut Aftermath<D, P>) -> Duration {
        let waited = self.opened.map(|opened| now.since(opened));
        match waited {
            Some(waited) if waited >= max_wait || self.is_alone() => {
                self.trail = None;
                self.cut(after);
                max_wait
            }
            Some(waited) => max_wait.saturating_sub(waited),
            None => max_wait,
        }
    }

    /// Takes an empty vector back for the prepared items of a later batch.
    fn recycle(&mut self, spare: Vec<P>) {
        debug_assert!(spare.is_empty(), "only memory is recycled here");
        if self.spares.len() < 8 && spare.capacity() >= self.cuts.cutter.full().min(RESERVED) {
            self.spares.push(spare);
        }
    }

    /// Cuts at another size from now on. False where a later decision was heard of before.
    pub(crate) fn cut_at(&mut self, cut: &CutAt) -> (bool, Aftermath<D, P>) {
        let mut after = Aftermath::default();
        if cut.decision <= self.decision {
            return (false, after);
        }
        self.decision = cut.decision;
        self.cuts.cutter.cut_at(cut.size, cut.limit, cut.early);
        self.cut_if_full(&mut after);
        (true, after)
    }

    /// Items that stand here: behind one that is not ready, or in the batch being filled.
    pub(crate) fn standing(&self) -> usize {
        self.put.saturating_sub(self.accepted) as usize + self.open.items.len()
    }
}
