//! Planted bugs under manual time: the law that each breaks finds it, and holds without it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::fake::{Doc, FakeDevice, Fault, PerBatch, Setup, docs, take};
use super::without_device::WithoutDevice;
use crate::engine::road::job::AsItIs;
use crate::engine::seam::{Planted, Seam, manual::World};
use crate::engine::settings::{Settings, WorkerCount};

const SECOND: Duration = Duration::from_secs(1);

/// The law holds, and fails where this is planted.
fn found(planted: Planted, law: impl Fn(Option<Planted>)) {
    law(None);
    let broken = catch_unwind(AssertUnwindSafe(|| law(Some(planted))));
    assert!(broken.is_err(), "the law must find the planted bug");
}

fn setup(world: &World, devices: usize) -> Setup {
    let seam = Seam::Manual(world.clone());
    let device = || FakeDevice::new(&seam, 1, Duration::ZERO, SECOND);
    let devices = (0..devices).map(|_| device()).collect();
    Setup { devices, seam, cpu_cost: SECOND, begins_futures: false, sequential: false }
}

#[test]
fn an_item_that_is_weighed_again_is_found() {
    found(Planted::WeighsAgain, an_item_weighs_what_it_weighed_when_it_was_pulled);
}

/// Batches out of which the CPU half takes documents.
fn an_item_weighs_what_it_weighed_when_it_was_pulled(planted: Option<Planted>) {
    let world = World::with(planted);
    let _this_thread = world.enter();
    let mut settings = Settings::default().told(|common| common.workers = WorkerCount::Exactly(2));
    settings.batch_size = 4;
    settings.items_are_batches();
    let fault = |id| if id % 3 == 0 { Fault::LeavesItsBatch } else { Fault::None };
    let batches = (0..3).map(move |batch| {
        docs(4).map(|doc| Doc { id: 4 * batch + doc.id, fault: fault(4 * batch + doc.id) }).collect()
    });
    let run = setup(&world, 1).start::<PerBatch>(AsItIs(()), settings, batches);
    let mut run = run.expect("these settings can work");
    let mut left = 0;
    while let Some(delivery) = run.next() {
        left += delivery.expect("nothing fails").documents.concat().len();
    }
    let accounts = run.ledger().books.accounts();
    assert_eq!((accounts.delivered, left), (12, 8), "{accounts:?}");
    assert!(accounts.balance(), "{accounts:?}");
}

#[test]
fn a_stage_that_is_interrupted_once_is_found() {
    found(Planted::InterruptsOnce, a_stage_that_may_be_interrupted_is_never_left_behind);
}

/// The run is stopped while its stage has looked and does not wait yet.
fn a_stage_that_may_be_interrupted_is_never_left_behind(planted: Option<Planted>) {
    let world = World::with(planted);
    let _this_thread = world.enter();
    let settings = Settings::without_device().told(|common| {
        common.workers = WorkerCount::Exactly(1);
        common.grace = 5 * SECOND;
    });
    let waits = docs(1).map(|doc| Doc { fault: Fault::CpuWaits, ..doc });
    let run = setup(&world, 0).start::<WithoutDevice>(AsItIs(()), settings, waits);
    let mut run = run.expect("these settings can work");
    world.sleep(SECOND + SECOND / 2);
    run.stop();
    let accounts = run.ledger().books.accounts();
    assert_eq!((accounts.stuck, accounts.cancelled), (0, 1), "{accounts:?}");
    // It looks for a second after it has taken its second, and is told again within a slice.
    assert!(world.now() <= 2 * SECOND + SECOND / 20, "it took {:?}", world.now());
}

#[test]
fn a_deadline_that_is_missed_by_the_caller_is_found() {
    found(Planted::MissedByTheCaller, a_deadline_is_missed_by_work_alone);
}

/// The caller comes back long after a deadline that the work has met.
fn a_deadline_is_missed_by_work_alone(planted: Option<Planted>) {
    for workers in [1, 2] {
        let world = World::with(planted);
        let _this_thread = world.enter();
        let settings = Settings::without_device().told(|common| {
            common.workers = WorkerCount::Exactly(workers);
            common.deadline = Some(3 * SECOND + SECOND / 2);
        });
        let run = setup(&world, 0).start::<WithoutDevice>(AsItIs(()), settings, docs(3));
        let mut run = run.expect("these settings can work");
        world.sleep(3600 * SECOND);
        let outcome = take(&mut run, usize::MAX);
        assert!(outcome.error.is_none(), "{outcome:?}");
        assert_eq!(outcome.delivered(), [0, 1, 2]);
    }
}
