//! What a report promises of a change is what the engine does with that change: under manual time, to the nanosecond.

use super::predicted::{Replay, nanos};
use crate::observe::changes::{Change, What};
use crate::observe::predict::tests::Random;
use crate::observe::predict::{Costs, Settings, left_to_chance};
use crate::observe::report::Report;

pub(super) fn changed(what: What, costs: Costs, settings: Settings) -> (Costs, Settings) {
    match what {
        What::Workers(workers) => (costs, settings.workers(workers)),
        What::BatchSize(documents) => (costs, settings.batch_size(documents)),
        What::Ahead(batches) => (costs, settings.ahead(batches)),
        What::Depth(batches) => (costs, settings.depth(batches)),
        What::Ramp(ramp) => (costs, settings.ramp(ramp)),
        What::Devices(devices) => (costs, settings.devices(devices)),
        What::GpuTime(share) => (costs.gpu(share * costs.gpu_launch, share * costs.gpu_item), settings),
    }
}

/// Makes every change that the report of this run speaks of, and compares. Says how many there were.
fn every_change_keeps_its_promise(costs: Costs, settings: Settings) -> usize {
    let report = Replay::new(&costs, &settings).run();
    for Change { what, seconds, saving_s, .. } in &report.changes {
        let (costs, settings) = changed(*what, costs, settings);
        if left_to_chance(&costs, &settings) {
            continue;
        }
        let made = Replay::new(&costs, &settings).run();
        assert_eq!(nanos(*seconds), nanos(made.wall_s), "{what}: {costs:?} {settings:?}\n{report}");
        let saved = report.wall_s - made.wall_s;
        assert!((saving_s - saved).abs() < 1e-9, "{what}: {saving_s} was promised, and {saved} saved");
    }
    report.changes.len()
}

#[test]
fn every_change_brings_what_the_report_promises() {
    let mut random = Random(5);
    for case in 0..40 {
        // Half the time of a GPU must be whole nanoseconds too.
        let mut costs = Costs::default()
            .cpu(random.seconds(50_000, 1_000_000))
            .gpu(2.0 * random.seconds(0, 1_000_000), 2.0 * random.seconds(1_000, 100_000))
            .caller(random.seconds(0, 500_000) * random.below(2) as f64)
            .source(random.seconds(0, 100_000) * random.below(2) as f64);
        if case % 4 == 0 {
            costs = costs.then(random.seconds(1_000, 100_000));
        }
        let settings = Settings::new(100 + random.below(60))
            .batch_size(5 + random.below(6) as usize)
            .workers(1 + random.below(5) as usize)
            .ahead(1 + random.below(2) as usize)
            .ramp(true)
            .devices(1 + random.below(2) as usize);
        if !left_to_chance(&costs, &settings) {
            assert_eq!(every_change_keeps_its_promise(costs, settings), 7);
        }
    }
}

fn experiment() -> (Costs, Settings) {
    (Costs::default().cpu(1.0 / 16.0).gpu(0.0, 1.0 / 8.0), Settings::new(256).workers(4))
}

fn whats(report: &Report) -> Vec<What> {
    report.changes.iter().map(|change| change.what).collect()
}

#[test]
fn what_the_run_does_not_show_is_left_out() {
    let (costs, settings) = experiment();
    let report = Replay::new(&costs, &settings).run();
    let known = [What::Workers(5), What::Depth(2), What::GpuTime(0.5), What::Ahead(3)];
    assert_eq!(whats(&report), known, "all batches had 16 documents");
    assert_eq!(report.costs, Some(Costs::default().cpu(1.0 / 16.0).gpu(2.0, 0.0)));
    let report = Replay::new(&costs, &Settings { documents: 250, ..settings }).run();
    assert_eq!(whats(&report).len(), 7, "the last batch was smaller: {report}");
    assert_eq!(report.costs, Some(costs));
}

#[test]
fn the_advice_names_the_best_change_with_its_number() {
    let (costs, settings) = experiment();
    let gpu_bound = Replay::new(&costs, &settings).run();
    let number = "a GPU 2 × as fast would take 16.250 s, 16.000 s less.";
    assert!(gpu_bound.advice.ends_with(number), "{gpu_bound}");
    let launches = Replay::new(&costs.gpu(1.0, 0.01), &settings.ramp(true)).run();
    assert!(
        launches.advice.contains("larger batches help. By the costs of this run batch_size(32)"),
        "{launches}"
    );
    let cpu_bound = Replay::new(&costs.cpu(1.0), &settings).run();
    assert!(cpu_bound.advice.contains("By the costs of this run workers(5) would take"), "{cpu_bound}");
    let caller_bound = Replay::new(&costs.caller(10.0), &settings).run();
    assert!(caller_bound.advice.starts_with("The caller is the bottleneck"), "{caller_bound}");
}
