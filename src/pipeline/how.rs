//! How a run is to be made: the settings and functions that every run has, whatever is run.
//!
//! Each face of the engine holds one [`How`] and has its methods from one place, `setters`. What only one
//! of them has stands there.
//!
//! Uses: `engine`. Used by: `pipeline`, `parallel`, `doc`.

use std::sync::{Arc, Mutex, TryLockError};
use std::time::Duration;

pub(crate) use crate::engine::settings::Patience;
use crate::engine::settings::{Common, Settings};
pub(crate) use crate::engine::watch::Late;
use crate::error::stalled::Stalled;
use crate::observe::progress::Progress;

/// What a run is told, and whom it tells. It can be used for one run after another.
///
/// A face that knows what its documents become holds all [`Settings`], the others what every run can be told.
#[derive(Clone, Default)]
pub(crate) struct How<S = Common> {
    pub(crate) settings: S,
    pub(crate) hooks: Hooks,
}

/// Whom a run tells, of what.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub(crate) on_late: Option<Hook<Late>>,
    pub(crate) on_stall: Option<Hook<Stalled>>,
    pub(crate) on_progress: Option<Hook<Progress>>,
}

impl How {
    /// Work on documents that are lent, which must all come back: nothing that was begun is left behind.
    pub(crate) fn lent() -> Self {
        let settings = Common { grace: Duration::MAX, own_source: true, ..Common::default() };
        Self { settings, hooks: Hooks::default() }
    }

    /// What every run can be told, where everything else is as it is given.
    pub(crate) fn over(self, others: Settings) -> How<Settings> {
        How { settings: Settings { common: self.settings, ..others }, hooks: self.hooks }
    }
}

impl<S: AsMut<Common>> How<S> {
    /// What every run can be told.
    pub(crate) fn common(&mut self) -> &mut Common {
        self.settings.as_mut()
    }
}

impl AsMut<Self> for Common {
    fn as_mut(&mut self) -> &mut Self {
        self
    }
}

impl AsMut<Common> for Settings {
    fn as_mut(&mut self) -> &mut Common {
        &mut self.common
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
