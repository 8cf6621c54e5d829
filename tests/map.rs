//! Work on documents without a GPU: order, bounds, endings, and that nothing is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use gapless::parallel::{self, MapError};
use gapless::{AtMost, Cause, Error, OnFailure, Order};

fn double(number: &mut u64) -> Result<u64, Cause> {
    Ok(*number * 2)
}

#[test]
fn results_come_in_the_order_of_the_source_whatever_the_workers() {
    for workers in [0, 1, 2, 5] {
        let run = parallel::map(0..1_000, double).workers(workers).run();
        let results: Vec<_> = run.map(|result| result.expect("no failure")).collect();
        assert_eq!(results, Vec::from_iter((0..1_000).map(|n| (n, 2 * n))), "{workers} workers");
    }
}

#[test]
fn an_endless_source_is_pulled_no_further_than_its_tokens() {
    for workers in [0, 2] {
        let pulled = Arc::new(AtomicU64::new(0));
        let count = pulled.clone();
        let source = (0..).inspect(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
        });
        let mut run = parallel::map(source, double).workers(workers).ahead(3).run();
        for expected in 0..100 {
            assert_eq!(run.next().expect("endless").expect("no failure"), (expected, 2 * expected));
            let ahead = pulled.load(Ordering::SeqCst) - expected;
            // What came out of the engine at once stands in the iterator, its tokens given back.
            assert!(ahead <= 2 * run.tokens() as u64 + 1, "{ahead} with {} tokens", run.tokens());
        }
        run.stop();
        assert!(run.accounts().balance());
    }
}

#[test]
fn a_result_comes_out_while_later_documents_still_wait() {
    let (open, gate) = crossbeam_channel::bounded::<()>(1);
    let wait = move |number: &mut u64| {
        if *number > 0 {
            gate.recv()?;
        }
        Ok::<_, Cause>(*number)
    };
    let mut run = parallel::map(0..10, wait).workers(2).run();
    assert_eq!(run.next().expect("a result").expect("no failure").1, 0);
    drop(open);
    assert_eq!(run.by_ref().filter(Result::is_err).count(), 9, "a gate that is gone is a failure of each");
}

