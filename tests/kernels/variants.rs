//! Which variant of a kernel runs is decided once on a device, and kept.

use gapless::kernel::{
    Conv2d, Dispatch, Kernel, MatMul, Needs, Precision, Softmax, Spec, Unary, UnaryOp, Values, ValuesMut,
    Wgsl,
};
use gapless::{Cause, DeviceKind, Gpu, Pipeline, Program};
use ndarray::{ArrayD, IxDyn};

use crate::check::{device_with_shaders, open, output};
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
    let y = net.add(Conv2d::new(), &[x, full]).unwrap();
    let y = net.add(Unary::clip(0.0, 6.0), &[y]).unwrap();
    net.output("y", y).unwrap();
    net
}

/// The variant of every kernel.
fn variants(net: &Program, max_batch: usize) -> Vec<String> {
    net.plan(max_batch).unwrap().kernels().map(|kernel| kernel.variant.to_owned()).collect()
}

#[test]
fn before_it_is_opened_a_plan_has_the_plainest_variants_and_names_the_others() {
    let Some(gpu) = device_with_shaders() else { return };
    let plan = net(&gpu).plan(1).unwrap();
    let kernels: Vec<_> = plan.kernels().map(|kernel| (kernel.variant, kernel.variants)).collect();
    let mut full = vec!["conv2d", "conv2d_tall"];
    // On the processor a tile in workgroup memory is not tried, nor to compute what is in its cache.
    if gpu.info().kind != DeviceKind::Software {
        full.extend(["conv2d_tiled", "conv2d_tiled_vec4"]);
        full.extend(["conv2d_tall+joined", "conv2d_tiled+joined", "conv2d_tiled_vec4+joined"]);
    }
    let wanted = [("depthwise_conv2d", vec!["depthwise_conv2d", "depthwise_conv2d_strip"]), ("conv2d", full)];
    assert_eq!(kernels, wanted);
    assert!(plan.to_string().contains("depthwise_conv2d"), "{plan}");
}

#[test]
fn what_was_chosen_holds_for_every_program_on_the_device() {
    let Some(gpu) = device() else { return };
    let mut one = net(&gpu);
    open::<ArrayD<f32>>(&mut one, 1);
    let chosen = variants(&one, 1);
    open::<ArrayD<f32>>(&mut one, 1);
    assert_eq!(variants(&one, 1), chosen);
    let mut other = net(&gpu.clone());
    assert_eq!(variants(&other, 1), chosen, "a plan knows what was chosen before");
    open::<ArrayD<f32>>(&mut other, 1);
    assert_eq!(variants(&other, 1), chosen);
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
    assert_eq!(again, 0, "it is open already");
    // What is tried has buffers of its own.
    if gpu.info().name != "cpu" {
        assert!(first > second, "{first} and {second} buffers");
    }
    let mut third = net(&gpu);
    assert_eq!(made(&mut third), second);
}

#[test]
fn the_result_is_the_twins_whatever_is_chosen() {
    let Some(gpu) = device() else { return };
    let mut n = Numbers::new(5);
    let batch = n.batch(3, &SHAPE);
    let (device, twin) = (output(&mut net(&gpu), &batch), output(&mut net(&Gpu::cpu()), &batch));
    assert_near(&device, &twin, SUMS, "two convolutions");
}

/// A product with a weight of halves, and a softmax of a long row.
fn halves(gpu: &Gpu) -> Program {
    let mut net = Program::new(gpu);
    let x = net.input("x", Spec::floats(&[64, 16])).unwrap();
    let weight = net.constant_f16("weight", ArrayD::from_elem(IxDyn(&[16, 200]), 0x3555)).unwrap();
    let x = net.add(MatMul::new(), &[x, weight]).unwrap();
    let y = net.add(Softmax::new(), &[x]).unwrap();
    net.output("y", y).unwrap();
    net
}

/// Every variant that a trial would choose among.
fn offered(net: &Program) -> Vec<String> {
    let plan = net.plan(1).unwrap();
    plan.kernels().flat_map(|kernel| kernel.variants).map(str::to_owned).collect()
}

#[test]
fn halves_are_computed_with_only_where_the_program_allows_it() {
    let Some(gpu) = device_with_shaders() else { return };
    let names = |net: Program| {
        let mut names = offered(&net.force_variants("mat_mul_tiled"));
        names.retain(|name| name.starts_with("mat_mul_tiled"));
        names
    };
    let all = ["mat_mul_tiled", "mat_mul_tiled+mixed", "mat_mul_tiled+half"];
    let on_device = |count: usize| &all[..if gpu.limits().f16 { count } else { 1 }];
    assert_eq!(names(halves(&gpu)), on_device(1));
    let given = [Precision::Full, Precision::Mixed, Precision::Half];
    for (precision, count) in given.into_iter().zip(1..) {
        assert_eq!(names(halves(&gpu).precision(precision)), on_device(count), "{precision:?}");
    }
    let floats = net(&gpu).precision(Precision::Half).force_variants("conv2d_tiled");
    let floats = floats.forbid_variants("joined");
    assert_eq!(offered(&floats).last().unwrap(), "conv2d_tiled", "its weights are no halves");
}

