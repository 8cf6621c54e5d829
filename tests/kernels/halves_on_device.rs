//! Convolutions and products read constants of f16 as if they had been widened before.

use gapless::kernel::{Conv2d, Element, Kernel, MatMul, Precision, Spec, examples};
use gapless::{DeviceKind, Gpu, Program};
use ndarray::{ArrayD, IxDyn};

use crate::check::{cases_on_device, output};
use crate::common::device;
use crate::halves::{Case, Halves};
use crate::near::{EXACT, SUMS, assert_near};
use crate::numbers::Numbers;

#[test]
fn every_half_is_read_as_the_float_that_it_is() {
    let Some(gpu) = device() else { return };
    let all = Halves::all();
    assert_eq!(all.floats[[0, 1]], 5.960_464_5e-8, "the smallest");
    assert_eq!(all.floats[[3967, 7]], 65504.0, "the largest");
    // Of every row of eight, each column takes one value.
    let taken = ArrayD::from_shape_fn(IxDyn(&[8, 16]), |at| f32::from(u8::from(at[0] == at[1] % 8)));
    let conv = Case::new(Conv2d::new(), &[8, 4, 4], all.seen_as(&[7936, 8, 1, 1]));
    assert_eq!(conv.variants(&gpu, Precision::Full).len(), 4);
    conv.check(&gpu, &[taken.to_shape(&[8, 4, 4][..]).unwrap().into_owned()], EXACT);
    let first = Case { constant_first: true, ..Case::new(MatMul::new(), &[8, 16], all.clone()) };
    assert_eq!(first.variants(&gpu, Precision::Full).len(), 4);
    first.check(&gpu, std::slice::from_ref(&taken), EXACT);
    let taken = taken.reversed_axes().as_standard_layout().into_owned();
    let second = Case::new(MatMul::new().transpose_b(true), &[16, 8], all.clone());
    assert_eq!(second.variants(&gpu, Precision::Full).len(), 4);
    second.check(&gpu, &[taken], EXACT);
    let single = Case::new(Conv2d::new().groups(63_488), &[63_488, 1, 1], all.seen_as(&[63_488, 1, 1, 1]));
    assert_eq!(single.variants(&gpu, Precision::Full).len(), 2);
    single.check(&gpu, &[ArrayD::ones(IxDyn(&[63_488, 1, 1]))], EXACT);
}

#[test]
fn convolutions_with_halves_give_what_their_twins_give() {
    cases_on_device(15, |gpu, n| {
        let groups = n.pick(1, 2);
        let (share, outputs) = (n.pick(1, 9), groups * n.pick(1, 19));
        let kernel: [usize; 2] = n.picks(1, 3);
        let conv = Conv2d::new().groups(groups).stride(n.picks(1, 2)).pads(n.picks(0, 2));
        let weight = Halves::some(n, &[outputs, share, kernel[0], kernel[1]]);
        let mut case = Case::new(conv, &[groups * share, n.pick(5, 12), n.pick(5, 12)], weight);
        case.bias = (n.pick(0, 1) == 1).then(|| n.floats(&[outputs]));
        let batch = n.batch(2, &case.item);
        case.check(gpu, &batch, SUMS);
    });
}

#[test]
fn depthwise_convolutions_with_halves_give_what_their_twins_give() {
    cases_on_device(15, |gpu, n| {
        let channels = n.pick(2, 9);
        let kernel = [[3, 3], [5, 5], n.picks(1, 7)][n.pick(0, 2)];
        let conv = Conv2d::new().groups(channels).stride(n.picks(1, 2)).pads(n.picks(0, 3));
        let weight = Halves::some(n, &[channels, 1, kernel[0], kernel[1]]);
        let case = Case::new(conv, &[channels, n.pick(8, 20), n.pick(8, 20)], weight);
        assert_eq!(case.variants(gpu, Precision::Full).len(), 2);
        let batch = n.batch(2, &case.item);
        case.check(gpu, &batch, SUMS);
    });
}

#[test]
fn products_with_halves_on_either_side_give_what_their_twins_give() {
    cases_on_device(15, |gpu, n| {
        let ([m, k, j], turn) = (n.sizes(1, 40), [n.pick(0, 1) == 1, n.pick(0, 1) == 1]);
        let turned = |sizes: [usize; 2], turn: bool| if turn { [sizes[1], sizes[0]] } else { sizes };
        let (a, b) = (turned([m, k], turn[0]), turned([k, j], turn[1]));
        let constant_first = n.pick(0, 1) == 1;
        let (item, fixed) = if constant_first { (b, a) } else { (a, b) };
        let product = MatMul::new().transpose_a(turn[0]).transpose_b(turn[1]);
        // Two matrices of an odd number of halves each begin in the middle of a u32.
        let fixed = if n.pick(0, 1) == 1 { vec![2, fixed[0], fixed[1]] } else { fixed.to_vec() };
        let constant = Halves::some(n, &fixed);
        let mut case = Case { constant_first, ..Case::new(product, &[2, item[0], item[1]], constant) };
        case.bias = (n.pick(0, 1) == 1).then(|| n.floats(&[j]));
        let batch = n.batch(2, &case.item);
        case.check(gpu, &batch, SUMS);
    });
}

