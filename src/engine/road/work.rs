//! Workers: what is spawned on the pool is a ticket, the right to run what stands in the queue.
//!
//! There are never more tickets than workers, and a worker never waits.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rayon::ThreadPool;

use super::device::DeviceLoop;
use super::job::Job;
use super::prepare::prepare;
use super::queue::{Raw, Unit};
use super::shared::Road;
use super::then_work;
use crate::engine::guard::guard;
use crate::engine::seam::{Receiver, next_ticket, rank};
use crate::engine::watch::AtWork;

/// Lets one more worker look at the queue, where one is free.
pub(crate) fn call_worker<J: Job>(road: &Arc<Road<J>>) {
    if road.queue.take_ticket() {
        (road.call)(road);
    }
}

/// The loop of a worker that is a thread of the run; the work itself is done in `pool`, where one is given.
pub(crate) fn use_tickets<J: Job>(road: &Arc<Road<J>>, tickets: &Receiver<()>, pool: Option<&ThreadPool>) {
    while next_ticket(tickets) {
        match pool {
            Some(pool) => pool.install(|| use_ticket(road)),
            None => use_ticket(road),
        }
    }
}

/// Runs what stands in the queue. User code has its own guards: what comes here is a bug of ours, and must not end
/// a pool's thread.
pub(crate) fn use_ticket<J: Job>(road: &Arc<Road<J>>) {
    if let Err(cause) = guard(|| run_ticket(road)) {
        road.bug(cause);
    }
}

thread_local! {
    /// Units of this thread that user code has not returned from.
    static INSIDE: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Inside another unit (user code that waits in rayon may be given a ticket) only one unit is run,
/// so that the older document above is not held back by all that are younger.
fn run_ticket<J: Job>(road: &Arc<Road<J>>) {
    let one_only = !road.own_pool || INSIDE.get() > 0;
    let post = AtWork::of_worker(road.lookout.as_deref(), rank);
    let (mut spare, mut finished) = (None, 0);
    loop {
        if run_device(road) {
            if one_only {
                break;
            }
            continue;
        }
        let Some(unit) = road.queue.take(&road.ledger, spare.take(), std::mem::take(&mut finished)) else {
            break;
        };
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
    road.ledger.seam.meet();
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
    if road.queue.has_work(&road.ledger) || device_waits(road) {
        call_worker(road);
    }
}

/// Whether a device idles though a batch is there.
fn device_waits<J: Job>(road: &Road<J>) -> bool {
    #[cfg(test)]
    if road.ledger.seam.has(crate::engine::seam::Planted::WorkerForgetsDevices) {
        return false;
    }
    road.idle_devices.wanted(&road.ledger)
}

/// Runs a device for which a batch is there. Rows that stand in the queue are older.
fn run_device<J: Job>(road: &Arc<Road<J>>) -> bool {
    let ledger = &road.ledger;
    if !road.idle_devices.wanted(ledger) || ledger.backlog.rows.load(Ordering::SeqCst) > 0 {
        return false;
    }
    let Some(device) = road.idle_devices.take() else { return false };
    call_for_devices(road);
    road.queue.begins(1);
    INSIDE.set(INSIDE.get() + 1);
    if let Some(device) = DeviceLoop::new(road, device).run_batches() {
        road.idle_devices.put(device, ledger);
    }
    INSIDE.set(INSIDE.get() - 1);
    road.queue.ends(None, 1);
    ledger.threads.alarm().ring();
    true
}

/// Has another worker look where a device idles though a batch is there.
pub(crate) fn call_for_devices<J: Job>(road: &Arc<Road<J>>) {
    if road.idle_devices.wanted(&road.ledger) {
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
    call_for_devices(road);
    road.ledger.threads.alarm().ring();
    (items, spare)
}
