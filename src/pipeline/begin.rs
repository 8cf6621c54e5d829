//! How a pipeline becomes a run: its settings are checked, its types forgotten, and the engine started.

use super::drive::{Driven, Engine, NotStarted};
#[cfg(feature = "stream")]
use super::from_stream::FromStream;
use super::gather::Rest;
use super::how::{Hook, How, Late};
use super::job::{self, JobOf};
use super::{Mode, Pipeline, Run, ScopedRun};
use crate::engine::road::job::After;
use crate::engine::road::source::{AnySource, Documents, Source, UntilError, length};
use crate::engine::seam::Seam;
use crate::engine::settings::LastBatch;
use crate::engine::start::{Crew, Free, Plan, start};
use crate::error::{Cause, Error};
use crate::place::Position;
use crate::stage::{CpuStage, GpuStage};

impl<'a, D, C, G, A, M> Pipeline<D, C, G, A, M>
where
    D: Send + 'a,
    M: Mode<D>,
    C: CpuStage<M::Item, Prepared: 'static> + 'a,
    G: GpuStage<C::Prepared> + 'a,
    A: After<M::Item, G::Output> + 'a,
{
    /// Starts a run over these documents; what the crew's threads may borrow, stages and documents may.
    pub(super) fn start(
        self,
        crew: impl Crew<'a, JobOf<'a, D, C, G, A, M>>,
        documents: impl Iterator<Item = D> + Send + 'a,
        sequential: bool,
    ) -> ScopedRun<'a, D, A::Delivered> {
        let total = length(&documents);
        self.start_over(crew, total, |batch_size| M::source(documents, batch_size), sequential)
    }

    /// The same over the source that is made for this batch size, with so many documents where that is known.
    pub(super) fn start_over(
        self,
        crew: impl Crew<'a, JobOf<'a, D, C, G, A, M>>,
        total: Option<u64>,
        source: impl FnOnce(usize) -> (AnySource<'a, M::Item>, Option<Rest<D>>),
        sequential: bool,
    ) -> ScopedRun<'a, D, A::Delivered> {
        let started = self.try_start(crew, total, source, sequential);
        started.unwrap_or_else(|error| ScopedRun::new(Driven::new(Box::new(NotStarted(Some(error))), None)))
    }

    /// The same; an error where the run cannot start.
    pub(super) fn try_start(
        self,
        crew: impl Crew<'a, JobOf<'a, D, C, G, A, M>>,
        total: Option<u64>,
        source: impl FnOnce(usize) -> (AnySource<'a, M::Item>, Option<Rest<D>>),
        sequential: bool,
    ) -> Result<ScopedRun<'a, D, A::Delivered>, Error> {
        let Self { cpu, devices, after, how: How { mut settings, hooks }, last_batch, .. } = self;
        let batch_size = settings.batch_size;
        let last_batch = last_batch.and_then(|any| any.downcast::<LastBatch<C::Prepared>>().ok());
        let last_batch = last_batch.map_or_else(LastBatch::default, |last_batch| *last_batch);
        settings.common.total = settings.common.total.or(total);
        let on_progress = hooks.on_progress.map(Hook::boxed);
        job::check::<D, M, _>(&mut settings, &last_batch)?;
        let (source, rest) = source(batch_size);
        let plan = Plan::<JobOf<'a, D, C, G, A, M>> {
            seam: Seam::of_a_face(),
            cpu,
            devices,
            after,
            settings,
            last_batch,
            source,
            sequential,
            on_late: hooks.on_late.map(|told| late_documents::<D, M>(told, batch_size).boxed()),
            on_stall: hooks.on_stall.map(Hook::boxed),
        };
        let caller = start(plan, crew)?;
        let engine = Engine::<D, M, _>::new(caller, batch_size, rest);
        Ok(ScopedRun::new(Driven::new(Box::new(engine), on_progress)))
    }
}

/// Sources that are more than an iterator of documents.
impl<D, C, G, A> Pipeline<D, C, G, A>
where
    D: Send + 'static,
    C: CpuStage<D> + 'static,
    G: GpuStage<C::Prepared> + 'static,
    A: After<D, G::Output> + 'static,
{
    pub(super) fn run_over(self, source: impl Source<D> + 'static) -> Run<D, A::Delivered> {
        let total = source.length();
        self.start_over(Free, total, |_| (Box::new(source), None), false)
    }

    /// As [`run`](Self::run), over a source that may fail itself: lines of a file, rows of a database. Its first `Err`
    /// ends the run, as [`Error::Source`], once everything before it is out.
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
        self.run_over(UntilError(Documents(documents.into_iter())))
    }

    /// As [`run`](Self::run), over an async stream: requests of a server, objects of a bucket, messages. The feeder
    /// polls it, on a thread of its own, and waits where it has nothing; a stop of the run ends that wait. A stream
    /// that needs its runtime has to be made so that it may be polled outside of it. With the feature `stream`.
    ///
    /// A stream whose documents come one by one is a live source: see [`max_wait`](Self::max_wait).
    ///
    /// ```
    /// use gapless::{Cause, Pipeline};
    /// # use std::{pin::Pin, task::{Context, Poll}};
    /// # struct Numbers(u64);
    /// # impl futures_core::Stream for Numbers {
    /// #     type Item = u64;
    /// #     fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<u64>> {
    /// #         self.0 += 1;
    /// #         Poll::Ready((self.0 <= 100).then_some(self.0))
    /// #     }
    /// # }
    /// let cpu = |n: &mut u64| Ok::<_, Cause>(*n);
    /// let gpu = |batch: &[u64]| Ok::<_, Cause>(batch.to_vec());
    /// let run = Pipeline::new(cpu, gpu).run_from_stream(Numbers(0)); // a `futures_core::Stream` of 1 to 100
    /// let sum: u64 = run.flat_map(|batch| batch.unwrap().output().unwrap().clone()).sum();
    /// assert_eq!(sum, 5050);
    /// ```
    #[cfg(feature = "stream")]
    pub fn run_from_stream<S>(self, documents: S) -> Run<D, A::Delivered>
    where
        S: futures_core::Stream<Item = D> + Send + 'static,
    {
        self.run_over(FromStream::new(documents))
    }
}

/// Driven of documents, where the engine counts batches.
fn late_documents<D, M: Mode<D>>(told: Hook<Late>, batch_size: usize) -> Hook<Late> {
    let documents = if M::WHOLE_BATCH { batch_size as u64 } else { 1 };
    told.of(move |late| Late { position: Position(late.position.0 * documents), ..*late })
}
