//! Whether the CPU half works document by document or on a whole batch in one call.

use crate::engine::batch::Delivery;
use crate::engine::batch::Item;
use crate::error::Failure;
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
        Box::new(Chunks { documents: documents.fuse(), batch_size })
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
}

impl<I: Iterator> Iterator for Chunks<I> {
    type Item = Vec<I::Item>;

    fn next(&mut self) -> Option<Vec<I::Item>> {
        let chunk: Vec<_> = self.documents.by_ref().take(self.batch_size).collect();
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
