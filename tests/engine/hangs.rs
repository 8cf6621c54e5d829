//! User code that never returns, and user values that panic when they are dropped: the run still ends,
//! and says what it left behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gapless::{Accounts, Batch, Cause, GpuStage, OnFailure, Output, Pipeline, Report, Run, StageError};

use crate::support::{
    Gate, check, double, each_row, finish, finish_after, pipeline_of, planted_panic, plus_one, until, watch,
};

const GRACE: Duration = Duration::from_millis(30);
/// A grace period that a test would not survive: whoever waits for it hangs.
const FOR_EVER: Duration = Duration::from_secs(3600);

/// Stops a run whose user code stands at the gate, then lets that code go.
fn stop_while_blocked<O>(mut run: Run<u64, O>, gate: &Gate, threads: usize) -> (Accounts, Report) {
    gate.wait_until_blocked(threads);
    run.stop();
    let (accounts, report) = (run.accounts(), run.report());
    let batches: [Batch<u64, O>; 0] = [];
    let left = run.take_back();
    check(&batches, &left, accounts);
    assert!(run.next().is_none());
    gate.open();
    drop(run);
    (accounts, report)
}

#[test]
fn a_cpu_stage_that_never_returns_is_left_behind_and_named() {
    let _watch = watch();
    for workers in 1..4 {
        let gate = Gate::new();
        let at_gate = gate.clone();
        let cpu = move |document: &mut u64| {
            if *document == 5 {
                at_gate.pass();
            }
            double(document)
        };
        let run = pipeline_of(cpu, plus_one).batch_size(8).workers(workers).grace(GRACE).run(0..100);
        let (accounts, report) = stop_while_blocked(run, &gate, 1);
        assert!(accounts.stuck >= 1);
        let named = report.left_behind.iter().any(|thread| thread.starts_with("gapless-cpu-"));
        assert!(named, "{:?}", report.left_behind);
        assert!(report.to_string().contains("left behind: gapless-cpu-"));
    }
}

/// A device that stops at a gate with its first batch, in one of its two calls.
struct Blocked {
    gate: Arc<Gate>,
    in_submit: bool,
}

impl GpuStage<u64> for Blocked {
    type Output = Vec<u64>;
    type Ticket = Vec<u64>;

    fn submit(&mut self, batch: &[u64]) -> Result<Vec<u64>, StageError> {
        if self.in_submit {
            self.gate.pass();
        }
        Ok(plus_one(batch)?)
    }

    fn try_collect(&mut self, ticket: &mut Vec<u64>, _: Duration) -> Result<Option<Vec<u64>>, StageError> {
        self.gate.pass();
        Ok(Some(std::mem::take(ticket)))
    }
}

#[test]
fn a_gpu_stage_that_never_returns_is_left_behind_and_named() {
    let _watch = watch();
    for in_submit in [false, true] {
        let gate = Gate::new();
        let device = Blocked { gate: gate.clone(), in_submit };
        let run = Pipeline::new(double, device).batch_size(8).workers(2).grace(GRACE).run(0..);
        let (accounts, report) = stop_while_blocked(run, &gate, 1);
        assert_eq!(accounts.stuck, 8, "the batch on the device");
        assert_eq!(report.left_behind, ["gapless-device"]);
    }
}

#[test]
fn a_device_that_is_being_made_again_for_ever_is_left_behind_and_named() {
    struct Rebuilt(Arc<Gate>);
    impl GpuStage<u64> for Rebuilt {
        type Output = Vec<u64>;
        type Ticket = ();
        fn submit(&mut self, _: &[u64]) -> Result<(), StageError> {
            Err(StageError::Lost(Cause::msg("unplugged")))
        }
        fn try_collect(&mut self, (): &mut (), _: Duration) -> Result<Option<Vec<u64>>, StageError> {
            Ok(None)
        }
        fn reopen(&mut self) -> Result<(), StageError> {
            self.0.pass();
            Ok(())
        }
    }
    let _watch = watch();
    let gate = Gate::new();
    let run = Pipeline::new(double, Rebuilt(gate.clone())).batch_size(8).workers(2).grace(GRACE).run(0..);
    let (accounts, report) = stop_while_blocked(run, &gate, 1);
    assert_eq!(accounts.stuck, 8, "the batch that the lost device owed");
    assert_eq!(report.left_behind, ["gapless-device"]);
}

