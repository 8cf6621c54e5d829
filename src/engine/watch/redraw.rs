//! Shows how far the run has come: with every result and while the caller waits, at a bounded rate.
//!
//! The caller wakes for it by itself, so it needs no thread. Between two looks it costs the caller one
//! look at the clock a batch.

use std::time::Duration;

use crate::engine::guard::guard;
use crate::engine::ledger::Ledger;
use crate::engine::seam::Moment;
use crate::observe::progress::Show;

/// Shortest time between two drawings.
pub(crate) const EVERY: Duration = Duration::from_millis(100);

pub(crate) struct Redraw {
    show: Box<dyn Show>,
    next: Moment,
}

impl Redraw {
    pub(crate) fn new(show: Box<dyn Show>) -> Self {
        Self { show, next: Moment::ZERO }
    }

    pub(crate) fn look(&mut self, ledger: &Ledger, now: Moment) {
        if now >= self.next {
            self.next = now.plus(EVERY);
            self.show.show(&ledger.progress());
        }
    }

    /// For how long nothing is drawn.
    pub(crate) fn patience(&self, now: Moment) -> Duration {
        self.next.since(now)
    }

    /// Draws for the last time.
    pub(crate) fn end(mut self, ledger: &Ledger, finished: bool) {
        let progress = ledger.progress();
        // A terminal that is gone must not keep the run from ending.
        let _drawn = guard(|| self.show.end(&progress, finished));
    }
}
