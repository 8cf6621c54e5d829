//! The settings that the engine understands, checked in one place.

mod choice;
mod common;
mod memory;
mod watchdog;

use std::time::Duration;

pub(crate) use self::choice::Asked;
pub use self::choice::{Ahead, Auto, BatchSize, Memory, Ramp, UpTo, WorkerCount};
pub(crate) use self::common::Common;
pub(crate) use self::watchdog::Patience;
pub use self::watchdog::Watchdog;
use crate::error::Error;
use crate::schedule::refused::{self, refuse};
use crate::schedule::tokens;

/// In which order results come out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order {
    /// As the source gave the documents. One slow document holds back those behind it.
    #[default]
    Source,
    /// As they are ready. A batch then holds whichever documents were prepared first.
    Completion,
}

/// What becomes of a last batch that is not full.
#[derive(Debug, Default)]
#[non_exhaustive]
pub enum LastBatch<P> {
    /// It goes to the device as it is.
    #[default]
    Short,
    /// Its documents are not processed; they count as cancelled and can be taken back.
    Drop,
    /// It, and any other batch that is cut before it has its size, is filled up to the batch size with copies of its last
    /// prepared item, made by this function (`Clone::clone` as a rule). `Batch::rows` does not show the
    /// rows of the copies; `Batch::output` does.
    Pad(fn(&P) -> P),
}

impl<P> Clone for LastBatch<P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for LastBatch<P> {}

/// What happens when a document fails.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum OnFailure {
    /// The run ends: what stands before the document comes out, then the error. Nothing is lost unseen.
    #[default]
    Stop,
    /// The document is among its batch's failures, and the run goes on.
    Skip,
    /// As `Skip`, until more than this have failed; then as `Stop`.
    SkipAtMost(AtMost),
}

/// How many documents may fail.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum AtMost {
    /// So many.
    Count(u64),
    /// This share of the documents that came through, from 0 to 1; looked at from the hundredth
    /// document on and at the end of the source.
    Share(f64),
}

impl From<u64> for AtMost {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<f64> for AtMost {
    fn from(share: f64) -> Self {
        Self::Share(share)
    }
}

/// Everything that can be set, with its default: what every run can be told, and what only some runs can.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) common: Common,
    /// The largest, where that is left to gapless.
    pub(crate) batch_size: usize,
    pub(crate) ramp: bool,
    pub(crate) asked: Asked,
    /// What prepared items may take.
    pub(crate) memory: Option<Memory>,
    /// Whether batches that are not full are filled up with copies: see [`LastBatch::Pad`].
    pub(crate) pads: bool,
    pub(crate) max_wait: Option<Duration>,
    /// Of a live source: how long a document may be on its way.
    pub(crate) target_latency: Option<Duration>,
    /// Whether an item is a whole batch.
    pub(crate) whole_batches: bool,
    /// Whether there is no device: the caller takes what is prepared, as soon as its turn has come.
    pub(crate) without_device: bool,
    /// Items that a worker takes in one go; `None` where measured time decides.
    pub(crate) chunk: Option<usize>,
    /// Documents in an item.
    pub(crate) documents: u64,
    /// Whether devices have no thread of their own, and the workers run them.
    pub(crate) on_workers: bool,
    /// Whether it is left open how many devices there are, where one is the CPU.
    pub(crate) split: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            common: Common::default(),
            batch_size: tokens::BATCH_SIZE,
            ramp: false,
            asked: Asked::default(),
            memory: None,
            pads: false,
            max_wait: None,
            target_latency: None,
            whole_batches: false,
            without_device: false,
            chunk: None,
            documents: 1,
            on_workers: false,
            split: false,
        }
    }
}

/// Items in one go that leave something to share out.
const MOST_CHUNK: usize = 1 << 16;

impl Settings {
    /// Every setting that cannot work, found before anything starts.
    pub(crate) fn check(&self) -> Result<(), Error> {
        refused::check_batch_size(self.batch_size)?;
        if self.without_device {
            self.check_without_device()?;
        } else {
            refused::check_ahead(self.ahead(), self.batch_size)?;
        }
        self.common.check()?;
        if self.max_wait.is_some_and(|wait| wait.is_zero()) {
            return refuse("max_wait", "0 would cut every document alone; give a time, or batch_size(1)");
        }
        if self.target_latency.is_some_and(|target| target.is_zero()) {
            return refuse(
                "target_latency",
                "no document is out at once; give the longest time that is still right",
            );
        }
        self.check_on_workers()?;
        self.check_watchdog()
    }

