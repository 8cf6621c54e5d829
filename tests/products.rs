//! The twins of convolution and matrix product against plain loops over their definitions.

use gapless::kernel::{Activation, Conv2d, Kernel, MatMul, Spec, Values};
use ndarray::{ArrayD, Dimension, IxDyn};
use proptest::prelude::*;

fn tensor(shape: &[usize], seed: u64) -> ArrayD<f32> {
    let mut state = seed | 1;
    ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 22) as f32 - 2.0
    })
}

/// What the twin gives; `batched` says which inputs are activations.
fn twin(kernel: &impl Kernel, inputs: &[&ArrayD<f32>], batched: &[bool]) -> ArrayD<f32> {
    let spec = |(input, &batched): (&&ArrayD<f32>, &bool)| Spec { batched, ..Spec::floats(input.shape()) };
    let specs: Vec<Spec> = inputs.iter().zip(batched).map(spec).collect();
    let output = kernel.output(&specs.iter().collect::<Vec<_>>()).unwrap();
    // What lay there before must not matter.
    let mut values = ArrayD::from_elem(IxDyn(&output.shape), f32::NAN);
    let inputs: Vec<_> = inputs.iter().map(|input| Values::F32(input.view())).collect();
    kernel.twin(&inputs, values.view_mut());
    values
}

fn assert_near(one: &ArrayD<f32>, other: &ArrayD<f32>) {
    assert_eq!(one.shape(), other.shape());
    for (index, (a, b)) in one.iter().zip(other).enumerate() {
        assert!((a - b).abs() <= 1e-4 * b.abs().max(1.0), "{a} is not {b} at {index}");
    }
}

/// How the kernel of a convolution slides.
#[derive(Clone, Copy, Debug)]
struct Slide {
    groups: usize,
    stride: [usize; 2],
    dilation: [usize; 2],
    pads: [usize; 4],
}

impl Slide {
    fn conv(self) -> Conv2d {
        Conv2d::new().groups(self.groups).stride(self.stride).dilation(self.dilation).pads(self.pads)
    }

    /// The sum at one place of the output, in f64, term by term.
    fn sum(self, x: &ArrayD<f32>, weight: &ArrayD<f32>, place: [usize; 3]) -> f64 {
        let [output, share, height, width] = <[usize; 4]>::try_from(weight.shape()).unwrap();
        let first = place[0] / (output / self.groups) * share;
        let source = |axis: usize, tap: usize| {
            (place[axis + 1] * self.stride[axis] + tap * self.dilation[axis]).checked_sub(self.pads[axis])
        };
        let mut sum = 0.0;
        for channel in 0..share {
            for (ky, kx) in (0..height).flat_map(|ky| (0..width).map(move |kx| (ky, kx))) {
                let (Some(row), Some(column)) = (source(0, ky), source(1, kx)) else { continue };
                let value = x.get(IxDyn(&[first + channel, row, column])).copied().unwrap_or(0.0);
                sum += f64::from(value) * f64::from(weight[[place[0], channel, ky, kx]]);
            }
        }
        sum
    }

    fn convolution(self, x: &ArrayD<f32>, weight: &ArrayD<f32>) -> ArrayD<f32> {
        let specs = [Spec::floats(x.shape()), Spec::constant(weight.shape())];
        let output = self.conv().output(&[&specs[0], &specs[1]]).unwrap();
        ArrayD::from_shape_fn(IxDyn(&output.shape), |place| {
            self.sum(x, weight, [place[0], place[1], place[2]]) as f32
        })
    }
}

fn activations() -> impl Strategy<Value = Activation> {
    prop_oneof![
        Just(Activation::None),
        Just(Activation::Clip(-1.0, 2.0)),
        Just(Activation::Relu),
        Just(Activation::LeakyRelu(0.25)),
        Just(Activation::Sigmoid),
        Just(Activation::HardSigmoid(0.2, 0.5)),
        Just(Activation::HardSwish),
        Just(Activation::Silu),
        Just(Activation::Tanh),
    ]
}

