//! Workers: what is spawned on the pool is a ticket, the right to run what stands in the queue.
//!
//! There are never more tickets than workers, and a worker never waits.

use std::sync::Arc;

use super::job::Job;
use super::prepare::prepare;
use super::queue::{Raw, Unit};
use super::shared::Road;
use super::then_work;
use crate::engine::guard::guard;
use crate::engine::seam::rank;
use crate::engine::watch::AtWork;

/// Lets one more worker look at the queue, where one is free.
pub(crate) fn call_worker<J: Job>(road: &Arc<Road<J>>) {
    if road.queue.take_ticket() {
        spawn_ticket(road);
    }
}

fn spawn_ticket<J: Job>(road: &Arc<Road<J>>) {
    if let Some(workers) = &road.workers {
        let for_worker = road.clone();
        workers.spawn(move || {
            // User code has its own guards: what comes here is a bug of ours, and must not end a pool's thread.
            if let Err(cause) = guard(|| run_ticket(&for_worker)) {
                for_worker.bug(cause);
            }
        });
    }
}

thread_local! {
    /// Units of this thread that user code has not returned from.
    static INSIDE: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Runs what stands in the queue.
///
/// Inside another unit (user code that waits in rayon may be given a ticket) only one unit is run,
/// so that the older document above is not held back by all that are younger.
fn run_ticket<J: Job>(road: &Arc<Road<J>>) {
    let one_only = !road.own_pool || INSIDE.get() > 0;
    let post = AtWork::of_worker(road.lookout.as_deref(), rank);
    let (mut spare, mut finished) = (None, 0);
    while let Some(unit) = road.queue.take(&road.ledger, spare.take(), std::mem::take(&mut finished)) {
        (finished, spare) = run(road, unit, &post);
        if one_only {
            road.queue.ends(spare, finished);
            break;
        }
    }
    // There are as many stations as tickets: it comes back before the ticket does.
    drop(post);
    end_ticket(road);
}

fn end_ticket<J: Job>(road: &Arc<Road<J>>) {
    road.queue.give_ticket(&road.ledger.seam);
    if road.paced || road.queue.running() == 0 {
        road.queue.is_idle();
        road.ledger.threads.alarm().ring();
    }
    #[cfg(test)]
    if road.ledger.seam.has(crate::engine::seam::Planted::WorkerLooksOnce) {
        return;
    }
    // Something may have come between the empty queue and the ticket: who put it there saw this one.
    if road.queue.has_work(&road.ledger) {
        call_worker(road);
    }
}

/// Runs one unit, if there is one, in the caller.
pub(crate) fn run_inline<J: Job>(road: &Arc<Road<J>>) -> bool {
    let Some(unit) = road.queue.take(&road.ledger, None, 0) else { return false };
    // One unit at a time, whoever calls.
    let post = AtWork::of_worker(road.lookout.as_deref(), || 0);
    let (finished, spare) = run(road, unit, &post);
    road.queue.ends(spare, finished);
    true
}

/// Runs a unit; says how many items were in it, and gives its memory back.
fn run<J: Job>(road: &Arc<Road<J>>, unit: Unit<J>, post: &AtWork<'_>) -> (usize, Option<Raw<J>>) {
    INSIDE.set(INSIDE.get() + 1);
    let (items, spare) = match unit {
        Unit::Prepare(begun) => (begun.raw.documents.len(), Some(prepare(road, begun, post))),
        Unit::Then(unit) => (unit.len(), then_work::run(road, unit, post)),
    };
    INSIDE.set(INSIDE.get() - 1);
    road.ledger.threads.alarm().ring();
    (items, spare)
}
