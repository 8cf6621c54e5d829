//! The vectorizer, one law each.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use gapless::parallel::{Failed, Vectorizer};
use gapless::{Cause, Error, with_state};

use crate::support::{Gate, double, planted_panic, watch};

#[test]
fn results_are_in_the_order_of_the_items_and_it_can_be_used_again() {
    let _watch = watch();
    for workers in 0..5 {
        let mut vectorizer = Vectorizer::new(double).workers(workers);
        for items in [0, 1, 2, 100, 3] {
            assert_eq!(vectorizer.process(0..items).unwrap(), Vec::from_iter((0..items).map(|n| 2 * n)));
        }
    }
}

#[test]
fn each_worker_has_a_state_made_once_by_its_rank_and_keeps_it() {
    let _watch = watch();
    const WORKERS: usize = 3;
    let ranks: Arc<Mutex<Vec<usize>>> = Arc::default();
    let (made, gate) = (ranks.clone(), Gate::new());
    let all = gate.clone();
    let stage = with_state(
        move |rank| {
            made.lock().unwrap().push(rank);
            (rank, 0)
        },
        move |state: &mut (usize, usize), wait: &mut bool| {
            if *wait {
                all.pass();
            }
            state.1 += 1;
            Ok::<_, Cause>(*state)
        },
    );
    let mut vectorizer = Vectorizer::new(stage).workers(WORKERS);
    let opener = {
        let gate = gate.clone();
        std::thread::spawn(move || {
            gate.wait_until_blocked(WORKERS);
            gate.open();
        })
    };
    // As many items as workers, all of which wait for each other: each has a state of its own.
    let mut states = vectorizer.process([true; WORKERS]).unwrap();
    opener.join().unwrap();
    states.sort_unstable();
    assert_eq!(states, [(0, 1), (1, 1), (2, 1)]);
    let again = vectorizer.process(vec![false; 100]).unwrap();
    let calls: usize = (0..WORKERS)
        .filter_map(|rank| again.iter().filter(|state| state.0 == rank).map(|state| state.1).max())
        .map(|last| last - 1)
        .sum();
    assert_eq!(calls, 100, "the states of before were used on");
    let mut ranks = ranks.lock().unwrap().clone();
    ranks.sort_unstable();
    assert_eq!(ranks, [0, 1, 2]);
}

#[test]
fn an_item_that_fails_is_an_error_with_its_position_and_nothing_hangs() {
    let _watch = watch();
    let stage = |document: &mut u64| match *document {
        7 => planted_panic(),
        20 => Err(Cause::msg("planted")),
        _ => double(document),
    };
    for workers in 0..4 {
        let mut vectorizer = Vectorizer::new(stage).workers(workers);
        let failed = vectorizer.process(0..100).unwrap_err();
        let failure = failed.item().expect("an item failed");
        assert_eq!((failure.position.get(), failure.document, failure.cause.is_panic()), (7, 7, true));
        assert_eq!(vectorizer.process(8..30).unwrap_err().item().unwrap().position.get(), 12);
        assert_eq!(vectorizer.process(0..3).unwrap(), [0, 2, 4], "it can be used again");
    }
}

#[test]
fn the_callback_is_called_for_every_item_on_the_callers_thread_in_every_mode() {
    let _watch = watch();
    for workers in 0..4 {
        let calls = Arc::new(AtomicUsize::new(0));
        let (count, here) = (calls.clone(), std::thread::current().id());
        let mut vectorizer = Vectorizer::new(double).workers(workers).callback(move |progress| {
            assert_eq!((std::thread::current().id(), progress.total), (here, Some(50)));
            assert_eq!(progress.delivered as usize, count.fetch_add(1, Ordering::SeqCst) + 1);
        });
        vectorizer.process(0..50).unwrap();
        assert_eq!(calls.load(Ordering::SeqCst), 50);
    }
}

#[test]
fn workers_that_cannot_be_started_are_an_error() {
    let failed = Vectorizer::new(double).workers(usize::MAX).process(0..3).unwrap_err();
    assert!(matches!(failed, Failed::Run(Error::Setting { name: "workers", .. })));
}
