//! Who waits, without a thread, for room in the queue of a server.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::task::Waker;

use crate::pipeline::guard;

/// Tasks that wait for room, by the numbers of their requests.
#[derive(Default)]
pub(super) struct Room(Mutex<HashMap<u64, Waker>>);

impl Room {
    /// Wakes this task when there may be room. It has to look once more after this.
    pub(super) fn wait(&self, number: u64, waker: &Waker) {
        // Cloned and dropped without the lock: both are code of the executor.
        let new = waker.clone();
        let before = self.with(|waiting| waiting.insert(number, new));
        drop(before);
    }

    /// This request waits no more.
    pub(super) fn leave(&self, number: u64) {
        let waker = self.with(|waiting| waiting.remove(&number));
        drop(waker);
    }

    /// There is room, or there will be none: all of them look again, since any may have been dropped meanwhile.
    pub(super) fn wake_all(&self) {
        let waiting = self.with(std::mem::take);
        for waker in waiting.into_values() {
            let _woken = guard(|| waker.wake());
        }
    }

    fn with<R>(&self, change: impl FnOnce(&mut HashMap<u64, Waker>) -> R) -> R {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
