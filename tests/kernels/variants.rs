//! Which variant of a kernel runs is decided once on a device, and kept.

use gapless::kernel::{Conv2d, Spec};
use gapless::{Gpu, Program};
use ndarray::ArrayD;

use crate::check::{open, output};
use crate::common::device;
use crate::near::{SUMS, assert_near};
use crate::numbers::Numbers;

const SHAPE: [usize; 3] = [24, 12, 12];

/// A depthwise and a pointwise convolution.
fn net(gpu: &Gpu) -> Program {
    let mut n = Numbers::new(77);
    let mut net = Program::new(gpu);
    let x = net.input("x", Spec::floats(&SHAPE)).unwrap();
    let single = net.constant("single", n.floats(&[24, 1, 3, 3])).unwrap();
    let full = net.constant("full", n.floats(&[32, 24, 1, 1])).unwrap();
    let x = net.add(Conv2d::new().groups(24).pads([1; 4]), &[x, single]).unwrap();
    let y = net.add(Conv2d::new().clip(0.0, 6.0), &[x, full]).unwrap();
    net.output("y", y).unwrap();
    net
}

/// The variant of every kernel.
fn variants(net: &Program, max_batch: usize) -> Vec<String> {
    net.plan(max_batch).unwrap().kernels().map(|kernel| kernel.variant.to_owned()).collect()
}

#[test]
fn before_it_is_opened_a_plan_has_the_plainest_variants_and_names_the_others() {
    let Some(gpu) = device() else { return };
    let plan = net(&gpu).plan(1).unwrap();
    let kernels: Vec<_> = plan.kernels().map(|kernel| (kernel.variant, kernel.variants)).collect();
    let wanted = [
        ("depthwise_conv2d", vec!["depthwise_conv2d", "depthwise_conv2d_strip"]),
        ("conv2d", vec!["conv2d", "conv2d_tall", "conv2d_tiled"]),
    ];
    assert_eq!(kernels, wanted);
    assert!(plan.to_string().contains("depthwise_conv2d"), "{plan}");
}

#[test]
fn what_was_chosen_holds_for_every_batch_size_and_every_program_on_the_device() {
    let Some(gpu) = device() else { return };
    let mut one = net(&gpu);
    open::<ArrayD<f32>>(&mut one, 1);
    let chosen = variants(&one, 1);
    open::<ArrayD<f32>>(&mut one, 3);
    assert_eq!(variants(&one, 3), chosen);
    let mut other = net(&gpu.clone());
    assert_eq!(variants(&other, 2), chosen, "a plan knows what was chosen before");
    open::<ArrayD<f32>>(&mut other, 2);
    assert_eq!(variants(&other, 2), chosen);
}

#[test]
fn what_was_tried_is_not_tried_again() {
    let Some(gpu) = device() else { return };
    let made = |net: &mut Program| {
        let before = gpu.buffers_made();
        open::<ArrayD<f32>>(net, 2);
        gpu.buffers_made() - before
    };
    let (mut one, mut other) = (net(&gpu), net(&gpu));
    let (first, again, second) = (made(&mut one), made(&mut one), made(&mut other));
    assert_eq!(again, second);
    // A trial makes an input of its own.
    let trial = u64::from(gpu.info().name != "cpu");
    assert_eq!(first, second + trial);
}

#[test]
fn the_result_is_the_twins_whatever_is_chosen() {
    let Some(gpu) = device() else { return };
    let mut n = Numbers::new(5);
    let batch = n.batch(3, &SHAPE);
    let (device, twin) = (output(&mut net(&gpu), &batch), output(&mut net(&Gpu::cpu()), &batch));
    assert_near(&device, &twin, SUMS, "two convolutions");
}
