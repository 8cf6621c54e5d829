//! The seam: everything of the engine that waits, counts time or starts a thread.
//!
//! The engine takes its locks, channels, threads, clock and workers from here and from nowhere
//! else, so that tests can replace them: real (std, crossbeam, rayon), random schedules (shuttle)
//! and manual time (the clock moves only when every thread waits). The last two exist in tests only.
//!
//! A channel's `send` never waits: every channel is as long as its tokens allow.

mod alarm;
pub(crate) mod atomics;
mod channel;
mod fifo;
mod lock;
#[cfg(test)]
pub(crate) mod manual;
mod processor;
mod thread;
mod wakes;
mod workers;

use std::time::{Duration, Instant};

pub(crate) use self::alarm::Alarm;
pub(crate) use self::channel::{Disconnected, Receiver, Sender};
pub(crate) use self::fifo::Fifo;
pub(crate) use self::lock::{Condvar, Mutex};
pub(crate) use self::processor::cores;
pub(crate) use self::thread::spawn_aside;
#[cfg(feature = "stream")]
pub(crate) use self::thread::spawn_unjoined;
pub(crate) use self::thread::{Body, STACK, Threads, thread_number};
pub(crate) use self::wakes::{Bell, Wakes};
pub(crate) use self::workers::{Pool, Workers, next_ticket, rank, worker_name};
pub(crate) use crate::moment::Moment;

/// Longest wait of a thread that has something to look at meanwhile.
pub(crate) const SLICE: Duration = Duration::from_millis(50);
/// Values that a channel or a line holds memory for from the start. Beyond them it takes memory as it fills:
/// with tokens for a million documents in flight their memory would be gigabytes.
const ALLOCATED: usize = 1 << 12;

/// Looks before a thread goes to sleep.
const LOOKS: usize = 8;

/// Where locks, channels, threads and time come from.
#[derive(Clone, Debug)]
pub(crate) enum Seam {
    Real {
        start: Instant,
    },
    #[cfg(test)]
    Shuttle(Option<Planted>),
    #[cfg(test)]
    Manual(manual::World),
}

/// Bugs that a test plants, to show that random schedules, or laws under manual time, find them.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Planted {
    /// The token of a failed document never comes back.
    TokenOfAFailureLeaks,
    /// Stopping sets the flag and leaves a waiting feeder asleep.
    StopWakesNobody,
    /// The feeder does not look whether the queue was closed while it put documents there.
    FeederLeavesDocuments,
    /// A worker that found nothing does not look once more after it gave its ticket back.
    WorkerLooksOnce,
    /// A caller that polls leaves its waker and does not look once more.
    PollLooksOnce,
    /// A result that comes when the caller has gone stays where nobody reads it.
    LateResultIsKept,
    /// A worker that found nothing does not look for a device that idles.
    WorkerForgetsDevices,
    /// A future is kept where it was, though it was woken while it was polled.
    WakeIsLost,
    /// What a device owes that is given up is cancelled, and the others go on.
    OwedIsCancelled,
    /// What a batch weighs is asked of it again when it comes out.
    WeighsAgain,
    /// A stage is interrupted once, and not until its calls have returned.
    InterruptsOnce,
    /// A run misses its deadline by being asked late for what was there in time.
    MissedByTheCaller,
}

impl Seam {
    #[cfg(test)]
    pub(crate) fn has(&self, bug: Planted) -> bool {
        match self {
            Self::Real { .. } => false,
            Self::Shuttle(planted) => *planted == Some(bug),
            Self::Manual(world) => world.has(bug),
        }
    }

    pub(crate) fn real() -> Self {
        Self::Real { start: Instant::now() }
    }

    /// Where the threads and the time of a run come from that is started by a face.
    pub(crate) fn of_a_face() -> Self {
        #[cfg(test)]
        if let Some(world) = manual::of_this_thread() {
            return Self::Manual(world);
        }
        Self::real()
    }

    /// Counts time from now on, before anything was measured by it. What a test says of time stays.
    pub(crate) fn restart(&mut self) {
        match self {
            Self::Real { start } => *start = Instant::now(),
            #[cfg(test)]
            Self::Shuttle(_) | Self::Manual(_) => {}
        }
    }

    /// Where two threads meet over atomics: random schedules may let another go first here.
    #[inline]
    pub(crate) fn meet(&self) {
        #[cfg(test)]
        if let Self::Shuttle(_) = self {
            shuttle::thread::yield_now();
        }
    }

    /// Looks a few times whether there is something, and gives its core to whoever makes it between two looks.
    /// A sleeper has to be woken, which takes longer than a trivial document.
    pub(crate) fn look(&self, mut there: impl FnMut() -> bool) -> bool {
        match self {
            Self::Real { .. } => (0..LOOKS).any(|_| {
                let found = there();
                if !found {
                    std::thread::yield_now();
                }
                found
            }),
            #[cfg(test)]
            Self::Shuttle(_) | Self::Manual(_) => there(),
        }
    }

    /// Time since this seam was made. It stands still under random schedules.
    pub(crate) fn now(&self) -> Moment {
        match self {
            Self::Real { start } => Moment::at(start.elapsed()),
            #[cfg(test)]
            Self::Shuttle(_) => Moment::ZERO,
            #[cfg(test)]
            Self::Manual(world) => Moment::at(world.now()),
        }
    }

    pub(crate) fn mutex<T>(&self, value: T) -> Mutex<T> {
        match self {
            Self::Real { .. } => Mutex::real(value),
            #[cfg(test)]
            Self::Shuttle(_) => Mutex::Shuttle(shuttle::sync::Mutex::new(value)),
            #[cfg(test)]
            Self::Manual(world) => Mutex::Manual(std::sync::Mutex::new(value), world.clone()),
        }
    }

    pub(crate) fn condvar(&self) -> Condvar {
        match self {
            Self::Real { .. } => Condvar::Real(std::sync::Condvar::new()),
            #[cfg(test)]
            Self::Shuttle(_) => Condvar::Shuttle(shuttle::sync::Condvar::new()),
            #[cfg(test)]
            Self::Manual(world) => Condvar::Manual(world.condvar()),
        }
    }

    /// A line of at most so many values.
    pub(crate) fn fifo<T>(&self, most: usize) -> Fifo<T> {
        Fifo::new(self, most)
    }

    /// A channel for at most `capacity` messages.
    pub(crate) fn channel<T>(&self, capacity: usize) -> (Sender<T>, Receiver<T>) {
        channel::channel(self, capacity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restarted_clock_counts_nothing_from_before() {
        let outside = Instant::now();
        let mut seam = Seam::real();
        while seam.now() == Moment::ZERO {}
        let before = seam.now();
        seam.restart();
        assert!(seam.now().plus(before.since(Moment::ZERO)) <= Moment::at(outside.elapsed()));
    }
}
