//! When something was, by the clock of a run.
//!
//! It is a type and not a duration, so that nothing subtracts two of them as numbers. Threads hand each other what
//! they read of the clock, so what is taken for the earlier of two may be the later, and a duration that is less
//! than zero panics.

use std::time::Duration;

/// A moment of a run: the time since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(Duration);

impl Moment {
    pub(crate) const ZERO: Self = Self(Duration::ZERO);

    /// So long after the start.
    #[inline]
    pub(crate) const fn at(time: Duration) -> Self {
        Self(time)
    }

    #[inline]
    pub(crate) const fn from_nanos(nanos: u64) -> Self {
        Self(Duration::from_nanos(nanos))
    }

    #[inline]
    pub(crate) fn nanos(self) -> u64 {
        nanos(self.0)
    }

    /// Seconds since the start.
    #[inline]
    pub(crate) fn as_secs_f64(self) -> f64 {
        self.0.as_secs_f64()
    }

    /// Time that has passed since the other; none where that is later.
    #[inline]
    pub(crate) fn since(self, other: Self) -> Duration {
        self.0.saturating_sub(other.0)
    }

    /// So long after this; the last moment that there is, where that would be later still.
    #[inline]
    pub(crate) fn plus(self, time: Duration) -> Self {
        Self(self.0.saturating_add(time))
    }
}

/// Nanoseconds, never all ones, which stand for no time.
pub(crate) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_that_is_earlier_has_had_no_time_since_a_later_one() {
        let [early, late] = [1, 3].map(Moment::from_nanos);
        assert_eq!(late.since(early), Duration::from_nanos(2));
        assert_eq!(early.since(late), Duration::ZERO);
    }

    #[test]
    fn the_last_moment_is_never_passed() {
        let never = Moment::from_nanos(1).plus(Duration::MAX);
        assert_eq!(never, Moment::at(Duration::MAX));
        assert_eq!(never.nanos(), u64::MAX - 1);
    }
}
