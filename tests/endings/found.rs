//! Endings that were once found wrong, each with a test of its own.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use gapless::{Cause, Error, Watchdog, parallel};

use crate::kit::executor::Executor;
use crate::kit::face::{Code, Got, Kind, Setup, start};
use crate::kit::laws::{Base, Ended, Law};
use crate::kit::plain::{self, lent, prepared};
use crate::kit::process::HANGS;
use crate::kit::stages::{CpuCode, Prepared, Work};
use crate::kit::world::{Doc, Id, World};
use crate::script::Gate;
use crate::table::alone;

/// A run to its end, held against all laws.
fn run(setup: &Setup, world: &Arc<World>, code: Code) -> Result<Got, String> {
    let mut got = Got::default();
    let mut face = start(setup, code);
    while face.next(&mut got) {}
    let accounts = face.accounts().or(got.accounts);
    got.left = face.take_back();
    let law: Law = Ended { setup, world, got: &got, accounts, stuck: false }.check();
    law.map(|()| got)
}

fn holds(law: Result<Got, String>) -> Got {
    law.unwrap_or_else(|reason| panic!("{reason}"))
}

/// Takes every batch from its vector, and fails with the second.
struct Takes(Arc<World>);

impl CpuCode for Takes {
    fn prepare(&self, work: Work<'_>) -> Result<Prepared, Cause> {
        let places = lent(&work);
        if let Work::Many(documents) = work {
            drop(std::mem::take(documents).into_iter().map(Doc::taken).collect::<Vec<_>>());
        }
        if places.0 == 2 {
            return Err(Cause::msg("planted"));
        }
        Ok(prepared(places, &self.0))
    }
}

#[test]
fn batches_whose_documents_were_taken_out_are_accounted_for() {
    let _alone = alone();
    let base = Base::now();
    let world = World::new(false);
    let mut code = plain::code(&world, 6);
    code.cpu = plain::cpu(&world, Takes(world.clone()));
    let got = holds(run(&Setup::of(Kind::Batches), &world, code));
    assert_eq!(got.delivered, [0, 1], "what stands before the failure");
    drop(got);
    assert_eq!(base.is_back(&[&world]), Ok(()));
}

/// Fails with the first document, when another is gathered.
struct FailsFirst(Arc<World>, Arc<Gate>);

impl CpuCode for FailsFirst {
    fn prepare(&self, work: Work<'_>) -> Result<Prepared, Cause> {
        let places = lent(&work);
        if places.0 == 0 {
            assert!(self.1.is_reached());
            return Err(Cause::msg("planted"));
        }
        Ok(prepared(places, &self.0))
    }
}

#[test]
fn a_collection_that_takes_long_to_gather_loses_none_of_its_documents() {
    let _alone = alone();
    let base = Base::now();
    let world = World::new(true);
    let gathering = Arc::new(Gate::default());
    let at = gathering.clone();
    // It takes longer than a run waits for a source that may be a live one.
    let slowly = move |documents: &mut Vec<Doc>| {
        if documents[0].id != Id::Source(0) {
            std::thread::scope(|scope| {
                scope.spawn(|| at.pass());
                std::thread::park_timeout(Duration::from_millis(100));
                at.open();
            });
        }
    };
    assert!(world.gathered.set(Box::new(slowly)).is_ok());
    let mut code = plain::code(&world, 3);
    let stage = FailsFirst(world.clone(), gathering);
    code.cpu = plain::cpu(&world, stage);
    let setup = Setup { batch_size: 1, ..Setup::of(Kind::ApplyBatch) };
    let got = holds(run(&setup, &world, code));
    assert_eq!(got.documents.len(), 3);
    assert!(matches!(got.error, Some(Error::Stopped { .. })), "{:?}", got.error);
    drop(got);
    assert_eq!(base.is_back(&[&world]), Ok(()));
}

/// Waits with the second document until it is interrupted; fails with the first meanwhile.
struct Waits {
    world: Arc<World>,
    arrived: Arc<Gate>,
    interrupted: (Mutex<bool>, Condvar),
}

