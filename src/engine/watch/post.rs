//! How a thread stands at its station; where there is no watchdog, at none.

use std::ops::Deref;
use std::sync::Arc;

use super::station::{Doing, Station};
use super::watchdog::Lookout;
use crate::engine::seam::{Moment, Seam};
use crate::error::stalled::At;

/// A thread's place at its station, until it is dropped.
///
/// A thread that goes on for the whole run shares its station with the watchdog; whoever works on units borrows
/// one for as long as its ticket lasts.
pub(crate) struct Post<S: Deref<Target = Station> = Arc<Station>>(Option<S>);

impl Post {
    /// Of a thread that does nothing yet, and stays.
    pub(crate) fn of_thread(lookout: Option<&Lookout>, now: Moment) -> Self {
        let post = Self(lookout.and_then(|lookout| lookout.stations.of_thread()));
        post.set(Doing::Nothing, now);
        post
    }

    /// The thread of the post is this one.
    pub(crate) fn adopt(&self) {
        self.with(Station::adopt);
    }
}

/// Where a worker stands.
pub(crate) type AtWork<'a> = Post<&'a Station>;

impl<'a> AtWork<'a> {
    /// Of a worker that may run units. Its rank is asked for where there is a watchdog.
    pub(crate) fn of_worker(lookout: Option<&'a Lookout>, rank: impl FnOnce() -> usize) -> Self {
        Self(lookout.and_then(|lookout| lookout.stations.of_worker(rank())))
    }
}

impl<S: Deref<Target = Station>> Post<S> {
    /// It comes to the next document of what it has begun.
    pub(crate) fn next(&self, number: u64) {
        self.with(|station| station.next(number));
    }

    /// It does something else from now on.
    pub(crate) fn set(&self, doing: Doing, now: Moment) {
        self.with(|station| station.set(doing, now, now));
    }

    /// It does something else, where the clock has not been read.
    pub(crate) fn now(&self, seam: &Seam, doing: Doing) {
        if self.0.is_some() {
            self.set(doing, seam.now());
        }
    }

    /// It waits, and has been waiting since then; that moves nothing.
    pub(crate) fn wait(&self, doing: Doing, since: Moment) {
        self.with(|station| station.wait(doing, since));
    }

    /// It goes on with what it has been doing since then.
    pub(crate) fn since(&self, seam: &Seam, at: At, since: Moment) {
        self.with(|station| station.set(Doing::At(at), since, seam.now()));
    }

    fn with(&self, change: impl FnOnce(&Station)) {
        if let Some(station) = &self.0 {
            change(station);
        }
    }
}

impl<S: Deref<Target = Station>> Drop for Post<S> {
    fn drop(&mut self) {
        self.with(Station::release);
    }
}
