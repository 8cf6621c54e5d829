//! All stations of a run: as many as there can be threads inside user code at once.
//!
//! That is known before the run: a feeder, the device threads, and a unit of work for each ticket, of which there
//! are never more than workers. A unit inside another one, on the same thread, has a ticket and a station of its
//! own, so both are seen. Whoever takes a station looks first where it was before, takes no lock for it, and makes
//! nobody else's line its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::station::{Doing, Station};
use crate::engine::seam::{Moment, Seam};
use crate::error::stalled::At;

/// Who may be inside user code at once, beside the feeder, whoever polls futures, and the caller.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watched {
    /// 0 where the caller does the work.
    pub(crate) workers: usize,
    pub(crate) devices: usize,
}

pub(crate) struct Stations {
    /// Those of workers first, each at its rank.
    all: Box<[Arc<Station>]>,
    /// The caller: inside `next`, or outside.
    caller: Station,
    /// When the watchdog saw anything move last. Written by it alone.
    seen: AtomicU64,
}

impl Stations {
    pub(crate) fn new(seam: &Seam, watched: Watched) -> Self {
        let (caller, now) = (Station::new(seam), seam.now());
        caller.set(Doing::At(At::Caller), now, now);
        let count = watched.workers.max(1) + watched.devices + 2;
        let all = (0..count).map(|_| Arc::new(Station::new(seam))).collect();
        let stations = Self { all, caller, seen: AtomicU64::default() };
        stations.saw_moving(now);
        stations
    }

    /// A station for the worker of this rank, until it is released.
    ///
    /// There is always a free one. Who does not find it in two rounds, because others were quicker each time, is
    /// not watched rather than kept waiting.
    pub(super) fn of_worker(&self, rank: usize) -> Option<&Station> {
        let first = rank % self.all.len();
        let round = || self.all[first..].iter().chain(&self.all[..first]);
        round().chain(round()).find(|station| station.try_hold()).map(|station| &**station)
    }

    /// A station for a thread that keeps it, behind those that workers look at first.
    pub(super) fn of_thread(&self) -> Option<Arc<Station>> {
        self.all.iter().rev().find(|station| station.try_hold()).cloned()
    }

    /// The caller has come into `next`, or out of it.
    pub(crate) fn caller(&self, inside: bool, now: Moment) {
        self.caller.set(if inside { Doing::Nothing } else { Doing::At(At::Caller) }, now, now);
    }

    /// The caller is at work with a result that came out of the engine before. No clock is read for it.
    pub(crate) fn caller_works(&self) {
        self.caller.step();
    }

    pub(crate) fn caller_waits(&self) -> bool {
        self.caller.doing() == Doing::Nothing
    }

    /// Every station, the caller's last.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Station> {
        self.all.iter().map(|station| &**station).chain([&self.caller])
    }

    /// The watchdog saw something move then.
    pub(super) fn saw_moving(&self, moved: Moment) {
        self.seen.store(moved.nanos(), Ordering::Relaxed);
    }

    /// When the watchdog saw anything move last; what moved since then it will see.
    pub(super) fn seen_moving(&self) -> Moment {
        Moment::from_nanos(self.seen.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_can_be_inside_code_at_once_have_a_station_whatever_their_rank() {
        let stations = Stations::new(&Seam::real(), Watched { workers: 3, devices: 2 });
        let threads: Vec<_> =
            (0..4).map(|_| stations.of_thread().expect("two devices, a feeder, and who polls")).collect();
        let workers: Vec<_> =
            (0..3).map(|_| stations.of_worker(2).expect("three units on one worker")).collect();
        assert!(stations.of_worker(0).is_none() && stations.of_thread().is_none());
        assert!(std::ptr::eq(workers[0], &*stations.all[2]), "where it was before");
        workers[0].release();
        assert!(std::ptr::eq(stations.of_worker(0).expect("it was given back"), workers[0]));
        drop(threads);
    }
}