impl CpuCode for Waits {
    fn prepare(&self, work: Work<'_>) -> Result<Prepared, Cause> {
        let places = lent(&work);
        if places.0 == 0 {
            assert!(self.arrived.is_reached());
            self.arrived.open();
            return Err(Cause::msg("planted"));
        }
        if places.0 == 1 {
            self.arrived.pass();
            let (interrupted, changed) = &self.interrupted;
            let state = interrupted.lock().unwrap();
            drop(changed.wait_timeout_while(state, 3 * HANGS, |interrupted| !*interrupted));
        }
        Ok(prepared(places, &self.world))
    }

    fn interrupt(&self) {
        *self.interrupted.0.lock().unwrap() = true;
        self.interrupted.1.notify_all();
    }
}

#[test]
fn an_apply_that_has_failed_interrupts_its_stage() {
    let _alone = alone();
    for kind in [Kind::Apply, Kind::ApplyBatch] {
        let (base, world) = (Base::now(), World::new(kind.in_bags()));
        let stage = Waits { world: world.clone(), arrived: Arc::default(), interrupted: Default::default() };
        let mut code = plain::code(&world, 6);
        code.cpu = plain::cpu(&world, stage);
        let begun = Instant::now();
        let got = holds(run(&Setup { batch_size: 1, ..Setup::of(kind) }, &world, code));
        assert!(begun.elapsed() < HANGS, "it waited for a stage that gives up when it is told to ({kind:?})");
        drop(got);
        assert_eq!(base.is_back(&[&world]), Ok(()));
    }
}

/// A stage that never returns until the gate is open.
fn never(gate: &Arc<Gate>) -> impl Fn(&mut u64) -> Result<u64, Cause> + Send + Sync + 'static {
    let gate = gate.clone();
    move |number| {
        gate.pass();
        Ok(*number)
    }
}

#[test]
fn a_polled_run_is_ended_by_its_watchdog_and_wakes_its_task() {
    let _alone = alone();
    let (base, gate) = (Base::now(), Arc::new(Gate::default()));
    let run = parallel(never(&gate), 0..3_u64).workers(1).grace(Duration::from_millis(10));
    let run = run.watchdog(Duration::from_millis(50), Watchdog::End).on_stall(|_| ());
    let mut stream = run.run().into_stream();
    let last = Executor::new().next(&mut stream);
    gate.open();
    let stalled = matches!(&last, Ok(Some(Err(parallel::Failed::Run(Error::Stalled { .. })))));
    assert!(stalled, "{last:?}");
    drop(stream);
    assert_eq!(base.is_back(&[]), Ok(()));
}

#[test]
fn a_polled_run_is_ended_by_its_deadline_and_wakes_its_task() {
    let _alone = alone();
    let (base, gate) = (Base::now(), Arc::new(Gate::default()));
    let run = parallel(never(&gate), 0..3_u64).workers(1).grace(Duration::from_millis(10));
    let mut stream = run.deadline(Duration::from_millis(10)).run().into_stream();
    let last = Executor::new().next(&mut stream);
    gate.open();
    let late = matches!(&last, Ok(Some(Err(parallel::Failed::Run(Error::Deadline { .. })))));
    assert!(late, "{last:?}");
    drop(stream);
    assert_eq!(base.is_back(&[]), Ok(()));
}

#[test]
fn a_run_whose_results_were_all_taken_in_time_is_not_late() {
    let _alone = alone();
    let in_time = |workers, polled| {
        let time = Duration::from_secs(1);
        let begun = Instant::now();
        let stage = |number: &mut u64| Ok::<_, Cause>(*number);
        let mut run = parallel(stage, 0..3_u64).workers(workers).deadline(time).run();
        let results = (0..3).map(|_| run.next().expect("a result").map(|outcome| outcome.result).ok());
        assert_eq!(Vec::from_iter(results), [Some(0), Some(1), Some(2)], "in time");
        while begun.elapsed() <= time {
            std::thread::park_timeout(time);
        }
        let last = if polled { Executor::new().next(&mut run.into_stream()) } else { Ok(run.next()) };
        assert!(matches!(last, Ok(None)), "{last:?} with {workers} workers, polled: {polled}");
    };
    std::thread::scope(|scope| {
        for (workers, polled) in [(0, false), (0, true), (2, false), (2, true)] {
            scope.spawn(move || in_time(workers, polled));
        }
    });
}
