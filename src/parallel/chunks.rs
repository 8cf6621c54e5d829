//! A source in batches; only the last may be short.

use std::any::Any;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Gathers `batch_size` documents of a source at a time into any collection.
pub(crate) struct Chunks<I: Iterator, B> {
    documents: std::iter::Fuse<I>,
    batch_size: usize,
    /// The source panicked with a batch begun; that comes out first.
    panicked: Option<Box<dyn Any + Send>>,
    batches: PhantomData<fn() -> B>,
}

impl<I: Iterator, B> Chunks<I, B> {
    pub(crate) fn new(documents: I, batch_size: usize) -> Self {
        Self { documents: documents.fuse(), batch_size, panicked: None, batches: PhantomData }
    }

    fn gather(&mut self) -> Vec<I::Item> {
        let mut batch = Vec::new();
        while batch.len() < self.batch_size {
            match catch_unwind(AssertUnwindSafe(|| self.documents.next())) {
                Ok(Some(document)) => batch.push(document),
                Ok(None) => break,
                Err(payload) if batch.is_empty() => resume_unwind(payload),
                Err(payload) => {
                    self.panicked = Some(payload);
                    break;
                }
            }
        }
        batch
    }
}

impl<I: Iterator, B: FromIterator<I::Item>> Iterator for Chunks<I, B> {
    type Item = B;

    fn next(&mut self) -> Option<B> {
        if let Some(payload) = self.panicked.take() {
            resume_unwind(payload);
        }
        let batch = self.gather();
        (!batch.is_empty()).then(|| batch.into_iter().collect())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let batches = |documents: usize| documents.div_ceil(self.batch_size.max(1));
        let (least, most) = self.documents.size_hint();
        (batches(least), most.map(batches))
    }
}
