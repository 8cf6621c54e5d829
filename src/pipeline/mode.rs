//! Whether the CPU half works document by document or on a whole batch in one call.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::engine::batch::Delivery;
use crate::engine::batch::Item;
use crate::error::{Error, Failure};
use crate::pipeline::Batch;
use crate::place::Position;

/// What an item of the engine is: one document, or a batch of them.
pub trait Mode<D>: sealed::Sealed + Send + Sync + 'static {
    /// What the CPU stage is given.
    type Item: Send + 'static;
    /// Whether an item is a whole batch.
    #[doc(hidden)]
    const WHOLE_BATCH: bool;

    #[doc(hidden)]
    fn source<I>(documents: I, batch_size: usize) -> Box<dyn Iterator<Item = Self::Item> + Send>
    where
        I: Iterator<Item = D> + Send + 'static,
        D: Send + 'static;

    #[doc(hidden)]
    fn documents(item: &Self::Item) -> usize;

    #[doc(hidden)]
    fn unpack(item: Self::Item, position: Position, batch_size: usize)
    -> impl Iterator<Item = (Position, D)>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::PerDocument {}
    impl Sealed for super::PerBatch {}
}

/// The CPU half works document by document: see [`Pipeline::new`](crate::Pipeline::new).
#[derive(Debug)]
pub enum PerDocument {}

/// The CPU half takes a whole batch in one call: see [`Pipeline::per_batch`](crate::Pipeline::per_batch).
#[derive(Debug)]
pub enum PerBatch {}

impl<D: Send + 'static> Mode<D> for PerDocument {
    type Item = D;
    const WHOLE_BATCH: bool = false;

    fn source<I>(documents: I, _: usize) -> Box<dyn Iterator<Item = D> + Send>
    where
        I: Iterator<Item = D> + Send + 'static,
    {
        Box::new(documents)
    }

    fn documents(_: &D) -> usize {
        1
    }

    fn unpack(item: D, position: Position, _: usize) -> impl Iterator<Item = (Position, D)> {
        std::iter::once((position, item))
    }
}

impl<D: Send + 'static> Mode<D> for PerBatch {
    type Item = Vec<D>;
    const WHOLE_BATCH: bool = true;

    fn source<I>(documents: I, batch_size: usize) -> Box<dyn Iterator<Item = Vec<D>> + Send>
    where
        I: Iterator<Item = D> + Send + 'static,
    {
        Box::new(Chunks { documents: documents.fuse(), batch_size, panicked: None })
    }

    fn documents(item: &Vec<D>) -> usize {
        item.len()
    }

    fn unpack(item: Vec<D>, position: Position, batch_size: usize) -> impl Iterator<Item = (Position, D)> {
        let first = position.0 * batch_size as u64;
        (first..).map(Position).zip(item)
    }
}

/// The source in batches; only the last may be short.
struct Chunks<I> {
    documents: I,
    batch_size: usize,
    /// The source panicked with a batch begun; that comes out first.
    panicked: Option<Box<dyn Any + Send>>,
}

impl<I: Iterator> Iterator for Chunks<I> {
    type Item = Vec<I::Item>;

    fn next(&mut self) -> Option<Vec<I::Item>> {
        if let Some(payload) = self.panicked.take() {
            resume_unwind(payload);
        }
        let mut chunk = Vec::new();
        while chunk.len() < self.batch_size {
            match catch_unwind(AssertUnwindSafe(|| self.documents.next())) {
                Ok(Some(document)) => chunk.push(document),
                Ok(None) => break,
                Err(payload) if chunk.is_empty() => resume_unwind(payload),
                Err(payload) => {
                    self.panicked = Some(payload);
                    break;
                }
            }
        }
        (!chunk.is_empty()).then_some(chunk)
    }
}

/// What the engine gives, as the caller sees it.
pub(crate) fn unpack<D, M: Mode<D>, O>(delivery: Delivery<M::Item, O>, batch_size: usize) -> Batch<D, O> {
    let Delivery { index, items, output, failures } = delivery;
    let (mut positions, mut documents) = (Vec::with_capacity(items.len()), Vec::with_capacity(items.len()));
    for (position, document) in unpack_items::<D, M>(items, batch_size) {
        positions.push(position);
        documents.push(document);
    }
    let failures =
        failures.into_iter().flat_map(|failure| unpack_failure::<D, M>(failure, batch_size)).collect();
    Batch { index, documents, positions, output, failures }
}

pub(crate) fn unpack_items<D, M: Mode<D>>(
    items: Vec<Item<M::Item>>,
    batch_size: usize,
) -> impl Iterator<Item = (Position, D)> {
    items.into_iter().flat_map(move |item| M::unpack(item.document, item.position, batch_size))
}

/// The same error with the place of a document, where the engine counts batches.
pub(crate) fn unpack_error<D, M: Mode<D>>(error: Error, batch_size: usize) -> Error {
    let items = if M::WHOLE_BATCH { batch_size as u64 } else { 1 };
    let place = |position: Position| Position(position.0 * items);
    match error {
        Error::Stopped { position } => Error::Stopped { position: place(position) },
        Error::Source { position, cause } => Error::Source { position: place(position), cause },
        other => other,
    }
}

fn unpack_failure<D, M: Mode<D>>(
    failure: Failure<M::Item>,
    batch_size: usize,
) -> impl Iterator<Item = Failure<D>> {
    let Failure { document, position, stage, cause } = failure;
    M::unpack(document, position, batch_size).map(move |(position, document)| Failure {
        document,
        position,
        stage,
        cause: cause.clone(),
    })
}
