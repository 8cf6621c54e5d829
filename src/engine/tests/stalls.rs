//! The watchdog under manual time: it names whom all others wait for, once a stall, and nobody in a run that
//! moves.
//!
//! One worker at a second a document, a device at a second a document, batches of four, sixteen tokens,
//! 32 documents, and half a minute of patience. What hangs takes an hour.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::fake::{Doc, FakeDevice, Fault, HOUR, PerDoc, Setup, docs, take};
use crate::engine::outlet::caller::Caller;
use crate::engine::road::job::{After, AsItIs, Then};
use crate::engine::seam::{Seam, manual::World};
use crate::engine::settings::{Common, Patience, Watchdog};
use crate::engine::settings::{Settings, WorkerCount};
use crate::error::Error;
use crate::error::stalled::{At, Stalled};
use crate::place::Position;

const SECOND: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(30);
const DOCUMENTS: u64 = 32;

/// What was told of stalls, and when.
type Heard = Arc<Mutex<Vec<(Duration, Stalled)>>>;

fn settings(then: Watchdog) -> Settings {
    Settings {
        common: Common {
            workers: WorkerCount::Exactly(1),
            ahead: Some(2),
            watchdog: Some(Patience { patience: PATIENCE, then }),
            ..Common::default()
        },
        batch_size: 4,
        ..Settings::default()
    }
}

fn start<A: After<Doc, Vec<u64>> + 'static>(
    world: &World,
    after: A,
    settings: Settings,
    source: impl Iterator<Item = Doc> + Send + 'static,
) -> (Caller<PerDoc<A>>, Heard) {
    let seam = Seam::Manual(world.clone());
    let device = FakeDevice::new(&seam, 1, Duration::ZERO, SECOND);
    let setup =
        Setup { devices: vec![device], seam, cpu_cost: SECOND, begins_futures: false, sequential: false };
    let heard = Heard::default();
    let (note, clock) = (heard.clone(), world.clone());
    let on_stall = move |stalled: &Stalled| note.lock().unwrap().push((clock.now(), stalled.clone()));
    let run = setup.start_watched::<PerDoc<A>>(after, settings, source, Some(Box::new(on_stall)));
    (run.expect("these settings can work"), heard)
}

/// The documents, one of which does this to the stage that gets it.
fn one_is(place: u64, fault: Fault) -> impl Iterator<Item = Doc> + Send + 'static {
    docs(DOCUMENTS).map(move |document| match document.id {
        id if id == place => Doc { fault, ..document },
        _ => document,
    })
}

/// All of what is told about a run that comes to its end after the hour.
fn told<S: Iterator<Item = Doc> + Send + 'static>(
    settings: Settings,
    source: impl FnOnce(World) -> S,
) -> Vec<String> {
    let world = World::new();
    let _this_thread = world.enter();
    let (mut run, heard) = start(&world, AsItIs(()), settings, source(world.clone()));
    let outcome = take(&mut run, usize::MAX);
    assert_eq!(outcome.delivered().len() as u64, DOCUMENTS, "{outcome:?}");
    texts(&heard)
}

fn texts(heard: &Heard) -> Vec<String> {
    heard.lock().unwrap().iter().map(|(_, stalled)| stalled.to_string()).collect()
}

#[test]
fn a_document_that_is_prepared_for_ever_is_named_with_its_worker() {
    let told = told(settings(Watchdog::Tell), |_| one_is(17, Fault::CpuHangs));
    let expected = "nothing has moved for 30 s: gapless-cpu-0 has been preparing document 17 for 33 s; \
                    1 prepared item stands in line; gapless-device waits for a batch; 14 units of work wait for \
                    a worker; the feeder waits for a token; the caller waits for a result; 16 of 16 tokens are \
                    taken";
    assert_eq!(told, [expected]);
}

#[test]
fn those_that_stand_behind_a_document_at_the_head_of_the_line_are_counted() {
    let two = settings(Watchdog::Tell).told(|common| common.workers = WorkerCount::Exactly(2));
    let told = told(two, |_| one_is(17, Fault::CpuHangs));
    assert_eq!(told.len(), 1, "{told:?}");
    // 16 waits for its batch, and 18 to 31 behind 17.
    let waits = "15 prepared items stand in line; gapless-device waits for a batch; the feeder waits for \
                 a token; the caller waits for a result; 16 of 16 tokens are taken";
    assert!(told[0].ends_with(waits), "{}", told[0]);
    assert!(told[0].contains(" has been preparing document 17 for "), "{}", told[0]);
}

