//! The CPU stage whose function runs in children.

use std::ffi::OsString;
use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

#[cfg(test)]
use super::child::Lost;
use super::child::{Child, Patience, Program};
use super::died::{Died, Ending};
use super::frame::{Kind, frame};
use super::reply::read;
use super::transfer::Transfer;
use crate::error::Cause;
use crate::stage::CpuStage;

/// A CPU stage whose function runs in child processes: a child that aborts or is killed costs one document.
///
/// There are as many children as calls at once, so one a worker, and they are kept for the next call.
/// A [`Pipeline`](crate::Pipeline) takes it as any other CPU stage. The function is registered by name
/// with [`serve`](super::serve), first in `main`. Unix only.
///
/// A child's stdout goes nowhere, its stdin is taken, and the last lines of its stderr stand in
/// [`Died`](super::Died).
///
/// ```standalone_crate
/// use gapless::parallel::process::{Died, Ending, Isolated, serve};
/// use gapless::{Cause, OnFailure, parallel};
///
/// fn decode(document: &mut Vec<u8>) -> Result<u64, Cause> {
///     if document.contains(&0xff) {
///         std::process::abort(); // as a decoder in C might
///     }
///     Ok(document.iter().map(|byte| u64::from(*byte)).sum())
/// }
///
/// fn main() {
///     serve(|functions| functions.add("decode", decode));
///     let documents = [vec![1, 2], vec![0xff], vec![3]];
///     let stage = Isolated::<Vec<u8>, u64>::new("decode");
///     let run = parallel(stage, documents).workers(1).on_failure(OnFailure::Skip);
///     let results: Vec<_> = run.into_iter().collect();
///     assert_eq!((results[0].as_ref().ok(), results[2].as_ref().ok()), (Some(&3), Some(&3)));
///     let failure = results[1].as_ref().unwrap_err().item().unwrap();
///     let died = failure.cause.downcast_ref::<Died>().unwrap();
///     assert_eq!((died.ending, failure.document[0]), (Ending::Signal(6), 0xff));
/// }
/// ```
pub struct Isolated<D, R> {
    name: String,
    program: Program,
    timeout: Option<Duration>,
    restarts: u32,
    pool: Mutex<Pool>,
    /// Runs that were stopped: a call that began before is given up.
    stops: AtomicU64,
    /// A planted bug: a child that ended while it was idle costs the document that it is given next.
    #[cfg(test)]
    pub(super) careless: bool,
    kind: PhantomData<fn(D) -> R>,
}

#[derive(Default)]
struct Pool {
    idle: Vec<Child>,
    /// Children that were lost since the last that answered.
    lost_in_a_row: u32,
    /// Why the last of them was.
    why: String,
}

/// Numbers of calls: no two of this process are the same.
static CALLS: AtomicU64 = AtomicU64::new(1);

impl<D: Transfer, R: Transfer> Isolated<D, R> {
    /// The function that was registered under this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            program: Program { path: None, arguments: Vec::new() },
            timeout: None,
            restarts: 16,
            pool: Mutex::default(),
            stops: AtomicU64::new(0),
            #[cfg(test)]
            careless: false,
            kind: PhantomData,
        }
    }
}

impl<D, R> Isolated<D, R> {
    /// Time that a call may take; then its child is killed, and the document fails with
    /// [`Ending::TimedOut`](super::Ending::TimedOut). Default none.
    #[must_use]
    pub fn timeout(mut self, after: Duration) -> Self {
        self.timeout = Some(after);
        self
    }

    /// Children that may be lost in a row, with no answer between, before no other is started and every
    /// further document fails. Default 16; with 0 no child that was lost is replaced.
    ///
    /// A child is lost that cannot be started or ends before it has answered. One that ends while it has
    /// nothing to do has answered before: it is replaced, and not counted.
    #[must_use]
    pub fn restarts(mut self, without_progress: u32) -> Self {
        self.restarts = without_progress;
        self
    }

