//! The feeder: takes a token, pulls a document, puts its preparation into the queue of work.
//!
//! It is the only one that waits for tokens, and the only one that touches the source.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::batch::{Group, Slot};
use super::job::{After, Job};
use super::seam::Moment;
use super::shared::{Shared, drop_user, guard};
use super::stations::Doing;
use super::watchdog::Post;
use super::work::{Slots, push_group};
use crate::error::Error;
use crate::error::stalled::At;
use crate::observe::record::{Kind, Span};
use crate::observe::stalls::{Trail, Why};
use crate::place::Position;

/// The source, whatever iterator it is.
pub(crate) type Source<D> = Box<dyn Iterator<Item = D> + Send>;

pub(crate) struct Feeder<J: Job> {
    shared: Arc<Shared<J>>,
    /// `None` once it has ended: an iterator is not asked again after its end.
    source: Option<Source<J::Document>>,
    next: u64,
    batch_size: usize,
    /// Memory for the next group.
    spare: Option<Slots<J>>,
    /// Least time between two starts.
    pause: Option<Duration>,
    /// When the next document may start.
    due: Moment,
    post: Post,
    /// How the next group comes through.
    trail: Trail,
}

/// What a step of the feeder came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fed {
    /// At least one document went into the queue.
    Documents,
    /// No token is free.
    NoToken,
    /// The source has ended, or the run takes no more in.
    Ended,
}

enum Pulled {
    All,
    SourceEnded,
    Panicked(Error),
}

impl<J: Job> Feeder<J> {
    pub(crate) fn new(
        shared: &Arc<Shared<J>>,
        source: Source<J::Document>,
        batch_size: usize,
        pause: Option<Duration>,
    ) -> Self {
        Self {
            shared: shared.clone(),
            source: Some(source),
            next: 0,
            batch_size,
            spare: None,
            pause,
            due: Moment::ZERO,
            post: Post::new(shared),
            trail: Trail::default(),
        }
    }

    /// The loop of the feeder's thread.
    pub(crate) fn run(mut self) {
        self.post.adopt(&self.shared);
        while self.step(true) == Fed::Documents {}
        self.end(None);
    }

    /// Feeds one group; waits for its first token if `wait`.
    pub(crate) fn step(&mut self, wait: bool) -> Fed {
        if self.source.is_none() || self.shared.stopped() {
            return Fed::Ended;
        }
        let want = self.shared.work.group_size().min(self.room());
        let Some(tokens) = self.take_tokens(want, wait) else {
            return if wait { Fed::Ended } else { Fed::NoToken };
        };
        self.feed(tokens)
    }

    /// Documents up to the next cut, where none fails: a full batch must not wait behind a source that
    /// waits for its next document.
    fn room(&self) -> usize {
        self.batch_size - (self.next % self.batch_size as u64) as usize
    }

    fn take_tokens(&mut self, want: usize, wait: bool) -> Option<usize> {
        if !wait {
            return self.shared.tokens.try_take(want);
        }
        if let Some(tokens) = self.shared.tokens.try_take(want) {
            return Some(tokens);
        }
        let meters = &self.shared.meters;
        let start = self.shared.seam.now();
        meters.token_waits.begin(start);
        let tokens = self.shared.tokens.take(want);
        let end = self.shared.seam.now();
        meters.token_waits.end(end - start, self.token_holder());
        meters.feeder_waited.add(end - start);
        self.shared.record(|| Span::new(Kind::WaitForToken, start, end));
        self.trail.waited = self.shared.meters.token_waits.ended();
        tokens
    }

    /// Who had the tokens that have just come back.
    fn token_holder(&self) -> Why {
        if self.shared.meters.caller_was_late.load(Ordering::Relaxed) {
            Why::Caller
        } else if J::After::PER_ROW {
            Why::Then
        } else {
            Why::Tokens
        }
    }

    fn feed(&mut self, tokens: usize) -> Fed {
        let mut slots = self.spare.take().unwrap_or_else(|| Vec::with_capacity(tokens));
        let start = self.shared.seam.now();
        self.post.set(&self.shared, Doing::At(At::Source(Position(self.next))), start);
        self.shared.in_source.store(true, Ordering::SeqCst);
        let pulled = self.pull(tokens, &mut slots);
        self.shared.in_source.store(false, Ordering::SeqCst);
        let end = self.shared.seam.now();
        self.shared.meters.source.add(end - start);
        self.shared.meters.source_times.add(end - start, slots.len());
        self.trail = Trail { asked: start, pulled: end, ..self.trail };
        self.shared.record(|| Span::new(Kind::Source, start, end).about(self.next, slots.len()));
        self.post.set(&self.shared, Doing::Nothing, end);
        let unused = tokens - slots.len();
        if unused > 0 {
            self.shared.tokens.give(unused);
        }
        self.shared.record(|| Span::counter(Kind::Tokens, end, self.shared.tokens.taken()));
        self.hand_on(slots);
        match pulled {
            Pulled::All => Fed::Documents,
            Pulled::SourceEnded => self.end(None),
            Pulled::Panicked(error) => self.end(Some(error)),
        }
    }

    fn pull(&mut self, most: usize, slots: &mut Vec<Slot<J::Document, J::Prepared>>) -> Pulled {
        let Some(source) = &mut self.source else { return Pulled::SourceEnded };
        let _in_run = self.shared.spans.enter();
        while slots.len() < most && !self.shared.stopped() {
            self.post.next(self.next + slots.len() as u64);
            match guard(|| source.next()) {
                Ok(Some(document)) => {
                    self.shared.in_hand.fetch_add(J::documents(&document), Ordering::SeqCst);
                    slots.push(Slot::Waiting(document));
                }
                Ok(None) => return Pulled::SourceEnded,
                Err(cause) => {
                    let position = Position(self.next + slots.len() as u64);
                    return Pulled::Panicked(Error::Source { position, cause });
                }
            }
        }
        Pulled::All
    }

    fn hand_on(&mut self, slots: Vec<Slot<J::Document, J::Prepared>>) {
        if slots.is_empty() {
            return;
        }
        self.keep_pace();
        let first = Position(self.next);
        self.next += slots.len() as u64;
        let documents = slots.iter().map(|slot| J::documents(slot.document())).sum();
        let mut ledger = self.shared.ledger.lock();
        ledger.pull(documents);
        self.shared.in_hand.store(0, Ordering::SeqCst);
        drop(ledger);
        self.spare = push_group(&self.shared, Group { first, slots, trail: self.trail });
    }

    /// Waits until the next document may start. Nothing is held meanwhile but the document in hand.
    fn keep_pace(&mut self) {
        let Some(pause) = self.pause else { return };
        self.shared.work.wait_for_start(&self.shared.seam, self.due);
        self.due = self.shared.seam.now().saturating_add(pause);
    }

    /// Drops the source; the run takes nothing more from it.
    pub(crate) fn close(mut self) {
        drop_user(self.source.take());
    }

    /// The source has ended, or nothing more is taken from it: the line cuts what is left.
    fn end(&mut self, reason: Option<Error>) -> Fed {
        if let Some(source) = self.source.take() {
            self.post.now(&self.shared, Doing::At(At::Source(Position(self.next))));
            drop_user(source);
            self.post.now(&self.shared, Doing::Nothing);
            // What is cut now was waiting for the source to end.
            let now = self.shared.seam.now();
            let trail = Trail { pulled: now, begun: now, done: now, ..self.trail };
            let aftermath = self.shared.line.lock().end(self.next, reason, trail);
            self.shared.settle(aftermath);
            self.shared.threads.alarm().ring();
        }
        Fed::Ended
    }
}