fn slides() -> impl Strategy<Value = Slide> {
    let pairs = || [1_usize..4, 1..4];
    (1_usize..4, pairs(), [1_usize..3, 1..3], [0_usize..4, 0..4, 0..4, 0..4])
        .prop_map(|(groups, stride, dilation, pads)| Slide { groups, stride, dilation, pads })
}

proptest! {
    #[test]
    fn a_convolution_with_all_that_follows_it_is_its_definition(
        slide in slides(), share in 1_usize..4, outputs in 1_usize..4, kernel in [1_usize..6, 1..6],
        size in [10_usize..20, 10..20], activation in activations(), seed: u64,
    ) {
        let x = tensor(&[slide.groups * share, size[0], size[1]], seed);
        let weight = tensor(&[slide.groups * outputs, share, kernel[0], kernel[1]], seed ^ 1 << 20);
        let bias = tensor(&[slide.groups * outputs], seed ^ 1 << 30);
        let sum = slide.convolution(&x, &weight);
        let residual = tensor(sum.shape(), seed ^ 1 << 40);
        let conv = slide.conv().activation(activation);
        let activated = |sum: ArrayD<f32>| sum.mapv(|value| activation.apply(value));
        assert_near(&twin(&conv, &[&x, &weight], &[true, false]), &activated(sum.clone()));
        let shifted = |(place, value): (IxDyn, &f32)| value + bias[[place[0]]];
        let biased = ArrayD::from_shape_vec(sum.raw_dim(), sum.indexed_iter().map(shifted).collect()).unwrap();
        assert_near(&twin(&conv, &[&x, &weight, &bias], &[true, false, false]), &activated(biased.clone()));
        let conv = conv.residual(true);
        assert_near(&twin(&conv, &[&x, &weight, &residual], &[true, false, true]), &activated(sum + &residual));
        let all = twin(&conv, &[&x, &weight, &bias, &residual], &[true, false, false, true]);
        assert_near(&all, &activated(biased + &residual));
    }

    #[test]
    fn a_pointwise_convolution_is_its_definition(
        channels in 1_usize..40, outputs in 1_usize..40, size in [1_usize..9, 1..9], groups in 1_usize..3, seed: u64,
    ) {
        let slide = Slide { groups, stride: [1, 1], dilation: [1, 1], pads: [0; 4] };
        let x = tensor(&[groups * channels, size[0], size[1]], seed);
        let weight = tensor(&[groups * outputs, channels, 1, 1], seed ^ 1 << 20);
        assert_near(&twin(&slide.conv(), &[&x, &weight], &[true, false]), &slide.convolution(&x, &weight));
    }

    #[test]
    fn a_product_is_its_definition_whatever_is_transposed(
        [m, n, k] in [1_usize..12, 1..12, 1..12], transpose in [any::<bool>(), any::<bool>()],
        activation in activations(), biased: bool, seed: u64,
    ) {
        let turned = |sizes: [usize; 2], turn: bool| if turn { [sizes[1], sizes[0]] } else { sizes };
        let a = tensor(&turned([m, k], transpose[0]), seed);
        let b = tensor(&turned([k, n], transpose[1]), seed ^ 1 << 20);
        let bias = tensor(&[n], seed ^ 1 << 30);
        let wanted = ArrayD::from_shape_fn(IxDyn(&[m, n]), |place| {
            let term = |index: usize| {
                f64::from(a[turned([place[0], index], transpose[0])]) * f64::from(b[turned([index, place[1]], transpose[1])])
            };
            let sum: f64 = (0..k).map(term).sum();
            activation.apply(sum as f32 + if biased { bias[[place[1]]] } else { 0.0 })
        });
        let product = MatMul::new().transpose_a(transpose[0]).transpose_b(transpose[1]).activation(activation);
        let inputs = [&a, &b, &bias];
        let used = if biased { 3 } else { 2 };
        assert_near(&twin(&product, &inputs[..used], &[true, false, false][..used]), &wanted);
    }

    #[test]
    fn leading_axes_are_broadcast_as_numpy_does_it(
        axes in proptest::collection::vec((1_usize..4, 0_u8..3), 0..4), shorter in 0_usize..4, seed: u64,
    ) {
        let kept = |which: u8| axes.iter().map(|&(size, one)| if one == which { 1 } else { size }).collect::<Vec<_>>();
        let (a_leading, b_leading) = (kept(1), kept(2));
        let b_leading = &b_leading[shorter.min(b_leading.len())..];
        let a = tensor(&[&a_leading[..], &[3, 2]].concat(), seed);
        let b = tensor(&[b_leading, &[2, 5]].concat(), seed ^ 1 << 20);
        let result = twin(&MatMul::new(), &[&a, &b], &[true, true]);
        let leading = &result.shape()[..result.ndim() - 2];
        let wide_a = a.broadcast(IxDyn(&[leading, &[3, 2]].concat())).unwrap();
        let wide_b = b.broadcast(IxDyn(&[leading, &[2, 5]].concat())).unwrap();
        let wanted = ArrayD::from_shape_fn(result.raw_dim(), |place| {
            let (mut one, mut other) = (place.clone(), place.clone());
            let axes = place.ndim();
            (0..2).map(|term| {
                one[axes - 1] = term;
                other[axes - 2] = term;
                wide_a[&one] * wide_b[&other]
            }).sum()
        });
        assert_near(&result, &wanted);
    }

    #[test]
    fn no_setting_makes_the_shape_rules_panic(
        shapes in proptest::collection::vec(proptest::collection::vec(
            prop_oneof![6 => 0_usize..5, 1 => Just(1_usize << 31), 1 => Just(usize::MAX)], 0..10), 0..5),
        transpose in [any::<bool>(), any::<bool>()], batched: [bool; 5], activation in activations(),
    ) {
        let spec = |(shape, batched): (&Vec<usize>, bool)| Spec { batched, ..Spec::floats(shape) };
        let specs: Vec<Spec> = shapes.iter().zip(batched).map(spec).collect();
        let inputs: Vec<&Spec> = specs.iter().collect();
        let product = MatMul::new().transpose_a(transpose[0]).transpose_b(transpose[1]);
        let kernels: [&dyn Kernel; 2] = [&product, &Conv2d::new().residual(true).activation(activation)];
        for kernel in kernels {
            if let Ok(output) = kernel.output(&inputs) {
                prop_assert!(!kernel.variants(&inputs, &output).is_empty());
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_named_with_what_would() {
    let (x, weight) = (Spec::floats(&[4, 8, 8]), Spec::constant(&[6, 4, 1, 1]));
    let refused = |kernel: &dyn Kernel, inputs: &[&Spec]| kernel.output(inputs).unwrap_err().to_string();
    let conv = Conv2d::new().residual(true);
    assert_eq!(
        refused(&conv, &[&x, &weight]),
        "takes 3 inputs (x, weight, residual), not 2; a bias may be third"
    );
    assert_eq!(
        refused(&conv, &[&x, &weight, &x]),
        "residual is an f32 activation [4, 8, 8]; an f32 activation [6, 8, 8] would fit"
    );
    assert_eq!(
        refused(&conv.clip(1.0, 0.0), &[&x, &weight, &x]),
        "the range is 1 to 0; a low end up to the high end would fit"
    );
    let (a, b) = (Spec::constant(&[4, 5]), Spec::constant(&[5, 6]));
    assert_eq!(
        refused(&MatMul::new(), &[&a, &b]),
        "b is an f32 constant [5, 6]; an activation would fit, since a is a constant too"
    );
    assert_eq!(refused(&MatMul::new(), &[&a]), "takes 2 inputs (a, b), not 1; a bias may be third");
}
