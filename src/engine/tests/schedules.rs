//! Random schedules: how many of them, and where they start.

use std::panic::{AssertUnwindSafe, catch_unwind};

use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, MaxSteps, Runner};

/// Schedules of each kind; a longer run sets `GAPLESS_SCHEDULES`.
pub(super) fn schedules() -> usize {
    from_env("GAPLESS_SCHEDULES", 25_000) as usize
}

/// Where the schedules start; another `GAPLESS_SCHEDULE_SEED` gives others.
fn seed() -> u64 {
    from_env("GAPLESS_SCHEDULE_SEED", 0x5eed)
}

fn from_env(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

pub(super) fn check_random(schedules: usize, run: impl Fn() + Send + Sync + 'static) {
    Runner::new(RandomScheduler::new_from_seed(seed(), schedules), config()).run(run);
}

/// Few changes of priority at random places: finds bugs that need one thread to be very late.
pub(super) fn check_adversarial(schedules: usize, run: impl Fn() + Send + Sync + 'static) {
    Runner::new(PctScheduler::new_from_seed(seed(), 3, schedules), config()).run(run);
}

fn config() -> Config {
    let mut config = Config::new();
    config.max_steps = MaxSteps::FailAfter(50_000);
    config.failure_persistence = shuttle::FailurePersistence::None;
    config
}

/// For bugs that need one thread to be very late in a few steps of another.
pub(super) fn found_by_either(run: impl Fn() + Clone + Send + Sync + 'static) {
    let random = run.clone();
    let found = catch_unwind(AssertUnwindSafe(|| check_adversarial(5_000, run))).is_err()
        || catch_unwind(AssertUnwindSafe(|| check_random(5_000, random))).is_err();
    assert!(found, "thousands of schedules must find the planted bug");
}

pub(super) fn found_by_both(run: impl Fn() + Clone + Send + Sync + 'static) {
    let random = run.clone();
    let by_random = catch_unwind(AssertUnwindSafe(|| check_random(1_000, random)));
    assert!(by_random.is_err(), "a thousand random schedules must find the planted bug");
    let by_adversary = catch_unwind(AssertUnwindSafe(|| check_adversarial(1_000, run)));
    assert!(by_adversary.is_err(), "a thousand adversarial schedules must find the planted bug");
}
