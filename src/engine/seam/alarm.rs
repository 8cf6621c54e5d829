//! Wakes a caller that polls: told whenever there may be something new.
//!
//! A caller that polls has no thread to wait in. It leaves a waker here, looks once more, and is woken by
//! whichever thread of the run has news next; so nothing needs a thread of its own. A run that is not
//! polled pays one look at a flag.

use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::task::Waker;

use super::{Mutex, Seam};
use crate::engine::guard::guard;

pub(crate) struct Alarm {
    set: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Alarm {
    pub(crate) fn new(seam: &Seam) -> Self {
        Self { set: AtomicBool::new(false), waker: seam.mutex(None) }
    }

    /// Wakes whoever polls, at the next news. The caller has to look once more after this.
    #[cfg_attr(not(feature = "stream"), expect(dead_code, reason = "only streams are polled"))]
    pub(crate) fn set(&self, waker: &Waker) {
        // Cloned and dropped without the lock: both are code of the executor.
        let new = waker.clone();
        let before = self.waker.lock().replace(new);
        drop(before);
        self.set.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    /// There may be news. To be called after what is new can be seen.
    pub(crate) fn ring(&self) {
        fence(Ordering::SeqCst);
        if !self.set.load(Ordering::SeqCst) {
            return;
        }
        let waker = self.waker.lock().take();
        if let Some(waker) = waker {
            // A panic of the executor must not end a thread of the run.
            let _woken = guard(|| waker.wake());
        }
    }
}
