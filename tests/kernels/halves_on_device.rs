//! Convolutions and products read constants of f16 as if they had been widened before.

use gapless::gpu::TensorId;
use gapless::kernel::{Conv2d, Element, Kernel, MatMul, Spec, examples};
use gapless::{DeviceKind, Gpu, Program};
use ndarray::{ArrayD, IxDyn};

use crate::check::{cases_on_device, compare, output};
use crate::common::device;
use crate::forced::{self, Forced};
use crate::near::{EXACT, Near, SUMS, assert_near};
use crate::numbers::Numbers;

/// Halves by their bits, and the same as floats.
#[derive(Clone)]
struct Halves {
    bits: ArrayD<u16>,
    floats: ArrayD<f32>,
}

impl Halves {
    /// The float of a half: its fraction and exponent as the standard defines them.
    fn new(bits: ArrayD<u16>) -> Self {
        let float = |bits: u16| {
            let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
            let size = match exponent {
                0 => fraction * (-24_f32).exp2(),
                _ => (1024.0 + fraction) * ((exponent - 25) as f32).exp2(),
            };
            if bits >> 15 == 1 { -size } else { size }
        };
        Self { floats: bits.mapv(float), bits }
    }

    /// Values from minus four to four, the smallest ones included.
    fn some(n: &mut Numbers, shape: &[usize]) -> Self {
        Self::new(ArrayD::from_shape_simple_fn(IxDyn(shape), || {
            n.pick(0, 0x4400) as u16 | (n.pick(0, 1) as u16) << 15
        }))
    }

    /// Every half that is a number, as a matrix of eight columns.
    fn all() -> Self {
        let bits = (0..=u16::MAX).filter(|bits| bits >> 10 & 31 != 31);
        Self::new(ArrayD::from_shape_vec(IxDyn(&[7936, 8]), bits.collect()).unwrap())
    }

    fn seen_as(&self, shape: &[usize]) -> Self {
        Self::new(self.bits.clone().into_shape_with_order(shape).unwrap())
    }

    fn spec(&self) -> Spec {
        Spec::constant_f16(self.bits.shape())
    }
}

/// A kernel with one input of items and a constant of halves.
struct Case<K> {
    kernel: K,
    item: Vec<usize>,
    constant: Halves,
    constant_first: bool,
    bias: Option<ArrayD<f32>>,
}

impl<K: Kernel + Copy> Case<K> {
    fn new(kernel: K, item: &[usize], constant: Halves) -> Self {
        Self { kernel, item: item.to_vec(), constant, constant_first: false, bias: None }
    }

    /// The variants that widen the halves and compute in f32.
    fn full(&self, gpu: &Gpu) -> Vec<usize> {
        self.among(|inputs| forced::full(gpu, &self.kernel, inputs))
    }

    /// The variants that round what they read to halves.
    fn half(&self, gpu: &Gpu) -> Vec<usize> {
        self.among(|inputs| forced::half(gpu, &self.kernel, inputs))
    }

    fn among(&self, variants: impl Fn(&[&Spec]) -> Vec<usize>) -> Vec<usize> {
        let (item, constant) = (Spec::floats(&self.item), self.constant.spec());
        variants(&if self.constant_first { [&constant, &item] } else { [&item, &constant] })
    }

    /// With the constant as halves, or as floats.
    fn program(&self, gpu: &Gpu, halves: bool, variant: usize) -> Program {
        let mut net = Program::new(gpu);
        let x = net.input("x", Spec::floats(&self.item)).unwrap();
        let constant = match halves {
            true => net.constant_f16("c", self.constant.bits.clone()).unwrap(),
            false => net.constant("c", self.constant.floats.clone()).unwrap(),
        };
        let mut inputs: Vec<TensorId> =
            if self.constant_first { vec![constant, x] } else { vec![x, constant] };
        inputs.extend(self.bias.clone().map(|bias| net.constant("bias", bias).unwrap()));
        let y = net.add(Forced { kernel: self.kernel, variant }, &inputs).unwrap();
        net.output("y", y).unwrap();
        net
    }

    /// The twin bit by bit against the twin of the floats, and every variant against the twin.
    fn check(&self, gpu: &Gpu, batch: &[ArrayD<f32>], near: Near) {
        let what = format!("{:?} of {:?} and {:?}", self.kernel, self.item, self.constant.bits.shape());
        let cpu = Gpu::cpu();
        let wanted = output(&mut self.program(&cpu, false, 0), batch);
        assert_near(&output(&mut self.program(&cpu, true, 0), batch), &wanted, EXACT, &what);
        for variant in self.full(gpu) {
            let what = format!("variant {variant} of {what}");
            compare(&mut self.program(gpu, true, variant), batch, &wanted, near, &what);
        }
    }
}

