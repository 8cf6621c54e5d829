//! What a batch, or an item of it, comes to when the stage does not give its result.

use super::{BatchOf, DeviceLoop};
use crate::engine::batch::{Done, Item};
use crate::engine::check::first_odd;
use crate::engine::job::Job;
use crate::engine::shared::{documents, drop_user, guard};
use crate::error::{Cause, Error, Failure, Stage};
use crate::stage::StageError;

impl<J: Job> DeviceLoop<J> {
    /// Takes items that the stage does not accept out of the batch: they fail alone.
    pub(super) fn refuse_odd(&mut self, batch: &mut BatchOf<J>) -> Result<(), Cause> {
        while let Some((index, cause)) = guard(|| first_odd::<J>(&self.gpu, batch))? {
            self.fail_item(batch, index, cause);
        }
        Ok(())
    }

    /// Makes one item of the batch a failure; the others stay.
    pub(super) fn fail_item(&mut self, batch: &mut BatchOf<J>, index: usize, cause: Cause) {
        let Item { position, document } = batch.items.remove(index);
        self.recycle(vec![batch.prepared.remove(index)]);
        if self.shared.line.lock().count_failures(J::documents(&document) as u64, position) {
            batch.then_stop.get_or_insert(Error::Stopped { position });
        }
        self.shared.spans.failed(position, Stage::Gpu, &cause);
        batch.failures.push(Failure { document, position, stage: Stage::Gpu, cause });
    }

    pub(super) fn fail(&mut self, batch: BatchOf<J>, error: StageError) {
        let cause = match error {
            StageError::Lost(cause) => return self.lose(batch, cause),
            StageError::TooLarge(cause) if batch.prepared.len() > 1 => {
                self.end_busy();
                drop_user(cause);
                return self.narrow(batch);
            }
            StageError::TooLarge(cause) | StageError::Batch(cause) => cause,
        };
        self.end_busy();
        self.fruitless = 0;
        self.fail_batch(batch, cause);
    }

    /// Goes on with less: without the copies that filled the batch up, else with its halves.
    pub(super) fn narrow(&mut self, mut batch: BatchOf<J>) {
        if batch.prepared.len() > batch.items.len() {
            batch.pad = None;
            batch.suspicion.narrow();
            self.recycle(batch.prepared.split_off(batch.items.len()));
        } else {
            let second = batch.halve();
            self.parts.push_front(second);
        }
        self.parts.push_front(batch);
    }

    pub(super) fn fail_batch(&mut self, mut batch: BatchOf<J>, cause: Cause) {
        for item in &batch.items {
            self.shared.spans.failed(item.position, Stage::Gpu, &cause);
        }
        let count = documents::<J>(&batch.items) as u64;
        let last = batch.items.last().map(|item| item.position).unwrap_or_default();
        if self.shared.line.lock().count_failures(count, last) {
            let error = Error::Batch { batch: batch.index, cause };
            self.send(Done { index: batch.index, part: batch.part, delivery: Err(error), then_stop: None });
            return self.shared.cancel_batch(batch);
        }
        self.recycle(std::mem::take(&mut batch.prepared));
        let failed = batch.items.drain(..).map(|Item { position, document }| Failure {
            document,
            position,
            stage: Stage::Gpu,
            cause: cause.clone(),
        });
        batch.failures.extend(failed);
        self.deliver(batch, None);
    }
}
