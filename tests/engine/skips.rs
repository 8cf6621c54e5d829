//! Skipping: a failed document rides along with its batch, the batch stays full, and the policy says
//! how many may fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gapless::{AtMost, Cause, Error, LastBatch, OnFailure, Pipeline, Stage};

use crate::support::{double, finish, pipeline_of, planted_panic, plus_one, watch};

/// Fails where `fails` says so: by a panic at even documents, by an error at odd ones.
fn failing(fails: fn(u64) -> bool) -> impl Fn(&mut u64) -> Result<u64, Cause> + Send + Sync + 'static {
    move |document: &mut u64| match (fails(*document), *document % 2) {
        (true, 0) => planted_panic(),
        (true, _) => Err(Cause::msg("planted")),
        (false, _) => double(document),
    }
}

#[test]
fn a_skipped_document_is_in_its_batch_and_the_batch_stays_full() {
    let _watch = watch();
    for workers in 0..4 {
        let pipeline = pipeline_of(failing(|document| document % 3 == 0), plus_one);
        let run = pipeline.batch_size(4).workers(workers).on_failure(OnFailure::Skip).run(0..30);
        let finished = finish(run);
        finished.check_results();
        assert!(finished.error.is_none());
        assert_eq!(finished.sizes(), [4, 4, 4, 4, 4], "twenty good documents, back-filled");
        assert_eq!(finished.batches[0].documents(), [1, 2, 4, 5]);
        let failed: Vec<u64> =
            finished.batches[0].failures().iter().map(|failure| failure.document).collect();
        assert_eq!(failed, [0, 3], "those that stood among them");
        for failure in finished.batches.iter().flat_map(|batch| batch.failures()) {
            assert_eq!(failure.stage, Stage::Cpu);
            assert_eq!(failure.cause.is_panic(), failure.document % 2 == 0);
        }
    }
}

#[test]
fn failures_up_to_the_count_are_skipped_and_one_more_ends_the_run() {
    let _watch = watch();
    for workers in 0..4 {
        for most in 0..6 {
            let pipeline = pipeline_of(failing(|document| document % 10 == 7), plus_one);
            let policy = OnFailure::SkipAtMost(AtMost::from(most));
            let finished = finish(pipeline.batch_size(4).workers(workers).on_failure(policy).run(0..50));
            finished.check_results();
            let stopped_at = most * 10 + 7;
            if stopped_at > 50 {
                assert!(finished.error.is_none());
                assert_eq!(finished.accounts.failed, 5);
            } else {
                let at = matches!(finished.error, Some(Error::Stopped { position, .. }) if position.get() == stopped_at);
                assert!(at, "{:?}", finished.error);
                assert_eq!(finished.accounts.failed, most + 1);
                assert_eq!(finished.accounts.delivered + finished.accounts.failed, stopped_at + 1);
            }
        }
    }
}

#[test]
fn one_early_failure_is_no_large_share() {
    let _watch = watch();
    for workers in 0..3 {
        let pipeline = pipeline_of(failing(|document| document == 0), plus_one);
        let policy = OnFailure::SkipAtMost(AtMost::from(0.01));
        let finished = finish(pipeline.workers(workers).on_failure(policy).run(0..100));
        finished.check_results();
        assert!(finished.error.is_none(), "1 of 100 is not more than 0.01");
    }
}

#[test]
fn a_share_is_looked_at_from_the_hundredth_document_on() {
    let _watch = watch();
    for workers in 0..3 {
        let pipeline = pipeline_of(failing(|document| document % 2 == 1), plus_one);
        let policy = OnFailure::SkipAtMost(AtMost::from(0.25));
        let finished = finish(pipeline.batch_size(8).workers(workers).on_failure(policy).run(0..1000));
        finished.check_results();
        let at = matches!(finished.error, Some(Error::Stopped { position, .. }) if position.get() == 99);
        assert!(at, "{:?}", finished.error);
        assert_eq!((finished.accounts.delivered, finished.accounts.failed), (50, 50));
    }
}

#[test]
fn a_share_is_looked_at_where_the_source_ends_early() {
    let _watch = watch();
    for workers in 0..3 {
        let pipeline = pipeline_of(failing(|document| document == 2), plus_one);
        let policy = OnFailure::SkipAtMost(AtMost::from(0.05));
        let finished = finish(pipeline.batch_size(4).workers(workers).on_failure(policy).run(0..10));
        finished.check_results();
        assert_eq!((finished.accounts.delivered, finished.accounts.failed), (9, 1), "everything came out");
        let at = matches!(finished.error, Some(Error::Stopped { position, .. }) if position.get() == 2);
        assert!(at, "{:?}", finished.error);
    }
}

