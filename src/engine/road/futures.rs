//! Polls the futures that stages have begun, one thread for all of a run; what is done goes into the line.
//! A worker polls each once when it begins it, so that one that does not wait goes no other way than a value.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::batch::{Columns, Group};
use super::job::Job;
use super::later::Waiting;
use super::prepare::{hand_on, in_time, sort_in};
use super::shared::Road;
use super::work::call_for_devices;
use crate::engine::guard::{drop_user, guard};
use crate::engine::measure;
use crate::engine::seam::{Bell, Moment, rank};
use crate::engine::watch::{AtWork, Doing};
use crate::error::Cause;
use crate::error::stalled::At;
use crate::observe::stalls::Trail;
use crate::place::Position;
use crate::schedule::turns::GROUP_WORK;
use crate::stage::PreparedLater;

/// The name of the thread that polls.
pub(crate) const POLLER: &str = "gapless-futures";

/// The loop of the thread that polls.
pub(crate) fn run<J: Job>(road: &Arc<Road<J>>) {
    let post = AtWork::of_worker(road.lookout.as_deref(), rank);
    let (mut woken, mut done) = (VecDeque::new(), Done::default());
    while road.later.wait(&mut woken) {
        for number in woken.drain(..) {
            if poll_woken(road, number, &mut done, &post) {
                call_for_devices(road);
            }
        }
        done.hand_on(road);
        call_for_devices(road);
        road.ledger.threads.alarm().ring();
    }
}

/// Polls one that was woken, in the caller; waits for one for at most so long.
pub(crate) fn run_inline<J: Job>(road: &Road<J>, wait: Duration) -> bool {
    let Some(number) = road.later.wait_for(wait) else { return false };
    let mut done = Done::default();
    poll_woken(road, number, &mut done, &AtWork::of_worker(road.lookout.as_deref(), rank));
    done.hand_on(road);
    true
}

/// Polls once; a panic is a failure of the document.
pub(super) fn poll<P>(future: &mut PreparedLater<P>, bell: &Arc<Bell>) -> Poll<Result<P, Cause>> {
    let waker = Waker::from(bell.clone());
    let polled = guard(|| future.as_mut().poll(&mut Context::from_waker(&waker)));
    polled.unwrap_or_else(|panic| Poll::Ready(Err(panic)))
}

/// Polls one that was woken; says whether what is done has gone into the line.
fn poll_woken<J: Job>(road: &Road<J>, number: usize, done: &mut Done<J>, post: &AtWork<'_>) -> bool {
    let Some(mut begun) = road.later.take(number) else { return false };
    let position = begun.position;
    post.now(&road.ledger.seam, Doing::At(At::Prepare(position)));
    let entered = road.ledger.spans.enter();
    let polled = entered.prepare(position, || poll(&mut begun.future, &begun.bell));
    let now = road.ledger.now();
    post.set(Doing::Nothing, now);
    match polled {
        Poll::Pending => road.cancel(road.later.keep(begun).into_iter().collect()),
        Poll::Ready(made) => done.put(road, begun, made, now),
    }
    done.hand_on_in_time(road, now)
}

/// Documents in a row that are done, and not yet in the line: as many as make a group worth its while.
struct Done<J: Job> {
    items: Columns<J::Document, J::Prepared>,
    first: Position,
    count: usize,
    /// When the first of them was done.
    since: Moment,
    /// How the last of them came through.
    trail: Trail,
}

impl<J: Job> Default for Done<J> {
    fn default() -> Self {
        Self {
            items: Columns::default(),
            first: Position(0),
            count: 0,
            since: Moment::ZERO,
            trail: Trail::default(),
        }
    }
}

impl<J: Job> Done<J> {
    fn put(&mut self, road: &Road<J>, begun: Waiting<J>, made: Result<J::Prepared, Cause>, now: Moment) {
        let Waiting { position, document, future, since, trail, .. } = begun;
        drop_user(future);
        let made = in_time(road, position, made);
        measure::came_later(&road.ledger, now);
        if self.count > 0 && self.first.0 + self.count as u64 != position.0 {
            self.hand_on(road);
        }
        if self.count == 0 {
            (self.first, self.since) = (position, now);
        }
        sort_in(road, &mut self.items, position, document, made);
        self.count += 1;
        self.trail = Trail { begun: since, done: now, ..trail };
    }

    /// Where they make a group, or have waited for others as long as one may take.
    fn hand_on_in_time(&mut self, road: &Road<J>, now: Moment) -> bool {
        let due = self.count >= road.queue.group_size() || now.since(self.since) >= GROUP_WORK;
        let goes = self.count > 0 && due;
        if goes {
            self.hand_on(road);
        }
        goes
    }

    fn hand_on(&mut self, road: &Road<J>) {
        let Self { first, trail, .. } = *self;
        let group = Group {
            first,
            count: std::mem::take(&mut self.count),
            items: std::mem::take(&mut self.items),
            trail,
        };
        self.items = hand_on(road, group, trail.done);
    }
}
