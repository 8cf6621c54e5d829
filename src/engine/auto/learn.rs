//! What is measured of a run for its decisions, and when it is enough.

use super::choose::Estimate;
use crate::observe::fit::{BatchCost, Fit};

/// Sizes that are this far apart tell the launch from the documents.
const APART: usize = 8;
/// Batches that tell it where sizes are less far apart.
const SEVERAL: u64 = 6;
/// Batches after which a decision is made whatever their sizes.
const PATIENCE: u64 = 64;
/// Batches of the first look after a decision.
const FIRST_LOOK: u64 = 8;
/// A supply that takes so many times as long as before asks for another decision.
const DRIFT: f64 = 1.5;
/// Batches that take so many times as long as was expected: what was learnt does not hold.
const WRONG: f64 = 1.25;

/// Totals of a run, in seconds and documents.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    pub(super) prepare: f64,
    pub(super) prepared: u64,
    pub(super) then: f64,
    pub(super) source: f64,
    pub(super) pulled: u64,
}

/// Batches that the devices ran.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    batches: u64,
    items: u64,
    seconds: f64,
}

/// What a second look finds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Look {
    /// Estimate are what they were.
    Same,
    /// Documents come at another pace, and these are the costs now.
    Others(Estimate),
    /// Batches take another time than was expected: their costs have to be learnt anew.
    Wrong(Estimate),
}

#[derive(Debug, Default)]
pub(super) struct Learned {
    all: Fit,
    /// Without the first batch, which may hold what a device does once.
    later: Fit,
    least: usize,
    most: usize,
    /// Batches since learning began.
    fresh: u64,
    ran: Tally,
    /// Since the last look.
    recent: Tally,
    /// At the last look.
    before: Totals,
    next_look: u64,
}

impl Learned {
    /// Counts a batch that a device ran.
    pub(super) fn add(&mut self, items: usize, seconds: f64) {
        if self.fresh > 0 {
            self.later.add(items as u64, seconds);
        }
        self.all.add(items as u64, seconds);
        self.least = if self.fresh == 0 { items } else { self.least.min(items) };
        self.most = self.most.max(items);
        self.fresh += 1;
        for ran in [&mut self.ran, &mut self.recent] {
            ran.batches += 1;
            ran.items += items as u64;
            ran.seconds += seconds;
        }
    }

    /// Documents that the devices ran.
    pub(super) fn items(&self) -> u64 {
        self.ran.items
    }

    /// Whether enough is known for a decision: batches of sizes so far apart that the launch can be told from
    /// the documents, a full batch and a smaller one, or several of more than one size.
    ///
    /// Sizes grow while a device has nothing to do, and then it loses nothing by more of them.
    pub(super) fn enough(&self, largest: usize) -> bool {
        let apart = self.most > self.least
            && (self.most >= APART * self.least || self.most >= largest || self.fresh >= SEVERAL);
        apart || self.fresh >= PATIENCE
    }

    /// Whether so many batches of any size are there.
    pub(super) fn several(&self, batches: u64) -> bool {
        self.fresh >= batches
    }

    /// Learns the costs of a batch anew.
    pub(super) fn forget(&mut self) {
        (self.all, self.later, self.fresh, self.most) = (Fit::default(), Fit::default(), 0, 0);
    }

    /// Whether it is time to look again: at twice as many batches as at the last look.
    pub(super) fn is_due(&self) -> bool {
        self.ran.batches >= self.next_look
    }

    /// The costs so far, for the first decision.
    pub(super) fn costs(&self, totals: &Totals, slowest: f64) -> Estimate {
        let later = self.later.cost().filter(|cost| cost.knows_other_sizes() && self.fresh > 3);
        let cost = later.or_else(|| self.all.cost());
        let (launch, item) = match cost {
            Some(BatchCost::Line { launch, item }) => (launch, item),
            Some(BatchCost::OneSize { seconds, .. }) => (seconds, 0.0),
            None => (0.0, 0.0),
        };
        self.with_cpu(Estimate { launch, item, slowest, ..Estimate::default() }, totals, self.ran.items)
    }

    fn with_cpu(&self, costs: Estimate, totals: &Totals, ran: u64) -> Estimate {
        let share = |now: f64, before: f64, count: u64, otherwise: f64| {
            if count == 0 { otherwise } else { (now - before).max(0.0) / count as f64 }
        };
        let before = &self.before;
        let prepared = totals.prepared.saturating_sub(before.prepared);
        let prepare = share(totals.prepare, before.prepare, prepared, costs.cpu);
        let then = share(totals.then, before.then, ran, 0.0);
        let pulled = totals.pulled.saturating_sub(before.pulled);
        let source = share(totals.source, before.source, pulled, costs.source);
        Estimate { cpu: prepare + then, source, ..costs }
    }

