//! What the report says of a run whose costs are known, under manual time.

use std::time::Duration;

use super::fake::{Doc, FakeDevice, Fault, PerDoc, Setup, docs, take};
use crate::engine::outlet::caller::Caller;
use crate::engine::road::job::{AsItIs, Job, Then};
use crate::engine::seam::{Seam, manual::World};
use crate::engine::settings::{Settings, WorkerCount};
use crate::observe::bound::Bottleneck;
use crate::observe::histogram::Distribution;
use crate::observe::report::Report;
use crate::observe::stalls::Stalls;

const SECOND: Duration = Duration::from_secs(1);

/// A device at 1/8 s a document.
fn halves(world: &World, cpu_cost: Duration) -> Setup {
    let seam = Seam::Manual(world.clone());
    let device = FakeDevice::new(&seam, 1, Duration::ZERO, SECOND / 8);
    Setup { devices: vec![device], seam, cpu_cost, begins_futures: false, sequential: false }
}

fn settings() -> Settings {
    Settings::default().told(|common| common.workers = WorkerCount::Exactly(4))
}

/// Takes everything, with so long between two results.
fn run<J: Job<Document = Doc>>(world: &World, started: Caller<J>, between: Duration) -> Report {
    let mut run = started;
    loop {
        let outcome = take(&mut run, 1);
        if outcome.batches.is_empty() {
            let report = run.report();
            adds_up(&report);
            return report;
        }
        world.sleep(between);
    }
}

fn plain(world: &World, cpu_cost: Duration, settings: Settings, between: Duration) -> Report {
    let started = halves(world, cpu_cost).start::<PerDoc<AsItIs>>(AsItIs(()), settings, docs(160));
    run(world, started.expect("these settings can work"), between)
}

/// The law of stalls: the causes add up to the time without a batch.
fn adds_up(report: &Report) {
    let device = &report.devices[0];
    let causes: f64 = device.stalls.iter().map(|(_, stall)| stall.seconds).sum();
    assert!((causes - device.starved_s).abs() < 1e-9, "{causes} is not {}: {report}", device.starved_s);
}

/// The cause with the most time, its seconds and its gaps.
fn first(stalls: &Stalls) -> (&'static str, f64, u64) {
    let longest = stalls.iter().max_by(|(_, one), (_, other)| one.seconds.total_cmp(&other.seconds));
    longest.map(|(name, stall)| (name, stall.seconds, stall.count)).expect("there are causes")
}

#[test]
fn a_slow_source_is_why_the_device_has_no_batch() {
    let world = World::new();
    let _this_thread = world.enter();
    let clock = world.clone();
    let source = docs(12).inspect(move |_| clock.sleep(SECOND));
    let settings = Settings { batch_size: 4, ..settings() };
    let started = halves(&world, SECOND / 16).start::<PerDoc<AsItIs>>(AsItIs(()), settings, source);
    let report = run(&world, started.expect("these settings can work"), Duration::ZERO);
    // A batch comes every 4 s, 1/16 s after its last document, and takes the device 1/2 s.
    let stalls = report.devices[0].stalls;
    assert_eq!((stalls.source.seconds, stalls.source.count), (2.0 * 3.4375, 2), "{report}");
    assert_eq!((stalls.workers.seconds, stalls.workers.count), (2.0 * 0.0625, 0));
}

#[test]
fn slow_workers_are_why_the_device_has_no_batch() {
    let world = World::new();
    let _this_thread = world.enter();
    let report = plain(&world, SECOND, settings(), Duration::ZERO);
    // Ten batches come every 4 s and take the device 2 s.
    assert_eq!(first(&report.devices[0].stalls), ("workers", 18.0, 9), "{report}");
}

#[test]
fn one_slow_document_with_a_batch_ready_behind_it_is_told_from_slow_workers() {
    let world = World::new();
    let _this_thread = world.enter();
    let source = docs(160).map(|document| match document.id {
        20 => Doc { fault: Fault::TakesLong, ..document },
        _ => document,
    });
    let settings = settings().told(|common| common.ahead = Some(2));
    let started = halves(&world, SECOND / 16).start::<PerDoc<AsItIs>>(AsItIs(()), settings, source);
    let report = run(&world, started.expect("these settings can work"), Duration::ZERO);
    // It begins at 5/16 s and takes 10 s; the device has had the batch before it from 1/4 s to 9/4 s.
    assert_eq!(first(&report.devices[0].stalls), ("slow document", 10.0 + 5.0 / 16.0 - 2.25, 1), "{report}");
}

