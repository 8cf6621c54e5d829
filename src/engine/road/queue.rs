//! The queue of work: documents that wait for a worker, and rows that wait for `then`.
//!
//! A document stands in the queue from the moment that the source gave it: nobody else holds it while the source
//! is asked for the next, however long that takes. Workers take whole groups, which the feeder announces behind
//! their last document. The oldest document comes first: rows, then preparation in source order.
//!
//! Putting and announcing take no lock; taking takes one.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::batch::{Columns, Left};
use super::job::Job;
use super::then::ThenUnit;
use crate::engine::ledger::Ledger;
use crate::engine::seam::atomics::{AtomicBool, AtomicU64, AtomicUsize};
use crate::engine::seam::{Condvar, Fifo, Moment, Mutex, Seam};
use crate::observe::stalls::Trail;
use crate::place::Position;
use crate::schedule::turns::{self, Groups, Turn, UNKNOWN};

pub(crate) struct Queue<J: Job> {
    waiting: Fifo<J::Document>,
    groups: Fifo<Announced>,
    state: Mutex<State<J>>,
    idle: Condvar,
    tickets: AtomicUsize,
    most_tickets: usize,
    /// Whether no more documents are taken in.
    closed: AtomicBool,
    /// Items inside units that run now. Written under the lock.
    running: AtomicUsize,
    /// Measured cost of preparing one item, in nanoseconds.
    cost: AtomicU64,
    sizes: Groups,
}

struct State<J: Job> {
    rows: VecDeque<ThenUnit<J>>,
    rows_closed: bool,
    /// Place of the next document that is taken out.
    next: u64,
    /// Memory of groups.
    spares: Vec<Raw<J>>,
}

/// A group that the feeder has put here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Announced {
    pub(crate) items: usize,
    pub(crate) trail: Trail,
}

/// Memory for a group: its documents as they were pulled, and what becomes of them.
pub(crate) struct Raw<J: Job> {
    pub(crate) documents: Vec<J::Document>,
    pub(crate) items: Columns<J::Document, J::Prepared>,
}

impl<J: Job> Default for Raw<J> {
    fn default() -> Self {
        Self { documents: Vec::new(), items: Columns::default() }
    }
}

/// A group that a worker has taken.
pub(crate) struct Begun<J: Job> {
    pub(crate) first: Position,
    pub(crate) raw: Raw<J>,
    pub(crate) trail: Trail,
}

pub(crate) enum Unit<J: Job> {
    Then(ThenUnit<J>),
    Prepare(Begun<J>),
}

impl<J: Job> Unit<J> {
    fn items(&self) -> usize {
        match self {
            Self::Then(unit) => unit.len(),
            Self::Prepare(begun) => begun.raw.documents.len(),
        }
    }
}

impl<J: Job> Queue<J> {
    /// For so many tokens and workers; 0 workers where the caller runs the units itself.
    pub(crate) fn new(seam: &Seam, tokens: usize, workers: usize, sizes: Groups) -> Self {
        let state = State { rows: VecDeque::new(), rows_closed: false, next: 0, spares: Vec::new() };
        Self {
            waiting: seam.fifo(tokens),
            groups: seam.fifo(tokens),
            state: seam.mutex(state),
            idle: seam.condvar(),
            tickets: AtomicUsize::new(0),
            most_tickets: workers,
            closed: AtomicBool::new(false),
            running: AtomicUsize::new(0),
            cost: AtomicU64::new(UNKNOWN),
            sizes,
        }
    }

    /// Items for the next group.
    pub(crate) fn group_size(&self) -> usize {
        self.sizes.size(self.cost.load(Ordering::Relaxed))
    }

    pub(crate) fn learn_cost(&self, time: Duration, items: usize) {
        let before = self.cost.load(Ordering::Relaxed);
        self.cost.store(turns::cost_after(before, time, items), Ordering::Relaxed);
    }

    /// Whether no more documents are taken in.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Puts a document here. Where the queue was closed meanwhile it may be left behind:
    /// [`left_behind`](Self::left_behind) takes it out.
    pub(crate) fn put(&self, document: J::Document) {
        self.waiting.push(document);
    }

    /// Lets workers take the last so many documents.
    pub(crate) fn announce(&self, ledger: &Ledger, group: Announced) {
        self.groups.push(group);
        ledger.backlog.pushed.fetch_add(1, Ordering::SeqCst);
        ledger.seam.meet();
    }

    /// The oldest unit that nobody has begun; `finished` items of an earlier one have been ended.
    pub(crate) fn take(&self, ledger: &Ledger, spare: Option<Raw<J>>, finished: usize) -> Option<Unit<J>> {
        let mut state = self.state.lock();
        state.keep(spare);
        let group = if state.rows.is_empty() { self.groups.pop() } else { None };
        let unit = match turns::next(!state.rows.is_empty(), group.is_some()) {
            Some(Turn::Then) => state.rows.pop_front().map(Unit::Then),
            Some(Turn::Prepare) => group.map(|group| Unit::Prepare(self.begin(&mut state, group))),
            None => None,
        };
        self.runs(unit.as_ref().map_or(0, Unit::items), finished);
        match &unit {
            Some(Unit::Prepare(_)) => drop(ledger.backlog.begun.fetch_add(1, Ordering::SeqCst)),
            Some(Unit::Then(_)) => ledger.backlog.rows.store(state.rows.len() as u64, Ordering::SeqCst),
            None => {}
        }
        unit
    }

