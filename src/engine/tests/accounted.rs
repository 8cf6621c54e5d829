//! What a document and a batch cost the engine in locks and atomics, and a clock that steps back.

use std::time::Duration;

use super::fake::{FakeDevice, PerDoc, Setup, docs, take};
use super::without_device::WithoutDevice;
use crate::engine::road::job::AsItIs;
use crate::engine::seam::{Seam, atomics, manual::World};
use crate::engine::settings::Patience;
use crate::engine::settings::{Common, OnFailure, Settings, Watchdog, WorkerCount};

const MILLISECOND: Duration = Duration::from_millis(1);

fn setup(world: &World, cpu_cost: Duration, device_cost: Duration) -> Setup {
    let seam = Seam::Manual(world.clone());
    let device = FakeDevice::new(&seam, 1, Duration::ZERO, device_cost);
    Setup { devices: vec![device], seam, cpu_cost, begins_futures: false, sequential: false }
}

/// Locks that a run of so many documents takes, each a group of its own, in batches of 16.
fn locks(documents: u64, watchdog: Option<Watchdog>) -> u64 {
    let world = World::new();
    let _this_thread = world.enter();
    // It does not look once in such a run: what is counted here is what others do for it.
    let watchdog = watchdog.map(|then| Patience { patience: 3_600_000 * MILLISECOND, then });
    let workers = WorkerCount::Exactly(1);
    let settings = Settings {
        common: Common { workers, ahead: Some(8), watchdog, ..Common::default() },
        ..Settings::default()
    };
    let setup = setup(&world, MILLISECOND, MILLISECOND / 10);
    let run = setup.start::<PerDoc<AsItIs>>(AsItIs(()), settings, docs(documents));
    let mut run = run.expect("these settings can work");
    assert_eq!(take(&mut run, usize::MAX).delivered().len() as u64, documents);
    world.locks()
}

#[test]
fn a_group_costs_two_locks_and_a_batch_a_few_more() {
    // One takes the group out of the queue, one puts it into the line; a batch of 16 is asked for, waited for, and
    // its tokens come back.
    let each = locks_of_a_group(None);
    assert!(each <= 2.0 + 8.0 / 16.0, "{each} locks a group");
}

/// Times that a run in the caller, of so many documents in groups of so many, changes an atomic of its queue, its
/// tokens or its books.
fn changes(documents: u64, group: usize) -> u64 {
    let world = World::new();
    let _this_thread = world.enter();
    let settings = Settings { chunk: Some(group), ..Settings::without_device() }.told(|common| {
        common.workers = WorkerCount::Exactly(0);
        common.ahead = Some(512);
    });
    let setup = Setup { devices: Vec::new(), ..setup(&world, Duration::ZERO, Duration::ZERO) };
    let run = setup.start::<WithoutDevice>(AsItIs(()), settings, docs(documents));
    let mut run = run.expect("these settings can work");
    let before = atomics::changes();
    assert_eq!(take(&mut run, usize::MAX).delivered().len() as u64, documents);
    atomics::changes() - before
}

#[test]
fn a_document_costs_two_atomic_changes_and_a_group_eleven() {
    let a_group = |group| (changes(1760, group) - changes(160, group)) * group as u64 / 1600;
    for group in [1, 2, 4, 8, 16] {
        let changes = a_group(group);
        // A document is put into the queue and taken out. A group takes its tokens, is announced and taken, counted
        // at both ends and once where nothing stands there yet; as a batch it is put before the caller and taken,
        // counted when it is delivered and when it is out, and gives its tokens back.
        assert!(changes <= 2 * group as u64 + 11, "{changes} changes for a group of {group}");
    }
}

#[test]
fn a_group_that_is_watched_costs_no_more_locks() {
    let unwatched = locks_of_a_group(None);
    for then in [Watchdog::Tell, Watchdog::End] {
        let watched = locks_of_a_group(Some(then));
        // How often something is waited for varies: by less than half a lock a batch.
        assert!(watched < unwatched + 0.5 / 16.0, "{watched} locks a group, and {unwatched} unwatched");
    }
}

fn locks_of_a_group(watchdog: Option<Watchdog>) -> f64 {
    (locks(1760, watchdog) - locks(160, watchdog)) as f64 / 1600.0
}

#[test]
fn a_clock_that_steps_back_panics_nowhere() {
    for sequential in [false, true] {
        let world = World::new();
        let _this_thread = world.enter();
        world.step_back(5 * MILLISECOND);
        let settings = Settings {
            common: Common {
                workers: WorkerCount::Exactly(2),
                watchdog: Some(Patience { patience: 3600 * MILLISECOND, then: Watchdog::End }),
                item_timeout: Some(1000 * MILLISECOND),
                on_failure: OnFailure::Skip,
                ..Common::default()
            },
            ..Settings::default()
        };
        let setup = Setup { sequential, ..setup(&world, MILLISECOND, MILLISECOND) };
        let run = setup.start::<PerDoc<AsItIs>>(AsItIs(()), settings, docs(100));
        let mut run = run.expect("these settings can work");
        assert_eq!(take(&mut run, usize::MAX).delivered().len(), 100);
        assert!(run.report().accounts.balance());
    }
}
