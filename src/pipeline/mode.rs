//! Whether the CPU half works document by document or on a whole batch in one call.

use super::gather::{Gather, Rest};
use crate::engine::ledger::Weights;
use crate::engine::road::batch::{Delivery, Left};
use crate::engine::road::source::{self, AnySource};
use crate::error::{Error, Failure};
use crate::pipeline::Batch;
use crate::place::Position;

/// What an item of the engine is: one document, or a batch of them.
pub trait Mode<D>: sealed::Sealed + Send + Sync + 'static {
    /// What the CPU stage is given.
    type Item: Send;
    /// Whether an item is a whole batch.
    #[doc(hidden)]
    const WHOLE_BATCH: bool;

    /// The items of a source, and who has the documents that stand in no item yet.
    #[doc(hidden)]
    fn source<'a, I>(documents: I, batch_size: usize) -> (AnySource<'a, Self::Item>, Option<Rest<D>>)
    where
        I: Iterator<Item = D> + Send + 'a,
        D: Send + 'a;

    #[doc(hidden)]
    fn documents(item: &Self::Item) -> usize;

    /// The documents that an item holds now.
    #[doc(hidden)]
    fn unpack(item: Self::Item) -> impl Iterator<Item = D>;

    /// Those of several.
    #[doc(hidden)]
    fn unpack_all(items: Vec<Self::Item>) -> Vec<D>;
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

impl<D: Send> Mode<D> for PerDocument {
    type Item = D;
    const WHOLE_BATCH: bool = false;

    fn source<'a, I>(documents: I, _: usize) -> (AnySource<'a, D>, Option<Rest<D>>)
    where
        I: Iterator<Item = D> + Send + 'a,
        D: 'a,
    {
        (source::documents(documents), None)
    }

    fn documents(_: &D) -> usize {
        1
    }

    fn unpack(item: D) -> impl Iterator<Item = D> {
        std::iter::once(item)
    }

    fn unpack_all(items: Vec<D>) -> Vec<D> {
        items
    }
}

impl<D: Send> Mode<D> for PerBatch {
    type Item = Vec<D>;
    const WHOLE_BATCH: bool = true;

    fn source<'a, I>(documents: I, batch_size: usize) -> (AnySource<'a, Vec<D>>, Option<Rest<D>>)
    where
        I: Iterator<Item = D> + Send + 'a,
        D: 'a,
    {
        let batches = Gather::new(documents, batch_size);
        let rest = batches.rest();
        (source::documents(batches), Some(rest))
    }

    fn documents(item: &Vec<D>) -> usize {
        item.len()
    }

    fn unpack(item: Vec<D>) -> impl Iterator<Item = D> {
        item.into_iter()
    }

    fn unpack_all(items: Vec<Vec<D>>) -> Vec<D> {
        items.into_iter().flatten().collect()
    }
}

/// What the engine gives, as the caller sees it.
pub(crate) fn unpack<D, M: Mode<D>, O>(
    delivery: Delivery<M::Item, O>,
    batch_size: usize,
    weights: &Weights,
) -> Batch<D, O> {
    let Delivery { index, positions, documents, output, failures } = delivery;
    let places = positions.iter().flat_map(|item| places::<D, M>(*item, batch_size, weights));
    let positions = if M::WHOLE_BATCH { places.collect() } else { positions };
    let documents = M::unpack_all(documents);
    let (mut failed, mut taken) = (Vec::with_capacity(failures.len()), Vec::new());
    for failure in failures {
        unpack_failure::<D, M>(failure, batch_size, weights, &mut failed, &mut taken);
    }
    Batch { index, documents, positions, output, failures: failed, taken }
}

/// Places of the documents that the item at this place had when it was pulled.
fn places<D, M: Mode<D>>(
    item: Position,
    batch_size: usize,
    weights: &Weights,
) -> impl Iterator<Item = Position> + use<D, M> {
    let first = place::<D, M>(item, batch_size).0;
    (first..first + weights.of(item)).map(Position)
}

/// The place of the first document of an item.
fn place<D, M: Mode<D>>(item: Position, batch_size: usize) -> Position {
    Position(item.0 * if M::WHOLE_BATCH { batch_size as u64 } else { 1 })
}

/// What does not come out, document by document.
pub(crate) fn unpack_left<D, M: Mode<D>>(
    left: Vec<Left<M::Item>>,
    batch_size: usize,
) -> impl Iterator<Item = (Position, D)> {
    left.into_iter().flat_map(move |left| {
        let first = place::<D, M>(left.position, batch_size).0;
        (first..).map(Position).zip(M::unpack(left.document))
    })
}

/// The same error with the place of a document, where the engine counts batches.
pub(crate) fn unpack_error<D, M: Mode<D>>(error: Error, batch_size: usize) -> Error {
    error.at(|item| place::<D, M>(item, batch_size))
}

/// A failure of each document that the item had when it was pulled: those that its stage took out of it have
/// failed too.
fn unpack_failure<D, M: Mode<D>>(
    failure: Failure<M::Item>,
    batch_size: usize,
    weights: &Weights,
    failed: &mut Vec<Failure<D>>,
    taken: &mut Vec<Failure<()>>,
) {
    let Failure { document, position: item, stage, cause } = failure;
    let mut places = places::<D, M>(item, batch_size, weights);
    let mut last = place::<D, M>(item, batch_size);
    for document in M::unpack(document) {
        // A stage may have added documents: they stand where the last one stood.
        last = places.next().unwrap_or(last);
        failed.push(Failure { document, position: last, stage, cause: cause.clone() });
    }
    taken.extend(places.map(|position| Failure { document: (), position, stage, cause: cause.clone() }));
}
