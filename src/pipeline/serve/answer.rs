//! What comes of one request, and who waits for it.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::engine::outlet::yielding;
use crate::error::{Cause, Error};
use crate::pipeline::{drop_user, guard};

/// A document that somebody waits for.
pub(super) struct Request<D, U> {
    document: Option<D>,
    cell: Arc<Cell<D, U>>,
    number: u64,
    open: Weak<Open<D, U>>,
}

impl<D, U> Request<D, U> {
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn document(&mut self) -> Result<&mut D, Cause> {
        self.document.as_mut().ok_or_else(|| Cause::msg("the request is answered"))
    }

    pub(super) fn answer(mut self, answer: impl FnOnce(Option<D>) -> Result<(D, U), Unanswered<D>>) {
        let document = self.document.take();
        self.cell.set(answer(document));
    }
}

impl<D, U> Request<D, U> {
    /// Takes it back from where it could not be put.
    pub(super) fn give_back(mut self, why: Why) -> Unanswered<D> {
        Unanswered { document: self.document.take(), why }
    }
}

impl<D, U> Drop for Request<D, U> {
    fn drop(&mut self) {
        if let Some(open) = self.open.upgrade() {
            open.close(self.number);
        }
        if let Some(document) = self.document.take() {
            self.cell.set(Err(Unanswered { document: Some(document), why: Why::Ended }));
        }
    }
}

/// Requests that have no answer yet.
pub(super) struct Open<D, U> {
    cells: Mutex<Cells<D, U>>,
    next: AtomicU64,
}

struct Cells<D, U> {
    open: HashMap<u64, Weak<Cell<D, U>>>,
    ended: bool,
}

impl<D, U> Default for Open<D, U> {
    fn default() -> Self {
        Self { cells: Mutex::new(Cells { open: HashMap::new(), ended: false }), next: AtomicU64::new(0) }
    }
}

impl<D, U> Open<D, U> {
    pub(super) fn request(self: &Arc<Self>, document: D) -> (Request<D, U>, Answer<D, U>) {
        let cell = Arc::new(Cell::default());
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        lock(&self.cells).open.insert(number, Arc::downgrade(&cell));
        let request =
            Request { document: Some(document), cell: cell.clone(), number, open: Arc::downgrade(self) };
        (request, Answer(cell))
    }

    fn close(&self, number: u64) {
        lock(&self.cells).open.remove(&number);
    }

    pub(super) fn end(&self, answer: impl Fn() -> Result<(D, U), Unanswered<D>>) {
        let mut cells = lock(&self.cells);
        cells.ended = true;
        let open = std::mem::take(&mut cells.open);
        drop(cells);
        open.into_values().filter_map(|cell| cell.upgrade()).for_each(|cell| cell.set(answer()));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where an answer is put and waited for.
struct Cell<D, U> {
    state: Mutex<State<D, U>>,
    there: Condvar,
}

struct State<D, U> {
    answer: Option<Result<(D, U), Unanswered<D>>>,
    waker: Option<Waker>,
}

impl<D, U> Default for Cell<D, U> {
    fn default() -> Self {
        Self { state: Mutex::new(State { answer: None, waker: None }), there: Condvar::new() }
    }
}

impl<D, U> Drop for State<D, U> {
    fn drop(&mut self) {
        drop_answer(self.answer.take());
    }
}

/// Drops what nobody waits for, each value for itself.
fn drop_answer<D, U>(answer: Option<Result<(D, U), Unanswered<D>>>) {
    match answer {
        Some(Ok((document, row))) => {
            drop_user(document);
            drop_user(row);
        }
        Some(Err(unanswered)) => drop_user(unanswered.document),
        None => {}
    }
}

impl<D, U> Cell<D, U> {
    /// The answer, where it comes within this time; `None` is as long as it takes, or shorter for no reason.
    fn look(&self, wait: Option<Duration>) -> Option<Result<(D, U), Unanswered<D>>> {
        let mut state = lock(&self.state);
        if state.answer.is_none() {
            state = match wait {
                Some(time) => self.there.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0,
                None => self.there.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
        state.answer.take()
    }

    /// The first answer counts.
    fn set(&self, answer: Result<(D, U), Unanswered<D>>) {
        let mut state = lock(&self.state);
        if state.answer.is_some() {
            drop(state);
            return drop_answer(Some(answer));
        }
        state.answer = Some(answer);
        let waker = state.waker.take();
        drop(state);
        self.there.notify_all();
        if let Some(waker) = waker {
            let _woken = guard(|| waker.wake());
        }
    }
}

/// What will come of one request: waited for by a thread, or awaited.
#[must_use = "the answer comes to whoever waits for it"]
pub struct Answer<D, U>(Arc<Cell<D, U>>);

impl<D, U> Answer<D, U> {
    /// Waits for the document and its row. A thread of a rayon pool works for its pool meanwhile: the server may be
    /// using it.
    ///
    /// # Errors
    /// Why there is none, with the document where that is known.
    pub fn wait(self) -> Result<(D, U), Unanswered<D>> {
        yielding::until(|wait| self.0.look(wait))
    }
}

impl<D, U> Future for Answer<D, U> {
    type Output = Result<(D, U), Unanswered<D>>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let waker = task.waker().clone();
        let mut state = lock(&self.0.state);
        match state.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => {
                let before = state.waker.replace(waker);
                drop(state);
                drop(before);
                Poll::Pending
            }
        }
    }
}

/// A request without a result.
#[non_exhaustive]
pub struct Unanswered<D> {
    /// The document; `None` where it is inside user code that has not returned.
    pub document: Option<D>,
    /// Why there is no result.
    pub why: Why,
}

/// Why a request has no result.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Why {
    /// Its document failed.
    Failed(Cause),
    /// The run ended before, by this error.
    Error(Error),
    /// The server was stopped before.
    Ended,
    /// Too many requests wait: see [`Submitter::try_submit`](super::Submitter::try_submit).
    Full,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(cause) => {
                f.write_str("the request failed: ")?;
                cause.fmt_own(f)
            }
            Self::Error(error) => {
                f.write_str("the server ended: ")?;
                error.fmt(f)
            }
            Self::Ended => f.write_str("the server was stopped"),
            Self::Full => f.write_str("too many requests wait"),
        }
    }
}

impl<D> fmt::Display for Unanswered<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)
    }
}

impl<D> fmt::Debug for Unanswered<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let document = self.document.is_some();
        f.debug_struct("Unanswered").field("document", &document).field("why", &self.why).finish()
    }
}

impl<D> StdError for Unanswered<D> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.why {
            Why::Failed(cause) => cause.behind(),
            Why::Error(error) => error.source(),
            Why::Ended | Why::Full => None,
        }
    }
}
