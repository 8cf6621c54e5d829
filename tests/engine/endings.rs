//! How a run ends, one law each: see `Run`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use gapless::{Batch, Cause, Error, OnFailure, Run, Stage};

use crate::support::{
    check, counted, double, finish, finish_after, pipeline_of, planted_panic, plus_one, watch,
};

const DOCUMENTS: u64 = 23;
const BATCH: usize = 4;
const BATCHES: usize = 6;

fn run_of(documents: u64, batch_size: usize, workers: usize) -> Run<u64, Vec<u64>> {
    pipeline_of(double, plus_one).batch_size(batch_size).workers(workers).run(0..documents)
}

#[test]
fn a_run_gives_every_document_its_result_and_ends() {
    let _watch = watch();
    for workers in 0..4 {
        let finished = finish(run_of(DOCUMENTS, BATCH, workers));
        finished.check_results();
        assert!(finished.error.is_none());
        assert_eq!(finished.sizes(), [4, 4, 4, 4, 4, 3]);
        assert_eq!(finished.documents(), Vec::from_iter(0..DOCUMENTS));
        assert_eq!(finished.accounts.delivered, DOCUMENTS);
    }
}

#[test]
fn a_source_may_hold_nothing_or_one_document_or_fewer_than_a_batch() {
    let _watch = watch();
    for workers in 0..3 {
        for documents in 0..BATCH as u64 {
            let finished = finish(run_of(documents, BATCH, workers));
            finished.check_results();
            assert!(finished.error.is_none());
            assert_eq!(finished.batches.len(), usize::from(documents > 0));
            assert_eq!(finished.accounts.delivered, documents);
        }
    }
}

#[test]
fn a_batch_size_far_above_the_source_is_one_short_batch() {
    let _watch = watch();
    for workers in 0..3 {
        let finished = finish(run_of(10, 1 << 20, workers));
        finished.check_results();
        assert_eq!(finished.sizes(), [10]);
    }
}

/// `fails_at` fails, by an error or a panic.
fn failing(fails_at: u64, panics: bool) -> impl Fn(&mut u64) -> Result<u64, Cause> + Send + Sync + 'static {
    move |document: &mut u64| match *document == fails_at {
        true if panics => planted_panic(),
        true => Err(Cause::msg("planted")),
        false => double(document),
    }
}

fn check_stopped_at(position: u64, run: Run<u64, Vec<u64>>, panics: bool) {
    let finished = finish(run);
    finished.check_results();
    assert_eq!(finished.documents(), Vec::from_iter(0..position), "what stands before it comes out");
    assert_eq!(finished.failed(), [position]);
    let last = finished.batches.last().and_then(|batch| batch.failures().last());
    let failure = last.expect("the failure is in the last batch");
    assert_eq!((failure.position.get(), failure.stage), (position, Stage::Cpu));
    assert_eq!(failure.cause.is_panic(), panics);
    assert!(
        matches!(finished.error, Some(Error::Stopped { position: at, .. }) if at.get() == position),
        "{:?}",
        finished.error
    );
}

#[test]
fn a_document_that_fails_ends_the_run_after_what_stands_before_it() {
    let _watch = watch();
    for workers in 0..4 {
        for position in 0..DOCUMENTS {
            for panics in [false, true] {
                let pipeline = pipeline_of(failing(position, panics), plus_one);
                let run = pipeline.batch_size(BATCH).workers(workers).run(0..DOCUMENTS);
                check_stopped_at(position, run, panics);
            }
        }
    }
}

#[test]
fn of_many_documents_that_fail_the_first_ends_the_run() {
    let _watch = watch();
    let every_fifth = |document: &mut u64| match *document % 5 {
        3 => Err(Cause::msg("planted")),
        _ => double(document),
    };
    for workers in 0..4 {
        for _ in 0..50 {
            let pipeline = pipeline_of(every_fifth, plus_one);
            check_stopped_at(3, pipeline.batch_size(BATCH).workers(workers).run(0..1000), false);
        }
    }
}

fn panics_at(position: u64) -> impl Iterator<Item = u64> + Send + 'static {
    (0..DOCUMENTS).inspect(move |document| {
        if *document == position {
            planted_panic();
        }
    })
}

