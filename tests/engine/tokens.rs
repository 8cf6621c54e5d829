//! Tokens bound what is in flight; nothing else does.

use std::sync::atomic::Ordering;
use std::time::Duration;

use gapless::{Cause, Error, LastBatch, Memory, OnFailure, Order, Output, Pipeline, Run, Whole};

use crate::support::{
    Gate, counted, cpu_of, double, each_row, finish, finish_after, gpu_of, pipeline_of, plus_one, until,
    watch,
};

/// The caller stalls: the source is pulled as far as the tokens go, and no further.
fn check_stalled<O>(pipeline: impl FnOnce(Box<dyn Iterator<Item = u64> + Send>) -> Run<u64, O>) {
    let (taken, source) = counted(0..);
    let mut run = pipeline(Box::new(source));
    let mut batches = Vec::new();
    let mut out = 0;
    for _ in 0..4 {
        let most = run.tokens() + out;
        until("the tokens are all in flight", || taken.load(Ordering::SeqCst) == most);
        // Time for a source that is not bounded to go on; one that is bounded cannot fail here.
        std::thread::park_timeout(Duration::from_millis(5));
        assert_eq!(taken.load(Ordering::SeqCst), most, "never more than the tokens");
        let batch = run.next().unwrap().unwrap();
        out += batch.len() + batch.failures().len();
        batches.push(batch);
    }
    assert_eq!(run.report().peak_in_flight, run.tokens());
    run.stop();
    finish_after(batches, run).check_each_once();
}

#[test]
fn a_caller_that_stalls_stops_the_source() {
    let _watch = watch();
    for workers in 1..4 {
        let pipeline = || pipeline_of(double, plus_one).batch_size(4).workers(workers);
        check_stalled(|source| pipeline().run(source));
        check_stalled(|source| pipeline().ahead(2).run(source));
    }
}

#[test]
fn the_tokens_bound_every_way_of_running() {
    let _watch = watch();
    check_stalled(|source| pipeline_of(double, plus_one).batch_size(4).ramp(true).run(source));
    check_stalled(|source| pipeline_of(double, plus_one).batch_size(1).ahead(1).workers(1).run(source));
    check_stalled(|source| pipeline_of(double, plus_one).order(Order::Completion).run(source));
    check_stalled(|source| {
        Pipeline::on_devices(cpu_of(double), (0..3).map(|_| gpu_of(plus_one)).collect())
            .batch_size(4)
            .ahead(5)
            .run(source)
    });
    check_stalled(|source| {
        pipeline_of(double, plus_one)
            .then(each_row(|_: &mut u64, row: &u64| Ok(*row)))
            .batch_size(4)
            .run(source)
    });
    check_stalled(|source| {
        let sparse = |document: &mut u64| match *document % 3 {
            0 => Err(Cause::msg("planted")),
            _ => double(document),
        };
        pipeline_of(sparse, plus_one).batch_size(4).on_failure(OnFailure::Skip).run(source)
    });
}

#[test]
fn a_slow_device_stops_the_source() {
    let _watch = watch();
    for workers in 1..4 {
        let gate = Gate::new();
        let at_gate = gate.clone();
        let gpu = move |batch: &[u64]| {
            at_gate.pass();
            plus_one(batch)
        };
        let (taken, source) = counted(0..);
        let mut run = pipeline_of(double, gpu).batch_size(4).workers(workers).run(source);
        gate.wait_until_blocked(1);
        until("the tokens are all in flight", || taken.load(Ordering::SeqCst) == run.tokens());
        std::thread::park_timeout(Duration::from_millis(5));
        assert_eq!(taken.load(Ordering::SeqCst), run.tokens(), "only tokens bound what is in flight");
        gate.open();
        let batches: Vec<_> = run.by_ref().take(100).map(Result::unwrap).collect();
        run.stop();
        finish_after(batches, run).check_results();
    }
}

#[test]
fn without_workers_no_more_is_pulled_than_is_needed() {
    let _watch = watch();
    let (taken, source) = counted(0..);
    let mut run = pipeline_of(double, plus_one).batch_size(4).workers(0).run(source);
    assert_eq!(taken.load(Ordering::SeqCst), 0, "nothing happens before the caller asks");
    let batches: Vec<_> = run.by_ref().take(10).map(Result::unwrap).collect();
    assert!(taken.load(Ordering::SeqCst) <= 40 + run.tokens());
    run.stop();
    finish_after(batches, run).check_results();
}

#[test]
fn tokens_are_for_the_batches_ahead_on_the_devices_and_the_one_being_filled() {
    let _watch = watch();
    let tokens = |run: Run<u64, Vec<u64>>| run.tokens();
    let pipeline = || pipeline_of(double, plus_one).batch_size(16).ahead(2).workers(2);
    assert_eq!(tokens(pipeline().run(0..0)), (2 + 1 + 1) * 16);
    assert_eq!(tokens(pipeline().ahead(5).run(0..0)), (5 + 1 + 1) * 16);
    assert_eq!(
        tokens(pipeline().then(each_row(|_: &mut u64, row: &u64| Ok(*row))).run(0..0)),
        (2 + 1 + 1 + 1) * 16
    );
    assert_eq!(tokens(pipeline().batch_size(1).ahead(1).workers(8).run(0..0)), 4 * 8, "four a worker");
    let sum = |batch: &mut Vec<u64>| Ok::<_, Cause>(batch.iter().sum::<u64>());
    let per_batch = Pipeline::per_batch(sum, plus_one).workers(3).ahead(2).run(0..0);
    assert_eq!(per_batch.tokens(), 3 + 2 + 1, "batches: the workers, ahead, and the device");
}

