//! A CPU half that takes time, and does what its documents say; and work on rows that takes time.

use std::task::{Poll, Waker};
use std::time::Duration;

use super::fake::{Doc, Fault, HOUR, pass, work};
use crate::engine::road::job::After;
use crate::engine::road::job::sealed::Sealed;
use crate::engine::seam::{Condvar, Mutex, Seam};
use crate::error::Cause;
use crate::stage::{Begun, Context, CpuStage};

const SECOND: Duration = Duration::from_secs(1);

/// A CPU half that takes `cost` of manual time a document.
pub(super) struct FakeCpu {
    seam: Seam,
    cost: Duration,
    /// Whether it begins a future with some documents, which others wake.
    begins_futures: bool,
    /// What an interrupt wakes; it is not remembered.
    waiting: Mutex<()>,
    interrupted: Condvar,
}

impl FakeCpu {
    pub(super) fn new(seam: &Seam, cost: Duration, begins_futures: bool) -> Self {
        let (waiting, interrupted) = (seam.mutex(()), seam.condvar());
        Self { seam: seam.clone(), cost, begins_futures, waiting, interrupted }
    }

    /// An interrupt that comes in the first second finds nobody who waits.
    fn wait_until_interrupted(&self) {
        pass(&self.seam, SECOND);
        drop(self.interrupted.wait_timeout(self.waiting.lock(), &self.waiting, HOUR));
    }
}

impl CpuStage<Doc> for FakeCpu {
    type Prepared = Doc;

    fn begin(&self, document: &mut Doc, _: &Context<'_>) -> Begun<Doc> {
        if !self.begins_futures || document.id.is_multiple_of(3) {
            return Begun::Done(self.prepare(document));
        }
        let (seam, cost, mut document) = (self.seam.clone(), self.cost, *document);
        let mut polled = false;
        Begun::Later(Box::pin(std::future::poll_fn(move |task| {
            if std::mem::replace(&mut polled, true) {
                return Poll::Ready(Self::new(&seam, cost, false).prepare(&mut document));
            }
            wake(&seam, task.waker(), document.id);
            Poll::Pending
        })))
    }

    fn waits(&self) -> bool {
        self.begins_futures
    }

    fn prepare(&self, document: &mut Doc) -> Result<Doc, Cause> {
        let times = if document.fault == Fault::TakesLong { 160 } else { 1 };
        work(&self.seam, |machine| machine.cpu_works, self.cost * times);
        match document.fault {
            Fault::CpuFails => Err(Cause::msg("planned")),
            Fault::CpuHangs => {
                pass(&self.seam, HOUR);
                Ok(*document)
            }
            Fault::CpuWaits => {
                self.wait_until_interrupted();
                Err(Cause::msg("planned"))
            }
            Fault::CpuPanics => std::panic::resume_unwind(Box::new("planned")),
            _ => Ok(*document),
        }
    }

    fn interrupt(&self) {
        drop(self.waiting.lock());
        self.interrupted.notify_all();
    }
}

/// A batch prepared in one opaque call.
impl CpuStage<Vec<Doc>> for FakeCpu {
    type Prepared = Vec<Doc>;

    fn prepare(&self, batch: &mut Vec<Doc>) -> Result<Vec<Doc>, Cause> {
        work(&self.seam, |machine| machine.cpu_works, self.cost * batch.len() as u32);
        let prepared = batch.clone();
        batch.retain(|document| document.fault != Fault::LeavesItsBatch);
        Ok(prepared)
    }
}

/// Work on each row that takes `cost` of manual time.
pub(super) struct FakeThen {
    pub(super) seam: Seam,
    pub(super) cost: Duration,
}

impl Sealed for FakeThen {}

impl After<Doc, Vec<u64>> for FakeThen {
    type Delivered = Vec<u64>;
    type Part = u64;
    const PER_ROW: bool = true;

    fn whole(&self, _: Vec<u64>) -> Option<Vec<u64>> {
        None
    }

    fn part(&self, _: &mut Doc, output: &Vec<u64>, row: usize) -> Result<u64, Cause> {
        work(&self.seam, |machine| machine.cpu_works, self.cost);
        Ok(output[row])
    }

    fn join(&self, parts: Vec<u64>) -> Option<Vec<u64>> {
        Some(parts)
    }
}

/// Wakes a future: from within its poll, or from another thread.
fn wake(seam: &Seam, waker: &Waker, id: u64) {
    if matches!(seam, Seam::Shuttle(_)) && id % 3 == 1 {
        let waker = waker.clone();
        drop(shuttle::thread::spawn(move || waker.wake()));
    } else {
        waker.wake_by_ref();
    }
}
