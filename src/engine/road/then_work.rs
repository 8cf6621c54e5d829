//! Work on each document and its row after the GPU, by the same workers.

use std::sync::Arc;

use super::batch::{Batch, Columns};
use super::job::{After, Job};
use super::queue::Raw;
use super::shared::Road;
use super::then::{PartOf, ThenBatch, ThenUnit, WorkedOn};
use crate::engine::guard::guard;
use crate::engine::measure;
use crate::engine::watch::{AtWork, Doing};
use crate::error::stalled::At;
use crate::error::{Cause, Error, Failure, Stage};
use crate::place::Position;
use crate::schedule::turns;

/// Puts the rows of a batch into the queue of work; `call_worker` lets a worker know of each unit.
pub(super) fn start<J: Job>(
    road: &Arc<Road<J>>,
    mut batch: Batch<J::Document, J::Prepared>,
    output: J::Output,
    call_worker: impl Fn(&Arc<Road<J>>),
) {
    let Columns { mut positions, mut documents, failures, .. } = std::mem::take(&mut batch.items);
    let rows = documents.len();
    let batch = Arc::new(ThenBatch::new(&road.ledger.seam, batch, (rows, failures), output));
    road.in_then.lock().push(batch.clone());
    let size = turns::rows_in_unit(rows, road.queue.workers());
    for first_row in (0..rows).step_by(size) {
        let rest = size.min(documents.len());
        let (behind, documents_behind) = (positions.split_off(rest), documents.split_off(rest));
        let unit = ThenUnit { rows: batch.clone(), first_row, positions, documents };
        (positions, documents) = (behind, documents_behind);
        match road.queue.put_rows(&road.ledger, unit) {
            Ok(()) => call_worker(road),
            Err(unit) => road.cancel(unit.into_left()),
        }
    }
    if road.ledger.stopped() {
        leave(road, &batch);
        road.cancel(batch.cancel());
    }
}

/// Works on the rows of a unit, and hands the batch over if they were its last.
pub(super) fn run<J: Job>(road: &Road<J>, unit: ThenUnit<J>, post: &AtWork<'_>) -> Option<Raw<J>> {
    let start = road.ledger.now();
    let ThenUnit { rows, first_row, positions, documents } = unit;
    let (first, count) = (positions.first().copied().unwrap_or_default(), documents.len());
    post.set(Doing::At(At::Then(first)), start);
    let sampled = measure::Sampled::begin(&road.ledger.seam, measure::Work::Then, start);
    let worked = work_on_each(road, &rows, first_row, positions.into_iter().zip(documents), post);
    let end = road.ledger.now();
    sampled.end(&road.ledger.seam, end, &road.ledger.meters.worked);
    post.set(Doing::Nothing, end);
    measure::worked_on(&road.ledger, rows.index, start..end, count);
    match rows.place(first_row, count, worked) {
        Err(worked) => road.cancel(worked.into_left()),
        Ok(None) => {}
        Ok(Some(finished)) => {
            leave(road, &rows);
            let stop = stop_after(road, &finished.items.failures);
            road.send(rows.done(finished, &road.after, stop));
        }
    }
    None
}

fn work_on_each<J: Job>(
    road: &Road<J>,
    rows: &ThenBatch<J>,
    first_row: usize,
    items: impl ExactSizeIterator<Item = (Position, J::Document)>,
    post: &AtWork<'_>,
) -> WorkedOn<J> {
    let entered = road.ledger.spans.enter();
    let mut worked = Columns::with_room(items.len(), Vec::with_capacity(items.len()));
    for (offset, (position, mut document)) in items.enumerate() {
        post.next(position.0);
        let work = || road.after.part(&mut document, &rows.output, first_row + offset);
        match entered.then(position, || guard(work)).and_then(|made: Result<PartOf<J>, Cause>| made) {
            Ok(part) => worked.push(position, document, part),
            Err(cause) => {
                road.ledger.spans.failed(position, Stage::Then, &cause);
                worked.failures.push(Failure { document, position, stage: Stage::Then, cause });
            }
        }
    }
    worked
}

fn leave<J: Job>(road: &Road<J>, rows: &Arc<ThenBatch<J>>) {
    road.in_then.lock().retain(|other| !Arc::ptr_eq(other, rows));
}

/// The error that ends the run, if these failures are more than the policy allows: the first that is one too many.
fn stop_after<J: Job>(road: &Road<J>, failures: &[Failure<J::Document>]) -> Option<Error> {
    let ledger = &road.ledger;
    let stopped = failures.iter().map(|Failure { position, stage, cause, .. }| {
        ledger.counts_failed(ledger.books.weights.of(*position), *position, *stage, cause)
    });
    // All of them are counted.
    stopped.fold(None, Option::or)
}
