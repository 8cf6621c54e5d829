//! A request that is awaited from its submission on.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use crossbeam_channel::TrySendError;

use super::answer::{Answer, Request, Unanswered, Why};
use super::server::Submitter;

/// A document that waits for room, and then for its row: see [`Submitter::ask`]. Where it is dropped before there was
/// room nothing is submitted.
#[must_use = "nothing is submitted before it is polled"]
pub struct Asked<D, U> {
    pub(super) submitter: Submitter<D, U>,
    /// Until there is room.
    pub(super) request: Option<Request<D, U>>,
    pub(super) answer: Answer<D, U>,
}

impl<D, U> Asked<D, U> {
    /// Submits the request where there is room.
    fn submit(&mut self, request: Request<D, U>) -> Result<(), Unanswered<D>> {
        match self.submitter.send.try_send(request) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(request)) => {
                self.request = Some(request);
                Ok(())
            }
            Err(TrySendError::Disconnected(request)) => Err(request.give_back(Why::Ended)),
        }
    }
}

impl<D, U> Future for Asked<D, U> {
    type Output = Result<(D, U), Unanswered<D>>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(request) = self.request.take() {
            self.submitter.room.wait(request.number(), task.waker());
            // Room that came before that is seen now.
            self.submit(request)?;
        }
        match &self.request {
            Some(_) => Poll::Pending,
            None => Pin::new(&mut self.answer).poll(task),
        }
    }
}

// Nothing of it is pinned in place.
impl<D, U> Unpin for Asked<D, U> {}

impl<D, U> Drop for Asked<D, U> {
    fn drop(&mut self) {
        if let Some(request) = &self.request {
            self.submitter.room.leave(request.number());
        }
    }
}

impl<D, U> fmt::Debug for Asked<D, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("submitted", &self.request.is_none()).finish_non_exhaustive()
    }
}
