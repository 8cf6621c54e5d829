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
        if let Some(part) = self.parts.pop_front() {
            return Some(part);
        }
        if self.ended || (self.drained && !self.in_flight.is_empty()) {
            return None;
        }
        let patience = match (waiting, self.in_flight.is_empty()) {
            (Waiting::Both, true) => Patience::Any,
            (Waiting::Both, false) => Patience::Short(turns::short_wait(self.last_took)),
            (Waiting::Device | Waiting::Never, _) => Patience::None,
        };
        let batch = self.ask(patience)?;
        self.ledger().meters.taken.fetch_add(batch.items.len() as u64, Ordering::Relaxed);
        Some(batch)
    }

    fn ask(&mut self, patience: Patience) -> Option<BatchOf<J>> {
        let start = self.ledger().now();
        if matches!(patience, Patience::Any) {
            self.post.wait(Doing::ForBatch, Moment::ZERO);
            let backlog = &self.ledger().backlog;
            self.ledger().seam.look(|| backlog.batches.load(Ordering::Relaxed) > 0);
        }
        loop {
            let taken = self.ask_once(patience, start);
            match taken {
                Taken::Batch(batch) => return Some(batch),
                Taken::Ended => {
                    (self.drained, self.ended) = (true, true);
                    return None;
                }
                Taken::Drained => {
                    self.drained = true;
                    if !matches!(patience, Patience::Any) || self.ledger().stopped() {
                        return None;
                    }
                }
                Taken::Nothing(_) => match patience {
                    Patience::None => return None,
                    Patience::Short(wait) if self.ledger().now().saturating_sub(start) >= wait => {
                        return None;
                    }
                    Patience::Any if self.ledger().stopped() => return None,
                    Patience::Short(_) | Patience::Any => {}
                },
            }
        }
    }

    /// Asks the line, and waits once where it has nothing.
    fn ask_once(&mut self, patience: Patience, start: Moment) -> Taken<J::Document, J::Prepared> {
        let (idles, now) = (self.in_flight.is_empty(), self.ledger().now());
        let chooser = self.road.chooser.as_ref();
        let asks = Asks {
            rank: self.meter.rank,
            holds: !self.in_flight.is_empty() || !self.parts.is_empty(),
            overdue: self.max_wait.filter(|_| !matches!(patience, Patience::Short(_))),
            early: idles
                && matches!(patience, Patience::Any)
                && chooser.is_some_and(|chooser| chooser.feeds_idle()),
            now,
        };
        let (spare, ledger) = (self.spare.take(), self.road.ledger.clone());
        // Asked under the line's lock: whoever stops the run closes the line after it said so, and wakes all.
        let wait = |taken: &Taken<_, _>| match (taken, patience) {
            _ if ledger.stopped() => None,
            (Taken::Nothing(left), Patience::Any) => Some(*left),
            (Taken::Drained, Patience::Any) => Some(None),
            (Taken::Nothing(_), Patience::Short(wait)) => {
                let left = wait.saturating_sub(now.saturating_sub(start));
                (!left.is_zero()).then_some(Some(left))
            }
            _ => None,
        };
        self.road.wait_with_line(|line| line.take(asks, spare), wait)
    }

    /// The device had no result. One that comes back sooner than it was asked to wait is not asked again at once:
    /// that would keep a core from the workers.
    pub(super) fn looked_in_vain(&mut self, wait: Duration, took: Duration) -> Stepped {
        let rest = Duration::from_micros(10 << self.vain_looks.min(8)).min(LONGEST_REST).min(wait);
        self.vain_looks += 1;
        if took < rest {
            self.ledger().rest(rest.saturating_sub(took));
        }
        if !self.own_thread {
            self.post.wait(Doing::Nothing, Moment::ZERO);
        }
        Stepped::Nothing
    }
}
