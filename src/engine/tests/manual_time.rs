//! The real engine under manual time: what it takes, to the nanosecond.

use std::time::Duration;

use super::fake::{Doc, FakeDevice, Fault, PerBatch, PerDoc, Setup, docs, take};
use crate::engine::outlet::caller::Caller;
use crate::engine::road::job::{AsItIs, Job};
use crate::engine::seam::{Seam, manual::World};
use crate::engine::settings::{Common, OnFailure, Settings, WorkerCount};
use crate::error::Error;
use crate::observe::bound::Bottleneck;

const SECOND: Duration = Duration::from_secs(1);

/// DocArray's experiment: 1,024 documents in batches of 16, four workers at 1 s a batch, a device at 2 s a batch.
const DOCUMENTS: u64 = 1024;

fn experiment(world: &World, sequential: bool) -> Setup {
    let seam = Seam::Manual(world.clone());
    let device = FakeDevice::new(&seam, 1, Duration::ZERO, SECOND / 8);
    Setup { devices: vec![device], seam, cpu_cost: SECOND / 16, begins_futures: false, sequential }
}

fn settings(ramp: bool) -> Settings {
    Settings {
        common: Common { workers: WorkerCount::Exactly(4), ..Common::default() },
        ramp,
        ..Settings::default()
    }
}

/// Seconds that a run takes under manual time.
fn seconds<J: Job>(world: &World, run: impl FnOnce() -> Result<Caller<J>, Error>) -> f64 {
    let _this_thread = world.enter();
    let mut run = run().expect("these settings can work");
    while let Some(delivery) = run.next() {
        delivery.map(drop).expect("nothing fails");
    }
    let report = run.report();
    assert!(report.accounts.balance() && report.accounts.delivered == DOCUMENTS, "{report}");
    world.now().as_secs_f64()
}

#[test]
fn all_cpu_then_all_gpu_takes_144_seconds() {
    let world = World::new();
    let run =
        || experiment(&world, true).start::<PerDoc<AsItIs>>(AsItIs(()), settings(false), docs(DOCUMENTS));
    assert_eq!(seconds(&world, run), 144.0);
}

#[test]
fn an_opaque_batch_takes_129_seconds() {
    let world = World::new();
    let batches = (0..DOCUMENTS / 16)
        .map(|batch| (0..16).map(|k| Doc { id: 16 * batch + k, ..Doc::default() }).collect());
    let mut settings = settings(false);
    settings.items_are_batches();
    let run = || experiment(&world, false).start::<PerBatch>(AsItIs(()), settings, batches);
    assert_eq!(seconds(&world, run), 129.0);
}

#[test]
fn document_by_document_takes_128_and_a_quarter() {
    let world = World::new();
    let run =
        || experiment(&world, false).start::<PerDoc<AsItIs>>(AsItIs(()), settings(false), docs(DOCUMENTS));
    assert_eq!(seconds(&world, run), 128.25);
}

#[test]
fn the_report_says_where_the_time_went() {
    let world = World::new();
    let _this_thread = world.enter();
    let run = experiment(&world, false).start::<PerDoc<AsItIs>>(AsItIs(()), settings(false), docs(DOCUMENTS));
    let mut run = run.expect("these settings can work");
    take(&mut run, usize::MAX);
    let report = run.report();
    let parts = [report.fill_s, report.busy_s, report.stalls_s, report.drain_s];
    assert_eq!((report.wall_s, parts), (128.25, [0.25, 128.0, 0.0, 0.0]), "{report}");
    assert_eq!((report.bottleneck, report.bound_s), (Bottleneck::Gpu, 128.0625));
    assert_eq!(report.cpu.prepare_s, 64.0);
    assert_eq!(report.devices[0].busy, 128.0 / 128.25);
    assert_eq!((report.first_result_s, report.devices[0].starved_s), (2.25, 0.0));
}

#[test]
fn a_slow_cpu_half_is_the_bottleneck_and_the_device_starves() {
    let world = World::new();
    let _this_thread = world.enter();
    let setup = Setup { cpu_cost: SECOND, begins_futures: false, ..experiment(&world, false) };
    let run = setup.start::<PerDoc<AsItIs>>(AsItIs(()), settings(false), docs(64));
    let mut run = run.expect("these settings can work");
    take(&mut run, usize::MAX);
    let report = run.report();
    // Four batches of 16 come every 4 s; the device takes 2 s for each, and the last one's are the drain.
    assert_eq!((report.wall_s, report.bottleneck), (18.0, Bottleneck::Cpu), "{report}");
    assert_eq!([report.fill_s, report.busy_s, report.stalls_s, report.drain_s], [0.0, 16.0, 0.0, 2.0]);
    assert_eq!((report.bound_s, report.devices[0].starved_s), (16.125, 6.0));
}

#[test]
fn ramping_up_starts_the_device_after_one_document() {
    let world = World::new();
    let run =
        || experiment(&world, false).start::<PerDoc<AsItIs>>(AsItIs(()), settings(true), docs(DOCUMENTS));
    assert_eq!(seconds(&world, run), 128.0625);
}