#[test]
fn the_shares_0_and_1_are_all_or_nothing() {
    let _watch = watch();
    let one = |share: f64| {
        let pipeline = pipeline_of(failing(|_| true), plus_one).workers(2);
        finish(pipeline.on_failure(OnFailure::SkipAtMost(AtMost::from(share))).run(0..300))
    };
    assert!(one(1.0).error.is_none());
    assert!(matches!(one(0.0).error, Some(Error::Stopped { position, .. }) if position.get() == 99));
}

#[test]
fn more_failures_in_a_row_than_tokens_come_out_as_batches_of_failures_only() {
    let _watch = watch();
    for workers in 0..4 {
        let submitted = Arc::new(AtomicUsize::new(0));
        let count = submitted.clone();
        let gpu = move |batch: &[u64]| {
            count.fetch_add(1, Ordering::SeqCst);
            plus_one(batch)
        };
        let pipeline = pipeline_of(failing(|document| document < 60), gpu).batch_size(2).ahead(1);
        let run = pipeline.workers(workers).on_failure(OnFailure::Skip).run(0..64);
        assert!(run.tokens() < 60, "more failures than tokens");
        let finished = finish(run);
        finished.check_results();
        assert_eq!((finished.accounts.delivered, finished.accounts.failed), (4, 60));
        assert!(finished.batches.iter().any(|batch| batch.is_empty() && batch.output().is_none()));
        let with_documents = finished.batches.iter().filter(|batch| !batch.is_empty()).count();
        assert_eq!(submitted.load(Ordering::SeqCst), with_documents, "only failures: not submitted");
    }
}

#[test]
fn a_source_of_failures_only_never_reaches_the_device() {
    let _watch = watch();
    let gpu = |_: &[u64]| -> Result<Vec<u64>, Cause> { planted_panic() };
    for workers in 0..3 {
        let pipeline = pipeline_of(failing(|_| true), gpu).workers(workers).on_failure(OnFailure::Skip);
        let finished = finish(pipeline.run(0..500));
        finished.check_each_once();
        assert_eq!(finished.accounts.failed, 500);
    }
}

#[test]
fn what_a_stage_did_to_a_document_comes_back_with_it() {
    let _watch = watch();
    let cpu = |text: &mut String| {
        text.push('!');
        if text.starts_with("bad") { Err(Cause::msg("planted")) } else { Ok(text.len()) }
    };
    let gpu = |batch: &[usize]| Ok::<_, Cause>(batch.to_vec());
    let documents = ["good", "bad", "fine"].map(String::from);
    let run = Pipeline::new(cpu, gpu).workers(1).on_failure(OnFailure::Skip).run(documents);
    let finished = finish(run);
    assert_eq!(finished.batches[0].documents(), ["good!", "fine!"]);
    assert_eq!(finished.batches[0].output(), Some(&vec![5, 5]));
    assert_eq!(finished.batches[0].failures()[0].document, "bad!");
}

#[test]
fn what_did_not_come_out_is_taken_back_in_order_and_whole() {
    let _watch = watch();
    for workers in 0..4 {
        let cpu = |text: &mut String| Ok::<_, Cause>(text.len());
        let gpu = |batch: &[usize]| Ok::<_, Cause>(batch.to_vec());
        let documents = (0..).map(|number: u64| format!("document {number}"));
        let mut run = Pipeline::new(cpu, gpu).batch_size(4).workers(workers).run(documents);
        let first = run.next().unwrap().unwrap();
        run.stop();
        let (accounts, left) = (run.accounts(), run.take_back());
        assert!(accounts.balance());
        assert_eq!((accounts.delivered, accounts.failed, accounts.stuck), (4, 0, 0));
        let all: Vec<String> =
            first.into_parts().0.into_iter().chain(left.into_iter().map(|(_, doc)| doc)).collect();
        let expected: Vec<String> = (0..accounts.pulled).map(|number| format!("document {number}")).collect();
        assert_eq!(all, expected);
    }
}

#[test]
fn a_dropped_last_batch_is_cancelled_and_its_failures_still_come_out() {
    let _watch = watch();
    for workers in 0..3 {
        let pipeline =
            pipeline_of(failing(|document| document == 9), plus_one).batch_size(4).workers(workers);
        let run = pipeline.on_failure(OnFailure::Skip).last_batch(LastBatch::Drop).run(0..11);
        let finished = finish(run);
        finished.check_results();
        assert_eq!(finished.documents(), Vec::from_iter(0..8));
        assert_eq!(finished.failed(), [9]);
        assert_eq!(finished.taken_back(), [8, 10]);
    }
}
