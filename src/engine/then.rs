//! Work on each document and its row after the GPU, by the same workers.
//!
//! A batch goes out when its last row is done, in the place of its index.

use std::sync::Arc;

use super::batch::{Batch, Delivery, Done, Item, Part};
use super::job::{After, Job};
use super::measure;
use super::seam::{Mutex, Sender};
use super::shared::{Held, Shared, drop_user, guard};
use super::watchdog::Post;
use super::work::push_then;
use crate::error::stalled::At;
use crate::error::{Error, Failure, Stage};
use crate::place::BatchIndex;
use crate::schedule::turns::rows_in_unit;

/// Neighbours in one batch whose rows are worked on in one go.
pub(crate) struct ThenUnit<J: Job> {
    batch: Arc<ThenBatch<J>>,
    first_row: usize,
    pub(crate) items: Vec<Item<J::Document>>,
}

/// A batch whose rows are being worked on.
pub(crate) struct ThenBatch<J: Job> {
    index: BatchIndex,
    part: Part,
    output: Held<J::Output>,
    out: Sender<DoneOf<J>>,
    rows: Mutex<RowsDone<J>>,
    then_stop: Option<Error>,
}

pub(crate) type DoneOf<J> = Done<<J as Job>::Document, <J as Job>::Delivered>;
type PartOf<J> = <<J as Job>::After as After<<J as Job>::Document, <J as Job>::Output>>::Part;
type Worked<J> = Result<(Item<<J as Job>::Document>, PartOf<J>), Failure<<J as Job>::Document>>;

struct RowsDone<J: Job> {
    rows: Vec<Option<Worked<J>>>,
    failures: Vec<Failure<J::Document>>,
    missing: usize,
    cancelled: bool,
}

/// Puts the rows of a batch into the queue of work.
pub(crate) fn start<J: Job>(
    shared: &Arc<Shared<J>>,
    batch: Batch<J::Document, J::Prepared>,
    output: J::Output,
    out: &Sender<DoneOf<J>>,
) {
    let missing = batch.items.len();
    let rows = RowsDone {
        rows: (0..missing).map(|_| None).collect(),
        failures: batch.failures,
        missing,
        cancelled: false,
    };
    let started = Arc::new(ThenBatch {
        index: batch.index,
        part: batch.part,
        output: Held::new(output),
        out: out.clone(),
        rows: shared.seam.mutex(rows),
        then_stop: batch.then_stop,
    });
    shared.then_batches.lock().push(started.clone());
    let rows = rows_in_unit(missing, shared.work.workers());
    let mut items = batch.items.into_iter();
    for first_row in (0..missing).step_by(rows) {
        let items = items.by_ref().take(rows).collect();
        push_then(shared, ThenUnit { batch: started.clone(), first_row, items });
    }
    if shared.stopped() {
        started.leave(shared);
        started.cancel(shared);
    }
}

/// Works on the rows of a unit, and hands the batch over if they were its last.
pub(crate) fn run<J: Job>(shared: &Arc<Shared<J>>, unit: ThenUnit<J>) {
    let start = shared.seam.now();
    let ThenUnit { batch, first_row, items } = unit;
    let first = items.first().map(|item| item.position).unwrap_or_default();
    let post = Post::begin(shared, At::Then(first), start);
    let entered = shared.spans.enter();
    let worked: Vec<Worked<J>> = items
        .into_iter()
        .enumerate()
        .map(|(offset, item)| {
            post.next(item.position.0);
            let position = item.position;
            entered.then(position, || work_on(shared, &batch, first_row + offset, item))
        })
        .collect();
    let end = shared.seam.now();
    post.end(shared, end);
    measure::worked_on(shared, batch.index, start..end, worked.len());
    batch.place(shared, first_row, worked);
}

