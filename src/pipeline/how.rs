//! How a run is to be made: the settings and functions that every run has, whatever is run.
//!
//! Each face of the engine holds one [`How`] and has its methods from one place, `setters`. What only one
//! of them has stands there.
//!
//! Uses: `engine`. Used by: `pipeline`, `parallel`, `doc`.

use std::sync::{Arc, Mutex, TryLockError};
use std::time::Duration;

use rayon::ThreadPool;

pub(crate) use crate::engine::settings::Patience;
use crate::engine::settings::{OnFailure, Order, Settings, WorkerCount};
pub(crate) use crate::engine::watch::Late;
use crate::error::stalled::Stalled;
use crate::observe::progress::Progress;
use crate::observe::record::Recording;

/// What every run can be told. It can be used for one run after another.
#[derive(Clone)]
pub(crate) struct How {
    pub(crate) workers: WorkerCount,
    pub(crate) pool: Option<Arc<ThreadPool>>,
    /// Items, or batches where there is a device; `None` where it was left open.
    pub(crate) ahead: Option<usize>,
    pub(crate) order: Order,
    pub(crate) on_failure: OnFailure,
    pub(crate) grace: Duration,
    pub(crate) pause: Option<Duration>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) item_timeout: Option<Duration>,
    pub(crate) recording: Recording,
    pub(crate) total: Option<u64>,
    pub(crate) watchdog: Option<Patience>,
    /// Whether a terminal shows how far the run has come.
    pub(crate) bar: bool,
    /// Whether the source is a list of ours: see [`Settings::own_source`].
    pub(crate) own_source: bool,
    pub(crate) on_late: Option<Hook<Late>>,
    pub(crate) on_stall: Option<Hook<Stalled>>,
    pub(crate) on_progress: Option<Hook<Progress>>,
}

impl Default for How {
    fn default() -> Self {
        let Settings { workers, order, on_failure, grace, recording, bar, own_source, .. } =
            Settings::<()>::default();
        Self {
            workers,
            order,
            on_failure,
            grace,
            recording,
            bar,
            own_source,
            pool: None,
            ahead: None,
            pause: None,
            deadline: None,
            item_timeout: None,
            total: None,
            watchdog: None,
            on_late: None,
            on_stall: None,
            on_progress: None,
        }
    }
}

impl How {
    /// Work on documents that are lent, which must all come back: nothing that was begun is left behind.
    pub(crate) fn lent() -> Self {
        Self { grace: Duration::MAX, own_source: true, ..Self::default() }
    }

    /// These settings, where everything else is as it is given.
    pub(crate) fn over<P>(&self, others: Settings<P>) -> Settings<P> {
        Settings {
            workers: self.workers,
            pool: self.pool.clone(),
            ahead: self.ahead,
            order: self.order,
            on_failure: self.on_failure,
            grace: self.grace,
            pause: self.pause,
            deadline: self.deadline,
            item_timeout: self.item_timeout,
            recording: self.recording,
            total: self.total,
            watchdog: self.watchdog,
            bar: self.bar,
            own_source: self.own_source,
            ..others
        }
    }
}

/// A function of the user's that is told of something.
///
/// One thread of a run calls it, and whoever shares it is a later run. So it is in use only where a call of an
/// earlier run has never returned; then nobody waits for it, and it is told nothing more.
pub(crate) struct Hook<T>(Arc<Mutex<Told<T>>>);

type Told<T> = dyn FnMut(&T) + Send;

impl<T: 'static> Hook<T> {
    pub(crate) fn new(told: impl FnMut(&T) + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(told)))
    }

    pub(crate) fn call(&self, news: &T) {
        match self.0.try_lock() {
            Ok(mut told) => told(news),
            Err(TryLockError::Poisoned(told)) => (told.into_inner())(news),
            Err(TryLockError::WouldBlock) => {}
        }
    }

    /// The same as a function.
    pub(crate) fn boxed(self) -> Box<Told<T>> {
        Box::new(move |news| self.call(news))
    }

    /// The same, told of what this makes of the news.
    pub(crate) fn of(self, change: impl Fn(&T) -> T + Send + 'static) -> Self {
        Self::new(move |news| self.call(&change(news)))
    }
}

impl<T> Clone for Hook<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
