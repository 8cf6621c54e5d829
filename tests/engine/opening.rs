//! A stream whose stages are opened while it is polled: whoever polls never waits for them.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_core::Stream as _;
use gapless::pipeline::RunStream;
use gapless::{Cause, Error, GpuStage, Pipeline, StageError};

use crate::support::{Gate, double, expected, until, watch};

/// A device half that is open when the gate is, or says why it is not.
struct Gated {
    gate: Arc<Gate>,
    opens: Result<(), &'static str>,
}

impl GpuStage<u64> for Gated {
    type Output = Vec<u64>;
    type Ticket = Vec<u64>;

    fn open(&mut self, _: usize) -> Result<(), Cause> {
        self.gate.pass();
        self.opens.map_err(Cause::msg)
    }

    fn submit(&mut self, batch: &[u64]) -> Result<Vec<u64>, StageError> {
        Ok(batch.iter().map(|prepared| prepared + 1).collect())
    }

    fn try_collect(&mut self, rows: &mut Vec<u64>, _: Duration) -> Result<Option<Vec<u64>>, StageError> {
        Ok(Some(std::mem::take(rows)))
    }
}

type Numbers = RunStream<u64, Vec<u64>>;

fn one_half(gate: &Arc<Gate>, opens: Result<(), &'static str>) -> Numbers {
    let stage = Gated { gate: gate.clone(), opens };
    Pipeline::new(double as fn(&mut u64) -> _, stage).batch_size(4).workers(1).stream(0..10)
}

fn two_halves(gate: &Arc<Gate>, opens: Result<(), &'static str>) -> Numbers {
    let stage = Gated { gate: gate.clone(), opens };
    let first = Pipeline::new(double as fn(&mut u64) -> _, |batch: &[u64]| batch.to_vec());
    let halves = first.batch_size(4).workers(1).then_gpu(|_: &mut u64, row: &u64| *row, stage);
    halves.last_half(|half| half.batch_size(4)).stream(0..10)
}

/// Starts a stream whose last device half is opened so.
type Start = fn(&Arc<Gate>, Result<(), &'static str>) -> Numbers;

const FACES: [Start; 2] = [one_half, two_halves];

fn poll(stream: &mut Numbers, waker: &Waker) -> Poll<Option<Result<u64, Error>>> {
    let polled = Pin::new(stream).poll_next(&mut Context::from_waker(waker));
    polled.map(|item| item.map(|batch| batch.map(|batch| batch.len() as u64)))
}

/// All that still comes out.
fn rest(stream: &mut Numbers) -> Result<Vec<u64>, Error> {
    let mut rows = Vec::new();
    pollster::block_on(async {
        while let Some(batch) = poll_fn(|task| Pin::new(&mut *stream).poll_next(task)).await {
            rows.extend_from_slice(batch?.output().expect("no document failed"));
        }
        Ok(rows)
    })
}

/// A task that notes that it was woken.
#[derive(Default)]
struct Woken(std::sync::atomic::AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, std::sync::atomic::Ordering::SeqCst);
    }
}

#[test]
fn a_poll_returns_while_the_stage_is_opened_and_its_task_is_woken_when_it_is() {
    let _watch = watch();
    for stream in FACES {
        let gate = Gate::new();
        let mut stream = stream(&gate, Ok(()));
        gate.wait_until_blocked(1);
        let woken = Arc::new(Woken::default());
        for _ in 0..3 {
            assert!(poll(&mut stream, &woken.clone().into()).is_pending());
        }
        assert_eq!((stream.run().accounts().pulled, stream.run().progress().delivered), (0, 0));
        assert!(!woken.0.load(std::sync::atomic::Ordering::SeqCst));
        gate.open();
        until("the task is woken", || woken.0.load(std::sync::atomic::Ordering::SeqCst));
        assert_eq!(rest(&mut stream).unwrap(), (0..10).map(expected).collect::<Vec<_>>());
        let accounts = stream.run().accounts();
        assert!(accounts.balance() && accounts.delivered == 10, "{accounts:?}");
    }
}

#[test]
fn an_error_of_opening_is_the_first_item() {
    let _watch = watch();
    for stream in FACES {
        let gate = Gate::new();
        let mut stream = stream(&gate, Err("no power"));
        assert!(poll(&mut stream, Waker::noop()).is_pending());
        gate.open();
        let error = rest(&mut stream).unwrap_err();
        assert!(matches!(&error, Error::Open { cause, .. } if cause.to_string() == "no power"), "{error}");
        assert!(matches!(poll(&mut stream, Waker::noop()), Poll::Ready(None)));
    }
}

#[test]
fn a_setting_that_cannot_work_is_the_first_item() {
    let _watch = watch();
    let stage = Gated { gate: Gate::new(), opens: Ok(()) };
    let mut stream = Pipeline::new(double as fn(&mut u64) -> _, stage).batch_size(0).stream(0..10);
    let error = rest(&mut stream).unwrap_err();
    assert!(matches!(error, Error::Setting { name: "batch_size", .. }), "{error}");
}

#[test]
fn a_stop_before_the_stage_is_open_counts() {
    let _watch = watch();
    let opens = [Ok(()), Err("no power")];
    for (stream, opens) in FACES.into_iter().flat_map(|stream| opens.map(|opens| (stream, opens))) {
        let gate = Gate::new();
        let mut stream = stream(&gate, opens);
        let handle = stream.run().handle();
        gate.wait_until_blocked(1);
        handle.stop();
        gate.open();
        assert_eq!(rest(&mut stream).unwrap(), [0_u64; 0]);
        assert_eq!(handle.progress().delivered, 0);
        assert!(stream.run().accounts().balance());
    }
}

#[test]
fn a_stream_that_is_dropped_while_its_stage_is_opened_waits_for_nobody() {
    let _watch = watch();
    for stream in FACES {
        let gate = Gate::new();
        let mut dropped = stream(&gate, Ok(()));
        gate.wait_until_blocked(1);
        assert!(poll(&mut dropped, Waker::noop()).is_pending());
        drop(dropped);
        gate.open();
        // Its thread drops the run, and the stage with it.
        until("nobody holds the gate", || Arc::strong_count(&gate) == 1);
    }
}
