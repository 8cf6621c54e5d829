//! What counters are made of: sums of durations, and moments.
//!
//! Each is a relaxed atomic: it is read for people, and no decision of the engine depends on it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::moment::{Moment, nanos};

/// A sum of durations.
#[derive(Debug, Default)]
pub(crate) struct Total(AtomicU64);

impl Total {
    pub(crate) fn add(&self, time: Duration) {
        self.0.fetch_add(nanos(time), Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

/// Work that was looked at: how long it took, and how much processor time it used.
#[derive(Debug, Default)]
pub(crate) struct Worked {
    took: Total,
    used: Total,
}

impl Worked {
    pub(crate) fn add(&self, took: Duration, used: Duration) {
        self.took.add(took);
        self.used.add(used);
    }

    /// Share of its time that was processor time, from 0 to 1; `None` where none was looked at.
    pub(crate) fn share(&self) -> Option<f64> {
        let took = self.took.get().as_secs_f64();
        (took > 0.0).then(|| (self.used.get().as_secs_f64() / took).min(1.0))
    }
}

/// A moment that is set once, or moved on.
#[derive(Debug)]
pub(crate) struct Mark(AtomicU64);

impl Default for Mark {
    fn default() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }
}

impl Mark {
    /// Sets it where nothing was set before; says whether it did.
    pub(crate) fn set_first(&self, moment: Moment) -> bool {
        self.0.compare_exchange(u64::MAX, moment.nanos(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    pub(crate) fn set(&self, moment: Moment) {
        self.0.store(moment.nanos(), Ordering::Relaxed);
    }

    pub(crate) fn clear(&self) {
        self.0.store(u64::MAX, Ordering::Relaxed);
    }

    /// What was set, once.
    pub(crate) fn take(&self) -> Option<Moment> {
        let nanos = self.0.swap(u64::MAX, Ordering::Relaxed);
        (nanos != u64::MAX).then(|| Moment::from_nanos(nanos))
    }

    pub(crate) fn get(&self) -> Option<Moment> {
        let nanos = self.0.load(Ordering::Relaxed);
        (nanos != u64::MAX).then(|| Moment::from_nanos(nanos))
    }
}
