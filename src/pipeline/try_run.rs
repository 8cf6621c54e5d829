//! An iterator of results as the source of a run.

use super::{Pipeline, Run};
use crate::engine::road::job::After;
use crate::engine::road::source::{AnySource, Documents, Source, UntilError};
use crate::engine::start::Free;
use crate::error::Cause;
use crate::stage::{CpuStage, GpuStage};

impl<D, C, G, A> Pipeline<D, C, G, A>
where
    D: Send + 'static,
    C: CpuStage<D> + 'static,
    G: GpuStage<C::Prepared> + 'static,
    A: After<D, G::Output> + 'static,
{
    /// As [`run`](Self::run), over a source that may fail itself: lines of a file, rows of a database. Its first `Err`
    /// ends the run, as [`Error::Source`](crate::Error::Source), once everything before it is out.
    ///
    /// ```
    /// use gapless::{Cause, Error, Pipeline};
    /// let cpu = |line: &mut String| Ok::<_, Cause>(line.len());
    /// let gpu = |batch: &[usize]| Ok::<_, Cause>(batch.to_vec());
    /// let file = std::io::BufRead::lines(&b"one\ntwo\n\xff is no text"[..]);
    /// let mut run = Pipeline::new(cpu, gpu).try_run(file);
    /// assert_eq!(run.next().unwrap()?.output(), Some(&vec![3, 3]));
    /// assert!(matches!(run.next(), Some(Err(Error::Source { position, .. })) if position.get() == 2));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn try_run<I, E>(self, documents: I) -> Run<D, A::Delivered>
    where
        I: IntoIterator<Item = Result<D, E>>,
        I::IntoIter: Send + 'static,
        E: Into<Cause> + 'static,
    {
        let documents = UntilError(Documents(documents.into_iter()));
        let hint = Source::<D>::length(&documents)
            .map_or((0, None), |length| (length as usize, Some(length as usize)));
        Run::new(self.start_over(Free, hint, |_| (Box::new(documents) as AnySource<'static, D>, None), false))
    }
}