#[test]
fn a_batch_that_is_submitted_for_ever_is_named_with_its_device_thread() {
    let told = told(settings(Watchdog::Tell), |_| one_is(9, Fault::SubmitHangs));
    let expected = "nothing has moved for 30 s: gapless-device has been submitting batch 2 for 42 s; 12 prepared \
                    items stand in line; the feeder waits for a token; the caller waits for a result; 16 of 16 \
                    tokens are taken";
    assert_eq!(told, [expected]);
}

#[test]
fn a_batch_that_never_comes_back_is_named_with_its_device_thread() {
    let told = told(settings(Watchdog::Tell), |_| one_is(9, Fault::DeviceHangs));
    let expected = "nothing has moved for 30 s: gapless-device has been running batch 2 for 42 s; 12 prepared \
                    items stand in line; the feeder waits for a token; the caller waits for a result; 16 of 16 \
                    tokens are taken";
    assert_eq!(told, [expected]);
}

/// A source that takes an hour before this document.
fn slow_before(
    place: u64,
    source: impl Iterator<Item = Doc> + Send + 'static,
    world: World,
) -> impl Iterator<Item = Doc> + Send + 'static {
    source.inspect(move |document| {
        if document.id == place {
            world.sleep(HOUR);
        }
    })
}

#[test]
fn a_source_that_does_not_give_its_next_document_is_named_with_its_place() {
    let told = told(settings(Watchdog::Tell), |world| slow_before(6, docs(DOCUMENTS), world));
    let expected = "nothing has moved for 30 s: gapless-feeder has been asking the source for document 6 for \
                    38 s; 2 prepared items stand in line; gapless-device waits for a batch; the caller waits \
                    for a result; 3 of 16 tokens are taken";
    assert_eq!(told, [expected]);
}

#[test]
fn a_live_source_may_wait_but_what_it_gave_must_move() {
    let live = || Settings { max_wait: Some(SECOND / 2), ..settings(Watchdog::Tell) };
    assert_eq!(told(live(), |world| slow_before(6, docs(DOCUMENTS), world)), [""; 0]);
    let told = told(live(), |world| slow_before(6, one_is(5, Fault::SubmitHangs), world));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("gapless-device has been submitting batch "), "{told:?}");
}

#[test]
fn a_function_in_then_that_does_not_return_is_named_with_its_document() {
    let world = World::new();
    let _this_thread = world.enter();
    let clock = world.clone();
    let function = move |document: &mut Doc, _: &u64| {
        if document.id == 5 {
            clock.sleep(HOUR);
        }
    };
    let after = Then(function);
    let (mut run, heard) = start(&world, after, settings(Watchdog::Tell), docs(DOCUMENTS));
    take(&mut run, usize::MAX);
    let told = texts(&heard);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains(": gapless-cpu-0 has been in then with document 5 for "), "{told:?}");
}

#[test]
fn a_caller_that_does_not_come_back_is_named_and_its_run_goes_on() {
    for then in [Watchdog::Tell, Watchdog::End] {
        let world = World::new();
        let _this_thread = world.enter();
        let (mut run, heard) = start(&world, AsItIs(()), settings(then), docs(DOCUMENTS));
        assert_eq!(take(&mut run, 1).delivered(), [0, 1, 2, 3]);
        world.sleep(HOUR);
        let expected = "nothing has moved for 30 s: the caller has not asked for a result for 46 s; \
                        gapless-device waits for a batch; the feeder waits for a token; 16 of 16 tokens are taken";
        assert_eq!(texts(&heard), [expected]);
        let rest = take(&mut run, usize::MAX);
        assert!(rest.error.is_none() && rest.delivered() == Vec::from_iter(4..DOCUMENTS), "{rest:?}");
        assert_eq!(heard.lock().unwrap().len(), 1, "told once");
    }
}

#[test]
fn a_run_whose_caller_is_late_for_its_end_alone_does_not_stand_still() {
    let world = World::new();
    let _this_thread = world.enter();
    let (mut run, heard) = start(&world, AsItIs(()), settings(Watchdog::End), docs(DOCUMENTS));
    take(&mut run, DOCUMENTS as usize / 4);
    world.sleep(HOUR);
    assert!(run.next().is_none());
    assert_eq!(texts(&heard), [""; 0]);
}

