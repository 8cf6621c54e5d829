//! Whose turn it is: results come before their turn, and are handed over in it.

use std::collections::VecDeque;

use crate::engine::road::batch::{Done, Message, Part};
use crate::place::Within;

/// Results in order.
pub(crate) struct Turn<D, R> {
    /// Those that came before their turn, in order.
    before: VecDeque<Done<D, R>>,
    next: Within,
    /// Whether they leave as they come.
    any: bool,
    /// Items that are out. Batches are not counted, since the parts of one may come in any order.
    out: u64,
    /// Items that there are in all, once that is known.
    all: Option<u64>,
}

impl<D, R> Turn<D, R> {
    pub(crate) fn new(any: bool) -> Self {
        Self { before: VecDeque::new(), next: (0, 0), any, out: 0, all: None }
    }

    /// Takes a result; gives it back where its turn has come.
    pub(crate) fn take(&mut self, done: Done<D, R>) -> Option<Done<D, R>> {
        let place = done.place();
        if self.any || place == self.next {
            return Some(self.goes(done));
        }
        let at = self.before.partition_point(|before| before.place() < place);
        self.before.insert(at, done);
        None
    }

    /// The result whose turn has come, where it came before.
    pub(crate) fn next(&mut self) -> Option<Done<D, R>> {
        let comes = self.before.front().is_some_and(|done| done.place() == self.next);
        let done = if comes { self.before.pop_front() } else { None };
        done.map(|done| self.goes(done))
    }

    fn goes(&mut self, done: Done<D, R>) -> Done<D, R> {
        self.next = match done.part {
            Part { last: true, .. } => (done.index.0 + 1, 0),
            Part { end, .. } => (done.index.0, end),
        };
        self.out += done.items();
        done
    }

    /// So many items are in batches, and no more will be.
    pub(crate) fn ends_after(&mut self, items: u64) {
        self.all = Some(items);
    }

    /// Whether every item is out.
    pub(crate) fn is_over(&self) -> bool {
        self.all == Some(self.out)
    }

    /// Whether every item is out, here, or in these messages.
    pub(crate) fn has_all(&self, heard: &VecDeque<Message<D, R>>) -> bool {
        let here: u64 = self.before.iter().map(Done::items).sum();
        let (mut all, mut coming) = (self.all, 0);
        for message in heard {
            match message {
                Message::Done(done) => coming += done.items(),
                Message::End { items } => all = Some(*items),
                Message::Opened | Message::Stopped | Message::Ends(_) => {}
            }
        }
        all == Some(self.out + here + coming)
    }

    /// What is here and will not be handed over.
    pub(crate) fn left(&mut self) -> impl Iterator<Item = Done<D, R>> {
        std::mem::take(&mut self.before).into_iter()
    }
}
