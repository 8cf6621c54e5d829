//! A run as it is seen from other threads.

use std::fmt;
use std::sync::Arc;

use crate::engine::outlet::remote::Remote;
use crate::observe::progress::Progress;
use crate::observe::report::Report;

/// A run as it is seen from any thread: see [`Run::handle`](crate::Run::handle). It keeps nothing running, and can
/// be asked after the run has ended.
#[derive(Clone)]
pub struct Handle(pub(crate) Option<Arc<dyn Remote>>);

impl Handle {
    /// Has the run end where its caller asks for the next item, or waits for it: nothing new comes out, and the
    /// caller gets `None`. A second call does nothing. Returns at once.
    pub fn stop(&self) {
        if let Some(run) = &self.0 {
            run.stop();
        }
    }

    /// How far the run has come.
    pub fn progress(&self) -> Progress {
        self.0.as_ref().map_or_else(Progress::default, |run| run.progress())
    }

    /// Where the time went so far, and what to change.
    pub fn report(&self) -> Report {
        self.0.as_ref().map_or_else(Report::not_started, |run| run.report().over_halves())
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("progress", &self.progress()).finish_non_exhaustive()
    }
}
