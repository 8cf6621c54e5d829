//! The feeder: takes a token, pulls a document, puts it into the queue of work.
//!
//! It is the only one that waits for tokens, and the only one that touches the source. It holds no document:
//! each is in the queue before the source is asked for the next.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::batch::Message;
use super::job::{After, Job};
use super::queue::Announced;
use super::shared::Road;
use super::source::Source as _;
use super::work;
use crate::engine::guard::drop_user;
use crate::engine::ledger::Ledger;
use crate::engine::seam::Moment;
use crate::engine::watch::{Doing, Post};
use crate::error::Error;
use crate::error::stalled::At;
use crate::observe::record::{Kind, Span};
use crate::observe::stalls::{Trail, Why};
use crate::place::Position;

pub(crate) struct Feeder<J: Job> {
    road: Arc<Road<J>>,
    /// `None` once it has ended: an iterator is not asked again after its end.
    source: Option<J::Source>,
    next: u64,
    batch_size: usize,
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
    Failed(Error),
}

impl<J: Job> Feeder<J> {
    pub(crate) fn new(
        road: &Arc<Road<J>>,
        source: J::Source,
        batch_size: usize,
        pause: Option<Duration>,
    ) -> Self {
        Self {
            road: road.clone(),
            source: Some(source),
            next: 0,
            batch_size,
            pause,
            due: Moment::ZERO,
            post: Post::of_thread(road.lookout.as_deref(), road.ledger.now()),
            trail: Trail::default(),
        }
    }

    fn ledger(&self) -> &Ledger {
        &self.road.ledger
    }

    /// The loop of the feeder's thread.
    pub(crate) fn run(mut self) {
        self.post.adopt();
        while self.step(true) == Fed::Documents {}
        self.end(None);
    }

    /// Feeds one group; waits for its first token if `wait`.
    pub(crate) fn step(&mut self, wait: bool) -> Fed {
        if self.source.is_none() || self.ledger().stopped() {
            return Fed::Ended;
        }
        let want = self.road.queue.group_size().min(self.room());
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
        let ledger = &self.road.ledger;
        let free = ledger.tokens.try_take(want);
        if free.is_some() || !wait {
            return free;
        }
        let start = ledger.now();
        ledger.meters.token_waits.begin(start);
        let tokens = ledger.tokens.take(want);
        let end = ledger.now();
        let waited = end.since(start);
        ledger.meters.token_waits.end(waited, self.token_holder());
        ledger.meters.feeder_waited.add(waited);
        ledger.record(|| Span::new(Kind::WaitForToken, start, end));
        self.trail.waited = ledger.meters.token_waits.ended();
        tokens
    }

    /// Who had the tokens that have just come back.
    fn token_holder(&self) -> Why {
        if self.ledger().meters.caller_was_late.load(Ordering::Relaxed) {
            Why::Caller
        } else if J::After::PER_ROW {
            Why::Then
        } else {
            Why::Tokens
        }
    }

    fn feed(&mut self, tokens: usize) -> Fed {
        let start = self.ledger().now();
        self.post.set(Doing::At(At::Source(Position(self.next))), start);
        self.ledger().in_source.store(true, Ordering::SeqCst);
        let (items, pulled) = self.pull(tokens);
        self.ledger().in_source.store(false, Ordering::SeqCst);
        let end = self.ledger().now();
        self.count(start, end, items);
        self.post.set(Doing::Nothing, end);
        if items < tokens {
            self.ledger().tokens.give(tokens - items);
        }
        self.ledger().record(|| Span::counter(Kind::Tokens, end, self.ledger().tokens.taken()));
        self.hand_on(items);
        match pulled {
            Pulled::All => Fed::Documents,
            Pulled::SourceEnded => self.end(None),
            // A source that is a run has met its limit, and so has this one.
            Pulled::Failed(error @ (Error::Deadline { .. } | Error::Stalled { .. })) => {
                self.road.tell(Message::Ends(error));
                self.end(None)
            }
            Pulled::Failed(error) => self.end(Some(error)),
        }
    }

    fn count(&mut self, start: Moment, end: Moment, items: usize) {
        let (ledger, time) = (&self.road.ledger, end.since(start));
        ledger.meters.source.add(time);
        ledger.meters.source_times.add(time, items);
        ledger.record(|| Span::new(Kind::Source, start, end).about(self.next - items as u64, items));
        self.trail = Trail { asked: start, pulled: end, ..self.trail };
    }

    /// Pulls up to so many items, each into the queue before the next is asked for.
    fn pull(&mut self, most: usize) -> (usize, Pulled) {
        let Some(source) = &mut self.source else { return (0, Pulled::SourceEnded) };
        let road = &*self.road;
        let _in_run = road.ledger.spans.enter();
        let first = self.next;
        while self.next - first < most as u64 && !road.queue.is_closed() {
            let position = Position(self.next);
            self.post.next(position.0);
            let items = |next: u64| (next - first) as usize;
            match source.next(position) {
                Ok(Some(document)) => {
                    road.ledger.books.pull(position, J::documents(&document) as u64);
                    road.queue.put(document);
                    road.ledger.seam.meet();
                    self.next += 1;
                }
                Ok(None) => return (items(self.next), Pulled::SourceEnded),
                Err(error) => return (items(self.next), Pulled::Failed(error)),
            }
        }
        ((self.next - first) as usize, Pulled::All)
    }

    fn hand_on(&mut self, items: usize) {
        if items == 0 {
            return;
        }
        self.keep_pace();
        let road = &self.road;
        road.queue.announce(&road.ledger, Announced { items, trail: self.trail });
        #[cfg(test)]
        if road.ledger.seam.has(crate::engine::seam::Planted::FeederLeavesDocuments) {
            return work::call_worker(road);
        }
        if road.queue.is_closed() {
            // Whoever closed it may have looked before the last of them was there.
            return road.cancel(road.queue.left_behind(&road.ledger));
        }
        work::call_worker(road);
    }

    /// Waits until the next document may start. The document that waits stands in the queue.
    fn keep_pace(&mut self) {
        let Some(pause) = self.pause else { return };
        self.road.queue.wait_for_start(&self.road.ledger, self.due);
        self.due = self.ledger().now().plus(pause);
    }

    /// Drops the source; the run takes nothing more from it.
    pub(crate) fn close(mut self) {
        drop_user(self.source.take());
    }

    /// The source has ended, or nothing more is taken from it: the line cuts what is left.
    fn end(&mut self, reason: Option<Error>) -> Fed {
        if let Some(source) = self.source.take() {
            let seam = &self.road.ledger.seam;
            self.post.now(seam, Doing::At(At::Source(Position(self.next))));
            drop_user(source);
            self.post.now(seam, Doing::Nothing);
            // What is cut now was waiting for the source to end.
            let now = seam.now();
            let trail = Trail { pulled: now, begun: now, done: now, ..self.trail };
            self.road.with_line(|line| ((), line.end(self.next, reason, trail)));
            work::call_for_devices(&self.road);
            self.road.ledger.threads.alarm().ring();
        }
        Fed::Ended
    }
}
