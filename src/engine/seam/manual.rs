//! Manual time: the clock moves only when every thread of the seam waits.
//!
//! The threads are real; what they wait for is kept in one world. When the last running thread
//! begins to wait, the clock jumps to the earliest deadline. When there is none, nothing could ever
//! move again: every waiting thread then panics, so that a deadlock is a failed test and not a hang.
//!
//! A thread may also work: it waits until a processor has given it so much time. The world has cores, which share
//! themselves out evenly among the threads that work, as a fair scheduler does with ever shorter slices.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;

use super::Planted;

#[derive(Clone, Debug)]
pub(crate) struct World(Arc<Inner>);

/// The machine of a world: its cores, and which of a test's stages work on them; the others wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine {
    pub(crate) cores: usize,
    pub(crate) cpu_works: bool,
    pub(crate) device_works: bool,
    /// Work of the thread of a device that has a processor of its own, for each batch that it hands over.
    pub(crate) hands_over: Duration,
}

impl Machine {
    /// As many cores as there are threads, and stages that wait.
    pub(crate) const LARGE: Self =
        Self { cores: 1 << 20, cpu_works: false, device_works: false, hands_over: Duration::ZERO };
}

#[derive(Debug)]
struct Inner {
    planted: Option<Planted>,
    machine: Machine,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Time that has passed.
    now: Duration,
    running: usize,
    waiters: Vec<Waiter>,
    ids: u64,
    deadlock: bool,
    /// Locks that were taken.
    locks: u64,
    /// How far every third look at the clock is behind the one before.
    steps_back: Duration,
    looks: u64,
    /// Processor time that threads have used.
    worked: HashMap<ThreadId, Duration>,
}

#[derive(Debug)]
struct Waiter {
    id: u64,
    condvar: u64,
    deadline: Option<Duration>,
    /// Work that is left, in parts of a nanosecond.
    work: Option<u128>,
    woken: bool,
}

/// Parts of a nanosecond: up to sixteen threads that share cores get a whole number of them each.
const PARTS: u128 = 720_720;

impl World {
    pub(crate) fn new() -> Self {
        Self::with(None)
    }

    /// A world on this machine.
    pub(crate) fn on(machine: Machine) -> Self {
        Self::made(None, machine)
    }

    pub(crate) fn machine(&self) -> Machine {
        self.0.machine
    }

    /// A world in which the engine has this bug.
    pub(crate) fn with(planted: Option<Planted>) -> Self {
        Self::made(planted, Machine::LARGE)
    }

    fn made(planted: Option<Planted>, machine: Machine) -> Self {
        Self(Arc::new(Inner { planted, machine, state: Mutex::default(), changed: Condvar::new() }))
    }

    pub(super) fn thread_time(&self) -> Duration {
        self.lock().worked.get(&std::thread::current().id()).copied().unwrap_or_default()
    }

    pub(super) fn process_time(&self) -> Duration {
        self.lock().worked.values().sum()
    }

    pub(super) fn has(&self, bug: Planted) -> bool {
        self.0.planted == Some(bug)
    }

    pub(crate) fn now(&self) -> Duration {
        let mut state = self.lock();
        state.looks += 1;
        let behind = if state.looks.is_multiple_of(3) { state.steps_back } else { Duration::ZERO };
        state.now.saturating_sub(behind)
    }

    /// From now on every third look at the clock is so far behind.
    pub(crate) fn step_back(&self, time: Duration) {
        self.lock().steps_back = time;
    }

    pub(super) fn count_lock(&self) {
        self.lock().locks += 1;
    }

    /// Locks that were taken in this world so far.
    pub(crate) fn locks(&self) -> u64 {
        self.lock().locks
    }

    /// Counts the thread that holds the result as one whose running keeps the clock still.
    pub(crate) fn enter(&self) -> Entered {
        self.lock().running += 1;
        Entered(self.clone())
    }

    pub(crate) fn condvar(&self) -> WorldCondvar {
        let mut state = self.lock();
        state.ids += 1;
        WorldCondvar { world: self.clone(), id: state.ids }
    }

    /// Lets time pass for this thread: what a stage of a test costs.
    pub(crate) fn sleep(&self, time: Duration) {
        if !time.is_zero() {
            self.condvar().wait((), Some(time));
        }
    }

