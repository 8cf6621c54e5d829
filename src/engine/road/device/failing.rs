//! What a batch, or an item of it, comes to when the stage does not give its result.

use super::{BatchOf, DeviceLoop};
use crate::engine::guard::{drop_user, guard};
use crate::engine::road::batch::{Columns, Done};
use crate::engine::road::check::first_odd;
use crate::engine::road::job::Job;
use crate::error::{Cause, Error, Failure, Stage};
use crate::stage::{CpuStage as _, StageError};

impl<J: Job> DeviceLoop<J> {
    /// Takes items that the stage does not accept out of the batch: they fail alone.
    pub(super) fn refuse_odd(&mut self, batch: &mut BatchOf<J>) -> Result<(), Cause> {
        while let Some((index, cause)) = guard(|| first_odd::<J>(&self.at.gpu, batch))? {
            self.fail_item(batch, index, cause);
        }
        Ok(())
    }

    /// Makes one item of the batch a failure; the others stay.
    pub(super) fn fail_item(&mut self, batch: &mut BatchOf<J>, index: usize, cause: Cause) {
        let (position, document, prepared) = batch.items.take(index);
        self.give_back(prepared);
        let documents = self.ledger().books.weights.of(position);
        if let Some(stopped) = self.ledger().counts_failed(documents, position, Stage::Gpu, &cause) {
            batch.then_stop.get_or_insert(stopped);
        }
        self.ledger().spans.failed(position, Stage::Gpu, &cause);
        batch.items.failures.push(Failure { document, position, stage: Stage::Gpu, cause });
    }

    /// The stage is done with this item, for better or worse.
    fn give_back(&self, prepared: J::Prepared) {
        // A panic loses the buffer and nothing else.
        let _buffer_lost = guard(|| self.road.cpu.recycle(prepared));
    }

    pub(super) fn fail(&mut self, batch: BatchOf<J>, error: StageError) {
        let cause = match error {
            StageError::Lost(cause) => return self.lose(batch, cause),
            StageError::TooLarge(cause) if batch.items.prepared.len() > 1 => {
                self.end_busy();
                drop_user(cause);
                return self.narrow(batch);
            }
            StageError::TooLarge(cause) | StageError::Batch(cause) => cause,
        };
        self.end_busy();
        self.at.fruitless = 0;
        self.fail_batch(batch, cause);
    }

    /// Goes on with less: without the copies that filled the batch up, else with its halves.
    pub(super) fn narrow(&mut self, mut batch: BatchOf<J>) {
        let good = batch.items.good();
        if batch.items.prepared.len() > good {
            batch.pad = None;
            batch.suspicion.narrow();
            batch.items.prepared.drain(good..).for_each(|copy| self.give_back(copy));
        } else {
            let second = batch.halve();
            self.at.parts.push_front(second);
        }
        self.at.parts.push_front(batch);
    }

    pub(super) fn fail_batch(&mut self, mut batch: BatchOf<J>, cause: Cause) {
        for position in &batch.items.positions {
            self.ledger().spans.failed(*position, Stage::Gpu, &cause);
        }
        let last = batch.items.positions.last().copied().unwrap_or_default();
        let documents = self.documents(&batch) as u64;
        if self.ledger().counts_failed(documents, last, Stage::Gpu, &cause).is_some() {
            let error = Error::Batch { batch: batch.index, cause };
            let (index, part) = (batch.index, batch.part);
            self.road.send(Done {
                index,
                part,
                delivery: Err(error),
                then_stop: None,
                on_their_way: Vec::new(),
            });
            return self.road.cancel_columns(batch.items);
        }
        self.recycle(std::mem::take(&mut batch.items.prepared));
        let Columns { positions, documents, failures, .. } = &mut batch.items;
        let failed = positions.drain(..).zip(documents.drain(..)).map(|(position, document)| Failure {
            document,
            position,
            stage: Stage::Gpu,
            cause: cause.clone(),
        });
        failures.extend(failed);
        self.road.send(batch.done(None));
    }
}
