//! A setting that cannot work is the first item, and nothing was started.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gapless::{AtMost, Auto, Cause, Error, GpuStage, LastBatch, OnFailure, Order, Pipeline, Run, StageError};
use rayon::ThreadPool;

use crate::support::{Gpu, counted, double, finish, pipeline_of, planted_panic, plus_one, watch};

/// A device that says whether it was opened, and how.
struct Opened {
    opened: Arc<AtomicBool>,
    depth: usize,
    open: fn() -> Result<(), Cause>,
}

impl GpuStage<u64> for Opened {
    type Output = Vec<u64>;
    type Ticket = Vec<u64>;

    fn open(&mut self, _: usize) -> Result<(), Cause> {
        self.opened.store(true, Ordering::SeqCst);
        (self.open)()
    }

    fn depth(&self) -> usize {
        self.depth
    }

    fn submit(&mut self, batch: &[u64]) -> Result<Vec<u64>, StageError> {
        Ok(plus_one(batch)?)
    }

    fn try_collect(&mut self, ticket: &mut Vec<u64>, _: Duration) -> Result<Option<Vec<u64>>, StageError> {
        Ok(Some(std::mem::take(ticket)))
    }
}

type Tried = Pipeline<u64, fn(&mut u64) -> Result<u64, Cause>, Opened>;

fn device(open: fn() -> Result<(), Cause>) -> Opened {
    Opened { opened: Arc::default(), depth: 2, open }
}

/// Runs it, checks that nothing was started, and gives the error.
fn refused(pipeline: impl FnOnce(Tried) -> Tried) -> Error {
    let device = device(|| Ok(()));
    let opened = device.opened.clone();
    let (taken, source) = counted(0..100);
    let run = pipeline(Pipeline::new(double as fn(&mut u64) -> _, device)).run(source);
    assert_eq!(Arc::strong_count(&opened), 1, "no thread holds the stages");
    let error = error_of(run);
    assert_eq!(taken.load(Ordering::SeqCst), 0, "the source was not touched");
    assert!(!opened.load(Ordering::SeqCst), "the device was not touched");
    error
}

fn error_of<O>(run: Run<u64, O>) -> Error {
    let finished = finish(run);
    assert!(finished.batches.is_empty());
    assert_eq!(finished.accounts.pulled, 0);
    finished.error.expect("an error is the first item")
}

fn check(name: &str, pipeline: impl FnOnce(Tried) -> Tried) {
    match refused(pipeline) {
        Error::Setting { name: named, reason, .. } => {
            assert_eq!(named, name);
            assert!(!reason.is_empty());
        }
        error => panic!("{name}: {error}"),
    }
}

fn small_pool() -> Arc<ThreadPool> {
    Arc::new(rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap())
}

#[test]
fn zeros_that_cannot_work_are_refused() {
    let _watch = watch();
    check("batch_size", |pipeline| pipeline.batch_size(0));
    check("ahead", |pipeline| pipeline.ahead(0));
    check("max_wait", |pipeline| pipeline.max_wait(Duration::ZERO));
}

#[test]
fn sizes_that_overflow_are_refused() {
    let _watch = watch();
    check("batch_size", |pipeline| pipeline.batch_size(usize::MAX));
    check("batch_size", |pipeline| pipeline.ahead(usize::MAX));
    check("workers", |pipeline| pipeline.workers(usize::MAX));
}

#[test]
fn a_share_that_is_none_is_refused() {
    let _watch = watch();
    for share in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        check("on_failure", |pipeline| pipeline.on_failure(OnFailure::SkipAtMost(AtMost::Share(share))));
    }
}

#[test]
fn workers_beside_an_outside_pool_are_refused() {
    let _watch = watch();
    check("workers", |pipeline| pipeline.workers(2).pool(&small_pool()));
    check("workers", |pipeline| pipeline.workers(0).pool(&small_pool()));
    let allowed = pipeline_of(double, plus_one).workers(Auto).pool(&small_pool()).run(0..3);
    assert!(finish(allowed).error.is_none());
}

#[test]
fn no_device_at_all_is_refused() {
    let _watch = watch();
    let none: Vec<Gpu> = Vec::new();
    let error = error_of(Pipeline::on_devices(double, none).run(0..3));
    assert!(matches!(error, Error::Setting { name: "on_devices", .. }), "{error}");
}

#[test]
fn whole_batches_refuse_what_would_cut_inside_them() {
    let _watch = watch();
    let sum = |batch: &mut Vec<u64>| Ok::<_, Cause>(batch.iter().sum::<u64>());
    let ramp = Pipeline::per_batch(sum, plus_one).ramp(true).run(0..9);
    assert!(matches!(error_of(ramp), Error::Setting { name: "ramp", .. }));
    let padded = Pipeline::per_batch(sum, plus_one).last_batch(LastBatch::Pad(Clone::clone)).run(0..9);
    assert!(matches!(error_of(padded), Error::Setting { name: "last_batch", .. }));
    let zero = Pipeline::per_batch(sum, plus_one).batch_size(0).run(0..9);
    assert!(matches!(error_of(zero), Error::Setting { name: "batch_size", .. }));
}

/// The error of a run whose device has this depth and opens like this.
fn opening(depth: usize, open: fn() -> Result<(), Cause>) -> Error {
    let device = Opened { depth, ..device(open) };
    let opened = device.opened.clone();
    let (taken, source) = counted(0..100);
    let run = Pipeline::new(double, device).run(source);
    assert!(opened.load(Ordering::SeqCst));
    assert_eq!(Arc::strong_count(&opened), 1, "no thread holds the stages");
    let error = error_of(run);
    assert_eq!(taken.load(Ordering::SeqCst), 0);
    error
}

#[test]
fn a_device_that_does_not_open_is_the_first_item() {
    let _watch = watch();
    let error = opening(1, || Err(Cause::msg("no such device")));
    assert!(matches!(&error, Error::Open { cause, .. } if cause.to_string() == "no such device"), "{error}");
    let error = opening(1, || planted_panic());
    assert!(matches!(&error, Error::Open { cause, .. } if cause.is_panic()), "{error}");
}

#[test]
fn a_depth_that_overflows_is_refused() {
    let _watch = watch();
    let error = opening(usize::MAX, || Ok(()));
    assert!(matches!(error, Error::Setting { name: "depth", .. }), "{error}");
}

#[test]
fn the_stage_learns_the_largest_batch_when_it_is_opened() {
    struct Largest(Arc<std::sync::Mutex<Vec<usize>>>);
    impl GpuStage<u64> for Largest {
        type Output = ();
        type Ticket = ();
        fn open(&mut self, max_batch: usize) -> Result<(), Cause> {
            self.0.lock().unwrap().push(max_batch);
            Ok(())
        }
        fn submit(&mut self, _: &[u64]) -> Result<(), StageError> {
            Ok(())
        }
        fn try_collect(&mut self, (): &mut (), _: Duration) -> Result<Option<()>, StageError> {
            Ok(Some(()))
        }
    }
    let _watch = watch();
    let largest = Arc::default();
    let devices = vec![Largest(Arc::clone(&largest)), Largest(Arc::clone(&largest))];
    let run = Pipeline::on_devices(double, devices).batch_size(5).order(Order::Completion).run(0..3);
    finish(run).check_each_once();
    assert_eq!(*largest.lock().unwrap(), [5, 5], "once a device");
}
