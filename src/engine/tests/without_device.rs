//! A run without a device under manual time: what it takes, pauses, deadlines, and who is late.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::fake::{Doc, FakeCpu, FakeDevice, Setup, docs, take};
use crate::engine::outlet::caller::Caller;
use crate::engine::road::job::{AsItIs, Job};
use crate::engine::road::source::AnySource;
use crate::engine::seam::{Seam, manual::World};
use crate::engine::settings::{OnFailure, Settings, WorkerCount};
use crate::error::Error;

const SECOND: Duration = Duration::from_secs(1);

pub(super) struct WithoutDevice;

impl Job for WithoutDevice {
    type Document = Doc;
    type Prepared = Doc;
    type Output = Vec<u64>;
    type Delivered = Vec<u64>;
    type Cpu = FakeCpu;
    type Gpu = FakeDevice;
    type After = AsItIs;
    type Source = AnySource<'static, Doc>;

    fn documents(_: &Doc) -> usize {
        1
    }

    fn without_device(prepared: Vec<Doc>) -> Option<Vec<u64>> {
        Some(prepared.into_iter().map(|document| document.id).collect())
    }
}

fn settings(workers: usize) -> Settings {
    Settings::without_device().told(|common| common.workers = WorkerCount::Exactly(workers))
}

fn start(world: &World, cost: Duration, settings: Settings, documents: u64) -> Caller<WithoutDevice> {
    let setup = Setup {
        seam: Seam::Manual(world.clone()),
        cpu_cost: cost,
        begins_futures: false,
        devices: Vec::new(),
        sequential: false,
    };
    setup.start(AsItIs(()), settings, docs(documents)).expect("these settings can work")
}

/// When a run of so many documents is over.
fn over(cost: Duration, settings: Settings, documents: u64) -> Duration {
    let world = World::new();
    let _this_thread = world.enter();
    let mut run = start(&world, cost, settings, documents);
    let outcome = take(&mut run, usize::MAX);
    assert_eq!(outcome.delivered(), Vec::from_iter(0..documents));
    world.now()
}

#[test]
fn ten_items_of_a_second_take_ten_workers_a_second() {
    assert_eq!(over(SECOND, settings(10), 10), SECOND);
    assert_eq!(over(SECOND, settings(0), 10), 10 * SECOND);
}

#[test]
fn starts_are_a_pause_apart() {
    let paused = |workers| settings(workers).told(|common| common.pause = Some(SECOND));
    assert_eq!(over(SECOND / 2, paused(4), 5), 4 * SECOND + SECOND / 2);
    assert_eq!(over(SECOND / 2, paused(0), 5), 4 * SECOND + SECOND / 2);
}

#[test]
fn a_pause_is_kept_where_workers_are_busy_too() {
    let paused = settings(2).told(|common| common.pause = Some(SECOND));
    // Starts at 0 and 1, then as the workers are free: at 3, 4 and 6.
    assert_eq!(over(3 * SECOND, paused, 5), 9 * SECOND);
}

#[test]
fn a_stop_does_not_wait_for_a_pause() {
    let world = World::new();
    let _this_thread = world.enter();
    let mut run = start(&world, SECOND, settings(2).told(|common| common.pause = Some(3600 * SECOND)), 10);
    take(&mut run, 1);
    run.stop();
    assert_eq!(world.now(), SECOND);
    assert!(run.report().accounts.balance() && run.ledger().left_behind().is_empty());
}

#[test]
fn a_deadline_ends_the_run_after_what_came_out_before_it() {
    for workers in [0, 1] {
        let world = World::new();
        let _this_thread = world.enter();
        let deadline = 3 * SECOND + SECOND / 2;
        let mut run =
            start(&world, SECOND, settings(workers).told(|common| common.deadline = Some(deadline)), 100);
        let outcome = take(&mut run, usize::MAX);
        assert!(matches!(outcome.error, Some(Error::Deadline { after }) if after == deadline), "{outcome:?}");
        assert_eq!(outcome.delivered(), [0, 1, 2]);
        assert_eq!(world.now(), 4 * SECOND, "the call that runs is waited for");
    }
}

#[test]
fn an_item_that_is_late_is_told_about_and_fails_when_it_returns() {
    let world = World::new();
    let _this_thread = world.enter();
    let late = settings(1).told(|common| {
        common.item_timeout = Some(SECOND);
        common.on_failure = OnFailure::Skip;
    });
    let mut run = start(&world, 3 * SECOND, late, 2);
    let told: Arc<Mutex<Vec<_>>> = Arc::default();
    let (note, clock) = (told.clone(), world.clone());
    run.checks.on_late = Some(Box::new(move |late| {
        note.lock().unwrap().push((clock.now(), late.position.get(), late.running));
    }));
    let outcome = take(&mut run, usize::MAX);
    assert_eq!(outcome.failed, [0, 1]);
    assert_eq!(*told.lock().unwrap(), [(SECOND, 0, SECOND), (4 * SECOND, 1, SECOND)]);
}

#[test]
fn an_item_in_time_is_not_late() {
    let in_time = settings(2).told(|common| common.item_timeout = Some(SECOND));
    assert_eq!(over(SECOND, in_time, 6), 3 * SECOND);
}
