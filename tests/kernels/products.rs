//! The twins of convolution and matrix product against plain loops over their definitions.

use gapless::kernel::{Conv2d, Kernel, MatMul, Spec, Unary};
use ndarray::{ArrayD, Dimension, IxDyn};
use proptest::prelude::*;

use crate::check::{refused, twin, twin_of};
use crate::near::assert_near_definition;
use crate::numbers::Numbers;

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

fn slides() -> impl Strategy<Value = Slide> {
    let pairs = || [1_usize..4, 1..4];
    (1_usize..4, pairs(), [1_usize..3, 1..3], [0_usize..4, 0..4, 0..4, 0..4])
        .prop_map(|(groups, stride, dilation, pads)| Slide { groups, stride, dilation, pads })
}

proptest! {
    #[test]
    fn a_convolution_is_its_definition(
        slide in slides(), share in 1_usize..4, outputs in 1_usize..4, kernel in [1_usize..6, 1..6],
        size in [10_usize..20, 10..20], seed: u64,
    ) {
        let mut n = Numbers::new(seed);
        let x = n.floats(&[slide.groups * share, size[0], size[1]]);
        let weight = n.floats(&[slide.groups * outputs, share, kernel[0], kernel[1]]);
        let bias = n.floats(&[slide.groups * outputs]);
        let sum = slide.convolution(&x, &weight);
        let conv = slide.conv();
        assert_near_definition(&twin(&conv, &[&x, &weight]), &sum);
        let shifted = |(place, value): (IxDyn, &f32)| value + bias[[place[0]]];
        let biased = ArrayD::from_shape_vec(sum.raw_dim(), sum.indexed_iter().map(shifted).collect()).unwrap();
        assert_near_definition(&twin(&conv, &[&x, &weight, &bias]), &biased);
    }

    #[test]
    fn a_pointwise_convolution_is_its_definition(
        channels in 1_usize..40, outputs in 1_usize..40, size in [1_usize..9, 1..9], groups in 1_usize..3, seed: u64,
    ) {
        let slide = Slide { groups, stride: [1, 1], dilation: [1, 1], pads: [0; 4] };
        let mut n = Numbers::new(seed);
        let x = n.floats(&[groups * channels, size[0], size[1]]);
        let weight = n.floats(&[groups * outputs, channels, 1, 1]);
        assert_near_definition(&twin(&slide.conv(), &[&x, &weight]), &slide.convolution(&x, &weight));
    }

    #[test]
    fn a_product_is_its_definition_whatever_is_transposed(
        [m, n, k] in [1_usize..12, 1..12, 1..12], transpose in [any::<bool>(), any::<bool>()],
        biased: bool, seed: u64,
    ) {
        let turned = |sizes: [usize; 2], turn: bool| if turn { [sizes[1], sizes[0]] } else { sizes };
        let mut numbers = Numbers::new(seed);
        let a = numbers.floats(&turned([m, k], transpose[0]));
        let b = numbers.floats(&turned([k, n], transpose[1]));
        let bias = numbers.floats(&[n]);
        let wanted = ArrayD::from_shape_fn(IxDyn(&[m, n]), |place| {
            let term = |index: usize| {
                f64::from(a[turned([place[0], index], transpose[0])]) * f64::from(b[turned([index, place[1]], transpose[1])])
            };
            let sum: f64 = (0..k).map(term).sum();
            sum as f32 + if biased { bias[[place[1]]] } else { 0.0 }
        });
        let product = MatMul::new().transpose_a(transpose[0]).transpose_b(transpose[1]);
        let mut inputs = vec![&a, &b];
        inputs.extend(biased.then_some(&bias));
        assert_near_definition(&twin(&product, &inputs), &wanted);
    }

    #[test]
    fn leading_axes_are_broadcast_as_numpy_does_it(
        axes in proptest::collection::vec((1_usize..4, 0_u8..3), 0..4), shorter in 0_usize..4, seed: u64,
    ) {
        let kept = |which: u8| axes.iter().map(|&(size, one)| if one == which { 1 } else { size }).collect::<Vec<_>>();
        let (a_leading, b_leading) = (kept(1), kept(2));
        let b_leading = &b_leading[shorter.min(b_leading.len())..];
        let mut n = Numbers::new(seed);
        let a = n.floats(&[&a_leading[..], &[3, 2]].concat());
        let b = n.floats(&[b_leading, &[2, 5]].concat());
        let result = twin_of(&MatMul::new(), &[&a, &b], &[true, true]);
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
        assert_near_definition(&result, &wanted);
    }

    #[test]
    fn no_setting_makes_the_shape_rules_panic(
        shapes in proptest::collection::vec(proptest::collection::vec(
            prop_oneof![6 => 0_usize..5, 1 => Just(1_usize << 31), 1 => Just(usize::MAX)], 0..10), 0..5),
        transpose in [any::<bool>(), any::<bool>()], batched: [bool; 5],
    ) {
        let spec = |(shape, batched): (&Vec<usize>, bool)| Spec { batched, ..Spec::floats(shape) };
        let specs: Vec<Spec> = shapes.iter().zip(batched).map(spec).collect();
        let inputs: Vec<&Spec> = specs.iter().collect();
        let product = MatMul::new().transpose_a(transpose[0]).transpose_b(transpose[1]);
        let kernels: [&dyn Kernel; 2] = [&product, &Conv2d::new()];
        for kernel in kernels {
            if let Ok(output) = kernel.output(&inputs) {
                prop_assert!(!kernel.variants(&inputs, &output).is_empty());
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_named_with_what_would() {
    let x = Spec::floats(&[4, 8, 8]);
    refused(
        &Conv2d::new(),
        std::slice::from_ref(&x),
        "takes 2 inputs (x, weight), not 1; a bias may be third",
    );
    refused(&Unary::clip(1.0, 0.0), &[x], "the range is 1 to 0; a low end up to the high end would fit");
    let (a, b) = (Spec::constant(&[4, 5]), Spec::constant(&[5, 6]));
    refused(
        &MatMul::new(),
        &[a.clone(), b],
        "b is an f32 constant [5, 6]; an activation would fit, since a is a constant too",
    );
    refused(&MatMul::new(), std::slice::from_ref(&a), "takes 2 inputs (a, b), not 1; a bias may be third");
}