/// Tokens of a run of these documents with nothing set but the workers.
fn tokens_of<D, P, O>(prepare: fn(&mut D) -> Result<P, Cause>, device: fn(&[P]) -> Result<O, Cause>) -> usize
where
    D: Send + 'static,
    P: Send + 'static,
    O: Output + 'static,
{
    Pipeline::new(prepare, device).workers(2).run(std::iter::empty::<D>()).tokens()
}

#[test]
fn plain_items_have_512_tokens_where_ahead_is_left_open() {
    let _watch = watch();
    assert_eq!(tokens_of(double, plus_one), 512, "a row of numbers");
    assert_eq!(tokens_of(double, |batch: &[u64]| Ok(batch.len())), 512, "a number a batch");
    let then = pipeline_of(double, plus_one).then(each_row(|_: &mut u64, row: &u64| Ok(*row)));
    assert_eq!(then.run(0..0).tokens(), 512, "numbers from `then`");
    let large = pipeline_of(double, plus_one).batch_size(256).workers(2).run(0..0);
    assert_eq!(large.tokens(), 4 * 256, "never fewer than other items");
}

#[test]
fn items_that_own_memory_have_the_tokens_of_their_batches_only() {
    let _watch = watch();
    let none = |_: &[u64]| Ok(());
    assert_eq!(tokens_of(|_: &mut String| Ok(0), none), 64, "a document");
    assert_eq!(tokens_of(|_: &mut u64| Ok(vec![0]), |_: &[Vec<u64>]| Ok(())), 64, "a prepared item");
    assert_eq!(tokens_of(double, |_: &[u64]| Ok(vec![String::new()])), 64, "a row");
    assert_eq!(tokens_of(double, |batch: &[u64]| Ok(Whole(batch.to_vec()))), 64, "an output");
    let text = |_: &mut u64, row: &u64| Ok::<_, Cause>(row.to_string());
    let then = pipeline_of(double, plus_one).then(text).workers(2).run(0..0);
    assert_eq!(then.tokens(), 64 + 16, "a result of `then`");
}

#[test]
fn plain_items_take_64_kib_at_most() {
    let _watch = watch();
    let tokens = tokens_of(|_: &mut u64| Ok([0_u8; 240]), |batch: &[[u8; 240]]| Ok(vec![0_u64; batch.len()]));
    assert_eq!(tokens, (64 << 10) / (8 + 240 + 8), "document, prepared item and row");
    assert_eq!(tokens_of(|_: &mut u64| Ok([0_u8; 4096]), |_: &[[u8; 4096]]| Ok(())), 64);
}

#[test]
fn plain_items_have_no_more_tokens_where_the_caller_chose() {
    let _watch = watch();
    let pipeline = || pipeline_of(double, plus_one).workers(2);
    assert_eq!(pipeline().ahead(2).run(0..0).tokens(), 64);
    assert_eq!(pipeline().max_wait(Duration::from_secs(1)).run(0..0).tokens(), 64, "a live source");
    assert_eq!(pipeline().workers(0).run(0..0).tokens(), 64, "nothing is handed from thread to thread");
}

#[test]
fn more_tokens_move_no_cut() {
    let _watch = watch();
    let failing = |document: &mut u64| match *document {
        10..300 => Err(Cause::msg("planted")),
        _ => double(document),
    };
    let seen = |ahead: Option<usize>, workers: usize| {
        let pipeline = pipeline_of(failing, plus_one).workers(workers).on_failure(OnFailure::Skip);
        let pipeline = ahead.into_iter().fold(pipeline, Pipeline::ahead);
        let finished = finish(pipeline.run(0..330));
        finished.check_results();
        finished.batches.iter().map(|batch| (batch.len(), batch.failures().len())).collect::<Vec<_>>()
    };
    let chosen = seen(Some(2), 2);
    assert_eq!(chosen[0], (10, 54), "cut when good and failed items hold 64 tokens");
    for workers in 0..4 {
        assert_eq!(seen(None, workers), chosen, "{workers} workers");
    }
}

#[test]
fn copies_that_fill_batches_up_are_within_the_memory() {
    let _watch = watch();
    let padded = |items: usize| {
        let full = |batch: &[u8]| if batch.len() == 4 { Ok(batch.to_vec()) } else { Err("not full") };
        let pipeline = Pipeline::new(|byte: &mut u8| *byte, full).batch_size(4).workers(1).ahead(1);
        let memory = Memory::of(items).item(1);
        let mut run = pipeline.last_batch(LastBatch::Pad(Clone::clone)).memory(memory).run(0..9);
        let tokens = run.tokens();
        run.try_fold(0, |sum, batch| Ok(sum + batch?.len())).map(|documents| (documents, tokens))
    };
    // Three batches of four, and three copies on the device.
    assert_eq!(padded(15).expect("it fits"), (9, 12));
    assert!(matches!(padded(14), Err(Error::Setting { name: "memory", .. })));
}
