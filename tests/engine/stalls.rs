//! The watchdog on real threads: what hangs stands at a gate, and is named whatever else the machine does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use gapless::{Cause, Error, Pipeline, Stalled, Watchdog};
use rayon::ThreadPoolBuilder;

use crate::support::{Gate, double, each_row, finish, pipeline_of, plus_one, watch};

const GRACE: Duration = Duration::from_millis(30);
const PATIENCE: Duration = Duration::from_millis(60);

/// A function that is told of stalls, and what it heard.
fn ear() -> (impl FnMut(&Stalled) + Send + 'static, Receiver<String>) {
    let (told, heard) = channel();
    let hear = move |stalled: &Stalled| drop(told.send(stalled.to_string()));
    (hear, heard)
}

/// Returns when this is told; a machine that does nothing for a while may be told about before.
fn wait_for(heard: &Receiver<String>, what: &str) {
    while !heard.recv().expect("the run goes on").contains(what) {}
}

/// Passes the gate with this document.
fn stops_at(gate: &Arc<Gate>, place: u64) -> impl Fn(u64) + Send + Sync + 'static {
    let gate = gate.clone();
    move |document| {
        if document == place {
            gate.pass();
        }
    }
}

#[test]
fn a_document_that_hangs_is_named_while_its_caller_waits_and_the_run_goes_on_when_it_returns() {
    let _watch = watch();
    for workers in 0..3 {
        let gate = Gate::new();
        let stops = stops_at(&gate, 5);
        let cpu = move |document: &mut u64| {
            stops(*document);
            double(document)
        };
        let (hear, heard) = ear();
        let pipeline = pipeline_of(cpu, plus_one).batch_size(4).workers(workers);
        let run = pipeline.watchdog(PATIENCE, Watchdog::Tell).on_stall(hear).run(0..40);
        let waiter = std::thread::spawn(move || {
            wait_for(&heard, " has been preparing document 5 for ");
            gate.open();
        });
        let finished = finish(run);
        finished.check_results();
        assert_eq!(finished.accounts.delivered, 40);
        waiter.join().expect("it was told");
    }
}

#[test]
fn a_function_in_then_that_hangs_is_named() {
    let _watch = watch();
    let gate = Gate::new();
    let stops = stops_at(&gate, 3);
    let then = move |document: &mut u64, row: &u64| {
        stops(*document);
        Ok::<_, Cause>(*row)
    };
    let (hear, heard) = ear();
    let pipeline = pipeline_of(double, plus_one).then(each_row(then)).batch_size(4).workers(2);
    let run = pipeline.watchdog(PATIENCE, Watchdog::Tell).on_stall(hear).run(0..40);
    wait_for(&heard, " has been in then with document 3 for ");
    gate.open();
    assert_eq!(finish(run).accounts.delivered, 40);
}

#[test]
fn a_thread_that_is_inside_two_documents_is_named_with_both() {
    let _watch = watch();
    let pool = ThreadPoolBuilder::new().num_threads(2).thread_name(|rank| format!("theirs-{rank}")).build();
    let (pool, gate) = (Arc::new(pool.expect("two threads")), Gate::new());
    // One thread is busy with work of others: the other one does both.
    let others = gate.clone();
    pool.spawn(move || others.pass());
    gate.wait_until_blocked(1);
    let (stops, begun) = (stops_at(&gate, 1), AtomicBool::new(false));
    let cpu = move |document: &mut u64| {
        while *document == 0 && !begun.load(Ordering::SeqCst) {
            rayon::yield_now();
        }
        begun.store(true, Ordering::SeqCst);
        stops(*document);
        double(document)
    };
    let (hear, heard) = ear();
    let pipeline = pipeline_of(cpu, plus_one).batch_size(4).pool(&pool);
    let run = pipeline.watchdog(PATIENCE, Watchdog::Tell).on_stall(hear).run(0..40);
    gate.wait_until_blocked(2);
    let told = heard.iter().find(|told| told.contains(" preparing document 1 ")).expect("the run goes on");
    let names: Vec<_> = told.match_indices("theirs-").map(|(at, _)| &told[at..at + 8]).collect();
    assert!(told.contains(" preparing document 0 ") && names.len() == 2 && names[0] == names[1], "{told}");
    gate.open();
    assert_eq!(finish(run).accounts.delivered, 40);
}

