//! An async stream as the source of a run: the feeder polls it, and waits where it has nothing.

use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use futures_core::Stream;

use crate::engine::guard::guard;
use crate::engine::road::source::{EndSource, Source, exactly};
use crate::error::Error;
use crate::place::Position;

/// A stream that is polled where a document is asked for.
pub(super) struct FromStream<S> {
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
    pub(super) fn new(stream: S) -> Self {
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
        exactly(guard(|| self.stream.size_hint()).ok()?)
    }

    fn end(&self) -> Option<EndSource> {
        let news = self.news.clone();
        Some(Box::new(move || news.tell(|state| state.ended = true)))
    }
}
