//! Documents whose stage has begun a future: they wait here until that is done.
//!
//! The document does not go into its future, so it has an owner whatever becomes of that. How many wait is bounded
//! as everything is: each holds its token.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use super::batch::Left;
use super::job::Job;
use crate::engine::guard::drop_user;
use crate::engine::seam::{Bell, Moment, Mutex, Seam, Wakes};
use crate::observe::stalls::Trail;
use crate::place::Position;
use crate::stage::PreparedLater;

/// Where documents wait for their futures, by their places.
pub(crate) struct Later<J: Job> {
    wakes: Arc<Wakes>,
    waiting: Mutex<State<J>>,
}

struct State<J: Job> {
    begun: HashMap<u64, Waiting<J>>,
    closed: bool,
}

/// A document that waits for its future.
pub(super) struct Waiting<J: Job> {
    pub(super) position: Position,
    pub(super) document: J::Document,
    pub(super) future: PreparedLater<J::Prepared>,
    pub(super) since: Moment,
    pub(super) trail: Trail,
}

impl<J: Job> Waiting<J> {
    /// Gives the future up.
    pub(super) fn into_left(self) -> Left<J::Document> {
        drop_user(self.future);
        Left { position: self.position, document: self.document }
    }
}

impl<J: Job> Later<J> {
    pub(crate) fn new(seam: &Seam) -> Self {
        let waiting = State { begun: HashMap::new(), closed: false };
        Self { wakes: Arc::new(Wakes::new(seam)), waiting: seam.mutex(waiting) }
    }

    /// What wakes the future of the document at this place.
    pub(super) fn bell(&self, position: Position) -> Arc<Bell> {
        Bell::new(&self.wakes, position.0)
    }

    /// Has a document wait here, and its future polled for the first time; gives the document back where nothing
    /// waits here any more.
    pub(super) fn begin(&self, begun: Waiting<J>) -> Option<Left<J::Document>> {
        let waker = Waker::from(self.bell(begun.position));
        let refused = self.keep(begun);
        if refused.is_none() {
            waker.wake();
        }
        refused
    }

    /// Has a document wait here that is woken by others.
    pub(super) fn keep(&self, begun: Waiting<J>) -> Option<Left<J::Document>> {
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            drop(waiting);
            return Some(begun.into_left());
        }
        waiting.begun.insert(begun.position.0, begun);
        None
    }

    /// A document whose future was woken, once there is one; `None` where there will be none.
    pub(super) fn next(&self) -> Option<Waiting<J>> {
        loop {
            let woken = self.wakes.wait()?;
            let begun = self.waiting.lock().begun.remove(&woken);
            if begun.is_some() {
                return begun;
            }
        }
    }

    /// The same, where there is one within this time.
    pub(super) fn next_within(&self, time: Duration) -> Option<Waiting<J>> {
        let woken = self.wakes.wait_for(time)?;
        self.waiting.lock().begun.remove(&woken)
    }

    #[cfg(test)]
    pub(super) fn forget(&self, position: Position) {
        self.wakes.forget(position.0);
    }

    /// Documents that wait here.
    pub(crate) fn len(&self) -> usize {
        self.waiting.lock().begun.len()
    }

    /// Ends all waiting: the futures are dropped.
    pub(super) fn close(&self) -> Vec<Left<J::Document>> {
        let mut waiting = self.waiting.lock();
        waiting.closed = true;
        let begun = std::mem::take(&mut waiting.begun);
        drop(waiting);
        self.wakes.close();
        begun.into_values().map(Waiting::into_left).collect()
    }
}
