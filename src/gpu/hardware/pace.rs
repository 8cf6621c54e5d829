//! How long an item takes on a device, and so how a batch is cut into submissions: an operating system takes a device
//! away from whoever holds it for two seconds, and whoever draws on the same device waits for each submission.

use std::ops::Range;
use std::time::Duration;

use crate::gpu::plan::{Plan, Step};

/// Multiply-adds that take as long as a byte to be moved, about, on a device of any size.
const MULTIPLY_ADDS_A_BYTE: u64 = 8;

#[derive(Debug)]
pub(super) struct Pace {
    /// Most work of a submission.
    most: Duration,
    item: Duration,
    /// What each step costs beside the others, by what it moves and computes.
    costs: Vec<u64>,
}

/// One submission of a batch: so many of its items through so many steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) rows: Range<u64>,
    pub(super) steps: Range<usize>,
}

impl Pace {
    pub(super) fn new(most: Duration, item: Duration, plan: &Plan) -> Self {
        let cost = |step: &Step| step.bytes + step.read_bytes + step.multiply_adds / MULTIPLY_ADDS_A_BYTE;
        Self { most, item, costs: plan.steps.iter().map(cost).collect() }
    }

    /// Notes what a batch of so many items took.
    pub(super) fn learn(&mut self, rows: usize, taken: Duration) {
        if !taken.is_zero() {
            self.item = taken / rows.max(1) as u32;
        }
    }

    /// Items that a submission of such a batch has.
    pub(super) fn at_once(&self, rows: usize) -> u64 {
        let rows = rows.max(1) as u64;
        let fit = self.most.as_nanos() / self.item.as_nanos().max(1);
        // Parts of one size: a small one at the end would keep the device busy for nothing.
        let parts = rows.div_ceil(u64::try_from(fit).unwrap_or(u64::MAX).max(1));
        rows.div_ceil(parts)
    }

    /// Every submission of a batch, in their order: all steps of some items, or where one item takes too long, some of
    /// the steps.
    pub(super) fn parts(&self, rows: usize) -> impl Iterator<Item = Part> + '_ {
        let (rows, at_once) = (rows as u64, self.at_once(rows));
        let pieces = if at_once > 1 { 1 } else { self.item.as_nanos().div_ceil(self.most.as_nanos().max(1)) };
        let first = Part { rows: 0..at_once.min(rows), steps: 0..self.end(0, pieces) };
        std::iter::successors(Some(first), move |Part { rows: done, steps }| {
            if steps.end < self.costs.len() {
                return Some(Part { rows: done.clone(), steps: steps.end..self.end(steps.end, pieces) });
            }
            let next = done.end..(done.end + at_once).min(rows);
            (!next.is_empty()).then(|| Part { rows: next, steps: 0..self.end(0, pieces) })
        })
    }

    /// Where the steps from here on end that are one of so many equal pieces of all.
    fn end(&self, start: usize, pieces: u128) -> usize {
        let sum = |costs: &[u64]| costs.iter().map(|cost| u128::from(*cost)).sum::<u128>();
        let (all, mut end) = (sum(&self.costs), self.costs.len());
        while end > start + 1 && pieces.max(1) * sum(&self.costs[start..end]) > all {
            end -= 1;
        }
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn pace(item: Duration, costs: &[u64]) -> Pace {
        Pace { most: 200 * MS, item, costs: costs.to_vec() }
    }

    fn parts(pace: &Pace, rows: usize) -> Vec<(Range<u64>, Range<usize>)> {
        pace.parts(rows).map(|part| (part.rows, part.steps)).collect()
    }

    #[test]
    fn a_batch_of_less_work_than_a_submission_may_have_is_one() {
        assert_eq!(parts(&pace(3 * MS, &[1, 1]), 64), [(0..64, 0..2)]);
        assert_eq!(parts(&pace(Duration::ZERO, &[1]), 1), [(0..1, 0..1)]);
    }

    #[test]
    fn a_larger_batch_is_parts_of_one_size() {
        assert_eq!(parts(&pace(4 * MS, &[1, 1]), 64), [(0..32, 0..2), (32..64, 0..2)]);
        assert_eq!(parts(&pace(50 * MS, &[1]), 7), [(0..4, 0..1), (4..7, 0..1)]);
    }

    #[test]
    fn an_item_that_takes_too_long_is_cut_between_its_kernels() {
        let slow = pace(500 * MS, &[30, 20, 40, 60]);
        assert_eq!(
            parts(&slow, 2),
            [(0..1, 0..2), (0..1, 2..3), (0..1, 3..4), (1..2, 0..2), (1..2, 2..3), (1..2, 3..4)]
        );
    }

    #[test]
    fn what_a_batch_took_decides_how_the_next_is_cut() {
        let mut pace = pace(100 * MS, &[1]);
        assert_eq!(pace.at_once(8), 2);
        pace.learn(8, 80 * MS);
        assert_eq!(pace.at_once(8), 8);
        pace.learn(8, Duration::ZERO);
        assert_eq!(pace.at_once(8), 8);
    }
}
