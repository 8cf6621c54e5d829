//! A run without a GPU half as an async stream.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::ParallelRun;
use super::shape::{Outcomes, Shape};

/// A run as an async stream of items and their results: see [`ParallelRun::into_stream`].
#[derive(Debug)]
#[must_use = "a run does nothing more once it is dropped; poll it"]
pub struct ParallelStream<D, R, S = Outcomes>(ParallelRun<D, R, S>);

impl<D, R, S> ParallelRun<D, R, S> {
    /// The same run as an async stream, with the feature `stream`. It never blocks the executor: see
    /// [`Run::into_stream`](crate::Run::into_stream).
    ///
    /// ```
    /// use futures_core::Stream;
    /// use gapless::{Cause, parallel};
    /// use std::{future::poll_fn, pin::pin};
    ///
    /// let square = |n: &mut u64| Ok::<_, Cause>(*n * *n);
    /// let mut squares = pin!(parallel(square, 0..10).run().into_stream());
    /// let mut sum = 0;
    /// pollster::block_on(async {
    ///     while let Some(square) = poll_fn(|task| squares.as_mut().poll_next(task)).await {
    ///         sum += square.unwrap().result;
    ///     }
    /// });
    /// assert_eq!(sum, 285);
    /// ```
    pub fn into_stream(mut self) -> ParallelStream<D, R, S> {
        self.0.run.never_wait();
        ParallelStream(self)
    }
}

impl<D, R, S> ParallelStream<D, R, S> {
    /// The run behind the stream, to ask for its report.
    pub fn run(&self) -> &ParallelRun<D, R, S> {
        &self.0
    }
}

// Nothing of it is pinned in place.
impl<D, R, S> Unpin for ParallelStream<D, R, S> {}

impl<D, R, S: Shape<D, R>> Stream for ParallelStream<D, R, S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(item) = self.0.0.known() {
                return Poll::Ready(item);
            }
            let next = ready!(self.0.0.run.poll_next(task.waker()));
            if let Some(last) = self.0.0.take_in(next) {
                return Poll::Ready(Some(last));
            }
        }
    }
}
