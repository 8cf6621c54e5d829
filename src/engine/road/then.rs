//! A batch whose rows are worked on after the device, and the units of neighbouring rows that workers take.
//!
//! It goes out when its last row is done, in the place of its index.

use super::batch::{Batch, Columns, Delivery, Done, Left, OnItsWay, Part};
use super::job::{After, Job};
use crate::engine::guard::Held;
use crate::engine::seam::{Mutex, Seam};
use crate::error::{Error, Failure};
use crate::place::{BatchIndex, Position};

/// Neighbours in one batch whose rows are worked on in one go.
pub(crate) struct ThenUnit<J: Job> {
    pub(super) rows: std::sync::Arc<ThenBatch<J>>,
    pub(super) first_row: usize,
    pub(super) positions: Vec<Position>,
    pub(super) documents: Vec<J::Document>,
}

impl<J: Job> ThenUnit<J> {
    pub(crate) fn len(&self) -> usize {
        self.documents.len()
    }

    /// Its documents, where nobody works on them any more.
    pub(crate) fn into_left(self) -> Vec<Left<J::Document>> {
        let pairs = self.positions.into_iter().zip(self.documents);
        pairs.map(|(position, document)| Left { position, document }).collect()
    }
}

pub(crate) type PartOf<J> = <<J as Job>::After as After<<J as Job>::Document, <J as Job>::Output>>::Part;

/// What has become of neighbouring rows: what `then` made stands where prepared items stood.
pub(crate) type WorkedOn<J> = Columns<<J as Job>::Document, PartOf<J>>;

/// A batch whose rows are being worked on.
pub(crate) struct ThenBatch<J: Job> {
    pub(super) index: BatchIndex,
    part: Part,
    pub(super) output: Held<J::Output>,
    then_stop: Option<Error>,
    on_their_way: Vec<OnItsWay>,
    state: Mutex<State<J>>,
}

struct State<J: Job> {
    /// What is done, by its first row.
    done: Vec<(usize, WorkedOn<J>)>,
    /// Failures from before.
    failures: Vec<Failure<J::Document>>,
    missing: usize,
    cancelled: bool,
}

/// A batch of which every row is done.
pub(super) struct Finished<J: Job> {
    pub(super) items: WorkedOn<J>,
    /// Failures from before.
    failures: Vec<Failure<J::Document>>,
}

impl<J: Job> ThenBatch<J> {
    pub(super) fn new(
        seam: &Seam,
        batch: Batch<J::Document, J::Prepared>,
        (rows, failures): (usize, Vec<Failure<J::Document>>),
        output: J::Output,
    ) -> Self {
        let Batch { index, part, then_stop, on_their_way, .. } = batch;
        let state = State { done: Vec::new(), failures, missing: rows, cancelled: false };
        Self { index, part, output: Held::new(output), then_stop, on_their_way, state: seam.mutex(state) }
    }

    /// Places rows that were worked on; gives all of them where these were the last, and these back where nobody
    /// waits for them any more.
    pub(super) fn place(
        &self,
        first_row: usize,
        rows: usize,
        worked: WorkedOn<J>,
    ) -> Result<Option<Finished<J>>, WorkedOn<J>> {
        let mut state = self.state.lock();
        if state.cancelled {
            return Err(worked);
        }
        state.missing -= rows;
        let at = state.done.partition_point(|(before, _)| *before < first_row);
        state.done.insert(at, (first_row, worked));
        if state.missing > 0 {
            return Ok(None);
        }
        let done = std::mem::take(&mut state.done);
        let failures = std::mem::take(&mut state.failures);
        drop(state);
        let mut all = done.into_iter().map(|(_, worked)| worked);
        let mut items = all.next().unwrap_or_default();
        all.for_each(|mut worked| items.append(&mut worked));
        Ok(Some(Finished { items, failures }))
    }

    /// What comes out of it; the run ends with it where something said so before, or says so now.
    pub(super) fn done(
        &self,
        finished: Finished<J>,
        after: &J::After,
        stop: Option<Error>,
    ) -> Done<J::Document, J::Delivered> {
        let Finished { items, mut failures } = finished;
        let Columns { positions, documents, prepared: parts, failures: failed } = items;
        failures.extend(failed);
        let output = if documents.is_empty() { None } else { after.join(parts) };
        let delivery = Delivery { index: self.index, positions, documents, output, failures };
        let then_stop = self.then_stop.clone().or(stop);
        let on_their_way = self.on_their_way.clone();
        Done { index: self.index, part: self.part, delivery: Ok(delivery), then_stop, on_their_way }
    }

    /// The run has been stopped: what was placed here will not come out.
    pub(super) fn cancel(&self) -> Vec<Left<J::Document>> {
        let mut state = self.state.lock();
        state.cancelled = true;
        let done = std::mem::take(&mut state.done);
        let failures = std::mem::take(&mut state.failures);
        drop(state);
        let left = done.into_iter().flat_map(|(_, worked)| worked.into_left());
        left.chain(failures.into_iter().map(Left::of_failure)).collect()
    }
}

impl<J: Job> Drop for ThenBatch<J> {
    fn drop(&mut self) {
        self.cancel().into_iter().for_each(|left| J::discard_document(left.document));
    }
}
