//! A task that polls a run: it looks when it is woken, and at no other time.

use std::sync::Arc;
use std::task::{Poll, Wake, Waker};

use crate::engine::outlet::caller::{Caller, Next};
use crate::engine::road::job::Job;
use crate::engine::seam::manual::World;
use crate::engine::seam::{Condvar, Mutex, Seam};

#[derive(Default)]
struct Task {
    woken: shuttle::sync::Mutex<bool>,
    changed: shuttle::sync::Condvar,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        *self.woken.lock().unwrap() = true;
        self.changed.notify_all();
    }
}

/// The next item of a run under random schedules.
pub(super) fn next<J: Job>(run: &mut Caller<J>) -> Next<J> {
    let task = Arc::<Task>::default();
    let waker = Waker::from(task.clone());
    loop {
        if let Poll::Ready(next) = run.poll_next(&waker) {
            return next;
        }
        let mut woken = task.woken.lock().unwrap();
        while !std::mem::take(&mut *woken) {
            woken = task.changed.wait(woken).unwrap();
        }
    }
}

/// A task under manual time.
struct Waiting {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        *self.woken.lock() = true;
        self.changed.notify_all();
    }
}

/// The next item of a run under manual time.
pub(super) fn next_in<J: Job>(world: &World, run: &mut Caller<J>) -> Next<J> {
    let seam = Seam::Manual(world.clone());
    let task = Arc::new(Waiting { woken: seam.mutex(false), changed: seam.condvar() });
    let waker = Waker::from(task.clone());
    loop {
        if let Poll::Ready(next) = run.poll_next(&waker) {
            return next;
        }
        let mut woken = task.woken.lock();
        while !std::mem::take(&mut *woken) {
            woken = task.changed.wait(woken, &task.woken);
        }
    }
}
