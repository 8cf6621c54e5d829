//! What the watchdog saw when it looked at the stations, and what it remembers of the look before.
//!
//! A unit of several documents only stores the place of each. When it came there is seen here: it is not the
//! business of the thread that works, nor is what counts as the last move of the whole run.

use std::cmp::Reverse;
use std::time::Duration;

use super::station::{Doing, Reading, Station, encode};
use super::stations::Stations;
use crate::engine::seam::Moment;
use crate::error::stalled::{At, Inside};

/// The last look.
#[derive(Default)]
pub(super) struct Look {
    /// One of each station, in their order.
    seen: Vec<Seen>,
    moved: Moment,
}

#[derive(Clone, Copy, Default)]
struct Seen {
    reading: Reading,
    /// Since when its thread has been doing what it does; where it went on, since that was seen.
    since: Moment,
}

impl Seen {
    fn again(&mut self, station: &Station, now: Moment) {
        let reading = station.read();
        let as_before = (reading.code, reading.moved) == (self.reading.code, self.reading.moved);
        self.since = match (reading.went_on(), as_before) {
            (false, _) => reading.since,
            (true, true) => self.since,
            (true, false) => now,
        };
        self.reading = reading;
    }

    fn moved(&self) -> Moment {
        if self.reading.went_on() { self.reading.moved.max(self.since) } else { self.reading.moved }
    }

    fn inside(&self, now: Moment) -> Option<(At, Duration)> {
        match self.reading.doing() {
            Doing::At(at) => Some((at, now.since(self.since))),
            Doing::Nothing | Doing::ForBatch => None,
        }
    }
}

impl Look {
    /// Looks at all stations; when anything last moved.
    pub(super) fn again(&mut self, stations: &Stations, now: Moment) -> Moment {
        self.seen.resize(stations.iter().count(), Seen::default());
        for (seen, station) in self.seen.iter_mut().zip(stations.iter()) {
            seen.again(station, now);
        }
        self.moved = self.seen.iter().map(Seen::moved).fold(self.moved, Moment::max);
        stations.saw_moving(self.moved);
        self.moved
    }

    /// Code that has not returned, the longest first; the caller is the last.
    pub(super) fn inside(&self, stations: &Stations, now: Moment) -> Vec<Inside> {
        let mut all: Vec<Inside> = self
            .seen
            .iter()
            .zip(stations.iter())
            .filter_map(|(seen, station)| {
                let (at, running) = seen.inside(now)?;
                Some(Inside { thread: station.thread(), at, running })
            })
            .collect();
        all.sort_by_key(|inside| {
            (inside.at == At::Caller, Reverse(inside.running), encode(Doing::At(inside.at)))
        });
        all
    }

    /// Device threads that wait for a batch.
    pub(super) fn for_batch(&self, stations: &Stations) -> Vec<String> {
        let seen = self.seen.iter().zip(stations.iter());
        let waiting = seen.filter(|(seen, _)| seen.reading.doing() == Doing::ForBatch);
        let mut names: Vec<String> = waiting.map(|(_, station)| station.thread()).collect();
        names.sort_unstable();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::super::stations::Watched;
    use super::*;
    use crate::engine::seam::Seam;
    use crate::place::Position;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(second: u32) -> Moment {
        Moment::at(second * SECOND)
    }

    fn stations() -> Stations {
        Stations::new(&Seam::real(), Watched { workers: 2, devices: 1 })
    }

    fn prepares(place: u64) -> Doing {
        Doing::At(At::Prepare(Position(place)))
    }

    #[test]
    fn a_document_of_a_group_is_named_once_the_group_has_come_to_it() {
        let (stations, mut look) = (stations(), Look::default());
        let station = stations.of_worker(0).expect("nobody else works");
        station.set(prepares(8), at(1), at(1));
        station.next(9);
        assert_eq!(look.again(&stations, at(3)), at(3), "it moved since it began");
        assert_eq!(look.again(&stations, at(7)), at(3));
        let inside = look.inside(&stations, at(7)).swap_remove(0);
        assert_eq!((inside.at, inside.running), (At::Prepare(Position(9)), 4 * SECOND));
        station.set(Doing::Nothing, at(8), at(8));
        station.release();
        assert_eq!(look.again(&stations, at(9)), at(8));
        assert!(look.inside(&stations, at(9)).iter().all(|inside| inside.at == At::Caller));
    }

    #[test]
    fn a_caller_that_works_on_what_it_has_moves() {
        let (stations, mut look) = (stations(), Look::default());
        stations.caller(false, at(1));
        assert_eq!(look.again(&stations, at(2)), at(1));
        stations.caller_works();
        assert_eq!(look.again(&stations, at(3)), at(3));
        let inside = &look.inside(&stations, at(5))[0];
        assert_eq!((inside.at, inside.running), (At::Caller, 2 * SECOND));
        // As far into its next result as it was in the last.
        stations.caller(true, at(4));
        stations.caller(false, at(4));
        stations.caller_works();
        assert_eq!(look.again(&stations, at(5)), at(5));
    }

    #[test]
    fn a_thread_that_is_inside_two_units_is_told_with_both() {
        let (stations, mut look) = (stations(), Look::default());
        for (place, now) in [(4, at(1)), (5, at(2))] {
            stations.of_worker(1).expect("a unit for each").set(prepares(place), now, now);
        }
        assert_eq!(look.again(&stations, at(3)), at(2));
        let inside = look.inside(&stations, at(3));
        let places: Vec<_> = inside.iter().map(|inside| (inside.at, inside.running)).collect();
        assert_eq!(places[..2], [(At::Prepare(Position(4)), 2 * SECOND), (At::Prepare(Position(5)), SECOND)]);
        assert_eq!(inside[0].thread, inside[1].thread);
    }

    #[test]
    fn what_only_waits_moves_nothing() {
        let (stations, mut look) = (stations(), Look::default());
        let device = stations.of_thread().expect("it is the first");
        device.set(Doing::Nothing, at(1), at(1));
        device.wait(Doing::ForBatch, Moment::ZERO);
        assert_eq!(look.again(&stations, at(9)), at(1));
        assert_eq!(look.for_batch(&stations).len(), 1);
    }
}