    /// The program that is started as a child. Default: the one that runs.
    #[must_use]
    pub fn program(mut self, path: impl Into<PathBuf>) -> Self {
        self.program.path = Some(path.into());
        self
    }

    /// Arguments of the child's command line. Default none.
    #[must_use]
    pub fn arguments(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.program.arguments = arguments.into_iter().map(Into::into).collect();
        self
    }

    fn pool<T>(&self, change: impl FnOnce(&mut Pool) -> T) -> T {
        change(&mut self.pool.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A child that is free, or a new one.
    fn check_out(&self, stopped: &dyn Fn() -> bool) -> Result<Child, Cause> {
        while let Some(mut child) = self.pool(|pool| pool.idle.pop()) {
            #[cfg(test)]
            if self.careless {
                return Ok(child);
            }
            if child.is_idle() {
                return Ok(child);
            }
        }
        if stopped() {
            return Err(Died::new(Ending::Stopped, Vec::new()).into());
        }
        let (lost, why) = self.pool(|pool| (pool.lost_in_a_row, pool.why.clone()));
        if lost > self.restarts {
            return Err(Cause::msg(format!(
                "{lost} child processes were lost in a row with no answer between, so no other is started; the last: {why}"
            )));
        }
        self.start(stopped).inspect_err(|cause| self.lose(cause, stopped))
    }

    fn start(&self, stopped: &dyn Fn() -> bool) -> Result<Child, Cause> {
        let child = Child::start(&self.program, stopped)?;
        if child.functions.contains(&self.name) {
            return Ok(child);
        }
        Err(Cause::msg(format!("no function {} is registered; there are {:?}", self.name, child.functions)))
    }

    /// Counts a child that gave no answer, unless it had no time to.
    fn lose(&self, why: &dyn fmt::Display, stopped: &dyn Fn() -> bool) {
        if !stopped() {
            self.pool(|pool| {
                pool.lost_in_a_row = pool.lost_in_a_row.saturating_add(1);
                pool.why = why.to_string();
            });
        }
    }

    fn check_in(&self, child: Child) {
        self.pool(|pool| {
            pool.lost_in_a_row = 0;
            pool.idle.push(child);
        });
    }

    /// The answer of the first child that takes the call.
    pub(super) fn call(&self, number: u64, call: &[u8], patience: &Patience<'_>) -> Result<Vec<u8>, Cause> {
        loop {
            match self.check_out(patience.stopped)?.call(number, call, patience) {
                Ok((answer, child)) => {
                    self.check_in(child);
                    return Ok(answer);
                }
                Err(lost) => {
                    // One that had answered ended while it was idle, and was not seen to: there is an
                    // answer for each of those, so they come to an end.
                    if lost.begun || !lost.answered {
                        self.lose(&lost.died, patience.stopped);
                    }
                    #[cfg(test)]
                    let lost = Lost { begun: lost.begun || self.careless, ..lost };
                    if lost.begun {
                        return Err(lost.died.into());
                    }
                }
            }
        }
    }
}

impl<D, R> CpuStage<D> for Isolated<D, R>
where
    D: Transfer + 'static,
    R: Transfer + Send + 'static,
{
    type Prepared = R;

    fn prepare(&self, document: &mut D) -> Result<R, Cause> {
        let stops = self.stops.load(Ordering::SeqCst);
        let stopped = || self.stops.load(Ordering::SeqCst) != stops;
        let number = CALLS.fetch_add(1, Ordering::Relaxed);
        // Before a child is taken: this is code of the document's, and what it does costs no child.
        let call = frame(Kind::Call, number, |out| {
            self.name.encode(out);
            document.encode(out);
        });
        let answer = self.call(number, &call, &Patience { limit: self.timeout, stopped: &stopped })?;
        read(document, &answer)
    }

    fn interrupt(&self) {
        self.stops.fetch_add(1, Ordering::SeqCst);
    }
}

impl<D, R> fmt::Debug for Isolated<D, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Isolated").field("name", &self.name).finish_non_exhaustive()
    }
}
