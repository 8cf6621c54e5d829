//! One batch of results.

use crate::error::Failure;
use crate::place::{BatchIndex, Position};
use crate::stage::Rows;

/// One batch of results: the documents, what the device made of them, and the documents that failed.
#[derive(Debug)]
pub struct Batch<D, O> {
    pub(crate) index: BatchIndex,
    pub(crate) documents: Vec<D>,
    pub(crate) positions: Vec<Position>,
    pub(crate) output: Option<O>,
    pub(crate) failures: Vec<Failure<D>>,
}

impl<D, O> Batch<D, O> {
    /// Place of this batch in the run, from 0. A batch that was too large for the device comes out in
    /// parts that share their index.
    pub fn index(&self) -> BatchIndex {
        self.index
    }

    /// The documents with a result, in the order of the output's rows.
    pub fn documents(&self) -> &[D] {
        &self.documents
    }

    /// Places in the source of [`documents`](Self::documents).
    pub fn positions(&self) -> &[Position] {
        &self.positions
    }

    /// Number of documents with a result.
    pub fn len(&self) -> usize {
        self.documents.len()
    }

    /// Whether no document of this batch has a result.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }

    /// What the GPU half (or `then`) made of the batch; `None` where no document got that far.
    pub fn output(&self) -> Option<&O> {
        self.output.as_ref()
    }

    /// Documents that failed, here or on their way, and stood among these in the source.
    pub fn failures(&self) -> &[Failure<D>] {
        &self.failures
    }

    /// Takes the batch apart: documents, output, failures.
    pub fn into_parts(self) -> (Vec<D>, Option<O>, Vec<Failure<D>>) {
        (self.documents, self.output, self.failures)
    }
}

impl<D, O: Rows> Batch<D, O> {
    /// Each document with its row of the output.
    ///
    /// ```
    /// use gapless::{Cause, Pipeline};
    ///
    /// let square = |number: &mut u32| Ok::<_, Cause>(*number * *number);
    /// let add_one = |batch: &[u32]| Ok::<_, Cause>(batch.iter().map(|n| n + 1).collect::<Vec<u32>>());
    /// for batch in Pipeline::new(square, add_one).run(vec![1, 2, 3]) {
    ///     for (number, row) in batch.unwrap().rows() {
    ///         assert_eq!(*row, number * number + 1);
    ///     }
    /// }
    /// ```
    pub fn rows(&self) -> impl Iterator<Item = (&D, O::Row<'_>)> {
        self.output.iter().flat_map(move |output| {
            self.documents.iter().enumerate().map(move |(row, document)| (document, output.row(row)))
        })
    }
}
