//! Order: that of the source whatever is slow, or that of completion where it is asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gapless::{Cause, Order, Pipeline, Run};

use crate::support::{
    Gate, cpu_of, double, finish, finish_after, gpu_of, pipeline_of, plus_one, until, watch,
};

/// A CPU half that waits at a gate with the first document, and counts the others.
fn slow_first(
    gate: &Arc<Gate>,
) -> (Arc<AtomicUsize>, impl Fn(&mut u64) -> Result<u64, Cause> + Send + Sync + 'static) {
    let prepared = Arc::new(AtomicUsize::new(0));
    let (count, gate) = (prepared.clone(), gate.clone());
    let cpu = move |document: &mut u64| {
        if *document == 0 {
            gate.pass();
        } else {
            count.fetch_add(1, Ordering::SeqCst);
        }
        double(document)
    };
    (prepared, cpu)
}

#[test]
fn one_slow_document_holds_back_those_behind_it() {
    let _watch = watch();
    for workers in 2..5 {
        let gate = Gate::new();
        let (prepared, cpu) = slow_first(&gate);
        let run = pipeline_of(cpu, plus_one).batch_size(4).ahead(2).workers(workers).run(0..100);
        let others = run.tokens() - 1;
        until("all others in flight are prepared", || prepared.load(Ordering::SeqCst) == others);
        assert_eq!(run.accounts().delivered, 0);
        gate.open();
        let finished = finish(run);
        finished.check_results();
        assert_eq!(finished.documents(), Vec::from_iter(0..100));
    }
}

#[test]
fn with_completion_order_others_pass_a_slow_document() {
    let _watch = watch();
    for workers in 2..5 {
        let gate = Gate::new();
        let (_, cpu) = slow_first(&gate);
        let pipeline = pipeline_of(cpu, plus_one).batch_size(4).workers(workers).order(Order::Completion);
        let mut run = pipeline.run(0..100);
        let first = run.next().unwrap().unwrap();
        assert_eq!(first.len(), 4);
        assert!(!first.documents().contains(&0));
        gate.open();
        let finished = finish_after(vec![first], run);
        finished.check_results();
        assert!(finished.error.is_none());
        assert_eq!(finished.accounts.delivered, 100);
    }
}

#[test]
fn with_completion_order_a_slow_document_does_not_stop_a_whole_run() {
    let _watch = watch();
    let gate = Gate::new();
    let (prepared, cpu) = slow_first(&gate);
    let mut run = pipeline_of(cpu, plus_one).batch_size(4).workers(2).order(Order::Completion).run(0..401);
    let batches: Vec<_> = run.by_ref().take(100).map(Result::unwrap).collect();
    assert_eq!(prepared.load(Ordering::SeqCst), 400);
    gate.open();
    let finished = finish_after(batches, run);
    finished.check_results();
    assert_eq!(finished.batches[100].documents(), [0]);
}

/// A run on several devices; whichever gets the first batch holds it until the gate opens.
fn slow_device(devices: usize, gate: &Arc<Gate>, order: Order) -> (Arc<AtomicUsize>, Run<u64, Vec<u64>>) {
    let ran = Arc::new(AtomicUsize::new(0));
    let device = || {
        let (gate, ran) = (gate.clone(), ran.clone());
        gpu_of(move |batch: &[u64]| {
            if batch.contains(&0) {
                gate.pass();
            }
            ran.fetch_add(1, Ordering::SeqCst);
            plus_one(batch)
        })
    };
    let devices = (0..devices).map(|_| device()).collect();
    let pipeline = Pipeline::on_devices(cpu_of(double), devices).batch_size(4).ahead(2).workers(2);
    (ran, pipeline.order(order).run(0..98))
}

#[test]
fn results_of_several_devices_come_in_order() {
    let _watch = watch();
    for devices in 2..4 {
        let gate = Gate::new();
        let (ran, run) = slow_device(devices, &gate, Order::Source);
        let others = run.tokens() / 4 - 1;
        until("all other batches in flight ran", || ran.load(Ordering::SeqCst) == others);
        gate.open();
        let finished = finish(run);
        finished.check_results();
        assert_eq!(finished.documents(), Vec::from_iter(0..98));
        assert!(finished.batches.iter().map(|batch| batch.index().get()).eq(0..25));
        let of_devices: u64 = finished.report.devices.iter().map(|device| device.batches).sum();
        assert_eq!((finished.report.devices.len(), of_devices), (devices, 25));
    }
}

#[test]
fn with_completion_order_results_of_several_devices_come_as_they_finish() {
    let _watch = watch();
    for devices in 2..4 {
        let gate = Gate::new();
        let (ran, mut run) = slow_device(devices, &gate, Order::Completion);
        let batches: Vec<_> = run.by_ref().take(24).map(Result::unwrap).collect();
        assert_eq!(ran.load(Ordering::SeqCst), 24, "all but the slow batch");
        assert!(batches.iter().all(|batch| !batch.documents().contains(&0)));
        gate.open();
        let finished = finish_after(batches, run);
        finished.check_results();
        assert_eq!(finished.accounts.delivered, 98);
    }
}