#[test]
fn a_document_of_a_batch_of_one_call_is_named_by_its_place_in_the_source() {
    let _watch = watch();
    let gate = Gate::new();
    let stops = stops_at(&gate, 8);
    let sum = move |batch: &mut Vec<u64>| {
        stops(batch[0]);
        Ok::<_, Cause>(batch.iter().sum::<u64>())
    };
    let (hear, heard) = ear();
    let pipeline = Pipeline::per_batch(sum, |sums: &[u64]| Ok::<_, Cause>(sums[0])).batch_size(4).workers(1);
    let run = pipeline.watchdog(PATIENCE, Watchdog::Tell).on_stall(hear).run(0..16);
    wait_for(&heard, "gapless-cpu-0 has been preparing document 8 for ");
    gate.open();
    assert_eq!(finish(run).accounts.delivered, 16);
}

#[test]
fn a_caller_that_does_not_ask_is_named_by_another_thread() {
    let _watch = watch();
    let (hear, heard) = ear();
    let pipeline = pipeline_of(double, plus_one).batch_size(4).workers(2);
    let run = pipeline.watchdog(PATIENCE, Watchdog::Tell).on_stall(hear).run(0..40);
    wait_for(&heard, "the caller has not asked for a result for ");
    assert_eq!(finish(run).accounts.delivered, 40);
}

#[test]
fn a_stage_that_hangs_does_not_hold_up_the_end_of_its_run() {
    let _watch = watch();
    for (in_cpu, stuck) in [(true, 1), (false, 4)] {
        let gate = Gate::new();
        let (cpu_stops, gpu_stops) = (stops_at(&gate, 0), stops_at(&gate, 1));
        let cpu = move |document: &mut u64| {
            if in_cpu {
                cpu_stops(*document);
            }
            Ok::<_, Cause>(*document)
        };
        let gpu = move |batch: &[u64]| {
            gpu_stops(u64::from(!in_cpu));
            Ok::<_, Cause>(batch.to_vec())
        };
        let (hear, heard) = ear();
        let pipeline = pipeline_of(cpu, gpu).batch_size(4).workers(1).grace(GRACE).on_stall(hear);
        let mut run = pipeline.watchdog(PATIENCE, Watchdog::End).run(0..40);
        // Whatever was told before this, the stage hangs when the run ends.
        gate.wait_until_blocked(1);
        let Some(Err(Error::Stalled { stalled, .. })) = run.next() else { panic!("it ends with a stall") };
        assert_eq!(heard.recv().expect("it was told"), stalled.to_string());
        let finished = finish(run);
        assert_eq!(finished.accounts.stuck, stuck, "{stalled}");
        assert_eq!(finished.report.left_behind.len(), 1);
        gate.open();
    }
}

#[cfg(feature = "stream")]
#[test]
fn a_run_that_is_polled_is_woken_for_its_stall() {
    use futures_core::Stream as _;
    use std::future::poll_fn;
    use std::pin::Pin;
    let _watch = watch();
    let gate = Gate::new();
    let stops = stops_at(&gate, 0);
    let cpu = move |document: &mut u64| {
        stops(*document);
        double(document)
    };
    let (hear, heard) = ear();
    let pipeline = pipeline_of(cpu, plus_one).batch_size(4).workers(1).grace(GRACE);
    let run = pipeline.watchdog(PATIENCE, Watchdog::End).on_stall(hear).run(0..40);
    let mut stream = run.into_stream();
    let waiter = std::thread::spawn(move || {
        heard.recv().expect("it is told");
        gate.open();
    });
    let last = pollster::block_on(poll_fn(|task| Pin::new(&mut stream).poll_next(task)));
    assert!(matches!(last, Some(Err(Error::Stalled { .. }))), "{last:?}");
    waiter.join().expect("it was told");
    assert!(stream.run().accounts().balance());
}
