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
            let now = poll_woken(road, number, &mut done, &post);
            if done.count >= road.queue.group_size() || done.have_waited(now) {
                done.hand_on(road);
                call_for_devices(road);
            }
        }
        done.hand_on(road);
        call_for_devices(road);
        road.ledger.threads.alarm().ring();
    }
}

/// Polls those that were woken, in the caller, as many as make a group; waits for one for at most so long.
pub(crate) fn run_inline<J: Job>(road: &Road<J>, woken: &mut VecDeque<usize>, wait: Duration) -> bool {
    if woken.is_empty() {
        road.later.wait_for(woken, wait);
    }
    let some = !woken.is_empty();
    let post = AtWork::of_worker(road.lookout.as_deref(), rank);
    let mut done = Done::default();
    while let Some(number) = woken.pop_front() {
        let now = poll_woken(road, number, &mut done, &post);
        if done.have_waited(now) {
            break;
        }
    }
    done.hand_on(road);
    some
}

/// Polls once; a panic is a failure of the document.
pub(super) fn poll<P>(future: &mut PreparedLater<P>, bell: &Arc<Bell>) -> Poll<Result<P, Cause>> {
    let waker = Waker::from(bell.clone());
    let polled = guard(|| future.as_mut().poll(&mut Context::from_waker(&waker)));
    polled.unwrap_or_else(|panic| Poll::Ready(Err(panic)))
}

/// Polls one that was woken; says when that was over.
fn poll_woken<J: Job>(road: &Road<J>, number: usize, done: &mut Done<J>, post: &AtWork<'_>) -> Moment {
    let Some(mut begun) = road.later.take(number) else { return done.since };
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
    now
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
        let Waiting { position, document, future, trail, .. } = begun;
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
        self.trail = Trail { done: now, ..trail };
    }

    /// Whether the first of them has waited for others as long as it may.
    fn have_waited(&self, now: Moment) -> bool {
        self.count > 0 && now.since(self.since) >= GROUP_WORK
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
