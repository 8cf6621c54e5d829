//! The run without a device, one law each.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use gapless::parallel::{Failed, ParallelRun};
use gapless::{AtMost, Cause, Error, OnFailure, Order, Stage, parallel, with_state};

use crate::support::{Gate, counted, double, planted_panic, until, watch};

const ITEMS: u64 = 200;

/// Everything that comes out, with positions; the run's laws are checked.
fn finish(mut run: ParallelRun<u64, u64>) -> (Vec<u64>, Vec<u64>, Option<Error>, Vec<u64>) {
    let (mut good, mut failed, mut error) = (Vec::new(), Vec::new(), None);
    for item in run.by_ref() {
        assert!(error.is_none(), "an error is the last item");
        match item {
            Ok(outcome) => {
                assert_eq!(outcome.position.get(), outcome.document);
                assert_eq!(outcome.result, 2 * outcome.document);
                good.push(outcome.document);
            }
            Err(Failed::Item(failure)) => {
                assert_eq!((failure.position.get(), failure.stage), (failure.document, Stage::Cpu));
                failed.push(failure.document);
            }
            Err(Failed::Run(last)) => error = Some(last),
        }
    }
    assert!(run.next().is_none(), "after its end a run stays ended");
    let accounts = run.accounts();
    let left: Vec<u64> = run.take_back().into_iter().map(|(_, document)| document).collect();
    assert!(accounts.balance(), "{accounts:?}");
    assert_eq!((accounts.delivered, accounts.failed), (good.len() as u64, failed.len() as u64));
    assert_eq!(accounts.cancelled, left.len() as u64);
    (good, failed, error, left)
}

#[test]
fn every_item_comes_out_in_order_with_any_number_of_workers() {
    let _watch = watch();
    for workers in 0..5 {
        for items in [0, 1, 2, ITEMS, 5000] {
            let (good, failed, error, left) = finish(parallel(double, 0..items).workers(workers).run());
            assert_eq!(good, Vec::from_iter(0..items));
            assert!(failed.is_empty() && error.is_none() && left.is_empty());
        }
    }
}

#[test]
fn every_chunk_size_and_every_bound_gives_the_same_results() {
    let _watch = watch();
    for workers in 0..4 {
        for chunk in [1, 3, 64, 1000] {
            for ahead in [None, Some(0), Some(1), Some(100)] {
                let run = parallel(double, 0..ITEMS).workers(workers).chunk(chunk);
                let run = ahead.into_iter().fold(run, gapless::parallel::Parallel::ahead);
                assert_eq!(finish(run.run()).0, Vec::from_iter(0..ITEMS), "{workers} {chunk} {ahead:?}");
            }
        }
    }
}

#[test]
fn a_result_comes_out_as_soon_as_it_is_ready() {
    let _watch = watch();
    let gate = Gate::new();
    let waits = gate.clone();
    let stage = move |document: &mut u64| {
        if *document == 1 {
            waits.pass();
        }
        double(document)
    };
    let mut run = parallel(stage, 0..ITEMS).workers(2).run();
    assert_eq!(run.next().unwrap().unwrap().document, 0, "though the next one has not returned");
    gate.open();
    assert_eq!(run.next().unwrap().unwrap().document, 1);
}

#[test]
fn in_completion_order_a_slow_item_holds_nobody_up() {
    let _watch = watch();
    let gate = Gate::new();
    let waits = gate.clone();
    let stage = move |document: &mut u64| {
        if *document == 0 {
            waits.pass();
        }
        double(document)
    };
    let mut run = parallel(stage, 0..ITEMS).workers(2).order(Order::Completion).run();
    let mut seen: Vec<u64> =
        run.by_ref().take(ITEMS as usize - 1).map(|item| item.unwrap().document).collect();
    gate.open();
    assert_eq!(run.next().unwrap().unwrap().document, 0);
    seen.sort_unstable();
    assert_eq!(seen, Vec::from_iter(1..ITEMS));
}

#[test]
fn a_stalled_caller_stops_the_source() {
    let _watch = watch();
    for workers in 1..4 {
        let (taken, source) = counted(0..);
        let run = parallel(double, source).workers(workers).run();
        until("the tokens are taken", || taken.load(Ordering::SeqCst) == run.tokens());
        let pulled = run.accounts().pulled;
        assert!(pulled <= run.tokens() as u64);
    }
}

