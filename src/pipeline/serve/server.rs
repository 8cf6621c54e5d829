//! The two ends of a server: where documents are submitted, and where it is waited for or stopped.

use std::fmt;
use std::sync::Arc;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::answer::{Answer, Open, Unanswered, Why};
use super::asked::Asked;
use super::inbox::{Inbox, Refused};
use crate::engine::outlet::yielding;
use crate::observe::report::Report;
use crate::pipeline::Handle;

/// Submits documents to a [`Server`], from any thread.
pub struct Submitter<D, U> {
    pub(super) inbox: Arc<Inbox<D, U>>,
    pub(super) open: Arc<Open<D, U>>,
}

impl<D, U> Submitter<D, U> {
    /// Submits a document; waits while as many as a batch holds have not been taken in.
    ///
    /// # Errors
    /// The document, where the server has ended.
    pub fn submit(&self, document: D) -> Result<Answer<D, U>, Unanswered<D>> {
        let (request, answer) = self.open.request(document);
        self.inbox.put(request).map(|()| answer).map_err(|request| request.give_back(Why::Ended))
    }

    /// The document with its row, as one future: it waits for room and then for the answer, and holds no thread.
    ///
    /// ```
    /// use gapless::{Cause, Pipeline};
    /// let cpu = |n: &mut u64| Ok::<_, Cause>(*n);
    /// let gpu = |batch: &[u64]| Ok::<_, Cause>(batch.iter().map(|n| n + 1).collect::<Vec<_>>());
    /// let (submitter, _server) = Pipeline::new(cpu, gpu).serve()?;
    /// let answer = pollster::block_on(async { submitter.ask(41).await });
    /// assert_eq!(answer.unwrap(), (41, 42));
    /// # Ok::<(), gapless::Error>(())
    /// ```
    ///
    /// It gives the document back where there is no row, and why.
    pub fn ask(&self, document: D) -> Asked<D, U> {
        let (request, answer) = self.open.request(document);
        Asked { submitter: self.clone(), request: Some(request), answer }
    }

    /// Submits a document where there is room for it; else gives it back.
    ///
    /// # Errors
    /// The document, where there is no room ([`Why::Full`]) or the server has ended.
    pub fn try_submit(&self, document: D) -> Result<Answer<D, U>, Unanswered<D>> {
        let (request, answer) = self.open.request(document);
        match self.inbox.try_put(request) {
            Ok(()) => Ok(answer),
            Err(Refused::Full(request)) => Err(request.give_back(Why::Full)),
            Err(Refused::Ended(request)) => Err(request.give_back(Why::Ended)),
        }
    }
}

impl<D, U> Clone for Submitter<D, U> {
    fn clone(&self) -> Self {
        self.inbox.one_more_submitter();
        Self { inbox: self.inbox.clone(), open: self.open.clone() }
    }
}

impl<D, U> Drop for Submitter<D, U> {
    fn drop(&mut self) {
        self.inbox.one_submitter_less();
    }
}

impl<D, U> fmt::Debug for Submitter<D, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submitter").field("waiting", &self.inbox.len()).finish_non_exhaustive()
    }
}

/// A pipeline that serves requests: see [`Pipeline::serve`](crate::Pipeline::serve). It is stopped when this is dropped.
#[must_use = "a server is stopped when it is dropped"]
#[derive(Debug)]
pub struct Server {
    pub(super) handle: Handle,
    /// Comes when every request is answered.
    pub(super) report: Receiver<Report>,
}

impl Server {
    /// The run behind it: how far it has come, its report, and how to stop it.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Waits until every submitter is gone and every request is answered, and gives the report.
    pub fn join(self) -> Report {
        self.wait().unwrap_or_else(|| self.handle.report())
    }

    /// Ends it now: requests that have no result are answered with their documents.
    pub fn stop(self) -> Report {
        self.handle.stop();
        self.wait().unwrap_or_else(|| self.handle.report())
    }
}

impl Server {
    /// Waits until every request is answered; `None` where it was waited for before.
    fn wait(&self) -> Option<Report> {
        yielding::until(|wait| match wait {
            None => Some(self.report.recv().ok()),
            Some(time) => match self.report.recv_timeout(time) {
                Ok(report) => Some(Some(report)),
                Err(RecvTimeoutError::Disconnected) => Some(None),
                Err(RecvTimeoutError::Timeout) => None,
            },
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Where it was waited for before it has ended, and this does nothing.
        self.handle.stop();
        drop(self.wait());
    }
}
