//! What every run can be told, with or without a device, whatever its documents become.

use std::sync::Arc;
use std::time::Duration;

use rayon::ThreadPool;

use super::{AtMost, OnFailure, Order, Patience, WorkerCount};
use crate::engine::seam::{Pool, STACK};
use crate::error::Error;
use crate::observe::record::{MOST_ROOM, Recording};
use crate::schedule::refused::{refuse, too_many_workers};

/// More bytes of stack are a mistake.
const MOST_STACK: usize = 1 << 30;

/// What every run can be told, with its default. It can be used for one run after another.
#[derive(Clone, Debug)]
pub struct Common {
    pub(crate) workers: WorkerCount,
    /// Bytes of stack of each thread of the run; 0 is what the standard library takes.
    pub(crate) stack: usize,
    /// Threads of the user's that are the workers.
    pub(crate) pool: Option<Arc<ThreadPool>>,
    /// Items, or batches where there is a device; `None` where it was left open.
    pub(crate) ahead: Option<usize>,
    pub(crate) order: Order,
    pub(crate) on_failure: OnFailure,
    /// How long the end of a run waits for calls that have not returned.
    pub(crate) grace: Duration,
    /// Least time between the starts of two items.
    pub(crate) pause: Option<Duration>,
    /// Time after which the run ends.
    pub(crate) deadline: Option<Duration>,
    /// Time after which an item is late.
    pub(crate) item_timeout: Option<Duration>,
    /// How much of the run is recorded.
    pub(crate) recording: Recording,
    /// Documents that there are in all, where that is known.
    pub(crate) total: Option<u64>,
    /// How long nothing may move, and what then.
    pub(crate) watchdog: Option<Patience>,
    /// Whether a terminal shows how far the run has come.
    pub(crate) bar: bool,
    /// Whether the source is a list of ours: it never blocks for long, so its feeder is joined and not left
    /// behind.
    pub(crate) own_source: bool,
    /// Whether the source is a run, and whether the caller is one: then waiting for them is neither's work.
    pub(crate) from_run: bool,
    pub(crate) to_run: bool,
}

impl Default for Common {
    fn default() -> Self {
        Self {
            workers: WorkerCount::Auto,
            stack: STACK,
            pool: None,
            ahead: None,
            order: Order::Source,
            on_failure: OnFailure::Stop,
            grace: Duration::from_secs(5),
            pause: None,
            deadline: None,
            item_timeout: None,
            recording: Recording::default(),
            total: None,
            watchdog: None,
            bar: false,
            own_source: false,
            from_run: false,
            to_run: false,
        }
    }
}

impl Common {
    /// What another half behind this one is told too, unless it is told otherwise. A watchdog is each half's own: one
    /// behind a half that stands still would see its source stand still.
    pub(crate) fn for_next_half(&self) -> Self {
        let Self { workers, stack, pool, order, on_failure, grace, item_timeout, recording, .. } =
            self.clone();
        Self { workers, stack, pool, order, on_failure, grace, item_timeout, recording, ..Self::default() }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        if matches!(self.workers, WorkerCount::Exactly(workers) if too_many_workers(workers)) {
            return refuse("workers", "more than 4096 threads are a mistake; Auto takes one a core");
        }
        if self.stack > MOST_STACK {
            return refuse(
                "stack_size",
                "more than 1 GiB of stack a thread is a mistake; the default is 8 MiB",
            );
        }
        if self.recording.room() > MOST_ROOM {
            return refuse("trace", "room for more than 2^26 spans is more than 2 GiB; give less");
        }
        if matches!(self.on_failure, OnFailure::SkipAtMost(AtMost::Share(share)) if !(0.0..=1.0).contains(&share))
        {
            return refuse("on_failure", "a share of failures is a number from 0 to 1");
        }
        if self.pool.is_some() && self.workers != WorkerCount::Auto {
            return refuse(
                "workers",
                "the outside pool has its own number of threads; leave one of workers and pool out",
            );
        }
        Ok(())
    }

    pub(crate) fn pool(&self) -> Pool {
        match &self.pool {
            Some(pool) => Pool::Outside(pool.clone()),
            None => Pool::Private(self.workers.resolve()),
        }
    }
}
