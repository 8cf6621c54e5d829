//! Who goes next, how much of it at once, and how long a look may take.
//!
//! # The law of the turns
//! A worker that is free takes the oldest document there is: a unit of `then` before any preparation, since its
//! document has come further, and preparation in the order of the source.

use std::time::Duration;

/// Work that a group should hold: below this the engine's own cost shows.
pub(crate) const GROUP_WORK: Duration = Duration::from_micros(50);
/// Units that a worker's share of a whole is taken in, so that no group holds up a batch.
const UNITS_A_WORKER: usize = 4;
/// Bounds of the short wait, in nanoseconds.
const SHORT: [u128; 2] = [50_000, 2_000_000];

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The oldest unit of `then`.
    Then,
    /// The oldest unit of preparation.
    Prepare,
}

/// Whose turn it is, where units of `then` or of preparation stand ready.
pub(crate) fn next(then: bool, prepare: bool) -> Option<Turn> {
    match (then, prepare) {
        (true, _) => Some(Turn::Then),
        (false, true) => Some(Turn::Prepare),
        (false, false) => None,
    }
}

/// Rows of a batch that are worked on in one go, in `then`.
pub(crate) fn rows_in_unit(rows: usize, workers: usize) -> usize {
    rows.div_ceil(UNITS_A_WORKER * workers.max(1)).max(1)
}

/// How long a device thread with room for one more batch waits for it before it looks at the device again, in
/// nanoseconds, where its last batch took so long: long enough not to spin, short enough not to leave a result
/// lying.
pub(crate) fn short_wait_nanos(last_took: u128) -> u128 {
    (last_took / 32).clamp(SHORT[0], SHORT[1])
}

/// The same as a duration.
pub(crate) fn short_wait(last_took: Duration) -> Duration {
    let nanos = short_wait_nanos(last_took.as_nanos());
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// Measured work on one item before the first was measured, in nanoseconds.
pub(crate) const UNKNOWN: u64 = u64::MAX;

/// What one item is taken to cost after a group of so many took so long, in nanoseconds.
///
/// It grows at once and falls slowly: one slow document must not stand in a long group.
pub(crate) fn cost_after(before: u64, group: Duration, items: usize) -> u64 {
    let each = group.as_nanos() / items.max(1) as u128;
    let measured = u64::try_from(each).unwrap_or(u64::MAX).min(UNKNOWN - 1);
    if before == UNKNOWN { measured } else { measured.max(before - before / 4) }
}

/// How many items a worker takes in one go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Groups {
    /// Most, where measured time decides.
    pub(crate) most: usize,
    /// So many, where that was asked for.
    pub(crate) fixed: Option<usize>,
}

impl Groups {
    /// A quarter of a worker's share of the tokens at most. One where there are no workers and the caller does
    /// everything: what it does next must not depend on measured time.
    pub(crate) fn new(tokens: usize, workers: usize, fixed: Option<usize>) -> Self {
        let most = if workers == 0 { 1 } else { (tokens / (UNITS_A_WORKER * workers)).max(1) };
        Self { most, fixed }
    }

    /// Items for the next group: one at first, then as many as make a group worth its while, where one item
    /// costs so many nanoseconds; [`UNKNOWN`] before the first.
    pub(crate) fn size(self, cost: u64) -> usize {
        match (self.fixed, cost) {
            (Some(items), _) => items,
            (None, UNKNOWN) => 1,
            (None, cost) => {
                let items = GROUP_WORK.as_nanos() / u128::from(cost.max(1));
                usize::try_from(items).unwrap_or(usize::MAX).clamp(1, self.most)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_has_come_further_goes_first() {
        assert_eq!(next(true, true), Some(Turn::Then));
        assert_eq!(next(false, true), Some(Turn::Prepare));
        assert_eq!(next(false, false), None);
    }

    #[test]
    fn rows_are_shared_out_in_quarters_of_a_workers_share() {
        let units =
            [(16, 1), (16, 4), (17, 4), (3, 8), (0, 4), (16, 0)].map(|(rows, of)| rows_in_unit(rows, of));
        assert_eq!(units, [4, 1, 2, 1, 1, 4]);
    }

    #[test]
    fn a_short_wait_is_a_part_of_a_batch_within_bounds() {
        let waits = [0, 3_200, 6_400, 1_000_000].map(|micros| short_wait(Duration::from_micros(micros)));
        assert_eq!(waits, [50, 100, 200, 2_000].map(Duration::from_micros));
        assert_eq!(short_wait_nanos(3_200_031), 100_000, "whole nanoseconds, rounded down");
    }

    #[test]
    fn groups_grow_until_they_are_worth_their_while_and_no_further_than_the_share() {
        let groups = Groups::new(64, 4, None);
        assert_eq!([UNKNOWN, 60_000, 20_000, 1, 0].map(|cost| groups.size(cost)), [1, 1, 2, 4, 4]);
        assert_eq!(Groups::new(64, 4, Some(9)).size(1), 9);
        assert_eq!(Groups::new(64, 0, None).size(1), 1, "the caller takes one after the other");
        assert_eq!(Groups::new(1, 4, None).size(1), 1);
    }

    #[test]
    fn a_slow_document_counts_at_once_and_is_forgotten_slowly() {
        let micros = Duration::from_micros;
        assert_eq!(cost_after(UNKNOWN, micros(8), 4), 2_000);
        assert_eq!(cost_after(2_000, micros(50), 1), 50_000);
        assert_eq!(cost_after(50_000, micros(2), 1), 37_500);
        assert_eq!(cost_after(UNKNOWN, Duration::MAX, 1), UNKNOWN - 1, "what was measured is known");
    }
}
