//! A run as an async stream.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::halves::{Handed, OfRow};
use super::opening::Opening;
use super::{After, Batch, Chain, Driven, Halves, Mode, Pipeline, Run};
use crate::engine::seam::STACK;
use crate::engine::start::Free;
use crate::error::Error;
use crate::stage::{CpuStage, GpuStage, Rows};

/// A run as an async stream of batches: see [`Pipeline::stream`] and [`Run::into_stream`].
#[must_use = "a run does nothing more once it is dropped; poll it"]
pub struct RunStream<D, O>(Run<D, O>);

impl<D, O> Run<D, O> {
    /// The same run as an async stream, with the feature `stream`. Its stages are open by now;
    /// [`Pipeline::stream`] opens them while it is polled.
    ///
    /// Polling never blocks: the threads of the run wake the task when a batch is there, and a timer does
    /// where a deadline, an item that is late or a stall has to be noticed. It ends as a run that is iterated
    /// does: before its last item the stream waits, asleep, until the threads have ended, and no longer than
    /// the grace period. Dropping it does not wait for them: they end by themselves. A run in which the caller
    /// does the work (`workers(0)`, `run_sequential`) does it when polled.
    ///
    /// ```
    /// use futures_core::Stream;
    /// use gapless::{Cause, Pipeline};
    /// use std::{future::poll_fn, pin::pin};
    ///
    /// let cpu = |n: &mut u64| Ok::<_, Cause>(*n);
    /// let gpu = |batch: &[u64]| Ok::<_, Cause>(batch.to_vec());
    /// let mut batches = pin!(Pipeline::new(cpu, gpu).batch_size(4).run(0..10).into_stream());
    /// let mut documents = 0;
    /// pollster::block_on(async {
    ///     while let Some(batch) = poll_fn(|task| batches.as_mut().poll_next(task)).await {
    ///         documents += batch.unwrap().len();
    ///     }
    /// });
    /// assert_eq!(documents, 10);
    /// ```
    pub fn into_stream(mut self) -> RunStream<D, O> {
        self.driven().never_wait();
        RunStream(self)
    }
}

impl<D, C, G, A, M> Pipeline<D, C, G, A, M>
where
    D: Send + 'static,
    M: Mode<D>,
    C: CpuStage<M::Item> + 'static,
    G: GpuStage<C::Prepared> + 'static,
    A: After<M::Item, G::Output> + 'static,
{
    /// [`run`](Self::run) and [`into_stream`](Run::into_stream) in one, for code that must not wait: the stages are
    /// opened in a thread of its own, which may take a device seconds, and until then polls are pending. With the
    /// feature `stream`.
    ///
    /// Settings that cannot work and stages that cannot be opened are the first item, as in every run. One that is
    /// dropped while its stages are opened is given up when they are open; nobody waits for it.
    ///
    /// ```
    /// use futures_core::Stream;
    /// use gapless::{Cause, Pipeline};
    /// use std::{future::poll_fn, pin::pin};
    ///
    /// let cpu = |n: &mut u64| Ok::<_, Cause>(*n);
    /// let gpu = |batch: &[u64]| Ok::<_, Cause>(batch.to_vec());
    /// let mut batches = pin!(Pipeline::new(cpu, gpu).batch_size(4).stream(0..10));
    /// let mut documents = 0;
    /// pollster::block_on(async {
    ///     while let Some(batch) = poll_fn(|task| batches.as_mut().poll_next(task)).await {
    ///         documents += batch.unwrap().len();
    ///     }
    /// });
    /// assert_eq!(documents, 10);
    /// ```
    pub fn stream<I>(self, documents: I) -> RunStream<D, A::Delivered>
    where
        I: IntoIterator<Item = D>,
        I::IntoIter: Send + 'static,
        A::Delivered: 'static,
        Self: Send + 'static,
    {
        let documents = documents.into_iter();
        RunStream::opening(self.how.settings.common.stack, move || self.start(Free, documents, false))
    }
}

impl<H, F, G> Chain<H, F, G>
where
    H: Halves + 'static,
    H::Output: Rows,
    F: 'static,
    OfRow<F>: CpuStage<Handed<H::Document, H::Output>> + 'static,
    G: GpuStage<<OfRow<F> as CpuStage<Handed<H::Document, H::Output>>>::Prepared> + 'static,
    G::Output: 'static,
{
    /// As [`Pipeline::stream`]: the stages of all halves are opened in a thread of its own.
    pub fn stream<I>(self, documents: I) -> RunStream<H::Document, G::Output>
    where
        I: IntoIterator<Item = H::Document>,
        I::IntoIter: Send + 'static,
        Self: Send + 'static,
    {
        let documents = documents.into_iter();
        RunStream::opening(STACK, move || self.run(documents))
    }
}

impl<D: Send + 'static, O: Send + 'static> RunStream<D, O> {
    fn opening(stack: usize, start: impl FnOnce() -> Run<D, O> + Send + 'static) -> Self {
        let opening = Opening::new(stack, move || start().into_driven());
        Self(Run::new(Driven::new(Box::new(opening), None)))
    }
}

impl<D, O> RunStream<D, O> {
    /// The run behind the stream, to ask for its report.
    pub fn run(&self) -> &Run<D, O> {
        &self.0
    }
}

// Nothing of it is pinned in place.
impl<D, O> Unpin for RunStream<D, O> {}

impl<D, O> Stream for RunStream<D, O> {
    type Item = Result<Batch<D, O>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.driven().poll_next(task.waker())
    }
}

impl<D, O> fmt::Debug for RunStream<D, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RunStream").field(&self.0).finish()
    }
}
