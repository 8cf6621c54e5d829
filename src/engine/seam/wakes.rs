//! Wakes: which futures of a run have been woken, and the one thread that waits to poll them.
//!
//! A future is known here by a number alone, so whoever wakes one holds nothing of the run's types.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::task::Wake;
use std::time::Duration;

use super::{Condvar, Mutex, Seam};

pub(crate) struct Wakes {
    woken: Mutex<Woken>,
    there: Condvar,
}

#[derive(Default)]
struct Woken {
    numbers: VecDeque<usize>,
    /// Whether the thread that polls sleeps: one that is awake need not be woken.
    sleeps: bool,
    closed: bool,
}

/// Wakes the future of one number, once for each time that it is put aside: there are never more numbers than
/// futures.
pub(crate) struct Bell {
    wakes: Arc<Wakes>,
    /// That of its future, while that is aside.
    number: AtomicUsize,
    state: AtomicU8,
}

/// Its future is in somebody's hands, who asks whether it rang meanwhile.
const IN_HAND: u8 = 0;
/// Its future waits until it rings.
const ASIDE: u8 = 1;
const RUNG: u8 = 2;

impl Wakes {
    pub(crate) fn new(seam: &Seam) -> Self {
        Self { woken: seam.mutex(Woken::default()), there: seam.condvar() }
    }

    /// Waits until futures were woken, and gives the numbers of all; false where none will be.
    pub(crate) fn wait(&self, numbers: &mut VecDeque<usize>) -> bool {
        let mut woken = self.woken.lock();
        while woken.numbers.is_empty() && !woken.closed {
            woken.sleeps = true;
            woken = self.there.wait(woken, &self.woken);
        }
        std::mem::swap(&mut woken.numbers, numbers);
        !woken.closed
    }

    /// The numbers of all futures that were woken, where there are any within this time.
    pub(crate) fn wait_for(&self, numbers: &mut VecDeque<usize>, time: Duration) {
        let mut woken = self.woken.lock();
        if woken.numbers.is_empty() && !woken.closed && !time.is_zero() {
            woken.sleeps = true;
            woken = self.there.wait_timeout(woken, &self.woken, time);
        }
        std::mem::swap(&mut woken.numbers, numbers);
    }

    /// Nothing is polled any more.
    pub(crate) fn close(&self) {
        let mut woken = self.woken.lock();
        woken.closed = true;
        woken.numbers.clear();
        drop(woken);
        self.there.notify_all();
    }

    fn wake(&self, number: usize) {
        let mut woken = self.woken.lock();
        if woken.closed {
            return;
        }
        woken.numbers.push_back(number);
        let sleeps = std::mem::take(&mut woken.sleeps);
        drop(woken);
        if sleeps {
            self.there.notify_one();
        }
    }
}

impl Bell {
    pub(crate) fn new(wakes: &Arc<Wakes>) -> Arc<Self> {
        Arc::new(Self { wakes: wakes.clone(), number: AtomicUsize::new(0), state: AtomicU8::new(IN_HAND) })
    }

    /// Its future has been taken in hand, and is polled after this. It reads what rang before, so that the poll sees
    /// all that was done before that.
    pub(crate) fn in_hand(&self) {
        self.state.swap(IN_HAND, Ordering::SeqCst);
    }

    /// Its future was put aside, where it is found by this number. Where the bell rang before, that is heard of now.
    pub(crate) fn aside(&self, number: usize) {
        if !self.aside_for_good(number) {
            self.wakes.wake(number);
        }
    }

    /// The same, but what rang before is not heard of: says whether nothing did.
    pub(crate) fn aside_for_good(&self, number: usize) -> bool {
        self.number.store(number, Ordering::SeqCst);
        self.state.compare_exchange(IN_HAND, ASIDE, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.swap(RUNG, Ordering::SeqCst) == ASIDE {
            self.wakes.wake(self.number.load(Ordering::SeqCst));
        }
    }
}