#[test]
fn a_device_that_hangs_is_named_by_its_number_and_the_others_end() {
    let _watch = watch();
    let gate = Gate::new();
    let devices: Vec<_> = (0..2).map(|_| Blocked { gate: gate.clone(), in_submit: true }).collect();
    let run = Pipeline::on_devices(double, devices).batch_size(4).workers(2).grace(GRACE).run(0..);
    let (accounts, report) = stop_while_blocked(run, &gate, 2);
    assert_eq!(accounts.stuck, 8, "a batch on each");
    let mut behind = report.left_behind;
    behind.sort_unstable();
    assert_eq!(behind, ["gapless-device-0", "gapless-device-1"]);
}

#[test]
fn a_function_in_then_that_never_returns_is_left_behind() {
    let _watch = watch();
    let gate = Gate::new();
    let at_gate = gate.clone();
    let then = move |document: &mut u64, row: &u64| {
        if *document == 3 {
            at_gate.pass();
        }
        Ok::<_, Cause>(*row)
    };
    let run =
        pipeline_of(double, plus_one).then(each_row(then)).batch_size(4).workers(2).grace(GRACE).run(0..);
    let (accounts, report) = stop_while_blocked(run, &gate, 1);
    assert_eq!(accounts.stuck, 1);
    assert!(!report.left_behind.is_empty());
}

#[test]
fn user_code_that_returns_within_the_grace_period_is_waited_for() {
    let _watch = watch();
    let (gate, stopping) = (Gate::new(), Arc::new(AtomicBool::new(false)));
    let at_gate = gate.clone();
    let cpu = move |document: &mut u64| {
        at_gate.pass();
        double(document)
    };
    let mut run = pipeline_of(cpu, plus_one).workers(2).grace(FOR_EVER).run(0..);
    gate.wait_until_blocked(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            until("the run is being stopped", || stopping.load(Ordering::SeqCst));
            gate.open();
        });
        stopping.store(true, Ordering::SeqCst);
        run.stop();
    });
    let finished = finish(run);
    finished.check_results();
    assert_eq!(finished.accounts.stuck, 0);
    assert!(finished.report.left_behind.is_empty());
}

#[test]
fn a_feeder_inside_a_live_source_is_left_at_once() {
    let _watch = watch();
    for workers in 1..3 {
        for given in [0, 3, 12] {
            let gate = Gate::new();
            let at_gate = gate.clone();
            let source = (0..given).chain(std::iter::from_fn(move || {
                at_gate.pass();
                None
            }));
            let pipeline = pipeline_of(double, plus_one).batch_size(4).workers(workers).grace(FOR_EVER);
            let (accounts, report) = stop_while_blocked(pipeline.run(source), &gate, 1);
            assert!(accounts.pulled <= given);
            assert!(report.left_behind.is_empty(), "it ends by itself: {:?}", report.left_behind);
        }
    }
}

#[test]
fn a_source_that_hangs_when_it_is_dropped_is_left_behind() {
    struct HangsAtItsEnd(Arc<Gate>);
    impl Iterator for HangsAtItsEnd {
        type Item = u64;
        fn next(&mut self) -> Option<u64> {
            None
        }
    }
    impl Drop for HangsAtItsEnd {
        fn drop(&mut self) {
            self.0.pass();
        }
    }
    let _watch = watch();
    let gate = Gate::new();
    let source = HangsAtItsEnd(gate.clone());
    let run = pipeline_of(double, plus_one).workers(1).grace(GRACE).run(source);
    let (accounts, report) = stop_while_blocked(run, &gate, 1);
    assert_eq!(accounts.pulled, 0);
    assert_eq!(report.left_behind, ["gapless-feeder"]);
}

