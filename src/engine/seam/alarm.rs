//! Wakes a caller that polls: told whenever there may be something new.
//!
//! A caller that polls has no thread to wait in. It leaves a waker here, looks once more, and is woken by
//! whichever thread of the run has news next; so nothing needs a thread of its own. A run that is not
//! polled pays one look at a flag.

use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::task::Waker;

use super::{Moment, Mutex, Seam};
use crate::engine::guard::guard;
use crate::observe::meters::Mark;

pub(crate) struct Alarm {
    set: AtomicBool,
    waker: Mutex<Option<Waker>>,
    /// When it was rung first since it was set.
    rung: Mark,
    seam: Seam,
}

impl Alarm {
    pub(crate) fn new(seam: &Seam) -> Self {
        Self {
            set: AtomicBool::new(false),
            waker: seam.mutex(None),
            rung: Mark::default(),
            seam: seam.clone(),
        }
    }

    /// Wakes whoever polls, at the next news. The caller has to look once more after this.
    #[cfg_attr(not(feature = "stream"), expect(dead_code, reason = "only streams are polled"))]
    pub(crate) fn set(&self, waker: &Waker) {
        // Cloned and dropped without the lock: both are code of the executor.
        let new = waker.clone();
        self.rung.clear();
        let before = self.waker.lock().replace(new);
        drop(before);
        self.set.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    /// When whoever polls was woken; `None` where that has not happened since the alarm was set.
    #[cfg_attr(not(feature = "stream"), expect(dead_code, reason = "only streams are polled"))]
    pub(crate) fn rung(&self) -> Option<Moment> {
        self.rung.get()
    }

    /// There may be news. To be called after what is new can be seen.
    pub(crate) fn ring(&self) {
        fence(Ordering::SeqCst);
        if !self.set.load(Ordering::SeqCst) {
            return;
        }
        let waker = self.waker.lock().take();
        if let Some(waker) = waker {
            self.rung.set(self.seam.now());
            // A panic of the executor must not end a thread of the run.
            let _woken = guard(|| waker.wake());
        }
    }
}
