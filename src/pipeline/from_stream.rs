//! An async stream as the source of a run: the feeder polls it, and waits where it has nothing.

use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use futures_core::Stream;

use super::{Pipeline, Run};
use crate::engine::guard::guard;
use crate::engine::road::job::After;
use crate::engine::road::source::{AnySource, EndSource, Source};
use crate::engine::start::Free;
use crate::error::Error;
use crate::place::Position;
use crate::stage::{CpuStage, GpuStage};

impl<D, C, G, A> Pipeline<D, C, G, A>
where
    D: Send + 'static,
    C: CpuStage<D> + 'static,
    G: GpuStage<C::Prepared> + 'static,
    A: After<D, G::Output> + 'static,
{
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
    pub fn run_from_stream<S>(mut self, documents: S) -> Run<D, A::Delivered>
    where
        S: Stream<Item = D> + Send + 'static,
    {
        // It is told to end, and not left behind.
        self.how.settings.common.own_source = true;
        let hint = guard(|| documents.size_hint()).unwrap_or_default();
        let source = |_| (Box::new(FromStream::new(documents)) as AnySource<'static, D>, None);
        Run::new(self.start_over(Free, hint, source, false))
    }
}

/// A stream that is polled where a document is asked for.
struct FromStream<S> {
    stream: Pin<Box<S>>,
    news: Arc<News>,
}

/// What the feeder waits for.
#[derive(Default)]
struct News {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    woken: bool,
    ended: bool,
}

impl News {
    fn tell(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    /// Waits until the stream is worth another look; false where it is to give nothing more.
    fn wait(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while !state.woken && !state.ended {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.woken = false;
        !state.ended
    }
}

impl Wake for News {
    fn wake(self: Arc<Self>) {
        self.tell(|state| state.woken = true);
    }
}

impl<S> FromStream<S> {
    fn new(stream: S) -> Self {
        Self { stream: Box::pin(stream), news: Arc::default() }
    }
}

impl<S: Stream + Send> Source<S::Item> for FromStream<S> {
    fn next(&mut self, position: Position) -> Result<Option<S::Item>, Error> {
        let waker = Waker::from(self.news.clone());
        loop {
            let mut task = Context::from_waker(&waker);
            let polled = guard(|| self.stream.as_mut().poll_next(&mut task));
            match polled.map_err(|cause| Error::Source { position, cause })? {
                Poll::Ready(document) => return Ok(document),
                Poll::Pending if self.news.wait() => {}
                Poll::Pending => return Ok(None),
            }
        }
    }

    fn length(&self) -> Option<u64> {
        let (least, most) = guard(|| self.stream.size_hint()).ok()?;
        most.filter(|most| *most == least).map(|documents| documents as u64)
    }

    fn end(&self) -> Option<EndSource> {
        let news = self.news.clone();
        Some(Box::new(move || news.tell(|state| state.ended = true)))
    }
}
