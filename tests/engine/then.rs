//! `then`: work on each document and its row, in order, before new preparation.

use std::sync::{Arc, Mutex};

use gapless::{Cause, Error, OnFailure, Stage};

use crate::support::{
    Gate, double, each_row, expected, finish, pipeline_of, planted_panic, plus_one, until, watch,
};

const DOCUMENTS: u64 = 22;

fn text(document: &mut u64, row: &u64) -> Result<String, Cause> {
    if *document == u64::MAX { Err(Cause::msg("no such document")) } else { Ok(format!("{document}: {row}")) }
}

#[test]
fn each_document_is_worked_on_with_its_row_in_order() {
    let _watch = watch();
    for workers in 0..4 {
        let pipeline = pipeline_of(double, plus_one).then(text).batch_size(4).workers(workers);
        let finished = finish(pipeline.run(0..DOCUMENTS));
        finished.check_each_once();
        assert_eq!(finished.documents(), Vec::from_iter(0..DOCUMENTS));
        for batch in &finished.batches {
            for (document, row) in batch.rows() {
                assert_eq!(*row, format!("{document}: {}", expected(*document)));
            }
        }
    }
}

/// A function for `then` that fails at one document, by an error or a panic.
fn failing(
    fails_at: u64,
    panics: bool,
) -> impl Fn(&mut u64, &u64) -> Result<u64, Cause> + Send + Sync + 'static {
    move |document: &mut u64, row: &u64| match *document == fails_at {
        true if panics => planted_panic(),
        true => Err(Cause::msg("planted")),
        false => Ok(*row),
    }
}

#[test]
fn a_failure_in_then_is_skipped_alone() {
    let _watch = watch();
    for workers in 0..4 {
        for fails_at in 0..DOCUMENTS {
            let panics = fails_at % 2 == 0;
            let pipeline =
                pipeline_of(double, plus_one).then(each_row(failing(fails_at, panics))).batch_size(4);
            let finished = finish(pipeline.workers(workers).on_failure(OnFailure::Skip).run(0..DOCUMENTS));
            finished.check_results();
            assert!(finished.error.is_none());
            assert_eq!(finished.failed(), [fails_at]);
            let failure = finished.batches.iter().flat_map(|batch| batch.failures()).next().unwrap();
            assert_eq!((failure.stage, failure.cause.is_panic()), (Stage::Then, panics));
        }
    }
}

#[test]
fn a_failure_in_then_ends_the_run_after_its_batch() {
    let _watch = watch();
    for workers in 0..4 {
        for fails_at in 0..DOCUMENTS {
            let pipeline = pipeline_of(double, plus_one).then(each_row(failing(fails_at, fails_at % 2 == 0)));
            let finished = finish(pipeline.batch_size(4).workers(workers).run(0..DOCUMENTS));
            finished.check_results();
            let at =
                matches!(finished.error, Some(Error::Stopped { position, .. }) if position.get() == fails_at);
            assert!(at, "{:?}", finished.error);
            assert_eq!(finished.failed(), [fails_at]);
            let end = ((fails_at / 4 + 1) * 4).min(DOCUMENTS);
            let mut out = finished.documents();
            out.push(fails_at);
            out.sort_unstable();
            assert_eq!(out, Vec::from_iter(0..end), "the rest of its batch came out with it");
        }
    }
}

#[test]
fn a_batch_whose_rows_all_fail_has_no_output() {
    let _watch = watch();
    let none = |_: &mut u64, _: &u64| Err(Cause::msg("planted"));
    for workers in 0..3 {
        let pipeline = pipeline_of(double, plus_one).then(each_row(none)).batch_size(4).workers(workers);
        let finished = finish(pipeline.on_failure(OnFailure::Skip).run(0..DOCUMENTS));
        finished.check_each_once();
        assert_eq!(finished.accounts.failed, DOCUMENTS);
    }
}

#[test]
fn results_are_worked_on_before_new_documents_are_prepared() {
    let _watch = watch();
    let (log, gate) = (Arc::new(Mutex::new(Vec::new())), Gate::new());
    let (of_cpu, of_gpu, of_then, at_gate) = (log.clone(), log.clone(), log.clone(), gate.clone());
    let cpu = move |document: &mut u64| {
        if *document == 2 {
            at_gate.pass();
        }
        of_cpu.lock().unwrap().push(("prepared", *document));
        double(document)
    };
    let gpu = move |batch: &[u64]| {
        of_gpu.lock().unwrap().push(("submitted", batch[0] / 2));
        plus_one(batch)
    };
    let then = move |document: &mut u64, row: &u64| {
        of_then.lock().unwrap().push(("worked on", *document));
        Ok(*row)
    };
    let run = pipeline_of(cpu, gpu).then(each_row(then)).batch_size(1).ahead(1).workers(1).run(0..8);
    gate.wait_until_blocked(1);
    // The device has handed the first batch to `then` before it takes the second.
    until("the second batch is on the device", || log.lock().unwrap().contains(&("submitted", 1)));
    gate.open();
    let finished = finish(run);
    finished.check_results();
    let log = log.lock().unwrap();
    let when = |event| log.iter().position(|logged| *logged == event).unwrap();
    assert!(when(("worked on", 0)) < when(("prepared", 3)), "{log:?}");
}

#[test]
fn a_run_is_stopped_at_every_index_while_rows_are_worked_on() {
    let _watch = watch();
    for workers in 0..4 {
        for batches in 0..6 {
            let pipeline =
                pipeline_of(double, plus_one).then(each_row(|_: &mut u64, row: &u64| Ok(*row))).batch_size(4);
            let mut run = pipeline.workers(workers).run(0..);
            let taken: Vec<_> = run.by_ref().take(batches).map(Result::unwrap).collect();
            run.stop();
            let finished = crate::support::finish_after(taken, run);
            finished.check_results();
            assert_eq!(finished.accounts.delivered, 4 * batches as u64);
            assert_eq!(finished.accounts.stuck, 0);
        }
    }
}