#[test]
fn without_workers_nothing_is_pulled_before_it_is_asked_for() {
    let _watch = watch();
    let (taken, source) = counted(0..);
    let mut run = parallel(double, source).workers(0).run();
    for asked in 0..10 {
        assert_eq!(taken.load(Ordering::SeqCst), asked);
        assert_eq!(run.next().unwrap().unwrap().document, asked as u64);
    }
}

fn failing(document: &mut u64) -> Result<u64, Cause> {
    match *document % 50 {
        30 => Err(Cause::msg("planted")),
        40 => planted_panic(),
        _ => double(document),
    }
}

#[test]
fn a_failure_comes_out_in_its_place_and_ends_the_run() {
    let _watch = watch();
    for workers in 0..4 {
        for order in [Order::Source, Order::Completion] {
            let (good, failed, error, _) =
                finish(parallel(failing, 0..ITEMS).workers(workers).order(order).run());
            if order == Order::Source {
                assert_eq!((good, &failed[..]), (Vec::from_iter(0..30), &[30][..]));
            }
            let Some(Error::Stopped { position, .. }) = error else { panic!("{error:?}") };
            assert!(failed.contains(&position.get()));
        }
    }
}

#[test]
fn skipped_failures_stand_among_the_results_in_order() {
    let _watch = watch();
    for workers in 0..4 {
        let run = parallel(failing, 0..ITEMS).workers(workers).on_failure(OnFailure::Skip).run();
        let places = run.map(|item| match item {
            Ok(outcome) => outcome.position.get(),
            Err(failed) => failed.item().expect("an item").position.get(),
        });
        assert_eq!(Vec::from_iter(places), Vec::from_iter(0..ITEMS));
        let run =
            parallel(failing, 0..ITEMS).workers(workers).on_failure(OnFailure::SkipAtMost(AtMost::Count(3)));
        let (_, failed, error, _) = finish(run.run());
        assert_eq!(failed, [30, 40, 80, 90]);
        assert!(matches!(error, Some(Error::Stopped { .. })));
    }
}

#[test]
fn collect_gives_all_results_or_the_first_failure_with_its_item() {
    let _watch = watch();
    for workers in 0..4 {
        assert_eq!(
            parallel(double, 0..30).workers(workers).collect().unwrap(),
            Vec::from_iter((0..30).map(|n| 2 * n))
        );
        let failed = parallel(failing, 0..ITEMS).workers(workers).collect().unwrap_err();
        let failure = failed.item().expect("an item failed");
        assert_eq!((failure.document, failure.cause.to_string()), (30, "planted".to_owned()));
    }
}

#[test]
fn a_run_can_be_dropped_or_stopped_after_any_item() {
    let _watch = watch();
    for workers in 0..4 {
        for items in [0, 1, 5, 100] {
            let probe = Arc::new(());
            let held = probe.clone();
            let stage = move |document: &mut u64| {
                let _held = &held;
                double(document)
            };
            let mut run = parallel(stage, 0..).workers(workers).run();
            let seen: Vec<u64> = run.by_ref().take(items).map(|item| item.unwrap().document).collect();
            run.stop();
            let accounts = run.accounts();
            let left = run.take_back();
            assert_eq!(
                accounts.delivered,
                seen.len() as u64,
                "what was ready and not taken is not delivered"
            );
            let places = left.iter().map(|(position, _)| position.get());
            assert_eq!(Vec::from_iter(places), Vec::from_iter(items as u64..accounts.pulled));
            assert!(accounts.balance());
            drop(run);
            assert_eq!(Arc::strong_count(&probe), 1, "the threads are gone");
        }
    }
}

#[test]
fn a_source_that_panics_ends_the_run_after_everything_before_it() {
    let _watch = watch();
    for workers in 0..3 {
        for chunk in [1, 7] {
            let source = (0..ITEMS).inspect(|document| {
                if *document == 90 {
                    planted_panic();
                }
            });
            let (good, _, error, _) = finish(parallel(double, source).workers(workers).chunk(chunk).run());
            assert_eq!(good, Vec::from_iter(0..90));
            assert!(matches!(error, Some(Error::Source { .. })));
        }
    }
}

#[test]
fn a_source_may_wait_for_results_of_its_own_run() {
    let _watch = watch();
    let (sender, source) = mpsc::channel();
    sender.send(0).unwrap();
    let mut run = parallel(double, source).workers(2).chunk(1).run();
    for document in 0..20 {
        assert_eq!(run.next().unwrap().unwrap().document, document);
        sender.send(document + 1).unwrap();
    }
}