    /// Compares the costs since the last look with those that the last decision rests on.
    pub(super) fn look(&self, from: &Estimate, totals: &Totals, slowest: f64) -> Look {
        let Tally { batches, items, seconds } = self.recent;
        let expected = batches as f64 * from.launch + items as f64 * from.item;
        let factor = if expected > 0.0 { seconds / expected } else { 1.0 };
        let now = Estimate { launch: from.launch * factor, item: from.item * factor, slowest, ..*from };
        let now = self.with_cpu(now, totals, items);
        let far = |times: f64, one: f64, other: f64| one > times * other || other > times * one;
        if far(WRONG, seconds, expected) {
            Look::Wrong(now)
        } else if far(DRIFT, now.cpu, from.cpu) || far(DRIFT, now.source, from.source) {
            Look::Others(now)
        } else {
            Look::Same
        }
    }

    /// Remembers that this was looked at.
    pub(super) fn looked(&mut self, totals: Totals) {
        self.next_look = 2 * self.ran.batches.max(FIRST_LOOK / 2);
        self.recent = Tally::default();
        self.before = totals;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOTALS: Totals = Totals { prepare: 1.0, prepared: 10, then: 0.0, source: 0.1, pulled: 20 };

    fn learned(batches: &[(usize, f64)]) -> Learned {
        let mut learned = Learned::default();
        batches.iter().for_each(|&(items, seconds)| learned.add(items, seconds));
        learned
    }

    #[test]
    fn sizes_far_apart_or_a_full_batch_or_several_are_enough() {
        assert!(!learned(&[(1, 1.0)]).enough(64) && !learned(&[(4, 1.0), (4, 1.0)]).enough(4));
        assert!(learned(&[(1, 1.0), (8, 1.0)]).enough(64));
        assert!(learned(&[(1, 1.0), (2, 1.0)]).enough(2));
        assert!(!learned(&[(1, 1.0), (2, 1.0), (4, 1.0)]).enough(64));
        assert!(learned(&[(1, 1.0), (2, 1.0), (3, 1.0), (3, 1.0), (3, 1.0), (3, 1.0)]).enough(64));
        assert!(learned(&[(1, 1.0); 64]).enough(64) && !learned(&[(1, 1.0); 63]).enough(64));
    }

    #[test]
    fn the_first_batch_is_left_out_as_soon_as_others_tell_enough() {
        let costs = learned(&[(1, 100.0), (2, 4.0), (4, 6.0), (8, 10.0)]).costs(&TOTALS, 0.2);
        assert!((costs.launch - 2.0).abs() < 1e-9 && (costs.item - 1.0).abs() < 1e-9, "{costs:?}");
        assert_eq!((costs.cpu, costs.source, costs.slowest), (0.1, 0.005, 0.2));
        let costs = learned(&[(1, 3.0), (64, 66.0)]).costs(&TOTALS, 0.2);
        assert!((costs.launch - 2.0).abs() < 1e-9, "two batches are all there is: {costs:?}");
    }

    #[test]
    fn costs_are_looked_at_again_at_twice_as_many_batches() {
        let mut learned = learned(&[(1, 1.0), (4, 1.0)]);
        learned.looked(TOTALS);
        let looks = (0..1000).filter(|_| {
            learned.add(4, 1.0);
            let due = learned.is_due();
            if due {
                learned.looked(TOTALS);
            }
            due
        });
        // At 8, 16, … and 512 batches.
        assert_eq!(looks.count(), 7);
    }

    #[test]
    fn a_look_tells_another_pace_from_batches_that_take_another_time() {
        let mut learned = learned(&[(1, 3.0), (4, 6.0)]);
        let costs = learned.costs(&TOTALS, 0.2);
        learned.looked(TOTALS);
        learned.add(4, 6.5);
        let later = Totals { prepare: 2.0, prepared: 20, source: 0.2, pulled: 40, ..TOTALS };
        assert_eq!(learned.look(&costs, &later, 0.2), Look::Same);
        let slower = Totals { prepare: 4.0, ..later };
        assert!(matches!(learned.look(&costs, &slower, 0.2), Look::Others(now) if now.cpu > 2.9 * costs.cpu));
        learned.add(4, 20.0);
        assert!(matches!(learned.look(&costs, &later, 0.2), Look::Wrong(now) if now.launch > costs.launch));
        learned.forget();
        assert!(!learned.several(1) && learned.items() == 13, "only the costs of a batch are forgotten");
    }
}
