//! A station: where one thread is.
//!
//! Only the thread that holds it writes it, with the clock that it has read anyway, and it stands on a cache line
//! of its own: entering and leaving code of the user are a few stores that nobody else waits for. What the
//! watchdog makes of it is in `look`, and not here.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::Thread;

use crate::engine::seam::{Moment, Mutex, Seam, thread_number};
use crate::error::stalled::At;
use crate::place::{BatchIndex, Position};

/// What a thread is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    Nothing,
    /// It waits for a batch.
    ForBatch,
    At(At),
}

/// Where one thread is. Kind and number are one word, so that they are read together.
#[repr(align(128))]
pub(crate) struct Station {
    doing: AtomicU64,
    /// Since when it has been doing what was set last.
    since: AtomicU64,
    /// When it last moved.
    moved: AtomicU64,
    held: AtomicBool,
    /// Number of the thread whose name is here.
    holder: AtomicU64,
    /// Written where another thread than the last comes here, and read where a stall is told.
    thread: Mutex<Option<Thread>>,
}

/// A station as the watchdog reads it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) code: u64,
    pub(super) since: Moment,
    pub(super) moved: Moment,
}

/// Bits of the number; above them stands the kind, and whether the thread has gone on in what was set.
const BITS: u32 = 56;
const NUMBER: u64 = (1 << BITS) - 1;
const WENT_ON: u64 = 1 << 63;

impl Station {
    pub(super) fn new(seam: &Seam) -> Self {
        Self {
            doing: AtomicU64::default(),
            since: AtomicU64::default(),
            moved: AtomicU64::default(),
            held: AtomicBool::default(),
            holder: AtomicU64::default(),
            thread: seam.mutex(None),
        }
    }

    /// Takes the station for this thread, if nobody holds it.
    pub(super) fn try_hold(&self) -> bool {
        let held = !self.held.load(Ordering::Relaxed) && !self.held.swap(true, Ordering::Acquire);
        if held {
            self.adopt();
        }
        held
    }

    /// The station is this thread's from now on.
    pub(super) fn adopt(&self) {
        let number = thread_number();
        // Whoever comes back finds the name there: no lock, and no count of the thread's references.
        if self.holder.load(Ordering::Relaxed) != number {
            *self.thread.lock() = Some(std::thread::current());
            self.holder.store(number, Ordering::Relaxed);
        }
    }

    /// Gives the station back. Its last move stays.
    pub(super) fn release(&self) {
        self.doing.store(encode(Doing::Nothing), Ordering::Release);
        self.held.store(false, Ordering::Release);
    }

    /// It has moved on: it has been doing this since then.
    pub(super) fn set(&self, doing: Doing, since: Moment, now: Moment) {
        self.moved.store(now.nanos(), Ordering::Relaxed);
        self.wait(doing, since);
    }

    /// It has been doing this since then, which moves nothing.
    pub(super) fn wait(&self, doing: Doing, since: Moment) {
        self.since.store(since.nanos(), Ordering::Relaxed);
        self.doing.store(encode(doing), Ordering::Release);
    }

    /// The next document of the same unit; when it came there is known as exactly as the watchdog looks.
    ///
    /// Inlined, because it is called once a document, by code that is compiled for each pair of stages.
    #[inline]
    pub(super) fn next(&self, number: u64) {
        let code = self.doing.load(Ordering::Relaxed);
        if code & NUMBER != number {
            self.doing.store(code & !NUMBER | WENT_ON | number, Ordering::Relaxed);
        }
    }

    /// It goes on with the same, which is not numbered.
    pub(super) fn step(&self) {
        self.next((self.doing.load(Ordering::Relaxed) + 1) & NUMBER);
    }

    pub(super) fn doing(&self) -> Doing {
        decode(self.doing.load(Ordering::Acquire))
    }

    pub(super) fn read(&self) -> Reading {
        let code = self.doing.load(Ordering::Acquire);
        let moment = |word: &AtomicU64| Moment::from_nanos(word.load(Ordering::Relaxed));
        Reading { code, since: moment(&self.since), moved: moment(&self.moved) }
    }

    /// The thread that holds it, as the operating system and debuggers name it.
    pub(super) fn thread(&self) -> String {
        let thread = self.thread.lock().clone();
        thread.as_ref().and_then(Thread::name).unwrap_or_default().to_owned()
    }
}

impl Reading {
    pub(super) fn doing(&self) -> Doing {
        decode(self.code)
    }

    /// Whether it has come to another document of the unit since that was set.
    pub(super) fn went_on(&self) -> bool {
        self.code & WENT_ON != 0
    }
}

pub(super) fn encode(doing: Doing) -> u64 {
    let (kind, number) = match doing {
        Doing::Nothing => (0, 0),
        Doing::ForBatch => (1, 0),
        Doing::At(At::Source(place)) => (2, place.0),
        Doing::At(At::Prepare(place)) => (3, place.0),
        Doing::At(At::Submit(batch)) => (4, batch.0),
        Doing::At(At::Device(batch)) => (5, batch.0),
        Doing::At(At::Rebuild) => (6, 0),
        Doing::At(At::Then(place)) => (7, place.0),
        Doing::At(At::Caller) => (8, 0),
    };
    kind << BITS | number
}

fn decode(code: u64) -> Doing {
    let number = code & NUMBER;
    Doing::At(match (code & !WENT_ON) >> BITS {
        0 => return Doing::Nothing,
        1 => return Doing::ForBatch,
        2 => At::Source(Position(number)),
        3 => At::Prepare(Position(number)),
        4 => At::Submit(BatchIndex(number)),
        5 => At::Device(BatchIndex(number)),
        6 => At::Rebuild,
        7 => At::Then(Position(number)),
        _ => At::Caller,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::seam::Threads;

    #[test]
    fn what_is_written_down_is_read_again() {
        let (place, batch) = (Position(1 << 40), BatchIndex(7));
        let places = [At::Source(place), At::Prepare(place), At::Submit(batch), At::Device(batch)];
        let others = [At::Rebuild, At::Then(place), At::Caller];
        let all = places.into_iter().chain(others).map(Doing::At).chain([Doing::Nothing, Doing::ForBatch]);
        for doing in all {
            assert_eq!(decode(encode(doing)), doing);
            assert_eq!(decode(encode(doing) | WENT_ON), doing);
        }
    }

    #[test]
    fn the_first_document_of_a_unit_is_where_it_was_set() {
        let station = Station::new(&Seam::real());
        station.set(Doing::At(At::Then(Position(3))), Moment::ZERO, Moment::ZERO);
        station.next(3);
        assert!(!station.read().went_on());
        station.next(4);
        assert!(station.read().went_on());
        assert_eq!(station.read().doing(), Doing::At(At::Then(Position(4))));
    }

    #[test]
    fn a_station_is_held_by_one_at_a_time_and_named_by_its_last_holder() {
        let seam = Seam::real();
        let station = Arc::new(Station::new(&seam));
        assert!(station.try_hold() && !station.try_hold());
        station.release();
        let (threads, other) = (Threads::new(&seam, 0), station.clone());
        threads.spawn("other".into(), Box::new(move || assert!(other.try_hold()))).expect("a thread");
        assert_eq!(threads.join(std::time::Duration::MAX, || std::time::Duration::MAX), [""; 0]);
        assert!(!station.try_hold() && station.thread() == "other");
    }
}