    /// Has this thread work until it has had so much of a processor.
    pub(crate) fn work(&self, time: Duration) {
        if time.is_zero() {
            return;
        }
        self.condvar().wait_for((), None, Some(time.as_nanos() * PARTS));
        *self.lock().worked.entry(std::thread::current().id()).or_default() += time;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn advance(&self, state: &mut State) {
        if state.running > 0 || state.waiters.is_empty() || state.waiters.iter().any(|waiter| waiter.woken) {
            return;
        }
        let pace = pace(state, self.0.machine.cores);
        match state.waiters.iter().filter_map(|waiter| due(waiter, state.now, pace)).min() {
            Some(due) => {
                let gone = due.saturating_sub(state.now).as_nanos() * pace;
                state.now = state.now.max(due);
                for work in state.waiters.iter_mut().filter_map(|waiter| waiter.work.as_mut()) {
                    *work = work.saturating_sub(gone);
                }
                let now = state.now;
                let is_due = |waiter: &Waiter| {
                    waiter.deadline.is_some_and(|deadline| deadline <= now) || waiter.work == Some(0)
                };
                wake(state, is_due, true);
            }
            None => state.deadlock = true,
        }
        self.0.changed.notify_all();
    }
}

/// What each thread that works gets of a core in a nanosecond.
fn pace(state: &State, cores: usize) -> u128 {
    let working = state.waiters.iter().filter(|waiter| waiter.work.is_some()).count().max(1);
    PARTS * cores.min(working) as u128 / working as u128
}

/// When the thread has waited, or worked, long enough.
fn due(waiter: &Waiter, now: Duration, pace: u128) -> Option<Duration> {
    let nanos = waiter.work.map(|work| u64::try_from(work.div_ceil(pace)).unwrap_or(u64::MAX));
    nanos.map(|nanos| now.saturating_add(Duration::from_nanos(nanos))).or(waiter.deadline)
}

fn wake(state: &mut State, which: impl Fn(&Waiter) -> bool, all: bool) {
    for waiter in state.waiters.iter_mut().filter(|waiter| !waiter.woken && which(waiter)) {
        waiter.woken = true;
        state.running += 1;
        if !all {
            return;
        }
    }
}

thread_local! {
    /// The world of the runs that faces start in this thread.
    static FACES: RefCell<Option<World>> = const { RefCell::new(None) };
}

/// The world of the runs that faces start in this thread, where there is one.
pub(super) fn of_this_thread() -> Option<World> {
    FACES.with_borrow(Clone::clone)
}

impl World {
    /// Does this as a thread of the world, in which faces start their runs.
    pub(crate) fn with_faces<T>(&self, within: impl FnOnce() -> T) -> T {
        let _this_thread = self.enter();
        FACES.set(Some(self.clone()));
        let done = within();
        FACES.set(None);
        done
    }
}

/// A thread whose running keeps the clock still.
pub(crate) struct Entered(World);

impl Drop for Entered {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.running -= 1;
        self.0.advance(&mut state);
    }
}

#[derive(Debug)]
pub(crate) struct WorldCondvar {
    world: World,
    id: u64,
}

impl WorldCondvar {
    /// Gives the guard up and waits; the caller locks again.
    pub(crate) fn wait<G>(&self, guard: G, timeout: Option<Duration>) {
        self.wait_for(guard, timeout, None);
    }

    fn wait_for<G>(&self, guard: G, timeout: Option<Duration>, work: Option<u128>) {
        let mut state = self.world.lock();
        // Dropped under the world's lock, so that no notification falls between the two.
        drop(guard);
        state.ids += 1;
        let id = state.ids;
        let deadline = timeout.map(|timeout| state.now.saturating_add(timeout));
        state.waiters.push(Waiter { id, condvar: self.id, deadline, work, woken: false });
        state.running -= 1;
        self.world.advance(&mut state);
        loop {
            if let Some(index) = state.waiters.iter().position(|waiter| waiter.id == id && waiter.woken) {
                state.waiters.remove(index);
                return;
            }
            assert!(!state.deadlock, "every thread waits and no deadline would wake one: a deadlock");
            state = self.world.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(crate) fn notify(&self, all: bool) {
        let mut state = self.world.lock();
        wake(&mut state, |waiter| waiter.condvar == self.id, all);
        drop(state);
        self.world.0.changed.notify_all();
    }
}
