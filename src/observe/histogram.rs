//! How durations are distributed, in counters of a fixed number.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::moment::nanos;

/// Buckets to a doubling; their middle is at most 1/32 away from any duration in them.
const FINE: u64 = 16;
/// Doublings that are told apart: up to 2^44 ns, nearly five hours.
const DOUBLINGS: u64 = 44;
const BUCKETS: usize = (FINE + (DOUBLINGS - 4) * FINE) as usize;

/// Log-linear buckets of durations: a relaxed counter each, so that taking one in is one addition.
#[derive(Debug)]
pub(crate) struct Histogram(Box<[AtomicU64]>);

impl Default for Histogram {
    fn default() -> Self {
        Self((0..BUCKETS).map(|_| AtomicU64::new(0)).collect())
    }
}

/// Bucket of a duration in nanoseconds: below 16 one each, above 16 to a doubling.
fn bucket(nanos: u64) -> usize {
    let doubling = u64::from(nanos.max(FINE).ilog2()) - 4;
    let bucket = doubling * FINE + (nanos >> doubling);
    usize::try_from(bucket).unwrap_or(usize::MAX).min(BUCKETS - 1)
}

/// Middle of a bucket, in nanoseconds.
fn middle(bucket: usize) -> f64 {
    let bucket = bucket as u64;
    if bucket < FINE {
        return bucket as f64;
    }
    let doubling = bucket / FINE - 1;
    let first = (bucket - doubling * FINE) << doubling;
    first as f64 + ((1_u64 << doubling) - 1) as f64 / 2.0
}

impl Histogram {
    /// Takes `count` neighbours in that took `time` together, each as long as their mean.
    pub(crate) fn add(&self, time: Duration, count: usize) {
        if count > 0 {
            self.0[bucket(nanos(time) / count as u64)].fetch_add(count as u64, Ordering::Relaxed);
        }
    }

    pub(crate) fn distribution(&self) -> Distribution {
        let counts: Vec<u64> = self.0.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let count: u64 = counts.iter().sum();
        let at = |share: f64| {
            let rank = (share * count as f64).ceil() as u64;
            let mut before = 0;
            let place = counts.iter().position(|count| {
                before += count;
                before >= rank
            });
            if count == 0 { 0.0 } else { place.map_or(0.0, middle) / 1e9 }
        };
        Distribution { count, p50_s: at(0.5), p90_s: at(0.9), p99_s: at(0.99) }
    }
}

/// How the durations of one thing are distributed, in seconds, within 3.2 %.
///
/// A `p99_s` far above `p50_s`: a few are slow, and make the others wait where the order is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Distribution {
    /// How many there were; 0 where it was not measured.
    pub count: u64,
    /// Half of them took no longer.
    pub p50_s: f64,
    /// Nine of ten took no longer.
    pub p90_s: f64,
    /// Ninety-nine of a hundred took no longer.
    pub p99_s: f64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_duration_comes_back_within_a_thirty_second_part(time in 0_u64..1 << DOUBLINGS) {
            let back = middle(bucket(time));
            prop_assert!((back - time as f64).abs() <= time as f64 / 32.0, "{time} came back as {back}");
        }

        #[test]
        fn a_longer_duration_is_never_in_an_earlier_bucket(one: u64, other: u64) {
            prop_assert_eq!(bucket(one).cmp(&bucket(other)).is_gt() && one < other, false);
        }
    }

    #[test]
    fn every_bucket_holds_its_own_middle() {
        for place in 0..BUCKETS {
            assert_eq!(bucket(middle(place) as u64), place);
        }
    }

    #[test]
    fn the_shares_are_those_of_what_was_taken_in() {
        let histogram = Histogram::default();
        (1..=100).for_each(|millis| histogram.add(Duration::from_millis(millis), 1));
        let Distribution { count, p50_s, p90_s, p99_s } = histogram.distribution();
        assert_eq!(count, 100);
        for (measured, exact) in [(p50_s, 0.050), (p90_s, 0.090), (p99_s, 0.099)] {
            assert!((measured / exact - 1.0).abs() <= 1.0 / 32.0, "{measured} is not {exact}");
        }
    }

    #[test]
    fn a_group_counts_as_so_many_of_its_mean() {
        let histogram = Histogram::default();
        histogram.add(Duration::from_nanos(80), 8);
        histogram.add(Duration::from_secs(1), 0);
        assert_eq!(
            histogram.distribution(),
            Distribution { count: 8, p50_s: 1e-8, p90_s: 1e-8, p99_s: 1e-8 }
        );
    }

    #[test]
    fn nothing_has_no_times() {
        assert_eq!(Histogram::default().distribution(), Distribution::default());
    }
}