/// A value whose `Drop` panics, always.
#[derive(Debug)]
struct Bomb(u64);

impl Drop for Bomb {
    fn drop(&mut self) {
        planted_panic();
    }
}

impl Output for Bomb {}

impl Bomb {
    /// A method, so that a closure takes the whole bomb with it.
    fn number(&self) -> u64 {
        self.0
    }
}

/// Takes a batch apart without dropping the bombs in it.
fn defuse<O>(batch: Batch<Bomb, O>) -> usize {
    let (documents, output, failures) = batch.into_parts();
    let count = documents.len() + failures.len();
    documents.into_iter().for_each(std::mem::forget);
    failures.into_iter().for_each(std::mem::forget);
    std::mem::forget(output);
    count
}

#[test]
fn values_that_panic_when_dropped_do_not_hurt_a_run() {
    let _watch = watch();
    for workers in 0..4 {
        let cpu = |document: &mut Bomb| Ok::<_, Cause>(Bomb(document.0));
        let gpu = |batch: &[Bomb]| Ok::<_, Cause>(Bomb(batch.len() as u64));
        let run = Pipeline::new(cpu, gpu).batch_size(4).workers(workers).run((0..23).map(Bomb));
        let documents: usize = run.map(|batch| defuse(batch.unwrap())).sum();
        assert_eq!(documents, 23);
    }
}

#[test]
fn values_that_panic_when_dropped_do_not_hurt_the_end_of_a_run() {
    let _watch = watch();
    for workers in 0..4 {
        for batches in 0..6 {
            for sequential in [false, true] {
                let held = [Bomb(0), Bomb(0), Bomb(0)];
                let [in_cpu, in_gpu, in_source] = held;
                let cpu = move |document: &mut Bomb| Ok::<_, Cause>(Bomb(document.0 + in_cpu.number()));
                let gpu = move |batch: &[Bomb]| Ok::<_, Cause>(Bomb(batch.len() as u64 + in_gpu.number()));
                let source = (0..200).map(move |number| Bomb(number + in_source.number()));
                let pipeline = Pipeline::new(cpu, gpu).batch_size(4).workers(workers);
                let mut run = if sequential { pipeline.run_sequential(source) } else { pipeline.run(source) };
                run.by_ref().take(batches).for_each(|batch| assert!(defuse(batch.unwrap()) <= 4));
                run.stop();
                assert!(run.accounts().balance());
                drop(run);
            }
        }
    }
}

#[test]
fn a_panic_in_recycle_loses_nothing_but_the_buffer() {
    struct NeverRecycles;
    impl gapless::CpuStage<u64> for NeverRecycles {
        type Prepared = u64;
        fn prepare(&self, document: &mut u64) -> Result<u64, Cause> {
            double(document)
        }
        fn recycle(&self, _: u64) {
            planted_panic();
        }
    }
    let _watch = watch();
    for workers in 0..3 {
        let pipeline = Pipeline::new(NeverRecycles, plus_one).batch_size(4).workers(workers);
        let finished = finish(pipeline.on_failure(OnFailure::Skip).run(0..23));
        finished.check_results();
        assert_eq!(finished.accounts.delivered, 23);
    }
}

#[test]
fn a_run_can_be_stopped_while_its_caller_has_results_waiting() {
    let _watch = watch();
    let mut run = pipeline_of(double, plus_one).batch_size(4).workers(2).run(0..);
    let tokens = run.tokens() as u64;
    until("everything in flight waits for the caller", || {
        run.report().devices[0].items >= tokens / 4 * 4 - 4
    });
    let first = run.next().unwrap().unwrap();
    run.stop();
    finish_after(vec![first], run).check_results();
}
