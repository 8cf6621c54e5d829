//! How long a batch may take before its device counts as lost.

use std::time::{Duration, Instant};

/// Software Vulkan can need ten seconds for a batch, and the first batch has nothing to compare with.
pub(super) const LEAST: Duration = Duration::from_secs(60);
const TIMES_SLOWEST: u32 = 20;

#[derive(Debug)]
pub(super) struct Deadline {
    fixed: Option<Duration>,
    slowest: Duration,
    /// When the device was last seen to finish a batch: the next one cannot have started before.
    finished: Option<Instant>,
}

impl Deadline {
    /// `fixed`, else 60 s or 20 times the slowest batch so far, whichever is longer.
    pub(super) fn new(fixed: Option<Duration>) -> Self {
        Self { fixed, slowest: Duration::ZERO, finished: None }
    }

    pub(super) fn limit(&self) -> Duration {
        self.fixed.unwrap_or_else(|| LEAST.max(self.slowest.saturating_mul(TIMES_SLOWEST)))
    }

    /// What is left for a batch that was submitted at `submitted`.
    pub(super) fn left(&self, submitted: Instant, now: Instant) -> Duration {
        self.limit().saturating_sub(self.taken(submitted, now))
    }

    /// Notes a batch that is done. Only one that was waited for tells how long a batch takes: the
    /// others may have been done for long.
    pub(super) fn finished(&mut self, submitted: Instant, waited: bool, now: Instant) {
        if waited {
            self.slowest = self.slowest.max(self.taken(submitted, now));
        }
        self.finished = Some(now);
    }

    fn taken(&self, submitted: Instant, now: Instant) -> Duration {
        now.saturating_duration_since(self.finished.map_or(submitted, |finished| finished.max(submitted)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_batch_has_a_minute_at_least() {
        let now = Instant::now();
        assert_eq!(Deadline::new(None).left(now, now + SECOND), 59 * SECOND);
        assert_eq!(Deadline::new(Some(SECOND)).left(now, now + 2 * SECOND), Duration::ZERO);
    }

    #[test]
    fn slow_batches_give_the_next_ones_more_time() {
        let now = Instant::now();
        let mut deadline = Deadline::new(None);
        deadline.finished(now, true, now + 10 * SECOND);
        assert_eq!(deadline.limit(), 200 * SECOND);
    }

    #[test]
    fn a_caller_that_was_away_makes_no_batch_slow() {
        let now = Instant::now();
        let mut deadline = Deadline::new(None);
        deadline.finished(now, false, now + 1000 * SECOND);
        assert_eq!(deadline.limit(), 60 * SECOND);
    }

    #[test]
    fn time_behind_other_batches_does_not_count() {
        let start = Instant::now();
        let mut deadline = Deadline::new(None);
        deadline.finished(start, true, start + 5 * SECOND);
        deadline.finished(start, true, start + 8 * SECOND);
        assert_eq!(deadline.slowest, 5 * SECOND);
    }
}