#[test]
fn the_last_of_an_odd_number_of_halves_is_read() {
    let Some(gpu) = device() else { return };
    let mut n = Numbers::new(3);
    let weight = Halves::some(&mut n, &[1, 3, 1, 1]);
    let case = Case::new(Conv2d::new(), &[3, 1, 1], weight.clone());
    let last = ArrayD::from_shape_vec(IxDyn(&[3, 1, 1]), vec![0.0, 0.0, 1.0]).unwrap();
    case.check(&gpu, std::slice::from_ref(&last), EXACT);
    let given = output(&mut case.program(&gpu, true, 0), &[last]);
    assert_eq!(given.iter().copied().collect::<Vec<_>>(), [weight.floats[[0, 2, 0, 0]]]);
    let bytes = |gpu: &Gpu| case.program(gpu, true, 0).plan(1).unwrap().constant_bytes();
    assert_eq!(bytes(&Gpu::cpu()), 8, "three are padded to four");
    assert_eq!(bytes(&gpu), if gpu.limits().halves { 8 } else { 12 });
    assert!(gpu.limits().halves || gpu.info().kind == DeviceKind::Software, "every GPU can widen halves");
}

#[test]
fn a_view_of_halves_is_of_halves() {
    let Some(gpu) = device() else { return };
    let mut n = Numbers::new(4);
    let (weight, item) = (Halves::some(&mut n, &[15, 7]), n.batch(1, &[7, 3, 3]));
    let build = |gpu: &Gpu| {
        let mut net = Program::new(gpu);
        let x = net.input("x", Spec::floats(&[7, 3, 3])).unwrap();
        let weight = net.constant_f16("weight", weight.bits.clone()).unwrap();
        let weight = net.reshape(weight, &[15, 7, 1, 1]).unwrap();
        assert_eq!(net.spec(weight), Some(&Spec::constant_f16(&[15, 7, 1, 1])));
        let y = net.add(Conv2d::new(), &[x, weight]).unwrap();
        net.output("y", y).unwrap();
        net
    };
    let text = build(&Gpu::cpu()).plan(1).unwrap().to_string();
    assert!(text.contains("f16[15,7,1,1]"), "{text}");
    assert_near(&output(&mut build(&gpu), &item), &output(&mut build(&Gpu::cpu()), &item), SUMS, "a view");
}

/// Whether this input of the kernel may be a constant of halves.
fn takes_halves(kernel: &dyn Kernel, index: usize) -> bool {
    match kernel.name() {
        "conv2d" => index == 1,
        "mat_mul" => index < 2,
        _ => false,
    }
}

#[test]
fn every_other_input_of_a_kernel_refuses_halves() {
    for example in examples::all() {
        for index in 0..example.inputs.len() {
            for batched in [false, true] {
                let mut specs = example.inputs.clone();
                specs[index] = Spec { element: Element::F16, batched, ..specs[index].clone() };
                let takes =
                    takes_halves(&*example.kernel, index) && !batched && !example.inputs[index].batched;
                match example.kernel.output(&specs.iter().collect::<Vec<_>>()) {
                    Ok(_) => assert!(takes, "{:?} takes {specs:?}", example.kernel),
                    Err(cause) => {
                        let text = cause.to_string();
                        let one_activation =
                            takes_halves(&*example.kernel, index) && text.contains("activation");
                        assert!(!takes, "{:?} refuses {specs:?}: {text}", example.kernel);
                        assert!(text.contains("is an f16") || one_activation, "{:?}: {text}", example.kernel);
                    }
                }
            }
        }
    }
}

#[test]
fn an_error_says_what_is_of_halves_and_what_would_fit() {
    let mut net = Program::new(&Gpu::cpu());
    let refused = net.input("h", Spec { batched: true, ..Spec::constant_f16(&[2]) }).unwrap_err().to_string();
    assert_eq!(refused, "Program::input: h is of f16, which constants alone may be");
    let x = net.input("x", Spec::floats(&[4, 3, 3])).unwrap();
    let halves = net.constant_f16("halves", ArrayD::zeros(IxDyn(&[4, 4, 1, 1]))).unwrap();
    let refused = net.add(gapless::kernel::ConvTranspose2d::new(), &[x, halves]).unwrap_err().to_string();
    assert!(refused.contains("weight is an f16 constant [4, 4, 1, 1]; an f32 tensor"), "{refused}");
    assert!(net.constant_f16("halves", ArrayD::zeros(IxDyn(&[1]))).is_err(), "the name is taken");
    assert!(net.constant_f16("none", ArrayD::zeros(IxDyn(&[0]))).is_err(), "it has no elements");
}