#[test]
fn every_half_is_read_as_the_float_that_it_is() {
    let Some(gpu) = device() else { return };
    let all = Halves::all();
    assert_eq!(all.floats[[0, 1]], 5.960_464_5e-8, "the smallest");
    assert_eq!(all.floats[[3967, 7]], 65504.0, "the largest");
    // Of every row of eight, each column takes one value.
    let taken = ArrayD::from_shape_fn(IxDyn(&[8, 16]), |at| f32::from(u8::from(at[0] == at[1] % 8)));
    let conv = Case::new(Conv2d::new(), &[8, 4, 4], all.seen_as(&[7936, 8, 1, 1]));
    assert_eq!(conv.full(&gpu).len(), 3);
    conv.check(&gpu, &[taken.to_shape(&[8, 4, 4][..]).unwrap().into_owned()], EXACT);
    let first = Case { constant_first: true, ..Case::new(MatMul::new(), &[8, 16], all.clone()) };
    assert_eq!(first.full(&gpu).len(), 3);
    first.check(&gpu, std::slice::from_ref(&taken), EXACT);
    let taken = taken.reversed_axes().as_standard_layout().into_owned();
    let second = Case::new(MatMul::new().transpose_b(true), &[16, 8], all.clone());
    assert_eq!(second.full(&gpu).len(), 3);
    second.check(&gpu, &[taken], EXACT);
    let single = Case::new(Conv2d::new().groups(63_488), &[63_488, 1, 1], all.seen_as(&[63_488, 1, 1, 1]));
    assert_eq!(single.full(&gpu).len(), 2);
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
        assert_eq!(case.full(gpu).len(), 2);
        let batch = n.batch(2, &case.item);
        case.check(gpu, &batch, SUMS);
    });
}

#[test]
fn products_with_halves_on_either_side_give_what_their_twins_give() {
    cases_on_device(15, |gpu, n| {
        let ([m, k, j], turn) = (n.picks(1, 40), [n.pick(0, 1) == 1, n.pick(0, 1) == 1]);
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

/// What rounding an activation to a half may cost, as a share of it.
const ROUNDING: f32 = 1.0 / 1024.0;

/// The variants that round give the twin's value, up to their rounding, and the very same where nothing is rounded.
fn check_rounding<K: Kernel + Copy>(gpu: &Gpu, case: &Case<K>, n: &mut Numbers) {
    let variants = case.half(gpu);
    assert_eq!(variants.len(), usize::from(gpu.limits().f16), "{:?} of {:?}", case.kernel, case.item);
    let positive = Halves::new(case.constant.bits.mapv(|bits| bits & 0x7fff));
    let sizes = Case { constant: positive, bias: None, item: case.item.clone(), ..*case };
    let (batch, halves) = (n.batch(2, &case.item), vec![Halves::some(n, &case.item).floats]);
    let size = output(
        &mut sizes.program(&Gpu::cpu(), false, 0),
        &batch.iter().map(|x| x.mapv(f32::abs)).collect::<Vec<_>>(),
    );
    let wanted = output(&mut case.program(&Gpu::cpu(), false, 0), &batch);
    let exact = output(&mut case.program(&Gpu::cpu(), false, 0), &halves);
    for variant in variants {
        let given = output(&mut case.program(gpu, true, variant), &batch);
        for ((given, wanted), size) in given.iter().zip(&wanted).zip(&size) {
            let most = (ROUNDING + 1e-5) * size;
            assert!(
                (given - wanted).abs() <= most,
                "{:?}: {given} is not {wanted} within {most}",
                case.kernel
            );
        }
        let what = format!("sums of exact products of {:?}", case.kernel);
        compare(&mut case.program(gpu, true, variant), &halves, &exact, SUMS, &what);
    }
}

#[test]
fn activations_that_are_rounded_to_halves_cost_no_more_than_that() {
    cases_on_device(6, |gpu, n| {
        let (outputs, channels) = (n.pick(16, 70), n.pick(8, 40));
        let (kernel, pads): ([usize; 2], [usize; 4]) = (n.picks(1, 3), n.picks(0, 2));
        let weight = Halves::some(n, &[outputs, channels, kernel[0], kernel[1]]);
        let case = Case::new(Conv2d::new().pads(pads), &[channels, n.pick(6, 12), n.pick(6, 12)], weight);
        check_rounding(gpu, &case, n);
        let [m, k, j]: [usize; 3] = n.picks(16, 90);
        let mut case = Case::new(MatMul::new(), &[m, k], Halves::some(n, &[k, j]));
        case.bias = Some(n.floats(&[j]));
        check_rounding(gpu, &case, n);
        let case =
            Case { constant_first: true, ..Case::new(MatMul::new(), &[k, j], Halves::some(n, &[m, k])) };
        check_rounding(gpu, &case, n);
    });
}

#[test]
fn nan_and_infinity_are_no_other_as_halves() {
    let Some(gpu) = device() else { return };
    let mut n = Numbers::new(8);
    for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let case =
            Case::new(MatMul::new(), &[16, 8], Halves::new(ArrayD::from_elem(IxDyn(&[8, 16]), 0x3c00)));
        let mut item = n.floats(&case.item);
        item[[3, 5]] = odd;
        let wanted = output(&mut case.program(&Gpu::cpu(), false, 0), std::slice::from_ref(&item));
        for variant in case.half(&gpu) {
            let given = output(&mut case.program(&gpu, true, variant), std::slice::from_ref(&item));
            assert_near(&given, &wanted, Near::Largest(1e-2), &odd.to_string());
        }
    }
}
