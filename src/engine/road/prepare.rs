//! A worker prepares a group, document by document, and puts it into the line.

use super::batch::{Group, Left};
use super::job::Job;
use super::queue::{Begun, Raw};
use super::shared::Road;
use crate::engine::guard::guard;
use crate::engine::measure;
use crate::engine::watch::{AtWork, Doing};
use crate::error::stalled::At;
use crate::error::{Cause, Failure, Stage};
use crate::place::Position;
use crate::stage::CpuStage as _;

/// Prepares the group; gives its memory back.
pub(super) fn prepare<J: Job>(road: &Road<J>, begun: Begun<J>, post: &AtWork<'_>) -> Raw<J> {
    let Begun { first, mut raw, mut trail } = begun;
    let count = raw.documents.len();
    if count == 0 {
        // It was taken out of the queue by whoever closed it.
        return raw;
    }
    let ledger = &road.ledger;
    let start = ledger.now();
    post.set(Doing::At(At::Prepare(first)), start);
    prepare_each(road, first, &mut raw, post);
    let end = ledger.now();
    post.set(Doing::Nothing, end);
    let took = end.saturating_sub(start);
    road.queue.learn_cost(took, count);
    measure::prepared(ledger, first, start..end, count);
    if let Some(chooser) = &road.chooser {
        chooser.prepared(took, count);
    }
    (trail.begun, trail.done) = (start, end);
    let group = Group { first, count, items: std::mem::take(&mut raw.items), trail };
    let (spare, standing) = road.with_line(|line| {
        let (after, spare) = line.put(group, end);
        ((spare, line.standing()), after)
    });
    road.count_line(standing);
    raw.items = spare.unwrap_or_default();
    raw
}

fn prepare_each<J: Job>(road: &Road<J>, first: Position, raw: &mut Raw<J>, post: &AtWork<'_>) {
    let entered = road.ledger.spans.enter();
    let Raw { documents, items } = raw;
    let mut places = (first.0..).map(Position);
    let mut waiting = documents.drain(..).zip(&mut places);
    for (mut document, position) in waiting.by_ref() {
        post.next(position.0);
        match entered.prepare(position, || prepare_one(road, &mut document, position)) {
            Ok(prepared) => items.push(position, document, prepared),
            Err(cause) => {
                road.ledger.spans.failed(position, Stage::Cpu, &cause);
                items.failures.push(Failure { document, position, stage: Stage::Cpu, cause });
            }
        }
        if road.ledger.stopped() {
            break;
        }
    }
    let left = waiting.map(|(document, position)| Left { position, document }).collect();
    road.cancel(left);
}

fn prepare_one<J: Job>(
    road: &Road<J>,
    document: &mut J::Document,
    position: Position,
) -> Result<J::Prepared, Cause> {
    if let Some(late) = &road.late {
        late.begin(position, road.ledger.now());
    }
    let made = guard(|| road.cpu.prepare(document)).and_then(|made| made);
    match &road.late {
        Some(late) => late.end(position, road.ledger.now(), made),
        None => made,
    }
}
