//! What a batch costs a device: `a + b·n`, fitted to the batches of a run.
//!
//! It keeps sums and no batch. Where all batches had one size nothing says how the cost is shared
//! between the launch and the items, and it says so instead of guessing.

use super::predict::Costs;

/// Running sums over measured batches.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Fit {
    batches: u64,
    least: u64,
    most: u64,
    mean_items: f64,
    mean_seconds: f64,
    /// Sum of (items - mean)².
    spread: f64,
    /// Sum of (items - mean)(seconds - mean).
    common: f64,
}

/// What is known of the cost of a batch, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum BatchCost {
    /// All batches had this size, and took so long on average.
    OneSize { items: u64, seconds: f64 },
    /// `launch + item · n`, both at least 0.
    Line { launch: f64, item: f64 },
}

impl Fit {
    /// Counts a batch. First batches that hold warm-up are better left out.
    pub(crate) fn add(&mut self, items: u64, seconds: f64) {
        self.least = if self.batches == 0 { items } else { self.least.min(items) };
        self.most = self.most.max(items);
        self.batches += 1;
        let count = self.batches as f64;
        let (from_items, from_seconds) = (items as f64 - self.mean_items, seconds - self.mean_seconds);
        self.mean_items += from_items / count;
        self.mean_seconds += from_seconds / count;
        self.spread += from_items * (items as f64 - self.mean_items);
        self.common += from_items * (seconds - self.mean_seconds);
    }

    /// Counts the batches of another device, which is taken to be the same kind.
    pub(crate) fn merge(&mut self, other: &Self) {
        if self.batches == 0 || other.batches == 0 {
            *self = if self.batches == 0 { *other } else { *self };
            return;
        }
        let (own, others) = (self.batches as f64, other.batches as f64);
        let count = own + others;
        let items = other.mean_items - self.mean_items;
        let seconds = other.mean_seconds - self.mean_seconds;
        self.spread += other.spread + items * items * own * others / count;
        self.common += other.common + items * seconds * own * others / count;
        self.mean_items += items * others / count;
        self.mean_seconds += seconds * others / count;
        self.least = self.least.min(other.least);
        self.most = self.most.max(other.most);
        self.batches += other.batches;
    }

    /// The cost, by least squares with both numbers held at 0 or more; `None` before the first batch.
    pub(crate) fn cost(&self) -> Option<BatchCost> {
        match self.batches {
            0 => None,
            _ if self.least == self.most => {
                Some(BatchCost::OneSize { items: self.least, seconds: self.mean_seconds.max(0.0) })
            }
            _ => Some(self.line()),
        }
    }

    fn line(&self) -> BatchCost {
        let item = self.common / self.spread;
        let launch = self.mean_seconds - item * self.mean_items;
        if item <= 0.0 {
            return BatchCost::Line { launch: self.mean_seconds.max(0.0), item: 0.0 };
        }
        if launch < 0.0 {
            return BatchCost::Line { launch: 0.0, item: self.through_nothing() };
        }
        BatchCost::Line { launch, item }
    }

    /// The cost an item, where a launch costs nothing: Σ n·t / Σ n².
    fn through_nothing(&self) -> f64 {
        let count = self.batches as f64;
        let products = self.common + count * self.mean_items * self.mean_seconds;
        let squares = self.spread + count * self.mean_items * self.mean_items;
        (products / squares).max(0.0)
    }
}

impl BatchCost {
    /// The costs that hold for batches of the sizes that were seen: all of one size are taken as one launch.
    pub(crate) fn on(self, costs: Costs) -> Costs {
        match self {
            Self::OneSize { seconds, .. } => costs.gpu(seconds, 0.0),
            Self::Line { launch, item } => costs.gpu(launch, item),
        }
    }

    /// Whether the cost of a batch of another size is known too.
    pub(crate) fn knows_other_sizes(self) -> bool {
        matches!(self, Self::Line { .. })
    }
}

/// The batches of one device: the first holds warm-up, and counts only while there is no other.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DeviceFit {
    first: Fit,
    others: Fit,
}

impl DeviceFit {
    /// Counts a batch.
    pub(crate) fn add(&mut self, items: u64, seconds: f64) {
        let fit = if self.first == Fit::default() { &mut self.first } else { &mut self.others };
        fit.add(items, seconds);
    }

    /// The batches that count.
    pub(crate) fn fit(&self) -> Fit {
        if self.others == Fit::default() { self.first } else { self.others }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(batches: &[(u64, f64)]) -> Option<BatchCost> {
        let mut fit = Fit::default();
        batches.iter().for_each(|&(items, seconds)| fit.add(items, seconds));
        fit.cost()
    }

    fn near(cost: Option<BatchCost>, launch: f64, item: f64) {
        let Some(BatchCost::Line { launch: a, item: b }) = cost else { panic!("{cost:?}") };
        assert!((a - launch).abs() < 1e-12 && (b - item).abs() < 1e-12, "{a} + {b} n");
    }

    #[test]
    fn nothing_is_known_before_the_first_batch() {
        assert_eq!(fitted(&[]), None);
    }

    #[test]
    fn batches_of_one_size_say_what_that_size_costs_and_no_more() {
        let cost = fitted(&[(16, 2.0), (16, 4.0)]).expect("two batches were seen");
        assert_eq!(cost, BatchCost::OneSize { items: 16, seconds: 3.0 });
        assert!(!cost.knows_other_sizes());
    }

    #[test]
    fn batches_of_several_sizes_say_what_the_launch_and_an_item_cost() {
        near(fitted(&[(1, 0.35), (2, 0.45), (4, 0.65), (16, 1.85), (16, 1.85)]), 0.25, 0.1);
    }

    #[test]
    fn noise_never_makes_a_cost_negative() {
        near(fitted(&[(1, 2.0), (16, 1.0)]), 1.5, 0.0);
        near(fitted(&[(1, 0.0), (2, 1.0), (3, 3.5)]), 0.0, (2.0 + 10.5) / 14.0);
    }

    #[test]
    fn the_first_batch_of_a_device_counts_only_while_there_is_no_other() {
        let mut device = DeviceFit::default();
        assert_eq!(device.fit().cost(), None);
        device.add(16, 9.0);
        assert_eq!(device.fit().cost(), Some(BatchCost::OneSize { items: 16, seconds: 9.0 }));
        device.add(16, 1.0);
        assert_eq!(device.fit().cost(), Some(BatchCost::OneSize { items: 16, seconds: 1.0 }));
    }

    #[test]
    fn two_devices_are_fitted_as_one() {
        let batches = [(1, 0.35), (2, 0.50), (4, 0.62), (16, 1.80), (7, 0.9)];
        let mut one = Fit::default();
        let mut other = Fit::default();
        batches[..2].iter().for_each(|&(items, seconds)| one.add(items, seconds));
        batches[2..].iter().for_each(|&(items, seconds)| other.add(items, seconds));
        one.merge(&other);
        let Some(BatchCost::Line { launch, item }) = fitted(&batches) else { panic!("sizes differ") };
        near(one.cost(), launch, item);
        let mut none = Fit::default();
        none.merge(&one);
        assert_eq!(none, one);
    }
}
