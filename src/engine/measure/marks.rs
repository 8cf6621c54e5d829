//! What the work of workers is counted and recorded as.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::engine::ledger::Ledger;
use crate::engine::seam::{Moment, rank};
use crate::observe::record::{Kind, Span};
use crate::place::{BatchIndex, Position};

/// A worker is through with a group, of which so many items are prepared, or have failed.
pub(crate) fn prepared(ledger: &Ledger, first: Position, time: Range<Moment>, items: usize, done: usize) {
    let meters = &ledger.meters;
    let taken = time.end.since(time.start);
    meters.prepared.fetch_add(done as u64, Ordering::Relaxed);
    if meters.first_prepare.get().is_none() && meters.first_prepare.set_first(time.start) {
        meters.first_item.add(taken);
    }
    meters.prepare.add(taken);
    meters.prepare_times.add(taken, items);
    meters.last_work.set(time.end);
    ledger.record(|| Span::new(Kind::Prepare, time.start, time.end).about(first.0, items).in_lane(rank()));
}

/// A document is prepared whose future was begun before.
pub(crate) fn came_later(ledger: &Ledger, now: Moment) {
    ledger.meters.prepared.fetch_add(1, Ordering::Relaxed);
    ledger.meters.last_work.set(now);
}

/// Items of a live source are handed to the caller: when each was pulled, and how long its batch waited for others.
pub(crate) fn arrived(ledger: &Ledger, now: Moment, items: impl Iterator<Item = (Moment, Duration)>) {
    for (pulled, waited) in items {
        let whole = now.since(pulled);
        ledger.meters.latency.add(whole, 1);
        ledger.meters.latency_without_wait.add(whole.saturating_sub(waited), 1);
    }
}

/// Rows of a batch were worked on after the device.
pub(crate) fn worked_on(ledger: &Ledger, batch: BatchIndex, time: Range<Moment>, rows: usize) {
    let taken = time.end.since(time.start);
    ledger.meters.then.add(taken);
    ledger.meters.then_times.add(taken, rows);
    ledger.meters.last_work.set(time.end);
    ledger.record(|| Span::new(Kind::Then, time.start, time.end).about(batch.0, rows).in_lane(rank()));
}
