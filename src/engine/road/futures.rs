//! Polls the futures that stages have begun, one thread for all of a run; what is done goes into the line.

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
use crate::engine::seam::rank;
use crate::engine::watch::{AtWork, Doing};
use crate::error::stalled::At;
use crate::observe::stalls::Trail;

/// The name of the thread that polls.
pub(crate) const POLLER: &str = "gapless-futures";

/// The loop of the thread that polls.
pub(crate) fn run<J: Job>(road: &Arc<Road<J>>) {
    let post = AtWork::of_worker(road.lookout.as_deref(), rank);
    while let Some(begun) = road.later.next() {
        poll(road, begun, &post);
        call_for_devices(road);
    }
}

/// Polls one that was woken, in the caller; waits for one for at most so long.
pub(crate) fn run_inline<J: Job>(road: &Road<J>, wait: Duration) -> bool {
    let Some(begun) = road.later.next_within(wait) else { return false };
    poll(road, begun, &AtWork::of_worker(road.lookout.as_deref(), rank));
    true
}

fn poll<J: Job>(road: &Road<J>, mut begun: Waiting<J>, post: &AtWork<'_>) {
    let position = begun.position;
    // A bell rings once: each poll has its own, and what an earlier one wakes is polled in vain at worst.
    let waker = Waker::from(road.later.bell(position));
    post.set(Doing::At(At::Prepare(position)), road.ledger.now());
    let polled = road
        .ledger
        .spans
        .enter()
        .prepare(position, || guard(|| begun.future.as_mut().poll(&mut Context::from_waker(&waker))));
    let now = road.ledger.now();
    post.set(Doing::Nothing, now);
    let made = match polled {
        Ok(Poll::Pending) => {
            #[cfg(test)]
            if road.ledger.seam.has(crate::engine::seam::Planted::WakeIsLost) {
                road.later.forget(position);
            }
            let refused = road.later.keep(begun);
            return road.cancel(refused.into_iter().collect());
        }
        Ok(Poll::Ready(made)) => made,
        Err(panic) => Err(panic),
    };
    let Waiting { document, future, since, trail, .. } = begun;
    drop_user(future);
    let made = in_time(road, position, made);
    measure::came_later(&road.ledger, now);
    let mut items = Columns::default();
    sort_in(road, &mut items, position, document, made);
    let trail = Trail { begun: since, done: now, ..trail };
    hand_on(road, Group { first: position, count: 1, items, trail }, now);
    road.ledger.threads.alarm().ring();
}
