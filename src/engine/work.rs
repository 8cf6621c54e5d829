//! The queue of work, and what a worker does with a unit of it.
//!
//! The oldest document comes first: results for `then`, then preparation in source order. What is
//! spawned on the pool is a ticket, the right to run what stands in the queue; there are never more
//! tickets than workers, and a worker never waits.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::batch::{Group, Slot};
use super::job::Job;
use super::measure;
use super::seam::{Condvar, Moment, Mutex, Seam};
use super::shared::{Shared, guard};
use super::then::{self, ThenUnit};
use super::watchdog::Post;
use crate::error::Stage;
use crate::error::stalled::At;
use crate::observe::record::{Kind, Span};
use crate::place::Position;
use crate::schedule::turns::{self, Groups, Turn};

pub(crate) struct Work<J: Job> {
    state: Mutex<State<J>>,
    idle: Condvar,
    /// Measured cost of preparing one item, in nanoseconds.
    cost: AtomicU64,
    groups: Groups,
    /// Whether the feeder waits for a free worker.
    paced: bool,
    /// Whether a ticket runs unit after unit, or gives the pool of others a turn after each.
    own_pool: bool,
}

pub(crate) type Slots<J> = Vec<Slot<<J as Job>::Document, <J as Job>::Prepared>>;
type GroupOf<J> = Group<<J as Job>::Document, <J as Job>::Prepared>;

struct State<J: Job> {
    then: VecDeque<ThenUnit<J>>,
    prepare: VecDeque<GroupOf<J>>,
    prepare_closed: bool,
    then_closed: bool,
    tickets: usize,
    most_tickets: usize,
    /// Documents inside units that run now.
    running: usize,
    spares: Vec<Slots<J>>,
}

pub(crate) enum Unit<J: Job> {
    Then(ThenUnit<J>),
    Prepare(GroupOf<J>),
}

impl<J: Job> Unit<J> {
    fn documents(&self) -> usize {
        match self {
            Self::Then(unit) => super::shared::documents::<J>(&unit.items),
            Self::Prepare(group) => group.slots.iter().map(Slot::document).map(J::documents).sum(),
        }
    }
}

impl<J: Job> Work<J> {
    /// `workers` is 0 where the caller runs the units itself.
    pub(crate) fn new(seam: &Seam, workers: usize, groups: Groups, paced: bool, own_pool: bool) -> Self {
        let state = State {
            then: VecDeque::new(),
            prepare: VecDeque::new(),
            prepare_closed: false,
            then_closed: false,
            tickets: 0,
            most_tickets: workers,
            running: 0,
            spares: Vec::new(),
        };
        Self {
            state: seam.mutex(state),
            idle: seam.condvar(),
            cost: AtomicU64::new(turns::UNKNOWN),
            groups,
            paced,
            own_pool,
        }
    }

    /// Items for the next group.
    pub(crate) fn group_size(&self) -> usize {
        self.groups.size(self.cost.load(Ordering::Relaxed))
    }

    fn learn_cost(&self, time: Duration, items: usize) {
        let cost = turns::cost_after(self.cost.load(Ordering::Relaxed), time, items);
        self.cost.store(cost, Ordering::Relaxed);
    }

    fn pop(&self, spare: Option<Slots<J>>, finished: usize) -> Result<Unit<J>, Ended> {
        let mut state = self.state.lock();
        state.running -= finished;
        if let Some(spare) = spare
            && state.spares.len() < 16
        {
            state.spares.push(spare);
        }
        let unit = match turns::next(!state.then.is_empty(), !state.prepare.is_empty()) {
            Some(Turn::Then) => state.then.pop_front().map(Unit::Then),
            Some(Turn::Prepare) => state.prepare.pop_front().map(Unit::Prepare),
            None => None,
        };
        match unit {
            Some(unit) => {
                state.running += unit.documents();
                Ok(unit)
            }
            None => Err(Ended { idle: state.running == 0 }),
        }
    }

    /// Takes no more documents in and hands out those that nobody has begun.
    pub(crate) fn close_prepare(&self) -> VecDeque<GroupOf<J>> {
        let mut state = self.state.lock();
        state.prepare_closed = true;
        let left = std::mem::take(&mut state.prepare);
        drop(state);
        self.idle.notify_all();
        left
    }