    fn begin(&self, state: &mut State<J>, group: Announced) -> Begun<J> {
        let mut raw = state.spares.pop().unwrap_or_default();
        let waiting = std::iter::from_fn(|| self.waiting.pop());
        raw.documents.extend(waiting.take(group.items));
        let first = Position(state.next);
        state.next += raw.documents.len() as u64;
        Begun { first, raw, trail: group.trail }
    }

    /// To be called under the lock.
    fn runs(&self, begins: usize, finished: usize) {
        let before = self.running.load(Ordering::SeqCst);
        self.running.store(before + begins - finished, Ordering::SeqCst);
    }

    /// Counts what is run that did not stand here.
    pub(crate) fn begins(&self, items: usize) {
        let _state = self.state.lock();
        self.runs(items, 0);
    }

    /// Ends so many items of a unit, and keeps its memory.
    pub(crate) fn ends(&self, spare: Option<Raw<J>>, finished: usize) {
        let mut state = self.state.lock();
        state.keep(spare);
        self.runs(0, finished);
    }

    /// Puts rows here, before all preparation; gives them back where none are taken any more.
    pub(crate) fn put_rows(&self, ledger: &Ledger, unit: ThenUnit<J>) -> Result<(), ThenUnit<J>> {
        let mut state = self.state.lock();
        if state.rows_closed {
            return Err(unit);
        }
        state.rows.push_back(unit);
        ledger.backlog.rows.store(state.rows.len() as u64, Ordering::SeqCst);
        Ok(())
    }

    /// Whether something waits for a worker.
    pub(crate) fn has_work(&self, ledger: &Ledger) -> bool {
        ledger.backlog.standing() > 0
    }

    /// The right of one more worker to run what stands here; false where all have one.
    pub(crate) fn take_ticket(&self) -> bool {
        let more = |tickets| (tickets < self.most_tickets).then_some(tickets + 1);
        self.tickets.load(Ordering::SeqCst) < self.most_tickets
            && self.tickets.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_ok()
    }

    /// A worker has found nothing. It has to look once more after this: whoever put something here before saw
    /// its ticket.
    pub(crate) fn give_ticket(&self, seam: &Seam) {
        self.tickets.fetch_sub(1, Ordering::SeqCst);
        seam.meet();
    }

    /// Wakes whoever waits until units have ended.
    pub(crate) fn is_idle(&self) {
        drop(self.state.lock());
        self.idle.notify_all();
    }

    /// Takes no more documents in.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.is_idle();
    }

    /// Documents that nobody has begun, once the queue is closed.
    pub(crate) fn left_behind(&self, ledger: &Ledger) -> Vec<Left<J::Document>> {
        let mut state = self.state.lock();
        while self.groups.pop().is_some() {
            ledger.backlog.begun.fetch_add(1, Ordering::SeqCst);
        }
        let mut left = Vec::new();
        while let Some(document) = self.waiting.pop() {
            left.push(Left { position: Position(state.next), document });
            state.next += 1;
        }
        left
    }

    /// Takes no more rows in, and hands out those that nobody has begun.
    pub(crate) fn close_rows(&self, ledger: &Ledger) -> VecDeque<ThenUnit<J>> {
        let mut state = self.state.lock();
        state.rows_closed = true;
        ledger.backlog.rows.store(0, Ordering::SeqCst);
        std::mem::take(&mut state.rows)
    }

    /// Workers that may hold a ticket; 0 where the caller runs the units.
    pub(crate) fn workers(&self) -> usize {
        self.most_tickets
    }

    /// Items inside units that run now.
    pub(crate) fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }

    /// Waits until it is time, and a worker is free to start what comes next; or until nothing more is
    /// taken in.
    pub(crate) fn wait_for_start(&self, ledger: &Ledger, due: Moment) {
        let mut state = self.state.lock();
        while !self.is_closed() {
            let left = due.since(ledger.now());
            let tickets = self.tickets.load(Ordering::SeqCst);
            let idle = self.most_tickets == 0 || (tickets < self.most_tickets && !self.has_work(ledger));
            state = match (left.is_zero(), idle) {
                (true, true) => return,
                (true, false) => self.idle.wait(state, &self.state),
                (false, _) => self.idle.wait_timeout(state, &self.state, left),
            };
        }
    }

    /// Waits once, until units may have ended, for at most `wait`; true if none runs.
    pub(crate) fn wait_idle(&self, wait: Duration) -> bool {
        let state = self.state.lock();
        if self.running() > 0 {
            drop(self.idle.wait_timeout(state, &self.state, wait));
        }
        self.running() == 0
    }
}

impl<J: Job> State<J> {
    fn keep(&mut self, spare: Option<Raw<J>>) {
        if self.spares.len() < 16 {
            self.spares.extend(spare);
        }
    }
}