fn work_on<J: Job>(
    shared: &Shared<J>,
    batch: &ThenBatch<J>,
    row: usize,
    mut item: Item<J::Document>,
) -> Worked<J> {
    match guard(|| shared.after.part(&mut item.document, &batch.output, row)) {
        Ok(Ok(part)) => Ok((item, part)),
        Ok(Err(cause)) | Err(cause) => {
            shared.spans.failed(item.position, Stage::Then, &cause);
            Err(Failure { document: item.document, position: item.position, stage: Stage::Then, cause })
        }
    }
}

impl<J: Job> ThenBatch<J> {
    fn place(self: &Arc<Self>, shared: &Shared<J>, first_row: usize, worked: Vec<Worked<J>>) {
        let mut rows = self.rows.lock();
        if rows.cancelled {
            drop(rows);
            return cancel_rows(shared, worked);
        }
        rows.missing -= worked.len();
        for (offset, worked) in worked.into_iter().enumerate() {
            rows.rows[first_row + offset] = Some(worked);
        }
        if rows.missing > 0 {
            return;
        }
        let done = std::mem::take(&mut rows.rows);
        let failures = std::mem::take(&mut rows.failures);
        drop(rows);
        self.leave(shared);
        self.hand_over(shared, done, failures);
    }

    fn leave(self: &Arc<Self>, shared: &Shared<J>) {
        shared.then_batches.lock().retain(|other| !Arc::ptr_eq(other, self));
    }

    fn hand_over(
        &self,
        shared: &Shared<J>,
        done: Vec<Option<Worked<J>>>,
        mut failures: Vec<Failure<J::Document>>,
    ) {
        let (mut items, mut parts) = (Vec::with_capacity(done.len()), Vec::with_capacity(done.len()));
        let before = failures.len();
        for worked in done.into_iter().flatten() {
            match worked {
                Ok((item, part)) => {
                    items.push(item);
                    parts.push(part);
                }
                Err(failure) => failures.push(failure),
            }
        }
        let then_stop = self.then_stop.clone().or(stop_after(shared, &failures[before..]));
        let output = if items.is_empty() { None } else { shared.after.join(parts) };
        let delivery = Delivery { index: self.index, items, output, failures };
        let done = Done { index: self.index, part: self.part, delivery: Ok(delivery), then_stop };
        if let Err(done) = self.out.send(done) {
            cancel_done(shared, done);
        }
    }

    /// The run has been stopped: what was placed here will not come out.
    pub(crate) fn cancel(&self, shared: &Shared<J>) {
        let mut rows = self.rows.lock();
        rows.cancelled = true;
        let placed = std::mem::take(&mut rows.rows);
        let failures = std::mem::take(&mut rows.failures);
        drop(rows);
        cancel_rows(shared, placed.into_iter().flatten());
        shared.cancel(failures.into_iter().map(Item::of_failure).collect());
    }
}

/// The error that ends the run, if these failures are more than the policy allows.
fn stop_after<J: Job>(shared: &Shared<J>, failures: &[Failure<J::Document>]) -> Option<Error> {
    let first = failures.first()?.position;
    let last = failures.last().map_or(first, |failure| failure.position);
    let exceeded = shared.line.lock().count_failures(failures.len() as u64, last);
    exceeded.then_some(Error::Stopped { position: first })
}

fn cancel_rows<J: Job>(shared: &Shared<J>, worked: impl IntoIterator<Item = Worked<J>>) {
    let mut items = Vec::new();
    for worked in worked {
        match worked {
            Ok((item, part)) => {
                drop_user(part);
                items.push(item);
            }
            Err(failure) => items.push(Item::of_failure(failure)),
        }
    }
    shared.cancel(items);
}

/// Cancels the documents of a result that nobody will take.
pub(crate) fn cancel_done<J: Job>(shared: &Shared<J>, done: DoneOf<J>) {
    if let Ok(delivery) = done.delivery {
        drop_user(delivery.output);
        shared.cancel(delivery.items);
        shared.cancel(delivery.failures.into_iter().map(Item::of_failure).collect());
    }
}

impl<D> Item<D> {
    pub(crate) fn of_failure(failure: Failure<D>) -> Self {
        drop_user(failure.cause);
        Self { position: failure.position, document: failure.document }
    }
}
