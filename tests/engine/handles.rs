//! A run as it is seen from other threads: it can be stopped wherever its caller is, and asked how far it has come.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gapless::{Cause, Pipeline};

use crate::support::watch;

fn double(batch: &[u64]) -> Result<Vec<u64>, Cause> {
    Ok(batch.iter().map(|number| number * 2).collect())
}

#[test]
fn a_caller_that_waits_for_a_result_is_given_the_end_when_another_thread_stops_the_run() {
    let _watch = watch();
    let waits = Arc::new(AtomicBool::new(false));
    let (reached, cpu) = (waits.clone(), |number: &mut u64| Ok::<_, Cause>(*number));
    // Its source gives nothing until the run is over.
    let (never, source) = std::sync::mpsc::channel::<u64>();
    let source = source.into_iter().inspect(|_| ());
    let source = std::iter::once_with(move || {
        reached.store(true, Ordering::SeqCst);
        0
    })
    .chain(source);
    let mut run = Pipeline::new(cpu, double).workers(1).batch_size(2).run(source);
    let handle = run.handle();
    let other = std::thread::spawn(move || {
        while !waits.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        handle.stop();
        handle.stop();
        handle
    });
    assert!(run.next().is_none(), "a stop is no error");
    assert!(run.next().is_none());
    let accounts = run.accounts();
    assert_eq!((accounts.pulled, accounts.cancelled), (1, 1));
    assert_eq!(run.take_back().len(), 1);
    let handle = other.join().unwrap();
    drop(run);
    assert_eq!(handle.progress().in_flight, 0, "it can be asked after the end");
    assert_eq!(handle.report().accounts.cancelled, 1);
    drop(never);
}

#[test]
fn a_run_whose_caller_works_itself_ends_at_its_next_look() {
    let _watch = watch();
    let cpu = |number: &mut u64| Ok::<_, Cause>(*number);
    let mut run = Pipeline::new(cpu, double).workers(0).batch_size(2).run(0..);
    assert_eq!(run.next().unwrap().unwrap().output(), Some(&vec![0, 2]));
    run.handle().stop();
    assert!(run.next().is_none());
    assert!(run.accounts().balance());
}

#[test]
fn the_handle_of_a_run_that_could_not_start_says_that_nothing_happened() {
    let _watch = watch();
    let cpu = |number: &mut u64| Ok::<_, Cause>(*number);
    let run = Pipeline::new(cpu, double).batch_size(0).run(0..3);
    let handle = run.handle();
    handle.stop();
    assert_eq!(handle.progress().delivered, 0);
    assert_eq!(handle.report().accounts.pulled, 0);
}
