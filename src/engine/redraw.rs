//! Shows how far the run has come: with every result and while the caller waits, at a bounded rate.
//!
//! The caller wakes for it by itself, so it needs no thread. Between two looks it costs the caller one
//! look at the clock a batch.

use std::sync::Arc;
use std::time::Duration;

use super::figures::progress;
use super::job::Job;
use super::seam::Moment;
use super::shared::{Shared, guard};
use crate::observe::meters::DeviceMeter;
use crate::observe::progress::Show;

/// Shortest time between two drawings.
pub(crate) const EVERY: Duration = Duration::from_millis(100);

pub(crate) struct Redraw {
    show: Box<dyn Show>,
    next: Moment,
    devices: Vec<Arc<DeviceMeter>>,
    workers: usize,
}

impl Redraw {
    pub(crate) fn new(show: Box<dyn Show>, devices: &[Arc<DeviceMeter>], workers: usize) -> Self {
        Self { show, next: Moment::ZERO, devices: devices.to_vec(), workers }
    }

    pub(crate) fn look<J: Job>(&mut self, shared: &Shared<J>, now: Moment) {
        if now >= self.next {
            self.next = now.saturating_add(EVERY);
            self.show.show(&progress(shared, &self.devices, self.workers));
        }
    }

    /// For how long nothing is drawn.
    pub(crate) fn patience(&self, now: Moment) -> Duration {
        self.next.saturating_sub(now)
    }

    /// Draws for the last time.
    pub(crate) fn end<J: Job>(mut self, shared: &Shared<J>, finished: bool) {
        let progress = progress(shared, &self.devices, self.workers);
        // A terminal that is gone must not keep the run from ending.
        let _drawn = guard(|| self.show.end(&progress, finished));
    }
}
