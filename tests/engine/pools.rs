//! Whose threads are used, and who waits in them: outside pools, callers inside pools, the global pool
//! shared with the source and the device, and the limit of nested waits.
//!
//! Each of these has deadlocked some pipeline; the watch over each test makes that a failure.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use gapless::{Cause, Error};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::support::{Gate, double, each_row, finish, pipeline_of, plus_one, watch};

fn pool(threads: usize) -> Arc<ThreadPool> {
    Arc::new(ThreadPoolBuilder::new().num_threads(threads).build().unwrap())
}

/// Threads of the global pool in this process: few, so that callers can fill it.
const GLOBAL: usize = 3;
/// Callers in the global pool at once.
const CALLERS: usize = 4 * GLOBAL;

/// Runs so many callers at once in the global pool, and waits for all from outside.
fn fill_global_pool(caller: impl Fn(u64) + Sync) {
    static SIZE: Once = Once::new();
    SIZE.call_once(|| ThreadPoolBuilder::new().num_threads(GLOBAL).build_global().unwrap());
    rayon::scope(|scope| {
        for rank in 0..CALLERS as u64 {
            let caller = &caller;
            scope.spawn(move |_| caller(rank));
        }
    });
}

fn sum_in_global_pool(numbers: u64) -> u64 {
    (0..numbers).into_par_iter().sum()
}

#[test]
fn an_outside_pool_does_the_work_even_with_one_thread() {
    let _watch = watch();
    for threads in 1..4 {
        let pool = pool(threads);
        let names = Arc::new(Mutex::new(Vec::new()));
        let seen = names.clone();
        let cpu = move |document: &mut u64| {
            seen.lock().unwrap().push(rayon::current_num_threads());
            double(document)
        };
        let finished = finish(pipeline_of(cpu, plus_one).batch_size(4).pool(&pool).run(0..100));
        finished.check_results();
        assert_eq!(finished.accounts.delivered, 100);
        assert!(names.lock().unwrap().iter().all(|in_pool| *in_pool == threads));
        assert_eq!(pool.install(|| 7), 7, "the pool of others is not closed");
    }
}

#[test]
fn a_caller_inside_the_pool_that_does_its_work_gets_its_results() {
    let _watch = watch();
    for threads in 1..4 {
        let pool = pool(threads);
        let finished = pool.install(|| {
            finish(
                pipeline_of(double, plus_one)
                    .then(each_row(|_: &mut u64, row: &u64| Ok(*row)))
                    .pool(&pool)
                    .run(0..200),
            )
        });
        finished.check_results();
        assert_eq!(finished.accounts.delivered, 200);
    }
}

#[test]
fn many_callers_inside_the_pool_that_does_their_work_get_their_results() {
    let _watch = watch();
    for threads in 1..3 {
        let pool = pool(threads);
        pool.scope(|scope| {
            for _ in 0..12 {
                let pool = &pool;
                scope.spawn(move |_| {
                    let finished = finish(pipeline_of(double, plus_one).batch_size(4).pool(pool).run(0..50));
                    finished.check_results();
                    assert_eq!(finished.accounts.delivered, 50);
                });
            }
        });
    }
}

#[test]
fn a_caller_inside_a_pool_can_stop_its_run() {
    let _watch = watch();
    let pool = pool(1);
    pool.install(|| {
        for batches in 0..4 {
            let mut run = pipeline_of(double, plus_one).batch_size(4).pool(&pool).run(0..);
            let taken = run.by_ref().take(batches).map(Result::unwrap).collect();
            run.stop();
            crate::support::finish_after(taken, run).check_results();
        }
    });
}

#[test]
fn the_global_pool_may_be_full_of_callers() {
    let _watch = watch();
    fill_global_pool(|_| {
        let finished = finish(pipeline_of(double, plus_one).batch_size(4).workers(1).run(0..100));
        finished.check_results();
        assert_eq!(finished.accounts.delivered, 100);
    });
}

#[test]
fn a_source_may_use_the_global_pool_while_callers_fill_it() {
    let _watch = watch();
    fill_global_pool(|_| {
        let source = (0..60).inspect(|number| assert!(sum_in_global_pool(64) > *number));
        finish(pipeline_of(double, plus_one).batch_size(4).workers(1).run(source)).check_results();
    });
}

#[test]
fn a_device_may_use_the_global_pool_while_callers_fill_it() {
    let _watch = watch();
    fill_global_pool(|_| {
        let gpu = |batch: &[u64]| {
            let rows: Vec<u64> = batch.par_iter().map(|prepared| prepared + 1).collect();
            Ok::<_, Cause>(rows)
        };
        finish(pipeline_of(double, gpu).batch_size(4).workers(1).run(0..60)).check_results();
    });
}

#[test]
fn a_cpu_stage_may_use_the_pool_that_runs_it() {
    let _watch = watch();
    for workers in 1..4 {
        let cpu = |document: &mut u64| Ok::<_, Cause>(sum_in_global_pool(65) / 2080 * *document * 2);
        let finished = finish(pipeline_of(cpu, plus_one).batch_size(4).workers(workers).run(0..200));
        finished.check_results();
        assert_eq!(finished.accounts.delivered, 200);
    }
}

#[test]
fn a_cpu_stage_may_run_a_pipeline_of_its_own() {
    let _watch = watch();
    for workers in 0..4 {
        let cpu = |document: &mut u64| {
            let inner = finish(pipeline_of(double, plus_one).batch_size(2).workers(1).run(0..5));
            inner.check_results();
            Ok::<_, Cause>(inner.accounts.delivered / 5 * *document * 2)
        };
        finish(pipeline_of(cpu, plus_one).batch_size(4).workers(workers).run(0..30)).check_results();
    }
}

#[test]
fn waits_nested_too_deeply_are_an_error_and_no_hang() {
    let _watch = watch();
    const CALLERS: usize = 100;
    let (gate, nested) = (Gate::new(), AtomicUsize::new(0));
    // One thread, and no result before one caller was refused: all others wait on one stack.
    pool(1).scope(|scope| {
        for _ in 0..CALLERS {
            let (gate, nested) = (&gate, &nested);
            scope.spawn(move |_| {
                let at_gate = gate.clone();
                let gpu = move |batch: &[u64]| {
                    at_gate.pass();
                    plus_one(batch)
                };
                let pipeline = pipeline_of(double, gpu).workers(1).grace(Duration::from_millis(10));
                let finished = finish(pipeline.run(0..3));
                match finished.error {
                    None => finished.check_results(),
                    Some(error) => {
                        assert!(matches!(error, Error::Nested { depth: 64, .. }), "{error}");
                        assert!(error.to_string().contains("64 waits"), "{error}");
                        assert!(error.to_string().contains("rayon pool"), "{error}");
                        nested.fetch_add(1, Ordering::SeqCst);
                        gate.open();
                    }
                }
            });
        }
    });
    assert!((1..CALLERS).contains(&nested.load(Ordering::SeqCst)));
}

#[test]
fn a_run_works_inside_spawn_blocking_of_tokio() {
    let _watch = watch();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let delivered = runtime.block_on(async {
        let runs: Vec<_> = (0..4)
            .map(|_| {
                tokio::task::spawn_blocking(|| {
                    let finished = finish(pipeline_of(double, plus_one).workers(2).run(0..100));
                    finished.check_results();
                    finished.accounts.delivered
                })
            })
            .collect();
        let mut delivered = 0;
        for run in runs {
            delivered += run.await.unwrap();
        }
        delivered
    });
    assert_eq!(delivered, 400);
}
