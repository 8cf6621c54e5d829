//! A stage that begins futures: how many wait at once, in which order they come out, and how a run with them ends.

use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use gapless::parallel::Failed;
use gapless::{Cause, Error, OnFailure, Pipeline, Watchdog, async_stage, parallel};

use crate::support::{planted_panic, watch};

/// Futures that wait until so many do.
#[derive(Default)]
struct Meeting {
    wakers: Mutex<Vec<Waker>>,
    there: AtomicUsize,
}

impl Meeting {
    /// Waits until `all` have come.
    fn meet(self: Arc<Self>, all: usize) -> impl Future<Output = ()> + Send {
        let mut came = false;
        poll_fn(move |task| {
            if !std::mem::replace(&mut came, true) {
                self.there.fetch_add(1, Ordering::SeqCst);
            }
            let mut wakers = self.wakers.lock().unwrap();
            if self.there.load(Ordering::SeqCst) >= all {
                wakers.drain(..).for_each(Waker::wake);
                return Poll::Ready(());
            }
            wakers.push(task.waker().clone());
            Poll::Pending
        })
    }
}

/// Counts itself while it is alive.
struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn one_of(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn as_many_futures_wait_at_once_as_items_may_be_in_flight_whatever_the_workers() {
    let _watch = watch();
    for workers in [0, 1, 2] {
        let meeting = Arc::new(Meeting::default());
        let stage = async_stage(move |number: &mut usize| {
            let (number, meeting) = (*number, meeting.clone());
            async move {
                meeting.meet(1000).await;
                Ok::<_, Cause>(number)
            }
        });
        let numbers = parallel(stage, 0..1000).workers(workers).ahead(1000).collect().unwrap();
        assert_eq!(numbers, Vec::from_iter(0..1000), "workers({workers})");
    }
}

#[test]
fn results_come_in_the_order_of_the_source_and_a_failure_stands_in_its_place() {
    let _watch = watch();
    for workers in [0, 2] {
        let meeting = Arc::new(Meeting::default());
        let stage = async_stage(move |number: &mut usize| {
            let (number, meeting) = (*number, meeting.clone());
            async move {
                // Even ones wait for all odd ones.
                meeting.meet(if number % 2 == 0 { 16 } else { 1 }).await;
                match number {
                    5 => Err(Cause::msg("refused")),
                    8 => planted_panic(),
                    number => Ok(number),
                }
            }
        });
        let outcomes =
            parallel(stage, 0..16).workers(workers).ahead(16).on_failure(OnFailure::Skip).run().map(
                |outcome| match outcome {
                    Ok(outcome) => (outcome.result, true),
                    Err(Failed::Item(failure)) => (failure.document, false),
                    Err(Failed::Run(error)) => panic!("{error}"),
                },
            );
        let expected = (0..16).map(|number| (number, number != 5 && number != 8));
        assert!(outcomes.eq(expected), "workers({workers})");
    }
}

#[test]
fn a_stopped_run_drops_its_futures_and_gives_every_document_back() {
    let _watch = watch();
    for workers in [0, 2] {
        let alive = Arc::new(AtomicUsize::new(0));
        let count = alive.clone();
        let stage = async_stage(move |number: &mut usize| {
            let (number, guard) = (*number, Alive::one_of(&count));
            async move {
                if number > 0 {
                    std::future::pending::<()>().await;
                }
                drop(guard);
                Ok::<_, Cause>(number)
            }
        });
        let mut run = parallel(stage, 0..100).workers(workers).ahead(20).run();
        assert_eq!(run.next().unwrap().unwrap().result, 0);
        run.stop();
        let accounts = run.accounts();
        assert!(accounts.balance() && accounts.stuck == 0, "{accounts:?}");
        let back = run.take_back();
        assert_eq!(back.len() as u64, accounts.cancelled);
        let places = back.iter().map(|(position, number)| (position.get() as usize, *number));
        assert!(places.eq((1..accounts.pulled as usize).map(|place| (place, place))));
        assert_eq!(alive.load(Ordering::SeqCst), 0, "workers({workers})");
    }
}

#[test]
fn a_future_that_nothing_wakes_ends_by_the_watchdog_and_by_the_deadline() {
    let _watch = watch();
    let stage = || async_stage(|_: &mut u32| std::future::pending::<Result<u32, Cause>>());
    let stalled = parallel(stage(), 0..3).watchdog(Duration::from_millis(20), Watchdog::End).on_stall(|_| ());
    let Some(Err(Failed::Run(Error::Stalled { stalled, .. }))) = stalled.run().next() else {
        panic!("a stall ends the run")
    };
    assert!(stalled.inside.is_empty(), "no code is inside: {stalled}");
    let mut late = parallel(stage(), 0..3).deadline(Duration::from_millis(20)).run();
    assert!(matches!(late.next(), Some(Err(Failed::Run(Error::Deadline { .. })))));
    assert_eq!(late.accounts().cancelled, late.accounts().pulled);
}

#[test]
fn a_pipeline_batches_what_futures_prepare() {
    let _watch = watch();
    let meeting = Arc::new(Meeting::default());
    let stage = async_stage(move |number: &mut u64| {
        let (number, meeting) = (*number, meeting.clone());
        async move {
            meeting.meet(32).await;
            Ok::<_, Cause>(number)
        }
    });
    let gpu = |batch: &[u64]| {
        assert_eq!(batch.len(), 8);
        Ok::<_, Cause>(batch.iter().map(|number| number + 1).collect::<Vec<_>>())
    };
    let run = Pipeline::new(stage, gpu).batch_size(8).ahead(4).run(0..32);
    let rows = run.flat_map(|batch| batch.unwrap().output().unwrap().clone());
    assert!(rows.eq(1..=32));
}

#[test]
fn a_stage_that_is_asked_outside_of_a_run_waits_itself() {
    use gapless::CpuStage;
    let stage = Arc::new(async_stage(|number: &mut u32| std::future::ready(Ok::<_, Cause>(*number + 1))));
    assert_eq!(stage.prepare(&mut 1).unwrap(), 2);
}
