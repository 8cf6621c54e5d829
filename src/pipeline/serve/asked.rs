//! A request that is awaited from its submission on.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::answer::{Answer, Request, Unanswered, Why};
use super::inbox::Refused;
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

impl<D, U> Future for Asked<D, U> {
    type Output = Result<(D, U), Unanswered<D>>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(request) = self.request.take() {
            match self.submitter.inbox.put_or_wake(request, task.waker()) {
                Ok(()) => {}
                Err(Refused::Ended(request)) => return Poll::Ready(Err(request.give_back(Why::Ended))),
                Err(Refused::Full(request)) => {
                    self.request = Some(request);
                    return Poll::Pending;
                }
            }
        }
        Pin::new(&mut self.answer).poll(task)
    }
}

// Nothing of it is pinned in place.
impl<D, U> Unpin for Asked<D, U> {}

impl<D, U> Drop for Asked<D, U> {
    fn drop(&mut self) {
        if let Some(request) = &self.request {
            self.submitter.inbox.leave(request.number());
        }
    }
}

impl<D, U> fmt::Debug for Asked<D, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("submitted", &self.request.is_none()).finish_non_exhaustive()
    }
}
