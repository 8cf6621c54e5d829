//! What every face of a run without a device has in common: one law, all faces.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gapless::parallel::{self, Applied, ApplyError, Failed, MapError, Vectorizer};
use gapless::{Cause, Error, OnFailure, Pipeline, Watchdog, parallel as run_parallel};

use crate::support::{Gate, double, planted_panic, until, watch};
use crate::waits::{Waits, interrupted};

const MINUTE: Duration = Duration::from_secs(60);

fn numbers() -> Vec<u64> {
    Vec::from_iter(0..4)
}

fn stopped(applied: Result<Applied, ApplyError>) {
    assert!(matches!(applied.unwrap_err().error, Error::Stopped { .. }));
}

#[test]
fn a_call_that_waits_holds_no_failed_face_up() {
    let _watch = watch();
    let one = |face: fn(Waits<u64, ()>)| interrupted(|number| *number == 0, face);
    let lot = |face: fn(Waits<Vec<u64>, ()>)| interrupted(|lot| lot[0] == 0, face);
    one(|stage| stopped(parallel::apply(&mut numbers(), stage).workers(2).run()));
    lot(|stage| stopped(parallel::apply_batch(&mut numbers(), 1, stage).workers(2).run()));
    one(|stage| assert!(parallel::map(0..4, stage).workers(2).run().next().unwrap().is_err()));
    lot(|stage| assert!(parallel::map_batch(0..4, 1, stage).workers(2).run().next().unwrap().is_err()));
    one(|stage| assert!(run_parallel(stage, 0..4).workers(2).collect().is_err()));
    one(|stage| assert!(run_parallel(Arc::new(stage), 0..4).workers(2).collect().is_err()));
    one(|stage| assert!(Vectorizer::new(stage).workers(2).process(0..4).is_err()));
}

/// Every setting that every run has, with values that change nothing.
macro_rules! told_everything {
    ($face:expr, $pool:expr, $told:expr) => {{
        let told = $told.clone();
        $face
            .stack_size(1 << 20)
            .pool($pool)
            .on_failure(OnFailure::Skip)
            .grace(MINUTE)
            .pause(Duration::ZERO)
            .deadline(MINUTE)
            .item_timeout(MINUTE)
            .on_late(|late| panic!("{late:?}"))
            .trace(true)
            .watchdog(MINUTE, Watchdog::End)
            .on_stall(|stalled| panic!("{stalled}"))
            .total(10)
            .progress(move |progress| {
                assert_eq!(progress.total, Some(10));
                told.fetch_add(1, Ordering::SeqCst);
            })
    }};
}

#[test]
fn every_face_has_every_setting() {
    let _watch = watch();
    let pool = &Arc::new(rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap());
    let told = Arc::new(AtomicUsize::new(0));
    let check = |calls: usize| assert_eq!(told.swap(0, Ordering::SeqCst), calls);
    let lot = |lot: &mut Vec<u64>| Ok::<_, Cause>(lot.len());

    let mut run = told_everything!(run_parallel(double, 0..10), pool, told).ahead(4).run();
    assert_eq!((run.by_ref().count(), run.progress().total), (10, Some(10)));
    assert!(run.timeline_svg().is_ok() && run.report().accounts == run.accounts());
    check(10);
    let mut run = told_everything!(parallel::map(0..10, double), pool, told).ahead(4).run();
    assert_eq!((run.by_ref().count(), run.tokens()), (10, 6));
    assert!(run.timeline().is_ok() && run.report().accounts.delivered == 10);
    check(10);
    let run = told_everything!(parallel::map_batch(0..10, 3, lot), pool, told).run();
    assert_eq!(run.map(|result| result.unwrap().1).sum::<usize>(), 10);
    check(4);
    let mut numbers = Vec::from_iter(0..10);
    let applied = told_everything!(parallel::apply(&mut numbers, double), pool, told).ahead(4).run().unwrap();
    assert!(applied.run.timeline().is_ok() && applied.run.accounts().delivered == 10);
    check(10);
    told_everything!(parallel::apply_batch(&mut numbers, 3, lot), pool, told).run().unwrap();
    check(4);
    assert_eq!(numbers, Vec::from_iter(0..10));
    let mut vectorizer = told_everything!(Vectorizer::new(double), pool, told).ahead(4);
    for _ in 0..3 {
        assert_eq!(vectorizer.process(0..10).unwrap().len(), 10);
        assert!(vectorizer.last().unwrap().timeline().is_ok());
        check(10);
    }
    let plus_one = |batch: &[u64]| Ok::<_, Cause>(batch.to_vec());
    let run = told_everything!(Pipeline::new(double, plus_one), pool, told).batch_size(4).run(0..10);
    assert_eq!(run.count(), 3);
    check(3);
}

