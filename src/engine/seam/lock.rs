//! Locks and condition variables of the seam.
//!
//! A lock is held for a few instructions and never while user code runs, so a poisoned one can only
//! come from a bug of ours and its data is still whole: it is taken as it is.

use std::sync::PoisonError;
use std::time::Duration;

pub(crate) enum Mutex<T> {
    Real(std::sync::Mutex<T>),
    /// Its world counts how often locks are taken.
    #[cfg(test)]
    Manual(std::sync::Mutex<T>, super::manual::World),
    #[cfg(test)]
    Shuttle(shuttle::sync::Mutex<T>),
}

pub(crate) enum Guard<'a, T> {
    Real(std::sync::MutexGuard<'a, T>),
    #[cfg(test)]
    Shuttle(shuttle::sync::MutexGuard<'a, T>),
}

impl<T> Mutex<T> {
    pub(crate) fn real(value: T) -> Self {
        Self::Real(std::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> Guard<'_, T> {
        match self {
            Self::Real(mutex) => Guard::Real(mutex.lock().unwrap_or_else(PoisonError::into_inner)),
            #[cfg(test)]
            Self::Manual(mutex, world) => {
                world.count_lock();
                Guard::Real(mutex.lock().unwrap_or_else(PoisonError::into_inner))
            }
            #[cfg(test)]
            Self::Shuttle(mutex) => Guard::Shuttle(mutex.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }
}

impl<T> std::ops::Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Real(guard) => guard,
            #[cfg(test)]
            Self::Shuttle(guard) => guard,
        }
    }
}

impl<T> std::ops::DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        match self {
            Self::Real(guard) => guard,
            #[cfg(test)]
            Self::Shuttle(guard) => guard,
        }
    }
}

pub(crate) enum Condvar {
    Real(std::sync::Condvar),
    #[cfg(test)]
    Shuttle(shuttle::sync::Condvar),
    #[cfg(test)]
    Manual(super::manual::WorldCondvar),
}

impl Condvar {
    /// Waits until it is notified, or for no reason: always called in a loop.
    #[cfg_attr(not(test), expect(unused_variables, reason = "the locks of tests are taken again by hand"))]
    pub(crate) fn wait<'a, T>(&self, guard: Guard<'a, T>, mutex: &'a Mutex<T>) -> Guard<'a, T> {
        match (self, guard) {
            (Self::Real(condvar), Guard::Real(guard)) => {
                Guard::Real(condvar.wait(guard).unwrap_or_else(PoisonError::into_inner))
            }
            #[cfg(test)]
            (Self::Shuttle(condvar), Guard::Shuttle(guard)) => {
                Guard::Shuttle(condvar.wait(guard).unwrap_or_else(PoisonError::into_inner))
            }
            #[cfg(test)]
            (Self::Manual(condvar), guard) => {
                condvar.wait(guard, None);
                mutex.lock()
            }
            #[cfg(test)]
            _ => unreachable!("a lock and a condition variable of two seams"),
        }
    }

    /// Waits for at most `timeout`, or shorter for no reason: always called in a loop that looks at the clock.
    ///
    /// Under random schedules it ends at once, after others had their turn: a timed wait may end
    /// either way, and the loop around it decides.
    #[cfg_attr(not(test), expect(unused_variables, reason = "the locks of tests are taken again by hand"))]
    pub(crate) fn wait_timeout<'a, T>(
        &self,
        guard: Guard<'a, T>,
        mutex: &'a Mutex<T>,
        timeout: Duration,
    ) -> Guard<'a, T> {
        match (self, guard) {
            (Self::Real(condvar), Guard::Real(guard)) => {
                Guard::Real(condvar.wait_timeout(guard, timeout).unwrap_or_else(PoisonError::into_inner).0)
            }
            #[cfg(test)]
            (Self::Manual(condvar), guard) => {
                condvar.wait(guard, Some(timeout));
                mutex.lock()
            }
            #[cfg(test)]
            (Self::Shuttle(_), guard) => {
                drop(guard);
                shuttle::thread::yield_now();
                mutex.lock()
            }
            #[cfg(test)]
            _ => unreachable!("a lock and a condition variable of two seams"),
        }
    }

    pub(crate) fn notify_one(&self) {
        match self {
            Self::Real(condvar) => condvar.notify_one(),
            #[cfg(test)]
            Self::Shuttle(condvar) => condvar.notify_one(),
            #[cfg(test)]
            Self::Manual(condvar) => condvar.notify(false),
        }
    }

    pub(crate) fn notify_all(&self) {
        match self {
            Self::Real(condvar) => condvar.notify_all(),
            #[cfg(test)]
            Self::Shuttle(condvar) => condvar.notify_all(),
            #[cfg(test)]
            Self::Manual(condvar) => condvar.notify(true),
        }
    }
}