    /// A device that no thread waits with cannot ask for what has waited too long, or for what stands.
    fn check_on_workers(&self) -> Result<(), Error> {
        if !self.on_workers || (!self.is_live() && !self.asked.anything()) {
            return Ok(());
        }
        refuse(
            "device_on_workers",
            "with max_wait, and where sizes are left to Auto, a device waits for documents in a thread of its own",
        )
    }

    /// Whether documents come when they come, so that a device that idles takes what there is.
    pub(crate) fn is_live(&self) -> bool {
        self.max_wait.is_some() || self.target_latency.is_some()
    }

    /// Where only the latency is given, a document waits for others no longer than a quarter of it.
    pub(crate) fn wait_for_latency(&mut self) {
        let quarter = self.target_latency.map(|target| (target / 4).max(Duration::from_nanos(1)));
        self.max_wait = self.max_wait.or(quarter);
    }

    /// What waits by itself must not look like a stall.
    fn check_watchdog(&self) -> Result<(), Error> {
        let refuse = |reason: &str| refuse("watchdog", reason);
        let Some(Patience { patience, .. }) = self.common.watchdog else { return Ok(()) };
        if patience.is_zero() {
            return refuse("0 would call every moment a stall; give the longest time that is still right");
        }
        if self.max_wait.is_some_and(|wait| wait >= patience) {
            return refuse(
                "a document may wait max_wait for its batch, which is no stall; give more than that",
            );
        }
        if self.common.pause.is_some_and(|pause| pause >= patience) {
            return refuse("two starts are a pause apart, which is no stall; give more than that");
        }
        Ok(())
    }

    /// An item is a whole batch: tokens are then the workers, `ahead` and the devices' depths.
    pub(crate) fn items_are_batches(&mut self) {
        self.documents = self.batch_size as u64;
        self.batch_size = 1;
        self.whole_batches = true;
    }

    /// Batches ahead, or the most of them where that is left to gapless.
    pub(crate) fn ahead(&self) -> usize {
        self.common.ahead.unwrap_or(tokens::AHEAD)
    }

    /// What is asked of a run without a device.
    fn check_without_device(&self) -> Result<(), Error> {
        match (self.common.ahead, self.chunk) {
            (Some(items), _) if items > tokens::MOST_TOKENS => {
                refuse("ahead", "more than 2^24 items in flight are a mistake; give less")
            }
            (_, Some(0)) => refuse("chunk", "0 items a call would never begin one; give 1 or more, or Auto"),
            (_, Some(2..)) if self.one_by_one() => {
                refuse("chunk", "pause and item_timeout look at single items; leave chunk out")
            }
            (_, Some(items)) if items > MOST_CHUNK => {
                refuse("chunk", "more than 2^16 items in one go leave nothing to share out; give less")
            }
            _ => Ok(()),
        }
    }

    /// Whether each item is begun for itself.
    fn one_by_one(&self) -> bool {
        self.max_wait.is_some() || self.common.pause.is_some() || self.common.item_timeout.is_some()
    }

    /// Items in one go, where measured time does not decide.
    pub(crate) fn fixed_chunk(&self) -> Option<usize> {
        if self.one_by_one() { Some(1) } else { self.chunk }
    }

    /// No device: the caller takes what is prepared, and nothing waits for a batch to be full.
    pub(crate) fn without_device() -> Self {
        Self { without_device: true, batch_size: tokens::MOST_TOKENS, ..Self::default() }
    }

    /// Tokens for `ahead` batches, those on the devices and the one being filled; never fewer than two
    /// batches and four items a worker. `then` holds one more batch. Without a device they are for one
    /// item a worker and `ahead` items.
    pub(crate) fn tokens(&self, workers: usize, depths: usize, then: bool) -> usize {
        if self.without_device {
            return tokens::without_device(workers, self.common.ahead, self.chunk);
        }
        if self.whole_batches {
            return tokens::for_whole_batches(workers, self.ahead(), depths);
        }
        let batches = self.ahead().saturating_add(tokens::beside(depths, then));
        tokens::for_batches(batches, self.batch_size, workers)
    }
}