#[test]
fn a_deadline_ends_every_face() {
    let _watch = watch();
    let over = |error: &Error| assert!(matches!(error, Error::Deadline { .. }), "{error}");
    let mut numbers = Vec::from_iter(0..10);
    let apply = parallel::apply(&mut numbers, double).workers(2).deadline(Duration::ZERO);
    over(&apply.run().unwrap_err().error);
    assert_eq!(numbers, Vec::from_iter(0..10));
    match parallel::map(0.., double).deadline(Duration::ZERO).run().next() {
        Some(Err(MapError::Run(error))) => over(&error),
        other => panic!("{other:?}"),
    }
    match Vectorizer::new(double).deadline(Duration::ZERO).process(0..) {
        Err(Failed::Run(error)) => over(&error),
        other => panic!("{other:?}"),
    }
    let same = |batch: &[u64]| Ok::<_, Cause>(batch.to_vec());
    over(&Pipeline::new(double, same).deadline(Duration::ZERO).run(0..).next().unwrap().unwrap_err());
}

#[test]
fn whoever_is_late_is_told_by_the_place_of_its_first_document() {
    let _watch = watch();
    let stage = |gate: &Arc<Gate>| {
        let gate = gate.clone();
        move |lot: &mut Vec<u64>| {
            if lot[0] == 4 {
                gate.pass();
            }
            Ok::<_, Cause>(lot.len())
        }
    };
    // Whoever is told of another place opens nothing, and the test hangs.
    let open = |gate: &Arc<Gate>| {
        let gate = gate.clone();
        move |late: &parallel::Late| {
            if late.position.get() == 4 {
                gate.open()
            }
        }
    };
    let (limit, gate) = (Duration::from_millis(1), Gate::new());
    let mut numbers = Vec::from_iter(0..10);
    let apply = parallel::apply_batch(&mut numbers, 4, stage(&gate)).workers(2).item_timeout(limit);
    let applied = apply.on_failure(OnFailure::Skip).on_late(open(&gate)).run().unwrap();
    assert!(applied.failures.iter().any(|failure| failure.position.get() == 4));
    assert_eq!(numbers, Vec::from_iter(0..10));
    let gate = Gate::new();
    let count = |lots: &[usize]| Ok::<_, Cause>(lots[0]);
    let pipeline = Pipeline::per_batch(stage(&gate), count).batch_size(4).workers(2).item_timeout(limit);
    let run = pipeline.on_failure(OnFailure::Skip).on_late(open(&gate)).run(0..10);
    let late = run
        .flat_map(|batch| batch.unwrap().failures().iter().map(|one| one.position.get()).collect::<Vec<_>>());
    assert!(Vec::from_iter(late).contains(&4));
}

#[test]
fn an_item_is_not_lost_where_who_is_told_of_it_panics() {
    let _watch = watch();
    for workers in [0, 2] {
        let told = Arc::new(AtomicUsize::new(0));
        let run = run_parallel(double, 0..10).workers(workers).progress(move |progress| {
            assert!(progress.delivered <= 10);
            if told.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) {
                planted_panic();
            }
        });
        let (mut run, mut seen) = (run.run(), Vec::new());
        loop {
            match catch_unwind(AssertUnwindSafe(|| run.next())) {
                Err(_) => continue,
                Ok(None) => break,
                Ok(Some(item)) => seen.push(item.unwrap().document),
            }
        }
        assert_eq!(seen, Vec::from_iter(0..10));
    }
}

