//! Runs as async streams: never blocking the executor, woken by the run's own threads.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_core::Stream;
use gapless::parallel::Failed;
use gapless::{Cause, Error, parallel};

use crate::support::{Gate, double, expected, pipeline_of, plus_one, until, watch};

async fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    poll_fn(|task| Pin::new(&mut *stream).poll_next(task)).await
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn a_stream_gives_what_the_run_gives() {
    let _watch = watch();
    for workers in 0..4 {
        for items in [0, 1, 500] {
            let mut stream = parallel(double, 0..items).workers(workers).run().into_stream();
            let mut seen = vec![];
            block_on(async {
                while let Some(outcome) = next(&mut stream).await {
                    seen.push(outcome.unwrap().document);
                }
                assert!(next(&mut stream).await.is_none(), "after its end it stays ended");
            });
            assert_eq!(seen, Vec::from_iter(0..items));
            assert!(stream.run().accounts().balance());
            assert!(stream.run().report().left_behind.is_empty());
        }
    }
}

#[test]
fn a_pipeline_is_a_stream_too() {
    let _watch = watch();
    for workers in 0..4 {
        let pipeline = pipeline_of(double, plus_one).batch_size(4).workers(workers);
        let mut stream = pipeline.run(0..99).into_stream();
        let mut seen = vec![];
        block_on(async {
            while let Some(batch) = next(&mut stream).await {
                for (document, row) in batch.unwrap().rows() {
                    assert_eq!(*row, expected(*document));
                    seen.push(*document);
                }
            }
        });
        assert_eq!(seen, Vec::from_iter(0..99));
        assert!(stream.run().report().left_behind.is_empty());
    }
}

#[test]
fn many_streams_share_one_thread() {
    let _watch = watch();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let tasks: Vec<_> = (0..20_u64)
        .map(|task| {
            runtime.spawn(async move {
                let mut stream = parallel(double, task..task + 100).workers(2).run().into_stream();
                let mut sum = 0;
                while let Some(outcome) = next(&mut stream).await {
                    sum += outcome.unwrap().document;
                }
                sum
            })
        })
        .collect();
    runtime.block_on(async {
        for (task, sum) in tasks.into_iter().enumerate() {
            assert_eq!(sum.await.unwrap(), (task as u64..task as u64 + 100).sum::<u64>());
        }
    });
}

/// Counts how often it is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn polling_waits_for_nothing_and_the_task_is_woken_when_there_is_news() {
    let _watch = watch();
    let gate = Gate::new();
    let waits = gate.clone();
    let stage = move |document: &mut u64| {
        waits.pass();
        double(document)
    };
    let mut stream = parallel(stage, 0..1).workers(1).run().into_stream();
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let mut task = Context::from_waker(&waker);
    assert!(Pin::new(&mut stream).poll_next(&mut task).is_pending());
    gate.wait_until_blocked(1);
    gate.open();
    let (mut seen, mut first) = (0, Poll::Pending);
    until("the task is woken and the result is there", || {
        let now = woken.0.load(Ordering::SeqCst);
        if now > seen {
            seen = now;
            first = Pin::new(&mut stream).poll_next(&mut task);
        }
        first.is_ready()
    });
    let Poll::Ready(Some(Ok(outcome))) = first else { panic!("no result") };
    assert_eq!(outcome.result, 0);
}

#[test]
fn a_stream_that_fails_waits_asleep_for_the_calls_that_run() {
    let _watch = watch();
    let gate = Gate::new();
    let waits = gate.clone();
    let stage = move |document: &mut u64| match *document {
        0 => Err(Cause::msg("planted")),
        _ => {
            waits.pass();
            double(document)
        }
    };
    let mut stream = parallel(stage, 0..).workers(2).run().into_stream();
    let opener = gate.clone();
    block_on(async {
        assert!(matches!(next(&mut stream).await, Some(Err(Failed::Item(_)))));
        // The other worker may still be inside its call: the executor is free meanwhile.
        let mut last = std::pin::pin!(next(&mut stream));
        let polled = poll_fn(|task| Poll::Ready(last.as_mut().poll(task))).await;
        opener.open();
        let last = match polled {
            Poll::Ready(last) => last,
            Poll::Pending => last.await,
        };
        assert!(matches!(last, Some(Err(Failed::Run(Error::Stopped { .. })))), "{last:?}");
    });
    assert!(stream.run().accounts().balance());
}

#[test]
fn a_stream_can_be_dropped_while_a_call_hangs() {
    let _watch = watch();
    let gate = Gate::new();
    let waits = gate.clone();
    let stage = move |document: &mut u64| {
        waits.pass();
        double(document)
    };
    let stream = parallel(stage, 0..).workers(1).run().into_stream();
    gate.wait_until_blocked(1);
    drop(stream);
    gate.open();
}
