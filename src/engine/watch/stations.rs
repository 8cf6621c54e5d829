//! Who is inside which code: what a watchdog reads where nothing moves.
//!
//! A station is where one thread is. It is written with the clock that its thread has read anyway: once a
//! unit of work, a batch and a pull. A unit of several documents only stores the place of each; when it
//! came there is known as exactly as the watchdog looks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::Thread;

use crate::engine::seam::{Moment, Mutex, Seam};
use crate::error::stalled::{At, Inside};
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
#[derive(Debug, Default)]
pub(crate) struct Station {
    doing: AtomicU64,
    /// What it was doing at the last look, or where it began after that.
    seen: AtomicU64,
    since: AtomicU64,
}

/// Bits of the number; above them stands the kind.
const BITS: u32 = 56;

impl Station {
    /// It has been doing this since then.
    pub(crate) fn set(&self, doing: Doing, since: Moment) {
        let code = encode(doing);
        self.since.store(since.nanos(), Ordering::Relaxed);
        self.seen.store(code, Ordering::Relaxed);
        self.doing.store(code, Ordering::Release);
    }

    /// The next document of the same unit.
    pub(crate) fn next(&self, number: u64) {
        let kind = self.doing.load(Ordering::Relaxed) >> BITS << BITS;
        self.doing.store(kind | number, Ordering::Relaxed);
    }

    /// It goes on with the same, which is not numbered.
    fn step(&self) {
        let code = self.doing.load(Ordering::Relaxed);
        self.doing.store(code + 1, Ordering::Relaxed);
    }

    pub(super) fn doing(&self) -> Doing {
        decode(self.doing.load(Ordering::Acquire))
    }

    fn since(&self) -> Moment {
        Moment::from_nanos(self.since.load(Ordering::Relaxed))
    }

    /// Whether it came to another document of the same unit since the last look.
    fn advanced(&self, now: Moment) -> bool {
        let doing = self.doing.load(Ordering::Relaxed);
        let advanced = self.seen.swap(doing, Ordering::Relaxed) != doing;
        if advanced {
            self.since.store(now.nanos(), Ordering::Relaxed);
        }
        advanced
    }
}

/// All stations of a run, and when anything last moved.
pub(crate) struct Stations {
    moved: AtomicU64,
    posts: Mutex<Posts>,
    /// The caller: inside `next`, or outside.
    caller: Station,
}

#[derive(Default)]
struct Posts {
    posts: Vec<Post>,
    spares: Vec<Arc<Station>>,
}

struct Post {
    thread: Thread,
    station: Arc<Station>,
}

impl Stations {
    pub(crate) fn new(seam: &Seam) -> Self {
        let caller = Station::default();
        caller.set(Doing::At(At::Caller), seam.now());
        Self { moved: AtomicU64::new(seam.now().nanos()), posts: seam.mutex(Posts::default()), caller }
    }

    /// A station of this thread, until it is left.
    pub(crate) fn enter(&self, doing: Doing, now: Moment) -> Arc<Station> {
        let thread = std::thread::current();
        let mut posts = self.posts.lock();
        let station = posts.spares.pop().unwrap_or_default();
        station.set(doing, now);
        posts.posts.push(Post { thread, station: station.clone() });
        drop(posts);
        self.moved_at(now);
        station
    }

    pub(crate) fn leave(&self, station: Arc<Station>, now: Moment) {
        station.set(Doing::Nothing, now);
        let mut posts = self.posts.lock();
        let index = posts.posts.iter().position(|post| Arc::ptr_eq(&post.station, &station));
        if let Some(index) = index {
            posts.posts.swap_remove(index);
        }
        posts.spares.push(station);
        drop(posts);
        self.moved_at(now);
    }

    /// The station is this thread's from now on.
    pub(crate) fn adopt(&self, station: &Arc<Station>) {
        let thread = std::thread::current();
        let mut posts = self.posts.lock();
        if let Some(post) = posts.posts.iter_mut().find(|post| Arc::ptr_eq(&post.station, station)) {
            post.thread = thread;
        }
    }

    /// The thread of this station has moved on: it has been doing this since then.
    pub(crate) fn set(&self, station: &Station, doing: Doing, since: Moment, now: Moment) {
        station.set(doing, since);
        self.moved_at(now);
    }

