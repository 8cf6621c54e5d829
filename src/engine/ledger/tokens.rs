//! Tokens: the right of one item to be in flight. They bound memory; nothing else does.
//!
//! The feeder takes them and is the only one that waits for them; they come back when a batch is
//! handed to the caller. Taking and giving are atomic; a lock is taken only where the feeder waits.

use std::sync::atomic::Ordering;

use super::super::seam::atomics::{AtomicBool, AtomicUsize};
use super::super::seam::{Condvar, Mutex, Seam};

/// Tokens of a sequential run, which holds everything.
pub(crate) const UNLIMITED: usize = usize::MAX / 2;

pub(crate) struct Tokens {
    seam: Seam,
    total: usize,
    free: AtomicUsize,
    /// Tokens that are not given out for the time being.
    withheld: AtomicUsize,
    /// The feeder alone writes it.
    least_free: AtomicUsize,
    feeder_waits: AtomicBool,
    stopped: AtomicBool,
    asleep: Mutex<()>,
    changed: Condvar,
}

impl Tokens {
    pub(crate) fn new(seam: &Seam, total: usize) -> Self {
        Self {
            total,
            free: AtomicUsize::new(total),
            withheld: AtomicUsize::new(0),
            least_free: AtomicUsize::new(total),
            feeder_waits: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            asleep: seam.mutex(()),
            changed: seam.condvar(),
            seam: seam.clone(),
        }
    }

    /// Takes between 1 and `want` tokens, waiting for the first; `None` once the run is stopped.
    pub(crate) fn take(&self, want: usize) -> Option<usize> {
        loop {
            if let Some(taken) = self.try_take(want) {
                return Some(taken);
            }
            // Trivial items come out before a sleeper could be woken.
            if !self.seam.look(|| self.has_news()) {
                self.sleep();
            }
            if self.stopped() {
                return None;
            }
        }
    }

    fn has_news(&self) -> bool {
        self.stopped() || self.available() > 0
    }

    fn sleep(&self) {
        let asleep = self.asleep.lock();
        // Said before the look, and looked at by whoever gives one after it was given: one of both sees it.
        self.feeder_waits.store(true, Ordering::SeqCst);
        self.seam.meet();
        if !self.has_news() {
            drop(self.changed.wait(asleep, &self.asleep));
        }
        self.feeder_waits.store(false, Ordering::SeqCst);
    }

    /// Takes between 1 and `want` tokens if one is free. Only the feeder takes any, so that what it sees free
    /// stays free.
    pub(crate) fn try_take(&self, want: usize) -> Option<usize> {
        let taken = want.min(self.available());
        if taken == 0 || self.stopped() {
            return None;
        }
        let free = self.free.fetch_sub(taken, Ordering::SeqCst) - taken;
        if free < self.least_free.load(Ordering::Relaxed) {
            self.least_free.store(free, Ordering::Relaxed);
        }
        Some(taken)
    }

    fn available(&self) -> usize {
        self.free.load(Ordering::SeqCst).saturating_sub(self.withheld.load(Ordering::SeqCst))
    }

    fn stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// The tokens of a batch that the caller was handed.
    pub(crate) fn give_back(&self, good: usize, failed: usize) {
        #[cfg(test)]
        if self.seam.has(super::super::seam::Planted::TokenOfAFailureLeaks) {
            return self.give(good);
        }
        self.give(good + failed);
    }

    pub(crate) fn give(&self, tokens: usize) {
        let free = self.free.fetch_add(tokens, Ordering::SeqCst) + tokens;
        debug_assert!(free <= self.total, "more tokens came back than were taken");
        self.wake();
    }

    /// Allows so many in flight, of those there are in all. More that are out already come back as they do.
    pub(crate) fn allow(&self, tokens: usize) {
        self.withheld.store(self.total.saturating_sub(tokens.max(1)), Ordering::SeqCst);
        self.wake();
    }

    fn wake(&self) {
        self.seam.meet();
        if self.feeder_waits.load(Ordering::SeqCst) {
            drop(self.asleep.lock());
            self.changed.notify_one();
        }
    }

    /// Wakes the feeder for good: no token is given any more.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        #[cfg(test)]
        if self.seam.has(super::super::seam::Planted::StopWakesNobody) {
            return;
        }
        drop(self.asleep.lock());
        self.changed.notify_all();
    }

    pub(crate) fn total(&self) -> usize {
        self.total
    }

    /// Tokens that there are; `None` where they bound nothing.
    pub(crate) fn bounded(&self) -> Option<usize> {
        Some(self.total).filter(|tokens| *tokens < UNLIMITED)
    }

    /// Tokens that are taken now.
    pub(crate) fn taken(&self) -> usize {
        self.total - self.free.load(Ordering::SeqCst)
    }

    pub(crate) fn feeder_waits(&self) -> bool {
        self.feeder_waits.load(Ordering::SeqCst)
    }

    /// Most tokens that were in flight at one time.
    pub(crate) fn peak(&self) -> usize {
        self.total - self.least_free.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::tokens::Purse;

    #[test]
    fn taking_and_giving_goes_by_the_law_that_predictions_go_by() {
        let (tokens, mut purse) = (Tokens::new(&Seam::real(), 20), Purse::new(20));
        let mut random = 1_u64;
        for _ in 0..10_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let many = (random >> 33) as usize % 7;
            if random >> 63 == 0 {
                assert_eq!(tokens.try_take(many + 1), purse.take(many + 1));
            } else {
                let given = many.min(tokens.taken());
                tokens.give_back(given - given / 2, given / 2);
                purse.give_back(given - given / 2, given / 2);
            }
            assert_eq!(tokens.available(), purse.available());
        }
        assert_eq!(tokens.peak(), 20);
    }

    #[test]
    fn what_is_withheld_is_not_taken() {
        let tokens = Tokens::new(&Seam::real(), 5);
        assert_eq!(tokens.try_take(4), Some(4));
        tokens.allow(2);
        assert_eq!(tokens.try_take(1), None);
        tokens.give(3);
        assert_eq!((tokens.try_take(5), tokens.taken()), (Some(1), 2));
        tokens.allow(100);
        assert_eq!(tokens.try_take(5), Some(3));
    }
}
