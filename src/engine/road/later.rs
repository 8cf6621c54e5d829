//! Documents whose stage has begun a future: they wait here until that is done.
//!
//! The document does not go into its future, so it has an owner whatever becomes of that. How many wait is bounded
//! as everything is: each holds its token.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::batch::Left;
use super::job::Job;
use crate::engine::guard::drop_user;
use crate::engine::seam::{Bell, Mutex, Seam, Wakes};
use crate::observe::stalls::Trail;
use crate::place::Position;
use crate::stage::PreparedLater;

/// Where documents wait for their futures.
pub(crate) struct Later<J: Job> {
    wakes: Arc<Wakes>,
    waiting: Mutex<State<J>>,
    #[cfg(test)]
    loses_wakes: bool,
}

/// Each stands at a number of its own, by which its bell calls it.
struct State<J: Job> {
    begun: Vec<Option<Waiting<J>>>,
    /// Numbers at which nothing stands.
    free: Vec<usize>,
    closed: bool,
}

/// A document that waits for its future.
pub(super) struct Waiting<J: Job> {
    pub(super) position: Position,
    pub(super) document: J::Document,
    pub(super) future: PreparedLater<J::Prepared>,
    pub(super) bell: Arc<Bell>,
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
        let waiting = State { begun: Vec::new(), free: Vec::new(), closed: false };
        Self {
            wakes: Arc::new(Wakes::new(seam)),
            waiting: seam.mutex(waiting),
            #[cfg(test)]
            loses_wakes: seam.has(crate::engine::seam::Planted::WakeIsLost),
        }
    }

    /// What wakes a future that is in hand.
    pub(super) fn bell(&self) -> Arc<Bell> {
        Bell::new(&self.wakes)
    }

    /// Has a document wait here until its bell rings; gives it back where nothing waits here any more.
    pub(super) fn keep(&self, begun: Waiting<J>) -> Option<Left<J::Document>> {
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            drop(waiting);
            return Some(begun.into_left());
        }
        let bell = begun.bell.clone();
        let number = waiting.put(begun);
        drop(waiting);
        #[cfg(test)]
        if self.loses_wakes {
            bell.aside_for_good(number);
            return None;
        }
        bell.aside(number);
        None
    }

    /// Waits until futures were woken, and gives the numbers of all; false where none will be.
    pub(super) fn wait(&self, woken: &mut VecDeque<usize>) -> bool {
        self.wakes.wait(woken)
    }

    /// Gives the numbers of all that were woken, where there are any within this time.
    pub(super) fn wait_for(&self, woken: &mut VecDeque<usize>, time: Duration) {
        self.wakes.wait_for(woken, time);
    }

    /// Takes the document of this number in hand; `None` where all waiting has ended.
    pub(super) fn take(&self, number: usize) -> Option<Waiting<J>> {
        let taken = self.waiting.lock().take(number);
        taken.inspect(|begun| begun.bell.in_hand())
    }

    /// Documents that wait here.
    pub(crate) fn len(&self) -> usize {
        let waiting = self.waiting.lock();
        waiting.begun.len() - waiting.free.len()
    }

    /// Ends all waiting: the futures are dropped.
    pub(super) fn close(&self) -> Vec<Left<J::Document>> {
        let mut waiting = self.waiting.lock();
        waiting.closed = true;
        let begun = std::mem::take(&mut waiting.begun);
        waiting.free.clear();
        drop(waiting);
        self.wakes.close();
        begun.into_iter().flatten().map(Waiting::into_left).collect()
    }
}

impl<J: Job> State<J> {
    fn put(&mut self, begun: Waiting<J>) -> usize {
        match self.free.pop() {
            Some(number) => {
                self.begun[number] = Some(begun);
                number
            }
            None => {
                self.begun.push(Some(begun));
                self.begun.len() - 1
            }
        }
    }

    fn take(&mut self, number: usize) -> Option<Waiting<J>> {
        let taken = self.begun.get_mut(number)?.take()?;
        self.free.push(number);
        Some(taken)
    }
}