#[test]
fn a_caller_that_holds_the_tokens_is_why_the_device_has_no_batch() {
    let world = World::new();
    let _this_thread = world.enter();
    let settings = settings().told(|common| common.ahead = Some(1));
    let report = plain(&world, SECOND / 1000, settings, 10 * SECOND);
    let (cause, seconds, gaps) = first(&report.devices[0].stalls);
    assert!(seconds > 0.99 * report.devices[0].starved_s, "{report}");
    // The first four batches have their tokens at once; each of the others waits for the caller.
    assert_eq!((cause, gaps, report.bottleneck), ("caller", 6, Bottleneck::Caller));
}

#[test]
fn slow_work_after_the_device_is_why_it_has_no_batch() {
    let world = World::new();
    let _this_thread = world.enter();
    let clock = world.clone();
    let after = Then(move |_: &mut Doc, row: &u64| {
        clock.sleep(SECOND);
        *row
    });
    let settings = settings().told(|common| common.ahead = Some(2));
    let started = halves(&world, SECOND / 1000).start::<PerDoc<Then<_>>>(after, settings, docs(160));
    let report = run(&world, started.expect("these settings can work"), Duration::ZERO);
    let (cause, seconds, gaps) = first(&report.devices[0].stalls);
    assert_eq!(cause, "then", "{report}");
    assert!(gaps > 0 && seconds > 0.95 * report.devices[0].starved_s, "{report}");
}

/// Whether the three shares are this many seconds, as exactly as a histogram says.
fn all_at(distribution: &Distribution, count: u64, seconds: f64) {
    assert_eq!(distribution.count, count, "{distribution:?}");
    for measured in [distribution.p50_s, distribution.p90_s, distribution.p99_s] {
        assert!((measured / seconds - 1.0).abs() <= 1.0 / 32.0, "{measured} is not {seconds}");
    }
}

#[test]
fn every_stage_has_a_distribution() {
    let world = World::new();
    let _this_thread = world.enter();
    let report = plain(&world, SECOND / 16, settings(), SECOND / 4);
    all_at(&report.times.prepare, 160, 1.0 / 16.0);
    all_at(&report.devices[0].batch, 10, 2.0);
    all_at(&report.times.caller, 10, 0.25);
    assert_eq!((report.times.source.count, report.times.then.count), (160, 0));
    assert!(report.to_string().contains("prepare 61.9 ms / 61.9 ms / 61.9 ms"), "{report}");
}

#[test]
fn the_host_side_of_a_device_is_told_from_the_device() {
    let world = World::new();
    let _this_thread = world.enter();
    let report = plain(&world, SECOND / 16, settings(), Duration::ZERO);
    let device = &report.devices[0];
    assert_eq!((device.submit_s, device.collect_s, device.busy_s), (0.0, 20.0, 20.0), "{report}");
    assert_eq!((device.bytes_up, device.memory_bytes), (None, None), "the fake does not say");
}

#[test]
fn a_schedule_without_gaps_passes_what_a_test_asks_for() {
    let world = World::new();
    let _this_thread = world.enter();
    let report = plain(&world, SECOND / 16, settings(), Duration::ZERO);
    // 1/4 s + 20 s, of at least 1/16 s + 20 s.
    report.assert_overlap(0.99);
    report.assert_bottleneck(Bottleneck::Gpu);
}

#[test]
#[should_panic(expected = "the run reached 83.8 % of the best that any schedule could reach, and 98.0 %")]
fn a_schedule_with_gaps_fails_what_a_test_asks_for() {
    let world = World::new();
    let _this_thread = world.enter();
    let setup = Setup { sequential: true, ..halves(&world, SECOND / 10) };
    let started = setup.start::<PerDoc<AsItIs>>(AsItIs(()), settings(), docs(160));
    run(&world, started.expect("these settings can work"), Duration::ZERO).assert_overlap(0.98);
}

#[test]
#[should_panic(expected = "the bottleneck is the CPU, and the GPU was expected")]
fn another_bottleneck_fails_what_a_test_asks_for() {
    let world = World::new();
    let _this_thread = world.enter();
    plain(&world, SECOND, settings(), Duration::ZERO).assert_bottleneck(Bottleneck::Gpu);
}

#[test]
#[should_panic(expected = "the run reached 0.0 %")]
fn a_run_that_did_nothing_has_not_overlapped() {
    Report::not_started().assert_overlap(0.5);
}
