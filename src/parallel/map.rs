//! `map`: results of a function on every document, beside the documents.
//!
//! It is [`parallel()`](super::parallel()) with another word order: pairs come out, and failures do not end it.

use super::builder::{Batches, Parallel};
use super::run::ParallelRun;
use super::shape::Pairs;
use crate::engine::settings::OnFailure;
use crate::pipeline::gather::Gather;
use crate::stage::CpuStage;

/// Works on every document of a source, on several workers, and gives the results in order.
///
/// The source is pulled lazily and never further ahead than [`ahead`](Map::ahead) allows, so it may be
/// endless. A document that fails is an `Err` in its place, with the document inside, and the others go on;
/// `?` ends the run there.
///
/// ```
/// use gapless::{Cause, parallel};
///
/// let square = |number: &mut u64| Ok::<_, Cause>(*number * *number);
/// let mut squares = Vec::new();
/// for result in parallel::map(1.., square).workers(2).run().take(5) {
///     let (number, square) = result?;
///     squares.push((number, square));
/// }
/// assert_eq!(squares, [(1, 1), (2, 4), (3, 9), (4, 16), (5, 25)]);
/// # Ok::<(), parallel::MapError<u64>>(())
/// ```
pub fn map<I, C>(documents: I, stage: C) -> Map<I::Item, C>
where
    I: IntoIterator,
    I::IntoIter: Send + 'static,
    I::Item: Send + 'static,
    C: CpuStage<I::Item>,
{
    let source: Source<I::Item> = Box::new(documents.into_iter());
    Parallel::over(stage, source, None).on_failure(OnFailure::Skip)
}

/// Works on whole batches of a source; only the last may be short.
///
/// A batch is one call of the stage, so the first comes out after one worker has done all of it. Where
/// the work can be done document by document, [`map`] starts sooner. 0 documents a batch is a setting error.
///
/// A batch is made of documents by its own [`FromIterator`], in the source's thread. One that takes fewer than
/// it is offered leaves the others to the next batch; one that takes none, or panics, ends the run there.
/// Documents that stand in no batch when the run ends are the last batch of [`take_back`].
///
/// ```
/// use gapless::{Cause, parallel};
///
/// let sum = |batch: &mut Vec<u64>| Ok::<_, Cause>(batch.iter().sum::<u64>());
/// let sums = parallel::map_batch(0..10, 4, sum).workers(2).run();
/// let sums: Vec<u64> = sums.map(|result| result.unwrap().1).collect();
/// assert_eq!(sums, [0 + 1 + 2 + 3, 4 + 5 + 6 + 7, 8 + 9]);
/// ```
///
/// [`take_back`]: ParallelRun::take_back
pub fn map_batch<I, B, C>(documents: I, batch_size: usize, stage: C) -> Map<B, C>
where
    I: IntoIterator,
    I::IntoIter: Send + 'static,
    I::Item: Send + 'static,
    B: FromIterator<I::Item> + Send + 'static,
    C: CpuStage<B>,
{
    let gather = Gather::new(documents.into_iter(), batch_size);
    let batches = Batches { batch_size, gathered: Box::new(gather.rest()) };
    let source: Source<B> = Box::new(gather);
    Parallel::over(stage, source, Some(batches)).on_failure(OnFailure::Skip).ahead(BATCHES_AHEAD)
}

/// Batches that are on their way by default, beside one a worker.
pub(super) const BATCHES_AHEAD: usize = 2;

/// The documents of a map, whatever iterator they come from.
type Source<D> = Box<dyn Iterator<Item = D> + Send>;

/// What is to be done with every document, and how: see [`map`].
///
/// It is a [`Parallel`] whose results come as pairs, and for which [`OnFailure::Skip`] is the default.
pub type Map<D, C> = Parallel<D, C, Source<D>, Pairs>;

/// A run of [`map`]: an iterator over documents with their results, in order, while the rest still runs.
///
/// It is a [`ParallelRun`] that gives pairs. A document that failed is a [`MapError::Document`](super::MapError::Document) in its place,
/// and no end; [`MapError::Run`](super::MapError::Run) is one, and comes last.
pub type MapRun<D, R> = ParallelRun<D, R, Pairs>;
