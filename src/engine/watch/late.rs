//! Items that take longer than they may: found while they run, and when they return.
//!
//! A thread cannot be killed, so an item that does not return is told about and nothing more. One that
//! returns late is a failure of that item.

use std::time::Duration;

use crate::engine::guard::drop_user;
use crate::engine::seam::{Moment, Mutex, Seam};
use crate::error::Cause;
use crate::place::Position;

/// An item that has not returned in the time that it may take. Given to the function set by
/// [`Parallel::on_late`](crate::parallel::Parallel::on_late), once an item, on the caller's thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Late {
    /// Its place in the source.
    pub position: Position,
    /// How long it has been running.
    pub running: Duration,
}

/// Told of each item that is late.
pub(crate) type OnLate = Box<dyn FnMut(&Late) + Send>;

/// Items that run now, and since when.
pub(crate) struct LateItems {
    limit: Duration,
    running: Mutex<Vec<Running>>,
}

struct Running {
    position: Position,
    since: Moment,
    told: bool,
}

impl LateItems {
    pub(crate) fn new(seam: &Seam, limit: Duration) -> Self {
        Self { limit, running: seam.mutex(Vec::new()) }
    }

    pub(crate) fn begin(&self, position: Position, since: Moment) {
        self.running.lock().push(Running { position, since, told: false });
    }

    /// The item has returned: what it made, or a failure where it took too long.
    pub(crate) fn end<P>(&self, position: Position, now: Moment, made: Result<P, Cause>) -> Result<P, Cause> {
        let mut running = self.running.lock();
        let index = running.iter().position(|other| other.position == position);
        let since = index.map_or(now, |index| running.swap_remove(index).since);
        drop(running);
        let (took, limit) = (now.since(since), self.limit);
        if took <= limit {
            return made;
        }
        drop_user(made);
        Err(Cause::msg(format!("it took {took:?}, more than the {limit:?} that an item may take")))
    }

    /// Items that have become late, each told once.
    pub(crate) fn late(&self, now: Moment) -> Vec<Late> {
        let mut late = Vec::new();
        for item in self.running.lock().iter_mut().filter(|item| !item.told) {
            let running = now.since(item.since);
            if running >= self.limit {
                item.told = true;
                late.push(Late { position: item.position, running });
            }
        }
        late.sort_by_key(|late| late.position);
        late
    }

    /// For how long no item can become late.
    pub(crate) fn patience(&self, now: Moment) -> Duration {
        let running = self.running.lock();
        let first = running.iter().filter(|item| !item.told).map(|item| item.since).min();
        first.map_or(self.limit, |since| since.plus(self.limit).since(now))
    }
}