#[test]
fn a_word_forces_a_variant_and_forbids_it() {
    let Some(gpu) = device_with_shaders() else { return };
    let long = |net: Program| offered(&net).split_off(1);
    let last = |net: Program| offered(&net).pop().unwrap();
    assert_eq!(offered(&halves(&gpu).force_variants("mat_mul_tall"))[0], "mat_mul_tall");
    assert!(!long(halves(&gpu).forbid_variants("mat_mul_tall")).contains(&"mat_mul_tall".into()));
    assert_eq!(last(halves(&gpu).forbid_variants("subgroups")), "softmax");
    if gpu.limits().subgroups.is_some() {
        assert_eq!(last(halves(&gpu).force_variants("subgroups")), "softmax+subgroups");
        assert_eq!(last(halves(&gpu).force_variants("softmax+subgroups")), "softmax+subgroups");
    }
    assert_eq!(last(halves(&gpu).forbid_variants("softmax")), "softmax+subgroups", "one always stays");
    let error = halves(&gpu).force_variants("conv2d_tiled").plan(1).unwrap_err().to_string();
    let reason =
        "Program::force_variants: no kernel has a variant conv2d_tiled on this device; there is: mat_mul";
    assert!(error.starts_with(reason), "{error}");
    assert!(halves(&Gpu::cpu()).force_variants("conv2d_tiled").plan(1).is_ok(), "the twins have none");
}

#[test]
fn a_forced_variant_is_the_one_that_runs() {
    let Some(gpu) = device_with_shaders() else { return };
    let mut n = Numbers::new(6);
    let batch = n.batch(2, &[64, 16]);
    let wanted = output(&mut halves(&Gpu::cpu()), &batch);
    for word in ["mat_mul", "mat_mul_tall", "mat_mul_tiled", "softmax"] {
        let mut net = halves(&gpu).force_variants(word);
        assert_near(&output(&mut net, &batch), &wanted, SUMS, word);
        assert!(variants(&net, 2).iter().any(|variant| variant.starts_with(word)), "{word}");
    }
}

#[test]
fn a_kernel_whose_only_way_the_device_lacks_is_refused_with_what_is_missing() {
    let Some(gpu) = device_with_shaders() else { return };
    let mut net = Program::new(&gpu);
    let x = net.input("x", Spec::floats(&[8])).unwrap();
    let needs = Needs { workgroup_bytes: u32::MAX, ..Needs::default() };
    let y = net.add(Wgsl::new("greedy", "").needs(needs), &[x]).unwrap();
    net.output("y", y).unwrap();
    let error = net.plan(1).unwrap_err().to_string();
    let most = gpu.limits().workgroup_bytes;
    assert!(
        error.contains(&format!("needs 4294967295 bytes that a workgroup shares; the device has {most}"))
    );
}

/// The negation, and another way that is wrong where the plainest is not.
#[derive(Debug)]
struct Planted;

impl Kernel for Planted {
    fn name(&self) -> &str {
        "planted"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        Ok(inputs[0].clone())
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        Unary::new(UnaryOp::Neg).dispatch(inputs, output)
    }

    fn variants(&self, inputs: &[&Spec], output: &Spec) -> Vec<Dispatch> {
        let wrong = Unary::new(UnaryOp::Abs).dispatch(inputs, output);
        let again = Dispatch { kernel: "again".into(), ..self.dispatch(inputs, output) };
        vec![self.dispatch(inputs, output), Dispatch { kernel: "wrong".into(), ..wrong }, again]
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        Unary::new(UnaryOp::Neg).twin(inputs, output);
    }
}

#[test]
fn a_variant_that_gives_something_else_than_the_plainest_never_runs_and_the_plan_says_so() {
    let Some(gpu) = device_with_shaders() else { return };
    let mut net = Program::new(&gpu);
    let x = net.input("x", Spec::floats(&[5, 9])).unwrap();
    let y = net.add(Planted, &[x]).unwrap();
    net.output("y", y).unwrap();
    let batch = Numbers::new(8).batch(2, &[5, 9]);
    let given = output(&mut net, &batch);
    let wanted: Vec<f32> = batch.iter().flatten().map(|value| -value).collect();
    assert_eq!(given.iter().copied().collect::<Vec<_>>(), wanted);
    let plan = net.plan(2).unwrap();
    assert_ne!(plan.kernels().next().unwrap().variant, "wrong");
    assert!(plan.to_string().contains("\nwrong of planted.0 is left out: it gives 0."), "{plan}");
    assert!(!plan.to_string().contains("again of planted.0"), "{plan}");
    let prepare = move |row: &mut usize| Ok::<_, Cause>(batch[*row].clone());
    let mut run = Pipeline::new(prepare, net).batch_size(2).run(0..2);
    assert_eq!(run.by_ref().filter(Result::is_ok).count(), 1);
    let report = run.report();
    assert!(report.devices[0].notes[0].starts_with("wrong of planted.0 is left out: it gives"), "{report}");
    assert!(report.to_string().contains("\n  note   wrong of planted.0 is left out"), "{report}");
}