    pub(crate) fn close_then(&self) -> VecDeque<ThenUnit<J>> {
        let mut state = self.state.lock();
        state.then_closed = true;
        std::mem::take(&mut state.then)
    }

    /// Workers that may hold a ticket; 0 where the caller runs the units.
    pub(crate) fn workers(&self) -> usize {
        self.state.lock().most_tickets
    }

    /// Units that nobody has begun.
    pub(crate) fn standing(&self) -> usize {
        let state = self.state.lock();
        state.then.len() + state.prepare.len()
    }

    /// Documents inside units that run now.
    pub(crate) fn running(&self) -> usize {
        self.state.lock().running
    }

    /// Waits until it is time, and a worker is free to start what comes next; or until nothing more is
    /// taken in.
    pub(crate) fn wait_for_start(&self, seam: &Seam, due: Moment) {
        let mut state = self.state.lock();
        while !state.prepare_closed {
            let left = due.saturating_sub(seam.now());
            let idle =
                state.most_tickets == 0 || (state.tickets < state.most_tickets && state.prepare.is_empty());
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
        if state.running == 0 {
            return true;
        }
        self.idle.wait_timeout(state, &self.state, wait).running == 0
    }
}

struct Ended {
    idle: bool,
}

impl<D, P> Slot<D, P> {
    pub(crate) fn document(&self) -> &D {
        match self {
            Self::Waiting(document) | Self::Ready(document, _) | Self::Failed(document, _) => document,
        }
    }
}

/// Puts a group into the queue, and lets a worker know. Gives back the memory of a group before it,
/// where there is one.
pub(crate) fn push_group<J: Job>(shared: &Arc<Shared<J>>, group: GroupOf<J>) -> Option<Slots<J>> {
    let mut state = shared.work.state.lock();
    if state.prepare_closed {
        drop(state);
        shared.cancel_group(group);
        return None;
    }
    state.prepare.push_back(group);
    let ticket = state.take_ticket();
    let spare = state.spares.pop();
    drop(state);
    if ticket {
        spawn_ticket(shared);
    }
    spare
}

/// Puts a unit of `then` into the queue, before all preparation, and lets a worker know.
pub(crate) fn push_then<J: Job>(shared: &Arc<Shared<J>>, unit: ThenUnit<J>) {
    let mut state = shared.work.state.lock();
    if state.then_closed {
        drop(state);
        return shared.cancel(unit.items);
    }
    state.then.push_back(unit);
    let ticket = state.take_ticket();
    drop(state);
    if ticket {
        spawn_ticket(shared);
    }
}

impl<J: Job> State<J> {
    fn take_ticket(&mut self) -> bool {
        let more = self.tickets < self.most_tickets;
        self.tickets += usize::from(more);
        more
    }
}

fn spawn_ticket<J: Job>(shared: &Arc<Shared<J>>) {
    if let Some(workers) = &shared.workers {
        let for_worker = shared.clone();
        workers.spawn(move || run_ticket(&for_worker));
    }
}

thread_local! {
    /// Units of this thread that user code has not returned from.
    static INSIDE: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Runs what stands in the queue.
///
/// Inside another unit (user code that waits in rayon may be given a ticket) only one unit is run,
/// so that the older document above is not held back by all that are younger.
fn run_ticket<J: Job>(shared: &Arc<Shared<J>>) {
    let one_only = !shared.work.own_pool || INSIDE.get() > 0;
    let (mut spare, mut finished) = (None, 0);
    loop {
        match shared.work.pop(spare.take(), std::mem::take(&mut finished)) {
            Ok(unit) => (finished, spare) = run(shared, unit),
            Err(ended) => return end_ticket(shared, &ended),
        }
        if one_only {
            return hand_ticket_on(shared, spare, finished);
        }
    }
}

fn end_ticket<J: Job>(shared: &Arc<Shared<J>>, ended: &Ended) {
    let mut state = shared.work.state.lock();
    // Work may have come between the empty pop and this lock; its pusher saw this ticket as running.
    let again = !(state.then.is_empty() && state.prepare.is_empty());
    if !again {
        state.tickets -= 1;
    }
    drop(state);
    if ended.idle || shared.work.paced {
        shared.work.idle.notify_all();
        shared.threads.alarm().ring();
    }
    if again {
        spawn_ticket(shared);
    }
}

fn hand_ticket_on<J: Job>(shared: &Arc<Shared<J>>, spare: Option<Slots<J>>, finished: usize) {
    let mut state = shared.work.state.lock();
    state.running -= finished;
    state.spares.extend(spare);
    let idle = state.running == 0;
    let more = !(state.then.is_empty() && state.prepare.is_empty());
    if !more {
        state.tickets -= 1;
    }
    drop(state);
    if idle || shared.work.paced {
        shared.work.idle.notify_all();
        shared.threads.alarm().ring();
    }
    if more {
        spawn_ticket(shared);
    }
}

/// Runs one unit, if there is one, in the caller.
pub(crate) fn run_inline<J: Job>(shared: &Arc<Shared<J>>) -> bool {
    let Ok(unit) = shared.work.pop(None, 0) else { return false };
    let (finished, spare) = run(shared, unit);
    let mut state = shared.work.state.lock();
    state.running -= finished;
    state.spares.extend(spare);
    true
}

/// Runs a unit; says how many documents were in it, and gives its memory back.
fn run<J: Job>(shared: &Arc<Shared<J>>, unit: Unit<J>) -> (usize, Option<Slots<J>>) {
    let documents = unit.documents();
    INSIDE.set(INSIDE.get() + 1);
    let spare = match unit {
        Unit::Prepare(group) => Some(prepare(shared, group)),
        Unit::Then(unit) => {
            then::run(shared, unit);
            None
        }
    };
    INSIDE.set(INSIDE.get() - 1);
    shared.threads.alarm().ring();
    (documents, spare)
}

fn prepare<J: Job>(shared: &Shared<J>, mut group: GroupOf<J>) -> Slots<J> {
    let start = shared.seam.now();
    let post = Post::begin(shared, At::Prepare(group.first), start);
    let entered = shared.spans.enter();
    let items = group.slots.len();
    for index in 0..items {
        if shared.stopped() {
            break;
        }
        let position = Position(group.first.0 + index as u64);
        post.next(position.0);
        entered.prepare(position, || prepare_slot(shared, &mut group.slots, index, position));
    }
    let end = shared.seam.now();
    post.end(shared, end);
    shared.work.learn_cost(end - start, items);
    measure::prepared(shared, group.first, start..end, items);
    (group.trail.begun, group.trail.done) = (start, end);
    let mut line = shared.line.lock();
    let aftermath = line.put(&mut group, end);
    let standing = line.standing();
    drop(line);
    shared.record(|| Span::counter(Kind::LineFill, end, standing));
    shared.settle(aftermath);
    group.slots
}

fn prepare_slot<J: Job>(shared: &Shared<J>, slots: &mut Slots<J>, index: usize, position: Position) {
    let last = slots.len() - 1;
    slots.swap(index, last);
    if let Some(slot) = slots.pop() {
        slots.push(prepared(shared, slot, position));
        slots.swap(index, last);
    }
}

fn prepared<J: Job>(
    shared: &Shared<J>,
    slot: Slot<J::Document, J::Prepared>,
    position: Position,
) -> Slot<J::Document, J::Prepared> {
    let Slot::Waiting(mut document) = slot else { return slot };
    use crate::stage::CpuStage as _;
    if let Some(watch) = &shared.watch {
        watch.begin(position, shared.seam.now());
    }
    let mut made = guard(|| shared.cpu.prepare(&mut document)).and_then(|made| made);
    if let Some(watch) = &shared.watch {
        made = watch.end(position, shared.seam.now(), made);
    }
    match made {
        Ok(prepared) => Slot::Ready(document, prepared),
        Err(cause) => {
            shared.spans.failed(position, Stage::Cpu, &cause);
            Slot::Failed(document, cause)
        }
    }
}
