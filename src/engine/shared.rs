//! What the threads of one run share, and how they are told to end.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::auto::Chooser;
use super::batch::{Batch, Item};
use super::job::Job;
use super::late::Watch;
use super::ledger::Ledger;
use super::line::{Aftermath, Line};
use super::seam::{Mutex, Seam, Threads, Workers};
use super::then::ThenBatch;
use super::tokens::Tokens;
use super::watchdog::Lookout;
use super::work::Work;
use crate::error::Cause;
use crate::observe::decision::Decision;
use crate::observe::meters::Meters;
use crate::observe::record::{Recorder, Recording, Span};
use crate::observe::spans::Spans;
use crate::stage::CpuStage as _;

pub(crate) struct Shared<J: Job> {
    pub(crate) seam: Seam,
    pub(crate) cpu: Held<J::Cpu>,
    pub(crate) after: Held<J::After>,
    pub(crate) tokens: Tokens,
    pub(crate) work: Work<J>,
    pub(crate) line: Mutex<Line<J::Document, J::Prepared>>,
    pub(crate) ledger: Mutex<Ledger<J::Document>>,
    /// Batches whose documents are in `then` now.
    pub(crate) then_batches: Mutex<Vec<Arc<ThenBatch<J>>>>,
    pub(crate) workers: Option<Workers>,
    pub(crate) threads: Threads,
    pub(crate) meters: Meters,
    pub(crate) spans: Spans,
    pub(crate) in_source: AtomicBool,
    /// Documents that the feeder has pulled and not yet put into the queue.
    pub(crate) in_hand: AtomicUsize,
    /// Where items may be late.
    pub(crate) watch: Option<Watch>,
    /// Where the run is recorded.
    pub(crate) recorder: Option<Recorder>,
    /// Documents that there are in all, where that is known.
    pub(crate) total: Option<u64>,
    /// Where there is a watchdog.
    pub(crate) lookout: Option<Lookout>,
    /// Whether there is a device.
    device: bool,
    /// Where measured costs decide.
    pub(crate) chooser: Option<Chooser>,
    /// What was chosen before the run started.
    chosen: Vec<Decision>,
    stop: AtomicBool,
}

/// A value of the user's: whichever thread is the last to hold the run drops it, and a panic of its
/// `Drop` must not end that thread, or the process where the thread is a pool's.
pub(crate) struct Held<T>(Option<T>);

impl<T> Held<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T> std::ops::Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("it is there until it is dropped")
    }
}

impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        drop_user(self.0.take());
    }
}

/// The parts of [`Shared`] that are made outside.
pub(crate) struct Parts<J: Job> {
    pub(crate) seam: Seam,
    pub(crate) cpu: J::Cpu,
    pub(crate) after: J::After,
    pub(crate) tokens: usize,
    pub(crate) work: Work<J>,
    pub(crate) line: Line<J::Document, J::Prepared>,
    pub(crate) workers: Option<Workers>,
    pub(crate) threads: Threads,
    /// Time that an item may take.
    pub(crate) item_timeout: Option<Duration>,
    pub(crate) recording: Recording,
    /// Documents that there are in all, where that is known.
    pub(crate) total: Option<u64>,
    pub(crate) lookout: Option<Lookout>,
    pub(crate) spans: Spans,
    /// Whether there is a device.
    pub(crate) device: bool,
    pub(crate) chooser: Option<Chooser>,
    pub(crate) chosen: Vec<Decision>,
}

impl<J: Job> Shared<J> {
    pub(crate) fn new(parts: Parts<J>) -> Arc<Self> {
        let seam = parts.seam;
        Arc::new(Self {
            tokens: Tokens::new(&seam, parts.tokens),
            line: seam.mutex(parts.line),
            ledger: seam.mutex(Ledger::default()),
            then_batches: seam.mutex(Vec::new()),
            cpu: Held::new(parts.cpu),
            after: Held::new(parts.after),
            work: parts.work,
            workers: parts.workers,
            threads: parts.threads,
            watch: parts.item_timeout.map(|limit| Watch::new(&seam, limit)),
            recorder: Recorder::new(parts.recording),
            total: parts.total,
            lookout: parts.lookout,
            spans: parts.spans,
            device: parts.device,
            chooser: parts.chooser,
            chosen: parts.chosen,
            meters: Meters::default(),
            in_source: AtomicBool::new(false),
            in_hand: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            seam,
        })
    }

