//! A program that was opened is not opened again: what clones share, and what becomes of it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use gapless::kernel::{Dispatch, Kernel, Spec, Values, ValuesMut};
use gapless::{Cause, Error, Gpu, GpuStage, Pipeline, Program, Tensors};
use ndarray::{Array1, ArrayD, IxDyn};

use crate::common::device;
use crate::devices::rebuilt_device;
use crate::toy::{Scale, Sum, floats};

const MINUTE: Duration = Duration::from_secs(60);

/// `2x + 1`, which counts how often it was planned.
#[derive(Debug)]
struct Planned(Arc<AtomicUsize>);

impl Kernel for Planned {
    fn name(&self) -> &'static str {
        "planned"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        Scale(2.0, 1.0).output(inputs)
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        self.0.fetch_add(1, Ordering::Relaxed);
        Scale(2.0, 1.0).dispatch(inputs, output)
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        Scale(2.0, 1.0).twin(inputs, output);
    }
}

/// `2x + 1 + bias` of three values, where the bias is 10, 20 and 30.
fn net(gpu: &Gpu) -> (Program, Arc<AtomicUsize>) {
    let planned = Arc::new(AtomicUsize::new(0));
    let bias = ArrayD::from_shape_vec(IxDyn(&[3]), vec![10.0, 20.0, 30.0]).unwrap();
    let mut net = Program::new(gpu);
    let x = net.input("x", floats(&[3])).unwrap();
    let bias = net.constant("bias", bias).unwrap();
    let scaled = net.add(Planned(planned.clone()), &[x]).unwrap();
    let y = net.add(Sum, &[scaled, bias]).unwrap();
    net.output("y", y).unwrap();
    (net, planned)
}

fn item(first: usize) -> Array1<f32> {
    Array1::from_vec(vec![first as f32, 0.0, 0.0])
}

fn expected(first: usize) -> [f32; 3] {
    [2.0 * first as f32 + 11.0, 21.0, 31.0]
}

fn open(net: &mut Program, max_batch: usize) {
    GpuStage::<Array1<f32>>::open(net, max_batch).unwrap();
}

fn collect(net: &mut Program, mut ticket: gapless::gpu::ProgramTicket) -> Tensors {
    GpuStage::<Array1<f32>>::try_collect(net, &mut ticket, MINUTE).unwrap().expect("done within a minute")
}

fn check(tensors: &Tensors, firsts: &[usize]) {
    for (row, first) in tensors["y"].outer_iter().zip(firsts) {
        assert_eq!(row.as_slice(), Some(&expected(*first)[..]));
    }
    assert_eq!(tensors["y"].shape()[0], firsts.len());
}

/// A run of a clone over so many documents.
fn run(net: &Program, batch: usize, documents: usize) {
    let stage = |first: &mut usize| Ok::<_, Cause>(item(*first));
    let run = Pipeline::new(stage, net.clone()).batch_size(batch).run(0..documents);
    let mut seen = 0;
    for delivered in run {
        for (first, row) in delivered.unwrap().rows() {
            assert_eq!(row["y"][..], expected(*first));
            seen += 1;
        }
    }
    assert_eq!(seen, documents);
}

/// Buffers that `act` makes on a device.
fn made(gpu: &Gpu, act: impl FnOnce()) -> u64 {
    let before = gpu.buffers_made();
    act();
    gpu.buffers_made() - before
}

#[test]
fn the_next_run_takes_what_the_last_one_opened() {
    let Some(gpu) = device() else { return };
    let (net, planned) = net(&gpu);
    run(&net, 4, 10);
    let once = planned.load(Ordering::Relaxed);
    assert_eq!(made(&gpu, || run(&net, 4, 10)), 0);
    assert_eq!(made(&gpu, || run(&net, 3, 10)), 0, "a smaller batch needs no other memory");
    assert_eq!(planned.load(Ordering::Relaxed), once);
}

#[test]
fn a_larger_batch_needs_memory_and_no_second_copy_of_constants() {
    let Some(gpu) = device() else { return };
    let (net, _) = net(&gpu);
    let first = made(&gpu, || run(&net, 2, 5));
    let larger = made(&gpu, || run(&net, 6, 9));
    // The bias, and the parameters of all kernels.
    let constants = if gpu.info().name == "cpu" { 0 } else { 2 };
    assert_eq!(first - larger, constants);
    assert_eq!(made(&gpu, || run(&net, 2, 5)), 0, "the larger one is kept");
}

#[test]
fn two_runs_at_once_are_right_and_leave_the_memory_of_one() {
    let Some(gpu) = device() else { return };
    let (net, _) = net(&gpu);
    let (mut one, mut other) = (net.clone(), net.clone());
    let first = made(&gpu, || open(&mut one, 3));
    let second = made(&gpu, || open(&mut other, 3));
    let tickets = [one.submit(&[item(1), item(2)]).unwrap(), one.submit(&[item(3)]).unwrap()];
    let others = other.submit(&[item(4), item(5), item(6)]).unwrap();
    check(&collect(&mut other, others), &[4, 5, 6]);
    let [front, back] = tickets;
    check(&collect(&mut one, front), &[1, 2]);
    check(&collect(&mut one, back), &[3]);
    drop((one, other));
    let (mut one, mut other) = (net.clone(), net.clone());
    assert_eq!(made(&gpu, || open(&mut one, 3)), 0);
    assert_eq!(made(&gpu, || open(&mut other, 3)), second, "one was kept, and the other given back");
    assert!(second <= first);
}

