//! One batch of results.

use std::fmt;

use crate::error::Failure;
use crate::place::{BatchIndex, Position};
use crate::stage::{IntoRows, Rows};

/// One batch of results: the documents, what the device made of them, and the documents that failed.
#[derive(Debug)]
pub struct Batch<D, O> {
    pub(crate) index: BatchIndex,
    pub(crate) documents: Vec<D>,
    pub(crate) positions: Vec<Position>,
    pub(crate) output: Option<O>,
    pub(crate) failures: Vec<Failure<D>>,
    pub(crate) taken: Vec<Failure<()>>,
}

impl<D, O> Batch<D, O> {
    /// Place of this batch in the run, from 0. A batch that was too large for the device comes out in
    /// parts that share their index.
    pub fn index(&self) -> BatchIndex {
        self.index
    }

    /// The documents with a result, in the order of the output's rows. With
    /// [`Pipeline::per_batch`](crate::Pipeline::per_batch) those that the CPU half left in its batch: it may
    /// take documents out, or add some, and that changes neither [`len`](Self::len) nor
    /// [`positions`](Self::positions).
    pub fn documents(&self) -> &[D] {
        &self.documents
    }

    /// Places in the source of the documents with a result.
    pub fn positions(&self) -> &[Position] {
        &self.positions
    }

    /// Number of documents with a result, as they were pulled.
    pub fn len(&self) -> usize {
        self.positions.len()
    }

    /// Whether no document of this batch has a result.
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// What the GPU half (or `then`) made of the batch; `None` where no document got that far.
    pub fn output(&self) -> Option<&O> {
        self.output.as_ref()
    }

    /// Documents that failed, here or on their way, and stood among these in the source.
    pub fn failures(&self) -> &[Failure<D>] {
        &self.failures
    }

    /// Failures of documents that their stage had taken out of its batch, with
    /// [`Pipeline::per_batch`](crate::Pipeline::per_batch): each stands for one, which only the stage can give back.
    ///
    /// ```
    /// use gapless::{Cause, OnFailure, Pipeline};
    /// let take = |batch: &mut Vec<String>| {
    ///     let taken = std::mem::take(batch);
    ///     if taken[0] == "c" { Err(Cause::msg("no c")) } else { Ok(taken) }
    /// };
    /// let gpu = |batch: &[Vec<String>]| Ok::<_, Cause>(batch[0].iter().map(String::len).collect::<Vec<usize>>());
    /// let documents = ["a", "b", "c", "d"].map(String::from);
    /// let mut run = Pipeline::per_batch(take, gpu).batch_size(2).on_failure(OnFailure::Skip).run(documents);
    /// let batches: Vec<_> = run.by_ref().map(Result::unwrap).collect();
    /// assert_eq!((batches[0].len(), batches[0].output()), (2, Some(&vec![1, 1])));
    /// let taken = batches.iter().flat_map(|batch| batch.taken());
    /// assert_eq!(taken.map(|failure| failure.position.get()).collect::<Vec<_>>(), [2, 3]);
    /// assert_eq!((run.accounts().delivered, run.accounts().failed), (2, 2));
    /// ```
    pub fn taken(&self) -> &[Failure<()>] {
        &self.taken
    }

    /// Takes the batch apart: documents, output, failures.
    pub fn into_parts(self) -> (Vec<D>, Option<O>, Vec<Failure<D>>) {
        (self.documents, self.output, self.failures)
    }
}

impl<D, O: IntoRows> Batch<D, O> {
    /// Each document with its place in the source and its row, to keep; failures are dropped, see
    /// [`failures`](Self::failures). Where only documents and rows are wanted, the batch is an iterator itself.
    ///
    /// ```
    /// use gapless::{Cause, Pipeline};
    /// let cpu = |word: &mut String| Ok::<_, Cause>(word.len());
    /// let gpu = |batch: &[usize]| Ok::<_, Cause>(batch.to_vec());
    /// let mut lengths = Vec::new();
    /// for batch in Pipeline::new(cpu, gpu).run(["one", "three"].map(String::from)) {
    ///     lengths.extend(batch?.into_rows().map(|(position, word, length)| (position.get(), word, length)));
    /// }
    /// assert_eq!(lengths, [(0, "one".to_string(), 3), (1, "three".to_string(), 5)]);
    /// # Ok::<(), gapless::Error>(())
    /// ```
    pub fn into_rows(self) -> impl Iterator<Item = (Position, D, O::Own)> {
        let Self { documents, positions, output, .. } = self;
        let rows = output.into_iter().flat_map(O::into_rows);
        positions
            .into_iter()
            .zip(documents)
            .zip(rows)
            .map(|((position, document), row)| (position, document, row))
    }
}

/// Each document with its row, to keep.
///
/// ```
/// use gapless::{Cause, Pipeline};
/// let cpu = |n: &mut u32| Ok::<_, Cause>(*n);
/// let gpu = |batch: &[u32]| Ok::<_, Cause>(batch.iter().map(|n| n * n).collect::<Vec<_>>());
/// let run = Pipeline::new(cpu, gpu).run([1, 2, 3]);
/// let squares: Vec<(u32, u32)> = run.flat_map(|batch| batch.unwrap()).collect();
/// assert_eq!(squares, [(1, 1), (2, 4), (3, 9)]);
/// ```
impl<D, O: IntoRows> IntoIterator for Batch<D, O> {
    type Item = (D, O::Own);
    type IntoIter = IntoIter<D, O>;

    fn into_iter(self) -> IntoIter<D, O> {
        let Self { documents, positions, output, .. } = self;
        let rows: Vec<O::Own> = output.into_iter().flat_map(O::into_rows).collect();
        IntoIter { left: positions.len(), documents: documents.into_iter(), rows: rows.into_iter() }
    }
}

/// The documents of a [`Batch`] with their rows.
pub struct IntoIter<D, O: IntoRows> {
    documents: std::vec::IntoIter<D>,
    rows: std::vec::IntoIter<O::Own>,
    /// Those that have a result, as they were pulled.
    left: usize,
}

impl<D, O: IntoRows> Iterator for IntoIter<D, O> {
    type Item = (D, O::Own);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        self.documents.next().zip(self.rows.next())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.left.min(self.documents.len()).min(self.rows.len());
        (left, Some(left))
    }
}

impl<D, O: IntoRows> fmt::Debug for IntoIter<D, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntoIter").field("left", &self.left).finish_non_exhaustive()
    }
}

impl<D, O> Batch<D, O> {
    /// Each document with its row of the output. With [`Pipeline::per_batch`](crate::Pipeline::per_batch) a CPU half
    /// that takes documents out of its batch takes them from here too.
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
    pub fn rows(&self) -> impl Iterator<Item = (&D, O::Row<'_>)>
    where
        O: Rows,
    {
        self.output.iter().flat_map(move |output| {
            let documents = self.documents.iter().take(self.positions.len()).enumerate();
            documents.map(move |(row, document)| (document, output.row(row)))
        })
    }
}
