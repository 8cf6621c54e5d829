//! Tokens: the right of one item to be in flight. They bound memory; nothing else does.
//!
//! The feeder takes them and is the only one that waits for them; they come back when a batch is
//! handed to the caller.

use super::seam::{Condvar, Mutex, Seam};
use crate::schedule::tokens::Purse;

/// Tokens of a sequential run, which holds everything.
pub(crate) const UNLIMITED: usize = usize::MAX / 2;

pub(crate) struct Tokens {
    #[cfg(test)]
    seam: Seam,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    purse: Purse,
    feeder_waits: bool,
    stopped: bool,
}

impl Tokens {
    pub(crate) fn new(seam: &Seam, total: usize) -> Self {
        let state = State { purse: Purse::new(total), feeder_waits: false, stopped: false };
        Self {
            #[cfg(test)]
            seam: seam.clone(),
            state: seam.mutex(state),
            changed: seam.condvar(),
        }
    }

    /// Takes between 1 and `want` tokens, waiting for the first; `None` once the run is stopped.
    pub(crate) fn take(&self, want: usize) -> Option<usize> {
        let mut state = self.state.lock();
        while state.purse.available() == 0 && !state.stopped {
            state.feeder_waits = true;
            state = self.changed.wait(state, &self.state);
        }
        state.feeder_waits = false;
        state.take(want)
    }

    /// Takes between 1 and `want` tokens if one is free.
    pub(crate) fn try_take(&self, want: usize) -> Option<usize> {
        self.state.lock().take(want)
    }

    /// The tokens of a batch that the caller was handed.
    pub(crate) fn give_back(&self, good: usize, failed: usize) {
        #[cfg(test)]
        if self.seam.has(super::seam::Planted::TokenOfAFailureLeaks) {
            return self.give(good);
        }
        self.change(|purse| purse.give_back(good, failed));
    }

    /// Tokens that were taken and not used.
    pub(crate) fn give(&self, tokens: usize) {
        self.change(|purse| purse.give(tokens));
    }

    /// What may let the feeder go on.
    fn change(&self, change: impl FnOnce(&mut Purse)) {
        let mut state = self.state.lock();
        change(&mut state.purse);
        let wake = state.feeder_waits;
        drop(state);
        if wake {
            self.changed.notify_one();
        }
    }

    /// Allows so many in flight, of those there are in all. More that are out already come back as they do.
    pub(crate) fn allow(&self, tokens: usize) {
        self.change(|purse| purse.allow(tokens));
    }

    /// Wakes the feeder for good: no token is given any more.
    pub(crate) fn stop(&self) {
        self.state.lock().stopped = true;
        #[cfg(test)]
        if self.seam.has(super::seam::Planted::StopWakesNobody) {
            return;
        }
        self.changed.notify_all();
    }

    pub(crate) fn total(&self) -> usize {
        self.state.lock().purse.total()
    }

    /// Tokens that are taken now.
    pub(crate) fn taken(&self) -> usize {
        self.look().0
    }

    /// Tokens that are taken, and whether the feeder waits for one.
    pub(crate) fn look(&self) -> (usize, bool) {
        let state = self.state.lock();
        (state.purse.taken(), state.feeder_waits)
    }

    /// Most tokens that were in flight at one time.
    pub(crate) fn peak(&self) -> usize {
        self.state.lock().purse.peak()
    }
}

impl State {
    fn take(&mut self, want: usize) -> Option<usize> {
        if self.stopped { None } else { self.purse.take(want) }
    }
}
