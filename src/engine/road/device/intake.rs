//! Where the device thread's next batch comes from, and how it waits for one.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{BatchOf, DeviceLoop, Stepped, Waiting};
use crate::engine::road::job::Job;
use crate::engine::road::line::{Asks, Taken};
use crate::engine::seam::Moment;
use crate::engine::watch::Doing;
use crate::schedule::turns;

/// Longest rest between two looks at a device that comes back at once.
const LONGEST_REST: Duration = Duration::from_millis(2);

/// How long this thread may wait for a batch.
#[derive(Clone, Copy, Debug)]
enum Patience {
    None,
    Short(Duration),
    /// Until there is news of the line.
    Any,
}

impl<J: Job> DeviceLoop<J> {
    pub(super) fn next_batch(&mut self, waiting: Waiting) -> Option<BatchOf<J>> {
        if let Some(part) = self.at.parts.pop_front() {
            return Some(part);
        }
        if self.at.ended || (self.at.drained && !self.at.in_flight.is_empty()) {
            return None;
        }
        let patience = match (waiting, self.at.in_flight.is_empty()) {
            (Waiting::Both, true) => Patience::Any,
            (Waiting::Both, false) => Patience::Short(turns::short_wait(self.at.last_took)),
            (Waiting::Device | Waiting::Never, _) => Patience::None,
        };
        let batch = self.ask(patience)?;
        self.ledger().meters.taken.fetch_add(batch.items.len() as u64, Ordering::Relaxed);
        Some(batch)
    }

    fn ask(&mut self, mut patience: Patience) -> Option<BatchOf<J>> {
        // A short wait is one wait, whatever ended it, and one more look behind it.
        let mut waits = matches!(patience, Patience::Short(_));
        if matches!(patience, Patience::Any) {
            self.post.wait(Doing::ForBatch, Moment::ZERO);
            let backlog = &self.ledger().backlog;
            self.ledger().seam.look(|| backlog.batches.load(Ordering::Relaxed) > 0);
        }
        loop {
            let taken = self.ask_once(patience);
            match taken {
                Taken::Batch(batch) => return Some(batch),
                Taken::Ended => {
                    (self.at.drained, self.at.ended) = (true, true);
                    return None;
                }
                Taken::Drained => {
                    self.at.drained = true;
                    if !matches!(patience, Patience::Any) || self.ledger().stopped() {
                        return None;
                    }
                }
                Taken::Nothing(_) if matches!(patience, Patience::Any) && !self.ledger().stopped() => {}
                Taken::Nothing(_) if waits => (patience, waits) = (Patience::None, false),
                Taken::Nothing(_) => return None,
            }
        }
    }

    /// Asks the line, and waits once where it has nothing.
    fn ask_once(&mut self, patience: Patience) -> Taken<J::Document, J::Prepared> {
        let (idles, now) = (self.at.in_flight.is_empty(), self.ledger().now());
        let chooser = self.road.chooser.as_ref();
        let asks = Asks {
            rank: self.at.meter.rank,
            holds: !self.at.in_flight.is_empty() || !self.at.parts.is_empty(),
            overdue: self.at.max_wait.filter(|_| idles || !self.own_thread),
            early: idles
                && matches!(patience, Patience::Any)
                && chooser.is_some_and(|chooser| chooser.feeds_idle()),
            now,
        };
        let (spare, ledger) = (self.at.spare.take(), self.road.ledger.clone());
        // Asked under the line's lock: whoever stops the run closes the line after it said so, and wakes all.
        let wait = |taken: &Taken<_, _>| match (taken, patience) {
            _ if ledger.stopped() => None,
            (Taken::Nothing(left), Patience::Any) => Some(*left),
            (Taken::Drained, Patience::Any) => Some(None),
            (Taken::Nothing(_), Patience::Short(wait)) => Some(Some(wait)),
            _ => None,
        };
        self.road.wait_with_line(|line| line.take(asks, spare), wait)
    }

    /// The device had no result. One that comes back sooner than it was asked to wait is not asked again at once:
    /// that would keep a core from the workers.
    pub(super) fn looked_in_vain(&mut self, wait: Duration, took: Duration) -> Stepped {
        let rest = Duration::from_micros(10 << self.at.vain_looks.min(8)).min(LONGEST_REST).min(wait);
        self.at.vain_looks += 1;
        if took < rest {
            self.ledger().rest(rest.saturating_sub(took));
        }
        if !self.own_thread {
            self.post.wait(Doing::Nothing, Moment::ZERO);
        }
        Stepped::Nothing
    }
}