#[test]
fn a_failure_stands_in_its_place_with_its_document() {
    let odd_fails = |number: &mut u64| match *number {
        7 => panic!("seven"),
        odd if odd % 2 == 1 => Err(Cause::msg("odd")),
        even => Ok(even),
    };
    for workers in [0, 2] {
        for (place, result) in (0..).zip(parallel::map(0..100, odd_fails).workers(workers)) {
            match result {
                Ok((document, even)) => assert_eq!((document, even, place % 2), (place, place, 0)),
                Err(MapError::Document(failure)) => {
                    assert_eq!((failure.document, failure.position.get(), place % 2), (place, place, 1));
                    assert_eq!(failure.cause.is_panic(), place == 7);
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[test]
fn a_source_that_panics_is_the_last_item() {
    let source = (0..10).inspect(|number| assert!(*number < 5, "planned"));
    let mut run = parallel::map(source, double).workers(2).run();
    assert_eq!(run.by_ref().take_while(Result::is_ok).count(), 5);
    assert!(run.next().is_none());
    let mut run =
        parallel::map_batch((0..10).inspect(|number| assert!(*number < 5, "planned")), 4, summed()).run();
    assert_eq!(run.by_ref().map_while(Result::ok).map(|(_, sum)| sum).collect::<Vec<u64>>(), [6, 4]);
}

/// The sum of a batch.
fn summed() -> impl gapless::CpuStage<Vec<u64>, Prepared = u64> {
    |batch: &mut Vec<u64>| Ok::<_, Cause>(batch.iter().sum::<u64>())
}

#[test]
fn settings_that_cannot_work_are_the_first_item() {
    let name = |result| match result {
        Some(Err(MapError::Run(Error::Setting { name, .. }))) => name,
        _ => "none",
    };
    assert_eq!(
        name(parallel::map_batch(0..3, 0, summed()).run().next().map(|r| r.map(|_| (0, 0)).map_err(
            |e| match e {
                MapError::Run(error) => MapError::<u64>::Run(error),
                other => panic!("{other}"),
            }
        ))),
        "batch_size"
    );
    assert_eq!(name(parallel::map(0..3, double).workers(9_999).run().next()), "workers");
}

#[test]
fn several_runs_share_a_pool_of_one_thread_and_leave_it_open() {
    let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool"));
    let inside = pool.clone();
    let sums: Vec<u64> = pool.install(move || {
        let run = parallel::map(0..20_u64, |n: &mut u64| Ok::<_, Cause>(*n)).pool(&inside).run();
        run.map(|result| result.expect("no failure").1).collect()
    });
    assert_eq!(sums, Vec::from_iter(0..20));
    assert_eq!(pool.install(|| 5), 5);
}

/// Documents that must come back, counted.
fn words(count: u64) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}

#[test]
fn apply_changes_every_document_in_its_place() {
    for workers in [0, 1, 3] {
        let mut documents = words(500);
        let mark = |word: &mut String| {
            word.push('!');
            Ok::<_, Cause>(())
        };
        parallel::apply(&mut documents, mark).workers(workers).run().expect("no failure");
        assert_eq!(documents, Vec::from_iter((0..500).map(|number| format!("{number}!"))));
    }
}

#[test]
fn every_document_is_back_in_its_place_whichever_fails_and_however() {
    for fault in 0..40_u64 {
        for panics in [false, true] {
            let mut documents = words(40);
            let fail = move |word: &mut String| {
                let at = word.parse::<u64>()? == fault;
                assert!(!(at && panics), "planned");
                if at { Err(Cause::msg("planned")) } else { Ok(()) }
            };
            let error =
                parallel::apply(&mut documents, fail).workers(2).ahead(5).run().expect_err("a failure");
            assert_eq!(error.failures.last().map(|failure| failure.position.get()), Some(fault));
            assert!(matches!(error.error, Error::Stopped { .. }));
            assert!(error.to_string().contains("planned"), "{error}");
            assert_eq!(documents, words(40));
        }
    }
}

#[test]
fn documents_are_back_when_a_progress_function_panics() {
    let mut documents = words(200);
    let done = |_: &mut String| Ok::<_, Cause>(());
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        parallel::apply(&mut documents, done).workers(2).progress(|_| panic!("planned")).run()
    }));
    assert!(panicked.is_err());
    assert_eq!(documents, words(200));
}

#[test]
fn skipped_documents_stay_and_are_named() {
    let mut documents = words(10);
    let fail = |word: &mut String| if word.as_str() < "4" { Err(Cause::msg("small")) } else { Ok(()) };
    let applied = parallel::apply(&mut documents, fail)
        .on_failure(OnFailure::Skip)
        .run()
        .expect("failures are skipped");
    let places: Vec<u64> = applied.failures.iter().map(|failure| failure.position.get()).collect();
    assert_eq!(places, [0, 1, 2, 3]);
    let most = OnFailure::SkipAtMost(AtMost::Count(2));
    let error = parallel::apply(&mut documents, fail).on_failure(most).run().expect_err("three have failed");
    assert_eq!(error.failures.len(), 3);
    assert_eq!(documents, words(10));
}

#[test]
fn a_batch_may_lose_and_gain_documents() {
    let mut numbers = Vec::from_iter(0..10);
    let keep_even = |batch: &mut Vec<i32>| {
        batch.retain(|number| number % 2 == 0);
        Ok::<_, Cause>(())
    };
    parallel::apply_batch(&mut numbers, 3, keep_even).workers(2).run().expect("no failure");
    assert_eq!(numbers, [0, 2, 4, 6, 8]);
}

#[test]
fn settings_that_cannot_work_leave_the_documents_alone() {
    let mut documents = words(3);
    let done = |_: &mut Vec<String>| Ok::<_, Cause>(());
    let error = parallel::apply_batch(&mut documents, 0, done).run().expect_err("a batch of none");
    assert!(error.to_string().starts_with("batch_size"), "{error}");
    assert_eq!(documents, words(3));
}

#[test]
fn with_zero_ahead_only_the_workers_have_documents() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (inside, peak) = (now.clone(), most.clone());
    let count = move |_: &mut u64| {
        peak.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        inside.fetch_sub(1, Ordering::SeqCst);
        Ok::<_, Cause>(())
    };
    let run = parallel::map(0..200, count).workers(2).ahead(0).run();
    assert_eq!(run.tokens(), 2);
    assert_eq!(run.count(), 200);
    assert!(most.load(Ordering::SeqCst) <= 2);
}

#[test]
fn results_as_they_are_ready_are_the_same_results() {
    let run = parallel::map(0..1_000, double).workers(3).order(Order::Completion).run();
    let mut results: Vec<u64> = run.map(|result| result.expect("no failure").1).collect();
    results.sort_unstable();
    assert_eq!(results, Vec::from_iter((0..1_000).map(|number| 2 * number)));
}
