//! A task that polls a run under random schedules: it looks when it is woken, and at no other time.

use std::sync::Arc;
use std::task::{Poll, Wake, Waker};

use crate::engine::outlet::caller::{Caller, Next};
use crate::engine::road::job::Job;

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

/// The next item of a run.
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