#[test]
fn runs_of_clones_on_threads_of_their_own_are_right() {
    let Some(gpu) = device() else { return };
    let (net, _) = net(&gpu);
    let together = Barrier::new(3);
    std::thread::scope(|scope| {
        for batch in [1, 4, 7] {
            let (net, together) = (&net, &together);
            scope.spawn(move || {
                for documents in [5, 12, 20] {
                    together.wait();
                    run(net, batch, documents);
                }
            });
        }
    });
}

#[test]
fn what_is_in_flight_when_a_run_is_dropped_spoils_no_later_one() {
    let Some(gpu) = device() else { return };
    let (net, _) = net(&gpu);
    let mut left = net.clone();
    open(&mut left, 2);
    let held = left.submit(&[item(7)]).unwrap();
    let dropped = left.submit(&[item(8), item(9)]).unwrap();
    drop(dropped);
    drop(left);
    run(&net, 2, 9);
    drop(held);
    run(&net, 2, 9);
}

#[test]
fn a_change_leaves_what_is_kept_to_the_others() {
    let Some(gpu) = device() else { return };
    let (net, planned) = net(&gpu);
    run(&net, 2, 5);
    let before = planned.load(Ordering::Relaxed);
    run(&net.clone().depth(1), 2, 5);
    assert!(planned.load(Ordering::Relaxed) > before, "other settings are planned anew");
    assert_eq!(made(&gpu, || run(&net, 2, 5)), 0);
}

#[test]
fn tensors_that_were_added_to_one_clone_are_unknown_to_the_other() {
    let mut one = Program::new(&Gpu::cpu());
    let x = one.input("x", floats(&[3])).unwrap();
    let mut other = one.clone();
    let doubled = one.add(Scale(2.0, 0.0), &[x]).unwrap();
    let tripled = other.add(Scale(3.0, 0.0), &[x]).unwrap();
    assert!(one.output("y", tripled).is_err() && other.output("y", doubled).is_err());
    assert!(one.output("y", doubled).is_ok() && other.output("y", tripled).is_ok());
}

#[test]
fn a_program_that_is_closed_is_opened_again() {
    let Some(gpu) = device() else { return };
    let (net, planned) = net(&gpu);
    let first = made(&gpu, || run(&net, 2, 5));
    let once = planned.load(Ordering::Relaxed);
    net.close();
    assert_eq!(made(&gpu, || run(&net, 2, 5)), first);
    assert!(planned.load(Ordering::Relaxed) > once);
}

#[test]
fn what_a_lost_device_held_is_not_kept() {
    let Some((gpu, made)) = rebuilt_device() else { return };
    let (net, _) = net(&gpu);
    run(&net, 2, 5);
    made.newest().destroy();
    run(&net, 2, 5);
    assert_eq!(made.count(), 2);
    run(&net, 2, 5);
    assert_eq!(made.count(), 2);
}

#[test]
fn one_item_needs_no_pipeline_and_opens_the_program_once() {
    let Some(gpu) = device() else { return };
    let (net, planned) = net(&gpu);
    check(&net.run_once(&item(1)).unwrap(), &[1]);
    let once = planned.load(Ordering::Relaxed);
    assert_eq!(made(&gpu, || check(&net.run_once(&item(2)).unwrap(), &[2])), 0);
    assert_eq!(planned.load(Ordering::Relaxed), once);
    let refused = net.run_once(&Array1::<f32>::zeros(4)).unwrap_err();
    assert!(matches!(&refused, Error::Setting { name: "Program::run_once", .. }), "{refused}");
    assert!(refused.to_string().contains("f32[4]") && refused.to_string().contains("x f32[3]"), "{refused}");
}

#[test]
fn one_item_goes_on_after_a_loss() {
    let Some((gpu, made)) = rebuilt_device() else { return };
    let (net, _) = net(&gpu);
    check(&net.run_once(&item(1)).unwrap(), &[1]);
    made.newest().destroy();
    check(&net.run_once(&item(2)).unwrap(), &[2]);
    assert_eq!(made.count(), 2);
}

/// A kernel whose twin panics at its first call.
#[derive(Debug)]
struct Panics(AtomicUsize);

impl Kernel for Panics {
    fn name(&self) -> &'static str {
        "panics"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        Scale(1.0, 0.0).output(inputs)
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        Scale(1.0, 0.0).dispatch(inputs, output)
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        assert!(self.0.fetch_add(1, Ordering::Relaxed) > 0, "not at once");
        Scale(1.0, 0.0).twin(inputs, output);
    }
}

#[test]
fn a_twin_that_panicked_fails_its_item_and_spoils_no_later_one() {
    let mut net = Program::new(&Gpu::cpu());
    let x = net.input("x", floats(&[3])).unwrap();
    let y = net.add(Panics(AtomicUsize::new(0)), &[x]).unwrap();
    net.output("y", y).unwrap();
    let failed = net.run_once(&item(5)).unwrap_err();
    assert!(matches!(failed, Error::Batch { .. }) && failed.to_string().contains("not at once"), "{failed}");
    assert_eq!(net.run_once(&item(5)).unwrap()["y"].as_slice(), Some(&[5.0, 0.0, 0.0][..]));
}