#[test]
fn what_is_slow_and_moves_is_no_stall() {
    for workers in [0, 1, 3] {
        for sequential in [false, true] {
            let world = World::new();
            let _this_thread = world.enter();
            let seam = Seam::Manual(world.clone());
            let device = FakeDevice::new(&seam, 1, 29 * SECOND, Duration::ZERO);
            let setup = Setup {
                devices: vec![device],
                seam,
                cpu_cost: 29 * SECOND,
                begins_futures: false,
                sequential,
            };
            let settings =
                settings(Watchdog::End).told(|common| common.workers = WorkerCount::Exactly(workers));
            let on_stall = Box::new(|stalled: &Stalled| panic!("{stalled}"));
            let run = setup.start_watched::<PerDoc<AsItIs>>(AsItIs(()), settings, docs(16), Some(on_stall));
            let mut run = run.expect("these settings can work");
            let mut seen = 0;
            while let Some(delivery) = run.next() {
                seen += delivery.expect("nothing stalls").documents.len();
                world.sleep(29 * SECOND);
            }
            assert_eq!(seen, 16, "{workers} workers, {sequential}");
        }
    }
}

#[test]
fn each_stall_is_told_once() {
    let source = |_: World| {
        docs(DOCUMENTS).map(|document| match document.id {
            5 | 25 => Doc { fault: Fault::CpuHangs, ..document },
            _ => document,
        })
    };
    let told = told(settings(Watchdog::Tell), source);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("document 5 ") && told[1].contains("document 25 "), "{told:?}");
}

#[test]
fn a_run_that_stalls_is_ended_and_what_hangs_is_left_behind() {
    for (fault, stuck, behind) in
        [(Fault::CpuHangs, 1, "gapless-cpu-0"), (Fault::SubmitHangs, 4, "gapless-device")]
    {
        let world = World::new();
        let _this_thread = world.enter();
        let (mut run, heard) = start(&world, AsItIs(()), settings(Watchdog::End), one_is(9, fault));
        let outcome = take(&mut run, usize::MAX);
        let (at, told) = heard.lock().unwrap()[0].clone();
        assert!(
            matches!(&outcome.error, Some(Error::Stalled { stalled }) if **stalled == told),
            "{outcome:?}"
        );
        assert_eq!(outcome.delivered(), Vec::from_iter(0..8), "what stands before it comes out");
        // The caller looks up at least every 50 ms, and waits for what hangs as long as the grace period.
        let late = world.now().saturating_sub(at + 5 * SECOND);
        assert!(late <= SECOND / 20, "late by {late:?}");
        let report = run.report();
        assert_eq!((report.accounts.stuck, &report.left_behind[..]), (stuck, &[behind.to_owned()][..]));
        assert!(report.accounts.balance() && run.next().is_none(), "{:?}", report.accounts);
    }
}

#[test]
fn a_caller_that_hangs_in_work_of_its_own_run_is_told_about_and_ended_when_it_is_back() {
    let world = World::new();
    let _this_thread = world.enter();
    let inline = settings(Watchdog::End).told(|common| common.workers = WorkerCount::Exactly(0));
    let (mut run, heard) = start(&world, AsItIs(()), inline, one_is(9, Fault::CpuHangs));
    let outcome = take(&mut run, usize::MAX);
    let (at, told) = heard.lock().unwrap()[0].clone();
    assert!(at < HOUR && world.now() >= HOUR, "it was told in time");
    assert_eq!(told.inside[0].at, At::Prepare(Position(9)));
    assert!(matches!(outcome.error, Some(Error::Stalled { .. })), "{outcome:?}");
    let accounts = run.report().accounts;
    assert!(accounts.balance() && accounts.stuck == 0, "{accounts:?}");
}

#[test]
fn a_patience_that_cannot_work_is_refused() {
    for (wrong, what) in [
        (
            settings(Watchdog::Tell).told(|common| {
                common.watchdog = Some(Patience { patience: Duration::ZERO, then: Watchdog::Tell })
            }),
            "0 would",
        ),
        (Settings { max_wait: Some(PATIENCE), ..settings(Watchdog::Tell) }, "max_wait"),
        (settings(Watchdog::Tell).told(|common| common.pause = Some(PATIENCE)), "a pause apart"),
    ] {
        let refused = wrong.check().unwrap_err();
        assert!(
            matches!(&refused, Error::Setting { name: "watchdog", reason } if reason.contains(what)),
            "{refused}"
        );
    }
}