#[test]
fn an_inline_run_prepares_while_the_device_works() {
    let world = World::new();
    let settings = settings(false).told(|common| common.workers = WorkerCount::Exactly(0));
    let run = || experiment(&world, false).start::<PerDoc<AsItIs>>(AsItIs(()), settings, docs(DOCUMENTS));
    assert_eq!(seconds(&world, run), 1.0 + 128.0);
}

#[test]
fn a_device_two_deep_has_no_gap_between_batches() {
    let world = World::new();
    let seam = Seam::Manual(world.clone());
    let device = FakeDevice::new(&seam, 2, SECOND, Duration::ZERO);
    let setup = Setup {
        devices: vec![device],
        seam,
        cpu_cost: SECOND / 1000,
        begins_futures: false,
        sequential: false,
    };
    let _this_thread = world.enter();
    let mut run = setup
        .start::<PerDoc<AsItIs>>(AsItIs(()), settings(false), docs(160))
        .expect("these settings can work");
    take(&mut run, usize::MAX);
    // The first batch of 16 takes four workers 4 ms; ten batches take the device 10 s; the last result
    // is seen within the wait between two looks.
    let late = world.now().saturating_sub(Duration::from_millis(10_004));
    assert!(late <= Duration::from_millis(2), "late by {late:?}");
    assert!(run.report().devices[0].starved_s == 0.0);
}

#[test]
fn a_loss_costs_the_work_that_was_lost_and_the_rebuilding() {
    for sequential in [false, true] {
        let world = World::new();
        let _this_thread = world.enter();
        let setup =
            Setup { cpu_cost: Duration::ZERO, begins_futures: false, ..experiment(&world, sequential) };
        let device = setup.devices.into_iter().next().expect("there is one");
        let devices = vec![FakeDevice { rebuilt_in: Some(5 * SECOND), ..device }];
        let source = docs(64).map(|document| match document.id {
            20 => Doc { fault: Fault::LosesDeviceLater, ..document },
            _ => document,
        });
        let settings = settings(false).told(|common| common.on_failure = OnFailure::Skip);
        let run = Setup { devices, ..setup }.start::<PerDoc<AsItIs>>(AsItIs(()), settings, source);
        let mut run = run.expect("these settings can work");
        assert_eq!(take(&mut run, usize::MAX).failed, [20]);
        // The batch twice, its half once, then 4, 2 and twice 1 of its documents are lost: 6 s.
        let report = run.report();
        let device = &report.devices[0];
        assert_eq!((device.losses, device.rebuilding_s, device.starved_s), (7, 35.0, 0.0), "{report}");
        assert_eq!((device.busy_s, report.wall_s), (6.0 + 63.0 / 8.0, 35.0 + 6.0 + 63.0 / 8.0));
    }
}

#[test]
fn a_document_waits_for_its_batch_only_while_others_are_on_their_way_and_no_longer_than_it_may() {
    let world = World::new();
    let seam = Seam::Manual(world.clone());
    let device = FakeDevice::new(&seam, 1, Duration::ZERO, Duration::ZERO);
    let setup = Setup {
        devices: vec![device],
        seam,
        cpu_cost: SECOND / 100,
        begins_futures: false,
        sequential: false,
    };
    let settings = Settings { max_wait: Some(SECOND / 2), ..settings(false) };
    let _this_thread = world.enter();
    // A live source: two documents, of which the second takes 1.6 s, and a third a minute later.
    let clock = world.clone();
    let source = docs(3).map(move |document| {
        if document.id == 2 {
            clock.sleep(60 * SECOND);
        }
        let fault = if document.id == 1 { Fault::TakesLong } else { Fault::None };
        Doc { fault, ..document }
    });
    let mut run =
        setup.start::<PerDoc<AsItIs>>(AsItIs(()), settings, source).expect("these settings can work");
    let mut seen = Vec::new();
    while let Some(delivery) = run.next() {
        let documents = delivery.expect("nothing fails").documents.len();
        seen.push((documents, world.now().as_millis()));
    }
    let expected = [(1, 510), (1, 1_600), (1, 60_010)];
    assert_eq!(seen, expected, "the first waits for the second as long as it may, the others for nobody");
}

#[test]
fn a_stop_waits_for_a_hanging_stage_as_long_as_the_grace_period() {
    let world = World::new();
    let seam = Seam::Manual(world.clone());
    let device = FakeDevice::new(&seam, 1, Duration::ZERO, Duration::ZERO);
    let setup = Setup {
        devices: vec![device],
        seam,
        cpu_cost: 3600 * SECOND,
        begins_futures: false,
        sequential: false,
    };
    let settings = settings(false).told(|common| {
        common.workers = WorkerCount::Exactly(1);
        common.grace = 5 * SECOND;
    });
    let _this_thread = world.enter();
    let mut run =
        setup.start::<PerDoc<AsItIs>>(AsItIs(()), settings, docs(100)).expect("these settings can work");
    world.sleep(SECOND);
    run.stop();
    assert_eq!(world.now(), 6 * SECOND);
    let report = run.report();
    assert_eq!(report.left_behind, ["gapless-cpu-0"]);
    assert_eq!(report.accounts.stuck, 1);
    assert!(report.accounts.balance(), "{:?}", report.accounts);
}
