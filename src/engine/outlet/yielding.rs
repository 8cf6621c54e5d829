//! Waiting inside a rayon pool without holding the pool up.
//!
//! A rayon worker that blocks takes its thread from everything else in the pool, and three ways of
//! sharing the global pool deadlock on it. So a caller that is a rayon worker runs other work of its
//! pool while it waits. That work may itself wait for a run, on the same stack: waits nest, and the
//! nesting is bounded, since a guard that stopped yielding would hang again.

use std::cell::Cell;
use std::time::Duration;

use rayon::Yield;

use crate::engine::seam::{Disconnected, Receiver};

/// Waits that may be nested in one thread.
pub(crate) const DEEPEST: usize = 64;
/// Wait between two looks at the pool, where the pool had nothing to do.
const IDLE: Duration = Duration::from_micros(200);

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    Disconnected,
    /// So many waits were nested in this thread.
    Nested {
        depth: usize,
    },
}

impl From<Disconnected> for Failed {
    fn from(Disconnected: Disconnected) -> Self {
        Self::Disconnected
    }
}

/// Waits for a message; a rayon worker gives its pool a turn meanwhile.
pub(crate) fn recv<T>(receiver: &Receiver<T>) -> Result<T, Failed> {
    if rayon::current_thread_index().is_none() {
        return Ok(receiver.recv()?);
    }
    loop {
        if let Some(message) = receiver.try_recv()? {
            return Ok(message);
        }
        match run_other_work() {
            Some(Yield::Executed) => {}
            Some(Yield::Idle) => {
                if let Some(message) = receiver.recv_timeout(IDLE)? {
                    return Ok(message);
                }
            }
            None => return Err(Failed::Nested { depth: DEEPEST }),
        }
    }
}

/// Waits for a message for at most `wait`, or shorter for no reason; a rayon worker gives its pool a turn
/// meanwhile.
pub(crate) fn recv_timeout<T>(receiver: &Receiver<T>, wait: Duration) -> Result<Option<T>, Failed> {
    if rayon::current_thread_index().is_none() {
        return Ok(receiver.recv_timeout(wait)?);
    }
    if let Some(message) = receiver.try_recv()? {
        return Ok(Some(message));
    }
    match run_other_work() {
        Some(Yield::Executed) => Ok(None),
        Some(Yield::Idle) => Ok(receiver.recv_timeout(wait.min(IDLE))?),
        None => Err(Failed::Nested { depth: DEEPEST }),
    }
}

/// Looks until something is there, and waits between two looks as it is told; a rayon worker gives its pool a turn
/// meanwhile, and never waits for long.
pub(crate) fn until<T>(mut look: impl FnMut(Option<Duration>) -> Option<T>) -> T {
    if rayon::current_thread_index().is_none() {
        loop {
            if let Some(found) = look(None) {
                return found;
            }
        }
    }
    loop {
        if let Some(found) = look(Some(slice(IDLE))) {
            return found;
        }
    }
}

/// Gives the caller's pool a turn where it is in one, and says for how long it may wait then.
pub(crate) fn slice(longest: Duration) -> Duration {
    if rayon::current_thread_index().is_none() {
        return longest;
    }
    match run_other_work() {
        Some(Yield::Executed) => Duration::from_micros(1),
        Some(Yield::Idle) => IDLE,
        None => longest,
    }
}

/// Runs one piece of the pool's work; `None` where too many waits are nested here already.
fn run_other_work() -> Option<Yield> {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            DEPTH.set(DEPTH.get() - 1);
        }
    }
    if DEPTH.get() >= DEEPEST {
        return None;
    }
    DEPTH.set(DEPTH.get() + 1);
    let _leave = Leave;
    rayon::yield_now().or(Some(Yield::Idle))
}
