//! Wakes: which futures of a run have been woken, and the one thread that waits to poll them.
//!
//! A future is known here by a number alone, so whoever wakes one holds nothing of the run's types.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Wake;
use std::time::Duration;

use super::{Condvar, Mutex, Seam};

pub(crate) struct Wakes {
    woken: Mutex<Woken>,
    there: Condvar,
}

#[derive(Default)]
struct Woken {
    numbers: VecDeque<u64>,
    closed: bool,
}

/// Wakes the future of one number, once: each poll has a bell of its own, so there is never more than one that can
/// still ring.
pub(crate) struct Bell {
    wakes: Arc<Wakes>,
    number: u64,
    rung: AtomicBool,
}

impl Wakes {
    pub(crate) fn new(seam: &Seam) -> Self {
        Self { woken: seam.mutex(Woken::default()), there: seam.condvar() }
    }

    /// The number of a future that was woken, once there is one; `None` where there will be none.
    pub(crate) fn wait(&self) -> Option<u64> {
        let mut woken = self.woken.lock();
        while woken.numbers.is_empty() && !woken.closed {
            woken = self.there.wait(woken, &self.woken);
        }
        woken.numbers.pop_front()
    }

    /// The number of a future that was woken, where there is one within this time.
    pub(crate) fn wait_for(&self, time: Duration) -> Option<u64> {
        let mut woken = self.woken.lock();
        if woken.numbers.is_empty() && !woken.closed && !time.is_zero() {
            woken = self.there.wait_timeout(woken, &self.woken, time);
        }
        woken.numbers.pop_front()
    }

    /// Loses a wake, as a test plants it.
    #[cfg(test)]
    pub(crate) fn forget(&self, number: u64) {
        self.woken.lock().numbers.retain(|woken| *woken != number);
    }

    /// Nothing is polled any more.
    pub(crate) fn close(&self) {
        let mut woken = self.woken.lock();
        woken.closed = true;
        woken.numbers.clear();
        drop(woken);
        self.there.notify_all();
    }
}

impl Bell {
    pub(crate) fn new(wakes: &Arc<Wakes>, number: u64) -> Arc<Self> {
        Arc::new(Self { wakes: wakes.clone(), number, rung: AtomicBool::new(false) })
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.rung.swap(true, Ordering::SeqCst) {
            return;
        }
        let mut woken = self.wakes.woken.lock();
        if !woken.closed {
            woken.numbers.push_back(self.number);
        }
        drop(woken);
        self.wakes.there.notify_one();
    }
}