#[test]
fn a_source_that_panics_ends_the_run_after_everything_before_it() {
    let _watch = watch();
    for workers in 0..4 {
        for position in 0..DOCUMENTS {
            let pipeline = pipeline_of(double, plus_one).batch_size(BATCH).workers(workers);
            let finished = finish(pipeline.run(panics_at(position)));
            finished.check_results();
            assert_eq!(finished.documents(), Vec::from_iter(0..position));
            let Some(Error::Source { position: at, cause, .. }) = finished.error else {
                panic!("not the source's error: {:?}", finished.error)
            };
            assert_eq!(at.get(), position);
            assert!(cause.is_panic());
        }
    }
}

#[test]
fn a_document_that_fails_before_the_source_panics_is_what_ends_the_run() {
    let _watch = watch();
    for workers in 0..4 {
        for _ in 0..20 {
            let pipeline = pipeline_of(failing(7, false), plus_one).batch_size(BATCH).workers(workers);
            check_stopped_at(7, pipeline.run(panics_at(9)), false);
        }
    }
}

type Numbers = Batch<u64, Vec<u64>>;

/// Takes so many batches of a run over an endless source.
fn some_batches(batches: usize, workers: usize) -> (Vec<Numbers>, Run<u64, Vec<u64>>, Arc<()>) {
    let probe = Arc::new(());
    let held = [probe.clone(), probe.clone(), probe.clone()];
    let [in_cpu, in_gpu, in_source] = held;
    let cpu = move |document: &mut u64| {
        let _held = &in_cpu;
        double(document)
    };
    let gpu = move |batch: &[u64]| {
        let _held = &in_gpu;
        plus_one(batch)
    };
    let source = (0..).inspect(move |_| {
        let _held = &in_source;
    });
    let mut run = pipeline_of(cpu, gpu).batch_size(BATCH).workers(workers).run(source);
    let taken = run.by_ref().take(batches).map(Result::unwrap).collect();
    (taken, run, probe)
}

#[test]
fn a_run_can_be_stopped_before_its_first_batch_and_after_each() {
    let _watch = watch();
    for workers in 0..4 {
        for batches in 0..=BATCHES {
            let (taken, mut run, _) = some_batches(batches, workers);
            run.stop();
            run.stop();
            let finished = finish_after(taken, run);
            finished.check_results();
            assert!(finished.error.is_none(), "a stop by the caller is no error");
            assert_eq!(finished.documents(), Vec::from_iter(0..(batches * BATCH) as u64));
            assert_eq!(finished.accounts.stuck, 0);
        }
    }
}

#[test]
fn a_run_can_be_dropped_before_its_first_batch_and_after_each() {
    let _watch = watch();
    for workers in 0..4 {
        for batches in 0..=BATCHES {
            let (_, run, probe) = some_batches(batches, workers);
            drop(run);
            assert_eq!(
                Arc::strong_count(&probe),
                1,
                "source and stages are dropped, and their threads are gone"
            );
        }
    }
}

#[test]
fn a_caller_that_panics_ends_its_run() {
    let _watch = watch();
    let (_, run, probe) = some_batches(1, 2);
    let caller = std::panic::AssertUnwindSafe(move || {
        let _run = run;
        planted_panic();
    });
    assert!(std::panic::catch_unwind(caller).is_err());
    assert_eq!(Arc::strong_count(&probe), 1);
}

#[test]
fn a_finished_run_can_be_stopped_and_asked() {
    let _watch = watch();
    let mut run = run_of(DOCUMENTS, BATCH, 2);
    let batches: Vec<_> = run.by_ref().map(Result::unwrap).collect();
    run.stop();
    check(&batches, &run.take_back(), run.accounts());
    assert_eq!(run.report().accounts, run.accounts());
}

#[test]
fn nothing_can_be_taken_back_while_the_run_goes_on() {
    let _watch = watch();
    let (taken, source) = counted(0..DOCUMENTS);
    let pipeline = pipeline_of(failing(5, false), plus_one).batch_size(BATCH).workers(1);
    let mut run = pipeline.on_failure(OnFailure::Stop).run(source);
    let mut batches = Vec::new();
    while let Some(Ok(batch)) = run.next() {
        batches.push(batch);
        assert!(run.take_back().is_empty());
    }
    let left = run.take_back();
    check(&batches, &left, run.accounts());
    assert_eq!(run.accounts().pulled, taken.load(Ordering::SeqCst) as u64);
}
