//! A run whose stages are opened in a thread of its own, while whoever polls it does something else.
//!
//! Until it is open nothing comes out, nothing is counted, and it can be told to stop. Nobody waits for the thread: a
//! run that nobody wants any more when it is open is dropped there.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::engine::guard::guard;
use crate::engine::outlet::remote::Remote;
use crate::engine::seam::{Seam, spawn_unjoined};
use crate::error::Error;
use crate::observe::accounts::Accounts;
use crate::observe::progress::Progress;
use crate::observe::report::Report;
use crate::observe::timeline::Timeline;
use crate::pipeline::Batch;
use crate::pipeline::drive::{Drive, Driven, NotStarted};
use crate::place::Position;

/// A run that is being opened, and then is that run.
pub(super) struct Opening<D: 'static, O: 'static> {
    run: Driven<'static, D, O>,
    /// `None` once it is open.
    opens: Option<Arc<Hatch<D, O>>>,
    asked: Arc<Asked>,
}

/// Where the run is handed over.
struct Hatch<D: 'static, O: 'static>(Mutex<Through<D, O>>);

struct Through<D: 'static, O: 'static> {
    run: Option<Driven<'static, D, O>>,
    waker: Option<Waker>,
}

impl<D, O> Hatch<D, O> {
    fn lock(&self) -> MutexGuard<'_, Through<D, O>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A run as other threads see it, from before it is open.
#[derive(Default)]
struct Asked {
    stop: AtomicBool,
    run: OnceLock<Arc<dyn Remote>>,
}

impl Remote for Asked {
    fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(run) = self.run.get() {
            run.stop();
        }
    }

    fn accounts(&self) -> Accounts {
        self.run.get().map_or_else(Accounts::default, |run| run.accounts())
    }

    fn progress(&self) -> Progress {
        self.run.get().map_or_else(Progress::default, |run| run.progress())
    }

    fn report(&self) -> Report {
        self.run.get().map_or_else(Report::not_started, |run| run.report())
    }

    fn timeline(&self) -> Option<Timeline> {
        self.run.get().and_then(|run| run.timeline())
    }
}

fn not_started<D, O>(error: Option<Error>) -> Driven<'static, D, O> {
    Driven::new(Box::new(NotStarted(error)), None)
}

impl<D: Send + 'static, O: Send + 'static> Opening<D, O> {
    /// Has `start` called in a thread of its own, with so many bytes of stack.
    pub(super) fn new(stack: usize, start: impl FnOnce() -> Driven<'static, D, O> + Send + 'static) -> Self {
        let hatch = Arc::new(Hatch(Mutex::new(Through { run: None, waker: None })));
        let asked = Arc::new(Asked::default());
        let (through, told) = (hatch.clone(), asked.clone());
        let open = move || {
            let run = guard(start).unwrap_or_else(|cause| not_started(Some(Error::Bug { cause })));
            hand_over(run, &told, &through);
        };
        match spawn_unjoined(&Seam::real(), "gapless-opening", stack, Box::new(open)) {
            Ok(()) => Self { run: not_started(None), opens: Some(hatch), asked },
            Err(error) => {
                Self { run: not_started(Some(Error::Thread { cause: error.into() })), opens: None, asked }
            }
        }
    }

    /// The run, if it is open by now; else the waker is woken when it is.
    fn poll_open(&mut self, waker: &Waker) -> Poll<()> {
        let Some(hatch) = &self.opens else { return Poll::Ready(()) };
        let mut through = hatch.lock();
        let Some(run) = through.run.take() else {
            let old = through.waker.replace(waker.clone());
            drop(through);
            // A waker is the caller's: it is dropped outside of the lock.
            drop(old);
            return Poll::Pending;
        };
        drop(through);
        self.run = run;
        self.run.never_wait();
        self.opens = None;
        Poll::Ready(())
    }
}

/// Gives a run that is open to whoever polls it, and stops it if that was asked for before.
fn hand_over<D, O>(mut run: Driven<'static, D, O>, asked: &Asked, hatch: &Hatch<D, O>) {
    if let Some(remote) = run.remote() {
        let _ = asked.run.set(remote);
    }
    if asked.stop.load(Ordering::SeqCst) {
        match asked.run.get() {
            Some(remote) => remote.stop(),
            // It did not start, and nobody wants to know why.
            None => run.stop(),
        }
    }
    let mut through = hatch.lock();
    through.run = Some(run);
    let waker = through.waker.take();
    drop(through);
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl<D: Send + 'static, O: Send + 'static> Drive<D, O> for Opening<D, O> {
    fn next(&mut self) -> Option<Result<Batch<D, O>, Error>> {
        pollster::block_on(std::future::poll_fn(|task: &mut Context<'_>| self.poll_next(task.waker())))
    }

    fn stop(&mut self) {
        // What is not open yet is dropped by the thread that opens it.
        self.asked.stop();
        self.opens = None;
        self.run.stop();
    }

    fn accounts(&self) -> Accounts {
        self.run.accounts()
    }

    fn tokens(&self) -> usize {
        self.run.tokens()
    }

    fn take_back(&mut self) -> Vec<(Position, D)> {
        self.run.take_back()
    }

    fn report(&self) -> Report {
        self.run.report()
    }

    fn timeline(&self) -> Option<Timeline> {
        Drive::timeline(&*self.run)
    }

    fn progress(&self) -> Progress {
        self.run.progress()
    }

    fn watched(&self) -> bool {
        self.run.watched()
    }

    fn alive(&self) {
        self.run.alive();
    }

    fn remote(&self) -> Option<Arc<dyn Remote>> {
        Some(self.asked.clone())
    }

    fn never_wait(&mut self) {
        self.run.never_wait();
    }

    fn poll_next(&mut self, waker: &Waker) -> Poll<Option<Result<Batch<D, O>, Error>>> {
        std::task::ready!(self.poll_open(waker));
        self.run.poll_next(waker)
    }
}
