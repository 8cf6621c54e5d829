//! What the caller looks at while it waits: the deadline of the run, items that are late, and the bar.

use std::sync::Arc;
use std::time::Duration;

use super::late::{LateItems, OnLate};
use super::redraw::Redraw;
use super::watchdog::Lookout;
use crate::engine::ledger::Ledger;
use crate::engine::seam::Moment;
use crate::error::Error;

#[derive(Default)]
pub(crate) struct Checks {
    /// The time that the run has, from its start.
    pub(crate) deadline: Option<Duration>,
    pub(crate) on_late: Option<OnLate>,
    pub(crate) redraw: Option<Redraw>,
    pub(crate) late: Option<Arc<LateItems>>,
    pub(crate) lookout: Option<Arc<Lookout>>,
}

impl Checks {
    /// Tells who is late; an error once the run has to end.
    ///
    /// `in_time` where all of its work was done by then: it is late because of its work, and not because its
    /// caller comes back late.
    pub(crate) fn look(
        &mut self,
        ledger: &Ledger,
        in_time: impl FnOnce(Moment) -> bool,
    ) -> Result<(), Error> {
        if let Some(stalled) = self.lookout.as_ref().and_then(|lookout| lookout.verdict()) {
            return Err(Error::Stalled { stalled: Box::new(stalled) });
        }
        if self.deadline.is_none() && self.late.is_none() && self.redraw.is_none() {
            return Ok(());
        }
        let now = ledger.now();
        if let (Some(late), Some(on_late)) = (&self.late, &mut self.on_late) {
            late.late(now).iter().for_each(on_late);
        }
        if let Some(redraw) = &mut self.redraw {
            redraw.look(ledger, now);
        }
        #[cfg(test)]
        let in_time =
            |deadline| !ledger.seam.has(crate::engine::seam::Planted::MissedByTheCaller) && in_time(deadline);
        match self.deadline {
            Some(after) if now >= Moment::at(after) && !in_time(Moment::at(after)) => {
                Err(Error::Deadline { after })
            }
            _ => Ok(()),
        }
    }

    /// For how long the caller may wait without looking; `None` for any time.
    pub(crate) fn patience(&self, ledger: &Ledger) -> Option<Duration> {
        let now = ledger.now();
        let deadline = self.deadline.map(|after| Moment::at(after).since(now));
        let late = self.late.as_ref().filter(|_| self.on_late.is_some()).map(|late| late.patience(now));
        let redraw = self.redraw.as_ref().map(|redraw| redraw.patience(now));
        let verdict = self.lookout.as_ref().and_then(|lookout| lookout.patience(now));
        [deadline, late, redraw, verdict].into_iter().flatten().min()
    }
}
