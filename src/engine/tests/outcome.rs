//! What comes out of a run of the fakes.

use super::fake::Doc;
use crate::engine::outlet::caller::Caller;
use crate::engine::road::batch::Delivery;
use crate::engine::road::job::Job;
use crate::error::Error;

/// What came out of a run, one entry a batch.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) batches: Vec<Vec<u64>>,
    pub(super) failed: Vec<u64>,
    pub(super) error: Option<Error>,
}

impl Outcome {
    pub(super) fn take<R>(&mut self, delivered: Delivery<Doc, R>) {
        self.batches.push(delivered.documents.iter().map(|document| document.id).collect());
        self.failed.extend(delivered.failures.iter().map(|failure| failure.document.id));
    }

    pub(super) fn delivered(&self) -> Vec<u64> {
        self.batches.concat()
    }
}

/// Takes batches until the run ends, or `most` of them.
pub(super) fn take<J: Job<Document = Doc>>(run: &mut Caller<J>, most: usize) -> Outcome {
    let mut outcome = Outcome::default();
    while outcome.batches.len() < most {
        match run.next() {
            Some(Ok(delivery)) => outcome.take(delivery),
            Some(Err(error)) => outcome.error = Some(error),
            None => break,
        }
    }
    outcome
}
