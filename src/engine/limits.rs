//! What the caller looks at while it waits: the deadline of the run, items that are late, and the bar.

use std::time::Duration;

use super::job::Job;
use super::late::Late;
use super::redraw::Redraw;
use super::seam::Moment;
use super::shared::Shared;
use super::watchdog::Lookout;
use crate::error::stalled::Stalled;

/// Told of each item that is late.
pub(crate) type OnLate = Box<dyn FnMut(&Late) + Send>;

#[derive(Default)]
pub(crate) struct Limits {
    /// The time that the run has, from its start.
    pub(crate) deadline: Option<Duration>,
    pub(crate) on_late: Option<OnLate>,
    pub(crate) redraw: Option<Redraw>,
}

/// Why the run has to end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// It has had its time.
    Late { after: Duration },
    /// Nothing has moved for too long.
    Stalled(Box<Stalled>),
}

impl Limits {
    /// Tells who is late; an error once the run has to end.
    pub(crate) fn look<J: Job>(&mut self, shared: &Shared<J>) -> Result<(), Over> {
        if let Some(stalled) = shared.lookout.as_ref().and_then(Lookout::verdict) {
            return Err(Over::Stalled(Box::new(stalled)));
        }
        if self.deadline.is_none() && shared.watch.is_none() && self.redraw.is_none() {
            return Ok(());
        }
        let now = shared.seam.now();
        if let (Some(watch), Some(on_late)) = (&shared.watch, &mut self.on_late) {
            watch.late(now).iter().for_each(on_late);
        }
        if let Some(redraw) = &mut self.redraw {
            redraw.look(shared, now);
        }
        match self.deadline {
            Some(after) if now >= after => Err(Over::Late { after }),
            _ => Ok(()),
        }
    }

    /// For how long the caller may wait without looking; `None` for any time.
    pub(crate) fn patience<J: Job>(&self, shared: &Shared<J>) -> Option<Duration> {
        let now: Moment = shared.seam.now();
        let deadline = self.deadline.map(|deadline| deadline.saturating_sub(now));
        let late = shared.watch.as_ref().filter(|_| self.on_late.is_some()).map(|watch| watch.patience(now));
        let redraw = self.redraw.as_ref().map(|redraw| redraw.patience(now));
        let verdict = shared.lookout.as_ref().and_then(|lookout| lookout.patience(now));
        [deadline, late, redraw, verdict].into_iter().flatten().min()
    }
}