    /// Whether nothing more may come out.
    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// Records what `span` makes, where the run is recorded.
    pub(crate) fn record(&self, span: impl FnOnce() -> Span) {
        if let Some(recorder) = &self.recorder {
            recorder.add(span());
        }
    }

    /// What was chosen so far, oldest first.
    pub(crate) fn decisions(&self) -> Vec<Decision> {
        let measured = self.chooser.as_ref().map(Chooser::decisions).unwrap_or_default();
        self.chosen.iter().cloned().chain(measured).collect()
    }

    /// Takes no more documents in; what was cut still comes out.
    fn cease(&self) {
        self.tokens.stop();
        for group in self.work.close_prepare() {
            self.cancel_group(group);
        }
    }

    /// Ends everything: nothing new starts, and what stands anywhere is cancelled.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        self.tokens.stop();
        // A call that waits for something of its own may end it; a panic there changes nothing here.
        let _told = guard(|| self.cpu.interrupt());
        for group in self.work.close_prepare() {
            self.cancel_group(group);
        }
        for unit in self.work.close_then() {
            self.cancel(unit.items);
        }
        let placed: Vec<_> = self.then_batches.lock().drain(..).collect();
        for batch in placed {
            batch.cancel(self);
        }
        let aftermath = self.line.lock().close();
        self.settle(aftermath);
        if let Some(workers) = &self.workers {
            workers.close();
        }
        if let Some(lookout) = &self.lookout {
            lookout.close();
        }
    }

    /// Items that are prepared and that no device, or no caller where there is none, has taken.
    pub(crate) fn in_line(&self) -> u64 {
        let accounts = self.ledger.lock().accounts();
        let out = accounts.delivered + accounts.failed;
        let taken = if self.device { self.meters.taken.load(Ordering::Relaxed) } else { out };
        let prepared = self.meters.prepared.load(Ordering::Relaxed);
        prepared.saturating_sub(taken).min(accounts.in_flight())
    }

    /// Does what a call of the line left to be done without its lock.
    pub(crate) fn settle(&self, aftermath: Aftermath<J::Document, J::Prepared>) {
        let Aftermath { cancelled, trash, causes, batches, ceased } = aftermath;
        self.cancel(cancelled);
        drop_each(trash);
        drop_each(causes);
        for batch in batches {
            self.cancel_batch(batch);
        }
        if ceased {
            self.cease();
        }
    }

    pub(crate) fn cancel_batch(&self, batch: Batch<J::Document, J::Prepared>) {
        drop_each(batch.prepared);
        self.cancel(batch.items);
        self.cancel(batch.failures.into_iter().map(Item::of_failure).collect());
    }

    pub(crate) fn cancel_group(&self, mut group: super::batch::Group<J::Document, J::Prepared>) {
        let mut aftermath = Aftermath::default();
        group.cancel(&mut aftermath);
        self.settle(aftermath);
    }

    /// Keeps items that will not come out, to be taken back.
    pub(crate) fn cancel(&self, items: Vec<Item<J::Document>>) {
        if items.is_empty() {
            return;
        }
        let documents = documents::<J>(&items);
        let unasked = self.ledger.lock().cancel(items, documents);
        drop_each(unasked);
    }
}

/// Documents in these items; an item of `per_batch` holds several.
pub(crate) fn documents<J: Job>(items: &[Item<J::Document>]) -> usize {
    items.iter().map(|item| J::documents(&item.document)).sum()
}

/// Runs user code; a panic becomes a cause.
pub(crate) fn guard<R>(call: impl FnOnce() -> R) -> Result<R, Cause> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|payload| {
        let cause = Cause::panic(&*payload);
        forget_quietly(payload);
        cause
    })
}

/// Drops a value of the user's: its `Drop` is user code and may panic.
pub(crate) fn drop_user<T>(value: T) {
    if std::mem::needs_drop::<T>()
        && let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(value)))
    {
        forget_quietly(payload);
    }
}

/// Drops values of the user's one by one, so that of several whose `Drop` panics none is dropped
/// while another unwinds, which would end the process.
pub(crate) fn drop_each<T>(values: impl IntoIterator<Item = T>) {
    if std::mem::needs_drop::<T>() {
        values.into_iter().for_each(drop_user);
    }
}

/// Drops what a panic carried; its own `Drop` may panic too, and then it is leaked.
fn forget_quietly(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}
