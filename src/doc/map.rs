//! `map` and `apply` on an array of documents.

use super::{Doc, DocArray};
use crate::parallel::{self, Apply, Map};
use crate::stage::CpuStage;

impl DocArray {
    /// Works on every document, on several workers, and gives documents and results in order while the
    /// rest still runs: see [`parallel::map`].
    ///
    /// ```
    /// use gapless::Cause;
    /// use gapless::doc::{Doc, DocArray};
    /// let docs: DocArray = ["a", "bb"].map(Doc::from_text).into_iter().collect();
    /// let length = |doc: &mut Doc| Ok::<_, Cause>(doc.text().map_or(0, str::len));
    /// let lengths: Vec<usize> = docs.map(length).workers(2).run().map(|result| result.unwrap().1).collect();
    /// assert_eq!(lengths, [1, 2]);
    /// ```
    pub fn map<C: CpuStage<Doc>>(self, stage: C) -> Map<Doc, C> {
        parallel::map(self, stage)
    }

    /// Works on whole batches; only the last may be short: see [`parallel::map_batch`].
    ///
    /// A batch is one call, as in DocArray, so the first result needs one worker's whole batch. Shuffle
    /// before, with a seed, for batches in random order.
    ///
    /// ```
    /// use gapless::Cause;
    /// use gapless::doc::DocArray;
    /// let count = |batch: &mut DocArray| Ok::<_, Cause>(batch.len());
    /// let counts = DocArray::empty(10).map_batch(4, count).run().map(|result| result.unwrap().1);
    /// assert_eq!(counts.collect::<Vec<_>>(), [4, 4, 2]);
    /// ```
    pub fn map_batch<C: CpuStage<Self>>(self, batch_size: usize, stage: C) -> Map<Self, C> {
        parallel::map_batch(self, batch_size, stage)
    }

    /// Changes every document in its place, on several workers: see [`parallel::apply`].
    ///
    /// ```
    /// use gapless::Cause;
    /// use gapless::doc::{Doc, DocArray};
    /// let mut docs = DocArray::empty(100);
    /// docs.apply(|doc: &mut Doc| { doc.set_text("done"); Ok::<_, Cause>(()) }).workers(2).run()?;
    /// assert!(docs.iter().all(|doc| doc.text() == Some("done")));
    /// # Ok::<(), gapless::parallel::ApplyError>(())
    /// ```
    pub fn apply<C: CpuStage<Doc>>(&mut self, stage: C) -> Apply<'_, Doc, Doc, C> {
        parallel::apply(self.as_vec(), stage)
    }

    /// Changes whole batches in their places; only the last may be short: see [`parallel::apply_batch`].
    ///
    /// ```
    /// use gapless::Cause;
    /// use gapless::doc::DocArray;
    /// let mut docs = DocArray::empty(100);
    /// let name = |batch: &mut DocArray| {
    ///     let count = batch.len() as f32;
    ///     batch.iter_mut().for_each(|doc| doc.weight = 1.0 / count);
    ///     Ok::<_, Cause>(())
    /// };
    /// docs.apply_batch(50, name).run()?;
    /// assert!(docs.iter().all(|doc| doc.weight == 0.02));
    /// # Ok::<(), gapless::parallel::ApplyError>(())
    /// ```
    pub fn apply_batch<C: CpuStage<Self>>(&mut self, batch_size: usize, stage: C) -> Apply<'_, Doc, Self, C> {
        parallel::apply_batch(self.as_vec(), batch_size, stage)
    }
}