/// Six documents, and then it waits at the gate.
fn waits_after_six(gate: &Arc<Gate>) -> impl Iterator<Item = u64> + Send + 'static {
    let gate = gate.clone();
    (0..6).chain(std::iter::once_with(move || {
        gate.pass();
        6
    }))
}

#[test]
fn documents_of_a_batch_that_was_never_full_are_the_last_that_is_taken_back() {
    let _watch = watch();
    let sum = |lot: &mut Vec<u64>| Ok::<_, Cause>(lot.iter().sum::<u64>());
    let gate = Gate::new();
    let mut run = parallel::map_batch(waits_after_six(&gate), 4, sum).workers(2).run();
    assert_eq!(run.next().unwrap().unwrap(), (vec![0, 1, 2, 3], 6));
    gate.wait_until_blocked(1);
    assert!(run.take_back().is_empty(), "while it goes on");
    run.stop();
    let accounts = run.accounts();
    let left: Vec<_> = run.take_back().into_iter().map(|(position, lot)| (position.get(), lot)).collect();
    assert_eq!(left, [(1, vec![4, 5])]);
    assert_eq!((accounts.pulled, accounts.delivered, accounts.cancelled), (2, 1, 1));
    assert_eq!(run.accounts(), accounts);
    assert!(run.take_back().is_empty(), "a second time");
    gate.open();

    let gate = Gate::new();
    // A failure that comes first would keep the feeder from the gate.
    let blocked = gate.clone();
    let fails = move |lot: &mut Vec<u64>| {
        blocked.wait_until_blocked(1);
        Err::<(), _>(Cause::msg(lot.len()))
    };
    let run = parallel::map_batch(waits_after_six(&gate), 4, fails).workers(2).on_failure(OnFailure::Stop);
    let mut run = run.run();
    gate.wait_until_blocked(1);
    assert_eq!(run.by_ref().filter(Result::is_err).count(), 2, "the failure, and the end");
    assert_eq!(run.take_back().pop().unwrap().1, [4, 5]);
    gate.open();
}

#[test]
fn what_the_items_of_a_vectorizer_say_of_themselves_is_no_promise() {
    /// Says what it likes.
    struct Says(std::ops::Range<u64>, fn() -> (usize, Option<usize>));
    impl Iterator for Says {
        type Item = u64;

        fn next(&mut self) -> Option<u64> {
            self.0.next()
        }

        fn size_hint(&self) -> (usize, Option<usize>) {
            (self.1)()
        }
    }
    let _watch = watch();
    for workers in [0, 2] {
        let mut vectorizer = Vectorizer::new(double).workers(workers);
        for hint in [|| planted_panic(), || (usize::MAX, None), || (9, Some(3)), || (0, Some(0))] {
            let results = vectorizer.process(Says(0..3, hint)).unwrap();
            assert_eq!(results, [0, 2, 4]);
            assert_eq!(results.capacity(), 3, "nothing is kept that is not used");
            assert_eq!(parallel::map(Says(0..3, hint), double).workers(workers).run().count(), 3);
            let same = |batch: &[u64]| Ok::<_, Cause>(batch.to_vec());
            let pipeline = Pipeline::new(double, same).workers(workers);
            assert_eq!(pipeline.run(Says(0..3, hint)).count(), 1);
        }
    }
}

#[test]
fn a_stage_that_several_runs_share_keeps_its_state() {
    let _watch = watch();
    let made = Arc::new(AtomicUsize::new(0));
    let count = made.clone();
    let stage = gapless::with_state(
        move |_| count.fetch_add(1, Ordering::SeqCst),
        |_: &mut usize, document: &mut u64| double(document),
    );
    let stage = Arc::new(stage);
    for _ in 0..3 {
        assert_eq!(run_parallel(stage.clone(), 0..5).workers(1).collect().unwrap(), [0, 2, 4, 6, 8]);
    }
    until("all runs are gone", || Arc::strong_count(&stage) == 1);
    assert_eq!(made.load(Ordering::SeqCst), 1);
}
