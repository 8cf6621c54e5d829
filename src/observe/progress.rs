//! How far a run has come, for whoever shows it.

use std::fmt;
use std::time::Duration;

/// How far a run has come. Given to the function set by `progress`, on the caller's thread.
///
/// `Display` writes what the bar on a terminal says: see
/// [`Pipeline::progress_bar`](crate::Pipeline::progress_bar).
///
/// ```
/// use gapless::{Cause, parallel};
/// let mut run = parallel(|n: &mut u64| Ok::<_, Cause>(*n), 0..8).workers(1).run();
/// run.by_ref().for_each(drop);
/// let progress = run.progress();
/// assert_eq!((progress.delivered, progress.total, progress.eta), (8, Some(8), Some(Default::default())));
/// assert!(progress.to_string().starts_with("8/8  "));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// Documents that came out with a result.
    pub delivered: u64,
    /// Documents that came out as failures.
    pub failed: u64,
    /// Documents that are in flight: pulled, and not out yet.
    pub in_flight: u64,
    /// Documents that there are in all, where that is known: what `total` was told, or what the source
    /// says of itself.
    pub total: Option<u64>,
    /// Time since the run started.
    pub elapsed: Duration,
    /// Documents that came out a second, on average since the start.
    pub per_second: f64,
    /// Time until the rest is out at this rate; `None` where the total is not known or nothing came out yet.
    pub eta: Option<Duration>,
    /// Share of the time so far in which a worker had work, from 0 to 1, averaged over the workers. Work
    /// that goes on counts when it ends.
    pub cpu_busy: f64,
    /// Share of the time so far in which a device had work, from 0 to 1, averaged over the devices. `None`
    /// where there is none.
    pub device_busy: Option<f64>,
    /// Items (batches, with `per_batch`) that are prepared and stand in line for a device, or for the caller
    /// where there is none. Near `tokens`: the workers are ahead. Near 0: the device waits for them.
    pub in_line: u64,
    /// Items that may be in flight; `None` in a sequential run, which holds everything.
    pub tokens: Option<usize>,
}

impl Progress {
    /// Documents that came out, one way or the other.
    pub fn done(&self) -> u64 {
        self.delivered + self.failed
    }

    /// The same with the rate, and the time left, that follow from what came out.
    pub(crate) fn paced(self) -> Self {
        let (done, seconds) = (self.done() as f64, self.elapsed.as_secs_f64());
        let per_second = if seconds > 0.0 { done / seconds } else { 0.0 };
        let left = |total: u64| total.saturating_sub(self.done()) as f64;
        let eta = self.total.and_then(|total| match left(total) {
            0.0 => Some(Duration::ZERO),
            left => Duration::try_from_secs_f64(left / per_second).ok(),
        });
        Self { per_second, eta, ..self }
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.done())?;
        if let Some(total) = self.total {
            write!(f, "/{total}")?;
        }
        if self.failed > 0 {
            write!(f, ", {} failed", self.failed)?;
        }
        let decimals = usize::from(self.per_second < 100.0);
        write!(f, "  {:.decimals$}/s", self.per_second)?;
        match (self.eta, self.total) {
            (Some(eta), _) => write!(f, "  ETA {}", Clock(eta))?,
            (None, Some(_)) => f.write_str("  ETA -")?,
            (None, None) => write!(f, "  {}", Clock(self.elapsed))?,
        }
        write!(f, "  CPU {:.0} %", 100.0 * self.cpu_busy)?;
        if let Some(busy) = self.device_busy {
            write!(f, "  GPU {:.0} %", 100.0 * busy)?;
        }
        write!(f, "  line {}", self.in_line)?;
        if let Some(tokens) = self.tokens {
            write!(f, "/{tokens}")?;
        }
        Ok(())
    }
}

/// Hours, minutes and seconds.
struct Clock(Duration);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        write!(f, "{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }
}

/// Shows to people how far a run has come.
pub(crate) trait Show: Send {
    /// The run goes on.
    fn show(&mut self, progress: &Progress);
    /// The run has ended; nothing is shown after this.
    fn end(&mut self, progress: &Progress, finished: bool);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn half() -> Progress {
        Progress {
            delivered: 509,
            failed: 3,
            in_flight: 64,
            total: Some(1024),
            elapsed: Duration::from_secs(10),
            cpu_busy: 0.984,
            device_busy: Some(0.43),
            in_line: 12,
            tokens: Some(64),
            ..Progress::default()
        }
    }

    #[test]
    fn it_says_all_that_is_known_in_one_line() {
        let text = half().paced().to_string();
        assert_eq!(text, "512/1024, 3 failed  51.2/s  ETA 0:00:10  CPU 98 %  GPU 43 %  line 12/64");
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let open = Progress { total: None, device_busy: None, tokens: None, failed: 0, ..half() };
        assert_eq!(open.paced().to_string(), "509  50.9/s  0:00:10  CPU 98 %  line 12");
    }

    #[test]
    fn before_the_first_result_nobody_knows_how_long_it_takes() {
        let start = Progress { delivered: 0, failed: 0, elapsed: Duration::ZERO, ..half() }.paced();
        assert_eq!((start.per_second, start.eta), (0.0, None));
        assert_eq!(start.to_string(), "0/1024  0.0/s  ETA -  CPU 98 %  GPU 43 %  line 12/64");
    }

    #[test]
    fn a_source_that_gives_more_than_it_said_has_no_time_left() {
        let more = Progress { delivered: 2000, ..half() }.paced();
        assert_eq!(more.eta, Some(Duration::ZERO));
    }
}