#[test]
fn settings_that_cannot_work_are_the_first_item() {
    let _watch = watch();
    let name = |run: ParallelRun<u64, u64>| match Vec::from_iter(run).pop() {
        Some(Err(Failed::Run(Error::Setting { name, .. }))) => name,
        other => panic!("{other:?}"),
    };
    assert_eq!(name(parallel(double, 0..1).chunk(0).run()), "chunk");
    assert_eq!(name(parallel(double, 0..1).chunk(usize::MAX).run()), "chunk");
    assert_eq!(name(parallel(double, 0..1).ahead(usize::MAX).run()), "ahead");
    assert_eq!(name(parallel(double, 0..1).workers(usize::MAX).run()), "workers");
    assert_eq!(
        name(parallel(double, 0..1).on_failure(OnFailure::SkipAtMost(AtMost::Share(2.0))).run()),
        "on_failure"
    );
}

#[test]
fn progress_is_told_for_every_item_in_every_mode() {
    let _watch = watch();
    for workers in 0..3 {
        let told = Arc::new(AtomicUsize::new(0));
        let count = told.clone();
        let here = std::thread::current().id();
        let run = parallel(failing, 0..ITEMS).workers(workers).on_failure(OnFailure::Skip).progress(
            move |progress| {
                let before = count.fetch_add(1, Ordering::SeqCst) as u64;
                assert_eq!(progress.delivered + progress.failed, before + 1);
                assert_eq!((std::thread::current().id(), progress.total), (here, Some(ITEMS)));
            },
        );
        finish(run.run());
        assert_eq!(told.load(Ordering::SeqCst) as u64, ITEMS);
    }
}

#[test]
fn each_result_of_a_stateful_stage_says_its_index_in_any_order() {
    let _watch = watch();
    for workers in 0..4 {
        let stage = with_state(
            |rank| (rank, 0_u64),
            |(rank, calls): &mut (usize, u64), document: &mut u64| {
                *calls += 1;
                Ok::<_, Cause>((*rank, *calls, *document))
            },
        );
        let run = parallel(stage, (0..ITEMS).rev()).workers(workers).order(Order::Completion).run();
        let (mut indices, mut calls) = (vec![], vec![0; workers.max(1)]);
        for outcome in run {
            let outcome = outcome.unwrap();
            let (rank, call, document) = outcome.result;
            assert_eq!(document, ITEMS - 1 - outcome.position.get());
            indices.push(outcome.position.get());
            calls[rank] = call.max(calls[rank]);
        }
        indices.sort_unstable();
        assert_eq!(indices, Vec::from_iter(0..ITEMS));
        assert_eq!(calls.into_iter().sum::<u64>(), ITEMS, "each call had one of the states");
    }
}

#[test]
fn the_run_ends_where_its_time_is_over_also_without_workers() {
    let _watch = watch();
    for workers in 0..3 {
        let run = parallel(double, 0..).workers(workers).deadline(std::time::Duration::ZERO);
        assert!(matches!(run.run().next(), Some(Err(Failed::Run(Error::Deadline { .. })))));
    }
}

#[test]
fn an_item_that_hangs_is_told_about_while_the_caller_waits() {
    let _watch = watch();
    let gate = Gate::new();
    let (waits, opens) = (gate.clone(), gate.clone());
    let stage = move |document: &mut u64| {
        if *document == 1 {
            waits.pass();
        }
        double(document)
    };
    let run = parallel(stage, 0..3).workers(2).on_failure(OnFailure::Skip);
    let run = run.item_timeout(std::time::Duration::from_millis(1)).on_late(move |late| {
        if late.position.get() == 1 {
            opens.open();
        }
    });
    let items: Vec<_> = run.into_iter().collect();
    let failure = items[1].as_ref().unwrap_err().item().expect("the item is given back");
    assert!(failure.cause.to_string().contains("more than the 1ms"), "{failure}");
}

#[test]
fn settings_of_single_items_leave_no_chunk_to_choose() {
    let second = std::time::Duration::from_secs(1);
    for run in
        [parallel(double, 0..3).chunk(2).pause(second), parallel(double, 0..3).chunk(2).item_timeout(second)]
    {
        assert!(matches!(run.collect(), Err(Failed::Run(Error::Setting { name: "chunk", .. }))));
    }
}