    /// The caller has come into `next`, or out of it.
    pub(crate) fn caller(&self, inside: bool, now: Moment) {
        self.caller.set(if inside { Doing::Nothing } else { Doing::At(At::Caller) }, now);
        self.moved_at(now);
    }

    /// The caller is at work with a result that came out of the engine before. No clock is read for it.
    pub(crate) fn caller_works(&self) {
        self.caller.step();
    }

    pub(crate) fn caller_waits(&self) -> bool {
        self.caller.doing() == Doing::Nothing
    }

    fn moved_at(&self, now: Moment) {
        self.moved.store(now.nanos(), Ordering::Relaxed);
    }

    /// When anything last moved.
    pub(crate) fn moved(&self, now: Moment) -> Moment {
        let advanced = self.posts.lock().posts.iter().filter(|post| post.station.advanced(now)).count();
        if self.caller.advanced(now) || advanced > 0 {
            self.moved_at(now);
        }
        Moment::from_nanos(self.moved.load(Ordering::Relaxed))
    }

    /// Code that has not returned, the longest first; the caller is the last.
    pub(crate) fn inside(&self, now: Moment) -> Vec<Inside> {
        let inside = |thread: &str, station: &Station| match station.doing() {
            Doing::At(at) => Some(Inside { thread: thread.into(), at, running: now.since(station.since()) }),
            Doing::Nothing | Doing::ForBatch => None,
        };
        let posts = self.posts.lock();
        let mut all: Vec<Inside> = posts
            .posts
            .iter()
            .filter_map(|post| inside(post.thread.name().unwrap_or_default(), &post.station))
            .collect();
        drop(posts);
        all.sort_by_key(|inside| (std::cmp::Reverse(inside.running), encode(Doing::At(inside.at))));
        all.extend(inside("", &self.caller));
        all
    }

    /// Device threads that wait for a batch.
    pub(crate) fn for_batch(&self) -> Vec<String> {
        let posts = self.posts.lock();
        let waiting = posts.posts.iter().filter(|post| post.station.doing() == Doing::ForBatch);
        let mut names: Vec<String> =
            waiting.map(|post| post.thread.name().unwrap_or_default().to_owned()).collect();
        names.sort_unstable();
        names
    }
}

fn encode(doing: Doing) -> u64 {
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
    let number = code & ((1 << BITS) - 1);
    Doing::At(match code >> BITS {
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
    use std::time::Duration;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(second: u32) -> Moment {
        Moment::at(second * SECOND)
    }

    #[test]
    fn a_document_of_a_group_is_named_once_the_group_has_come_to_it() {
        let stations = Stations::new(&Seam::real());
        let station = stations.enter(Doing::At(At::Prepare(Position(8))), at(1));
        station.next(9);
        assert_eq!(stations.moved(at(3)), at(3), "it moved since it began");
        assert_eq!(stations.moved(at(7)), at(3));
        let inside = stations.inside(at(7)).swap_remove(0);
        assert_eq!((inside.at, inside.running), (At::Prepare(Position(9)), 4 * SECOND));
        stations.leave(station, at(8));
        assert_eq!(stations.moved(at(9)), at(8));
        assert!(stations.inside(at(9)).iter().all(|inside| inside.at == At::Caller));
    }

    #[test]
    fn a_caller_that_works_on_what_it_has_moves() {
        let stations = Stations::new(&Seam::real());
        stations.caller(false, at(1));
        assert_eq!(stations.moved(at(2)), at(1));
        stations.caller_works();
        assert_eq!(stations.moved(at(3)), at(3));
        let inside = &stations.inside(at(5))[0];
        assert_eq!((inside.at, inside.running), (At::Caller, 2 * SECOND));
    }

    #[test]
    fn what_is_written_down_is_read_again() {
        let (place, batch) = (Position(1 << 40), BatchIndex(7));
        let places = [At::Source(place), At::Prepare(place), At::Submit(batch), At::Device(batch)];
        let others = [At::Rebuild, At::Then(place), At::Caller];
        let all = places.into_iter().chain(others).map(Doing::At).chain([Doing::Nothing, Doing::ForBatch]);
        for doing in all {
            assert_eq!(decode(encode(doing)), doing);
        }
    }
}
