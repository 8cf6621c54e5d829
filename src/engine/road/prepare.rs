//! A worker prepares a group, document by document, and puts it into the line.
//!
//! A document whose stage begins a future that is not done at once waits for that elsewhere: what stands before it
//! is put into the line, and it follows when it is done.

use std::sync::Arc;
use std::task::Poll;

use super::batch::{Columns, Group, Left};
use super::futures;
use super::job::Job;
use super::later::Waiting;
use super::queue::{Begun, Raw};
use super::shared::Road;
use crate::engine::guard::{drop_user, guard};
use crate::engine::measure;
use crate::engine::seam::{Bell, Moment, rank};
use crate::engine::watch::{AtWork, Doing};
use crate::error::stalled::At;
use crate::error::{Cause, Failure, Stage};
use crate::observe::stalls::Trail;
use crate::place::Position;
use crate::stage::{self, Context, CpuStage as _, PreparedLater};

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
    trail.begun = start;
    let sampled = measure::Sampled::begin(&ledger.seam, measure::Work::Prepare, start);
    let through = prepare_each(road, first, &mut raw, post, trail);
    let end = ledger.now();
    sampled.end(&ledger.seam, end, &ledger.meters.worked);
    post.set(Doing::Nothing, end);
    let took = end.since(start);
    road.queue.learn_cost(took, count);
    measure::prepared(ledger, first, start..end, count, count - through.later);
    if let Some(chooser) = &road.chooser {
        chooser.prepared(took, count);
    }
    trail.done = end;
    let Through { first, count, .. } = through;
    raw.items = hand_on(road, Group { first, count, items: std::mem::take(&mut raw.items), trail }, end);
    raw
}

/// Puts a group into the line; gives memory for another.
pub(super) fn hand_on<J: Job>(
    road: &Road<J>,
    group: Group<J::Document, J::Prepared>,
    now: Moment,
) -> Columns<J::Document, J::Prepared> {
    if group.count == 0 {
        return group.items;
    }
    let (spare, standing) = road.with_line(|line| {
        let (after, spare) = line.put(group, now);
        ((spare, line.standing()), after)
    });
    road.count_line(standing);
    spare.unwrap_or_default()
}

/// What has come of a group where its worker is through with it.
struct Through {
    /// The first of those that stand in the memory of the group, and how many do.
    first: Position,
    count: usize,
    /// Those that will be done later.
    later: usize,
}

fn prepare_each<J: Job>(
    road: &Road<J>,
    first: Position,
    raw: &mut Raw<J>,
    post: &AtWork<'_>,
    trail: Trail,
) -> Through {
    let entered = road.ledger.spans.enter();
    let Raw { documents, items } = raw;
    let end = Position(first.0 + documents.len() as u64);
    let mut through = Through { first, count: 0, later: 0 };
    let mut waiting = documents.drain(..).zip((first.0..).map(Position));
    for (mut document, position) in waiting.by_ref() {
        post.next(position.0);
        match entered.prepare(position, || begin(road, &mut document, position)) {
            Made::Now(made) => sort_in(road, items, position, document, made),
            Made::Later(future, bell) => {
                let count = (position.0 - through.first.0) as usize;
                if count > 0 {
                    let now = road.ledger.now();
                    let (first, items_before) = (through.first, std::mem::take(items));
                    let trail = Trail { done: now, ..trail };
                    *items = hand_on(road, Group { first, count, items: items_before, trail }, now);
                }
                let waiting = Waiting { position, document, future, bell, trail };
                road.cancel(road.later.keep(waiting).into_iter().collect());
                through.first = Position(position.0 + 1);
                through.later += 1;
            }
        }
        if road.ledger.stopped() {
            break;
        }
    }
    let left = waiting.map(|(document, position)| Left { position, document }).collect();
    road.cancel(left);
    through.count = (end.0 - through.first.0) as usize;
    through
}

/// What a stage has made of a document.
enum Made<P> {
    Now(Result<P, Cause>),
    Later(PreparedLater<P>, Arc<Bell>),
}

fn begin<J: Job>(road: &Road<J>, document: &mut J::Document, position: Position) -> Made<J::Prepared> {
    if let Some(late) = &road.late {
        late.begin(position, road.ledger.now());
    }
    let context = Context::new(position, rank, &*road.ledger);
    let made = match guard(|| road.cpu.begin(document, &context)) {
        Ok(stage::Begun::Done(made)) => made,
        Ok(stage::Begun::Later(mut future)) => {
            let bell = road.later.bell();
            match futures::poll(&mut future, &bell) {
                Poll::Pending => return Made::Later(future, bell),
                Poll::Ready(made) => {
                    drop_user(future);
                    made
                }
            }
        }
        Err(panic) => Err(panic),
    };
    Made::Now(in_time(road, position, made))
}

/// What was made of a document, or a failure where it took too long.
pub(super) fn in_time<J: Job>(
    road: &Road<J>,
    position: Position,
    made: Result<J::Prepared, Cause>,
) -> Result<J::Prepared, Cause> {
    match &road.late {
        Some(late) => late.end(position, road.ledger.now(), made),
        None => made,
    }
}

/// Puts a document among the good ones or the failures.
pub(super) fn sort_in<J: Job>(
    road: &Road<J>,
    items: &mut Columns<J::Document, J::Prepared>,
    position: Position,
    document: J::Document,
    made: Result<J::Prepared, Cause>,
) {
    match made {
        Ok(prepared) => items.push(position, document, prepared),
        Err(cause) => {
            road.ledger.spans.failed(position, Stage::Cpu, &cause);
            items.failures.push(Failure { document, position, stage: Stage::Cpu, cause });
        }
    }
}
