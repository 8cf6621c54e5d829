//! Requests as the engine sees them: the source that they come from, and the stages that work on their documents.

use std::sync::Arc;

use super::answer::Request;
use super::inbox::Inbox;
use crate::engine::road::job::After;
use crate::engine::road::job::sealed::Sealed;
use crate::engine::road::source::{EndSource, Source};
use crate::error::{Cause, Error};
use crate::place::Position;
use crate::stage::{Begun, Context, CpuStage};

/// Requests as a source: it ends when every submitter is gone, or when it is told to.
pub(super) struct Requests<D, U>(pub(super) Arc<Inbox<D, U>>);

impl<D, U> Drop for Requests<D, U> {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl<D: Send + 'static, U: Send + 'static> Source<Request<D, U>> for Requests<D, U> {
    fn next(&mut self, _: Position) -> Result<Option<Request<D, U>>, Error> {
        Ok(self.0.take())
    }

    fn length(&self) -> Option<u64> {
        None
    }

    fn end(&self) -> Option<EndSource> {
        let inbox = self.0.clone();
        Some(Box::new(move || inbox.end()))
    }
}

/// A stage of documents as one of requests.
pub(super) struct ForRequest<S>(pub(super) S);

#[diagnostic::do_not_recommend]
impl<D: Send, U: Send, C: CpuStage<D>> CpuStage<Request<D, U>> for ForRequest<C> {
    type Prepared = C::Prepared;

    fn prepare(&self, request: &mut Request<D, U>) -> Result<C::Prepared, Cause> {
        self.0.prepare(request.document()?)
    }

    fn recycle(&self, used: C::Prepared) {
        self.0.recycle(used);
    }

    fn prepared_bytes(&self) -> Option<usize> {
        self.0.prepared_bytes()
    }

    fn interrupt(&self) {
        self.0.interrupt();
    }

    fn begin(&self, request: &mut Request<D, U>, context: &Context<'_>) -> Begun<C::Prepared> {
        match request.document() {
            Ok(document) => self.0.begin(document, context),
            Err(cause) => Begun::Done(Err(cause)),
        }
    }

    fn waits(&self) -> bool {
        self.0.waits()
    }
}

impl<A> Sealed for ForRequest<A> {}

impl<D: Send, U: Send, O, A: After<D, O>> After<Request<D, U>, O> for ForRequest<A> {
    type Delivered = A::Delivered;
    type Part = A::Part;
    const PER_ROW: bool = A::PER_ROW;

    fn whole(&self, output: O) -> Option<A::Delivered> {
        self.0.whole(output)
    }

    fn part(&self, request: &mut Request<D, U>, output: &O, row: usize) -> Result<A::Part, Cause> {
        self.0.part(request.document()?, output, row)
    }

    fn discard(delivered: A::Delivered) {
        A::discard(delivered);
    }

    fn join(&self, parts: Vec<A::Part>) -> Option<A::Delivered> {
        self.0.join(parts)
    }
}
