//! What users' own tests ask of a report.

use super::Report;
use crate::observe::bound::Bottleneck;

impl Report {
    /// Fails the test in which it is called unless the run reached this share of the best that any schedule
    /// could have reached with its costs: `wall_s <= bound_s / share`.
    ///
    /// The bound is made of the costs measured in the same run, so this says nothing of how fast the machine
    /// is: it notices a schedule with gaps, and not a stage that became slower. Fill and drain count, so a run
    /// should be long, some dozens of batches, for a share near 1. On a machine that does other work at the
    /// same time a share of 0.9 is kept more easily than 0.98.
    ///
    /// ```
    /// use gapless::{Cause, Pipeline};
    /// # use std::{thread::sleep, time::Duration};
    /// let cpu = |n: &mut u64| { sleep(Duration::from_millis(1)); Ok::<_, Cause>(*n) };
    /// let gpu = |batch: &[u64]| { sleep(Duration::from_millis(4)); Ok::<_, Cause>(batch.to_vec()) };
    /// let mut run = Pipeline::new(cpu, gpu).batch_size(4).workers(4).run(0..100);
    /// run.by_ref().try_for_each(|batch| batch.map(drop))?;
    /// run.report().assert_overlap(0.5);
    /// # Ok::<(), gapless::Error>(())
    /// ```
    ///
    /// # Panics
    /// With the whole report, where the run took longer, or did nothing.
    #[track_caller]
    pub fn assert_overlap(&self, share: f64) {
        let reached = if self.wall_s > 0.0 { self.bound_s / self.wall_s } else { 0.0 };
        assert!(
            reached >= share,
            "the run reached {:.1} % of the best that any schedule could reach, and {:.1} % were asked for\n{self}",
            reached * 100.0,
            share * 100.0
        );
    }

    /// Fails the test in which it is called unless this was what the run could not be faster than.
    ///
    /// ```
    /// use gapless::{Bottleneck, Cause, Pipeline};
    /// # use std::{thread::sleep, time::Duration};
    /// let cpu = |n: &mut u64| Ok::<_, Cause>(*n);
    /// let gpu = |batch: &[u64]| { sleep(Duration::from_millis(5)); Ok::<_, Cause>(batch.to_vec()) };
    /// let mut run = Pipeline::new(cpu, gpu).workers(2).run(0..100);
    /// run.by_ref().try_for_each(|batch| batch.map(drop))?;
    /// run.report().assert_bottleneck(Bottleneck::Gpu);
    /// # Ok::<(), gapless::Error>(())
    /// ```
    ///
    /// # Panics
    /// With the whole report, where it was another.
    #[track_caller]
    pub fn assert_bottleneck(&self, expected: Bottleneck) {
        let found = self.bottleneck;
        assert!(found == expected, "the bottleneck is the {found}, and the {expected} was expected\n{self}");
    }
}
