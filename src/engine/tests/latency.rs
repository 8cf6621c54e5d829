//! How long documents of a live source are on their way, under manual time: with a batch size that is left to gapless
//! against the best of the fixed ones.

use std::time::Duration;

use super::fake::{Doc, FakeDevice, PerDoc, Setup, docs, take};
use crate::engine::road::job::AsItIs;
use crate::engine::seam::{Seam, manual::World};
use crate::engine::settings::{Asked, Settings, WorkerCount};
use crate::observe::predict::tests::Random;

const AUTO: Asked = Asked { batch_size: true, ahead: false, ramp: false, ramp_is_set: false };
/// The largest batch.
const LARGEST: usize = 64;

/// A service: how often requests come, what they cost, and how soon they should be answered, in microseconds.
#[derive(Clone, Copy, Debug)]
struct Service {
    /// Mean time between two requests, or two bursts of them.
    every: u64,
    burst: u64,
    launch: u64,
    item: u64,
    target: u64,
}

fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

impl Service {
    /// When each request comes, whether it is taken or not.
    fn arrivals(&self) -> Vec<Duration> {
        let (mut random, mut now) = (Random(7), 0);
        let next = |id: u64| {
            // Between nothing and twice the mean after the one before.
            now += if id.is_multiple_of(self.burst) { random.below(2 * self.every + 1) } else { 0 };
            micros(now)
        };
        (0..200).map(next).collect()
    }

    /// Seconds in which half of the requests are answered.
    fn p50(&self, asked: Asked, batch_size: usize) -> f64 {
        let world = World::new();
        let seam = Seam::Manual(world.clone());
        let _this_thread = world.enter();
        let setup = Setup {
            devices: vec![FakeDevice::new(&seam, 1, micros(self.launch), micros(self.item))],
            seam,
            cpu_cost: micros(50),
            begins_futures: false,
            sequential: false,
        };
        let settings = Settings {
            batch_size,
            asked,
            max_wait: Some(micros(1)),
            target_latency: Some(micros(self.target)),
            ..Settings::default()
        };
        let settings = settings.told(|common| common.workers = WorkerCount::Exactly(4));
        let (arrivals, clock) = (self.arrivals(), world.clone());
        let comes = arrivals.clone();
        let source = docs(200).inspect(move |document: &Doc| {
            clock.sleep(comes[document.id as usize].saturating_sub(clock.now()));
        });
        let run = setup.start::<PerDoc<AsItIs>>(AsItIs(()), settings, source);
        let mut run = run.expect("these settings can work");
        let mut took = Vec::new();
        while let Some(delivery) = run.next() {
            let documents = delivery.expect("nothing fails").documents;
            took.extend(documents.iter().map(|document| world.now() - arrivals[document.id as usize]));
        }
        took.sort();
        took[took.len() / 2].as_secs_f64()
    }

    /// Whether the device gets through what comes, with batches as large as they may be.
    fn keeps_up(&self) -> bool {
        let batch = self.launch + self.item * LARGEST as u64;
        batch * self.burst * 10 <= 9 * self.every * LARGEST as u64
    }
}

#[test]
fn a_batch_size_that_is_left_open_costs_a_live_source_next_to_nothing() {
    for every in [200, 1_000, 4_000] {
        for (launch, item) in [(2_000, 0), (2_000, 100), (200, 200), (50, 400)] {
            for burst in [1, 20] {
                let service = Service { every: every * burst, burst, launch, item, target: 20_000 };
                if !service.keeps_up() {
                    continue;
                }
                let sizes = [1, 4, 16, LARGEST];
                let fixed = sizes.map(|size| service.p50(Asked::default(), size));
                let (best, auto) =
                    (fixed.into_iter().fold(f64::INFINITY, f64::min), service.p50(AUTO, LARGEST));
                let tenth = service.target as f64 / 1e6 / 10.0;
                assert!(auto <= best + tenth, "{service:?}: {auto} s, and {fixed:?} with fixed sizes");
            }
        }
    }
}

#[test]
fn what_is_told_of_latency_is_from_the_pull_and_without_the_wait_for_a_batch() {
    let world = World::new();
    let seam = Seam::Manual(world.clone());
    let _this_thread = world.enter();
    let device = FakeDevice::new(&seam, 1, micros(1_000), Duration::ZERO);
    let setup = Setup {
        devices: vec![device],
        seam,
        cpu_cost: micros(500),
        begins_futures: false,
        sequential: false,
    };
    let settings = Settings { batch_size: 8, max_wait: Some(micros(50_000)), ..Settings::default() };
    let settings = settings.told(|common| common.workers = WorkerCount::Exactly(1));
    // Both are there at once, and one worker prepares them: the first waits for the second, which is on its way.
    let run = setup.start::<PerDoc<AsItIs>>(AsItIs(()), settings, docs(2));
    let mut run = run.expect("these settings can work");
    assert_eq!(take(&mut run, usize::MAX).batches, [[0, 1]]);
    let latency = run.report().latency.expect("the source is live");
    let near = |one: f64, other: f64| (one / other - 1.0).abs() < 0.04;
    assert!(near(latency.whole.p50_s, 0.002) && near(latency.whole.p99_s, 0.002), "{latency:?}");
    assert!(
        near(latency.without_wait.p50_s, 0.0015) && near(latency.without_wait.p99_s, 0.002),
        "{latency:?}"
    );
}
