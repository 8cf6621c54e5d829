//! Every twin against an oracle that is written another way, and against values computed by hand.

use gapless::kernel::{
    AveragePool2d, Binary, Conv2d, FullyConnected, GlobalAveragePool, Kernel, MaxPool2d, Normalize, Softmax,
    Spec, Unary, Values, ValuesMut,
};
use ndarray::{ArrayD, IxDyn};
use proptest::prelude::*;

use crate::check::{refused, twin};
use crate::near::assert_near_definition;
use crate::numbers::{Numbers, filled};

/// The value of a plane, or `None` in the padding.
fn at(x: &ArrayD<f32>, channel: usize, y: isize, x_place: isize) -> Option<f32> {
    let (y, x_place) = (usize::try_from(y).ok()?, usize::try_from(x_place).ok()?);
    x.get(IxDyn(&[channel, y, x_place])).copied()
}

/// A convolution by its definition, in f64.
fn convolution(
    [x, weight, bias]: [&ArrayD<f32>; 3],
    [stride, dilation]: [[usize; 2]; 2],
    pads: [usize; 4],
    groups: usize,
) -> ArrayD<f32> {
    let (share, outputs) = (weight.shape()[1], weight.shape()[0]);
    let size = |axis: usize| {
        let extent = dilation[axis] * (weight.shape()[axis + 2] - 1) + 1;
        (x.shape()[axis + 1] + pads[axis] + pads[axis + 2] - extent) / stride[axis] + 1
    };
    ArrayD::from_shape_fn(IxDyn(&[outputs, size(0), size(1)]), |place| {
        let first = place[0] / (outputs / groups) * share;
        let source = |axis: usize, tap: usize| {
            (place[axis + 1] * stride[axis] + tap * dilation[axis]) as isize - pads[axis] as isize
        };
        let mut sum = f64::from(bias[[place[0]]]);
        for channel in 0..share {
            for ky in 0..weight.shape()[2] {
                for kx in 0..weight.shape()[3] {
                    let value = at(x, first + channel, source(0, ky), source(1, kx)).unwrap_or(0.0);
                    sum += f64::from(value) * f64::from(weight[[place[0], channel, ky, kx]]);
                }
            }
        }
        sum as f32
    })
}

/// The values under each window, padding as `None`.
fn windows(
    x: &ArrayD<f32>,
    kernel: [usize; 2],
    stride: [usize; 2],
    pads: [usize; 4],
    pool: impl Fn(&[Option<f32>]) -> f32,
) -> ArrayD<f32> {
    let size =
        |axis: usize| (x.shape()[axis + 1] + pads[axis] + pads[axis + 2] - kernel[axis]) / stride[axis] + 1;
    ArrayD::from_shape_fn(IxDyn(&[x.shape()[0], size(0), size(1)]), |place| {
        let taps = (0..kernel[0]).flat_map(|ky| (0..kernel[1]).map(move |kx| [ky, kx]));
        let value = |tap: [usize; 2]| {
            let source =
                |axis: usize| (place[axis + 1] * stride[axis] + tap[axis]) as isize - pads[axis] as isize;
            at(x, place[0], source(0), source(1))
        };
        pool(&taps.map(value).collect::<Vec<_>>())
    })
}

proptest! {
    #[test]
    fn convolution_is_its_definition(
        groups in 1_usize..4, share in 1_usize..4, outputs in 1_usize..4,
        kernel in [1_usize..4, 1..4], stride in [1_usize..4, 1..4], dilation in [1_usize..3, 1..3],
        pads in [0_usize..4, 0..4, 0..4, 0..4], size in [5_usize..12, 5..12], seed: u64,
    ) {
        let mut n = Numbers::new(seed);
        let x = n.floats(&[groups * share, size[0], size[1]]);
        let weight = n.floats(&[groups * outputs, share, kernel[0], kernel[1]]);
        let bias = n.floats(&[groups * outputs]);
        let conv = Conv2d::new().groups(groups).stride(stride).dilation(dilation).pads(pads);
        let wanted = convolution([&x, &weight, &bias], [stride, dilation], pads, groups);
        assert_near_definition(&twin(&conv, &[&x, &weight, &bias]), &wanted);
        let none = ArrayD::zeros(IxDyn(bias.shape()));
        let wanted = convolution([&x, &weight, &none], [stride, dilation], pads, groups);
        assert_near_definition(&twin(&conv, &[&x, &weight]), &wanted);
    }

    #[test]
    fn pools_are_their_definitions(
        kernel in [2_usize..4, 2..4], stride in [1_usize..4, 1..4],
        pads in [0_usize..2, 0..2, 0..2, 0..2], size in [3_usize..12, 3..12], seed: u64,
    ) {
        let mut n = Numbers::new(seed);
        let x = n.floats(&[3, size[0], size[1]]);
        let pool = MaxPool2d::new(kernel).stride(stride).pads(pads);
        let largest = |values: &[Option<f32>]| values.iter().flatten().copied().fold(f32::MIN, f32::max);
        assert_near_definition(&twin(&pool, &[&x]), &windows(&x, kernel, stride, pads, largest));

        let pool = AveragePool2d::new(kernel).stride(stride).pads(pads);
        let mean = |values: &[Option<f32>]| {
            values.iter().flatten().sum::<f32>() / values.iter().flatten().count() as f32
        };
        assert_near_definition(&twin(&pool, &[&x]), &windows(&x, kernel, stride, pads, mean));
        let mean = |values: &[Option<f32>]| values.iter().flatten().sum::<f32>() / values.len() as f32;
        assert_near_definition(&twin(&pool.count_include_pad(true), &[&x]), &windows(&x, kernel, stride, pads, mean));
    }

    #[test]
    fn softmax_is_its_definition_and_does_not_overflow(rows in 1_usize..4, len in 1_usize..40, seed: u64) {
        let mut n = Numbers::new(seed);
        let x = n.floats(&[rows, len]);
        let exp = |value: f32| f64::from(value).exp();
        let wanted = ArrayD::from_shape_fn(IxDyn(&[rows, len]), |place| {
            let sum: f64 = (0..len).map(|index| exp(x[[place[0], index]])).sum();
            (exp(x[[place[0], place[1]]]) / sum) as f32
        });
        assert_near_definition(&twin(&Softmax::new(), &[&x]), &wanted);
        assert_near_definition(&twin(&Softmax::new(), &[&(x + 1e4)]).sum_axis(ndarray::Axis(1)), &ArrayD::ones(IxDyn(&[rows])));
    }

    #[test]
    fn fully_connected_is_its_definition(m in 1_usize..20, k in 1_usize..40, seed: u64) {
        let mut n = Numbers::new(seed);
        let (x, weight, bias) = (n.floats(&[k]), n.floats(&[m, k]), n.floats(&[m]));
        let wanted = ArrayD::from_shape_fn(IxDyn(&[m]), |place| {
            bias[[place[0]]] + (0..k).map(|column| weight[[place[0], column]] * x[[column]]).sum::<f32>()
        });
        assert_near_definition(&twin(&FullyConnected::new(), &[&x, &weight, &bias]), &wanted);
    }
}

#[test]
fn normalize_turns_pixels_into_planes() {
    let pixels = ArrayD::from_shape_vec(IxDyn(&[1, 2, 3]), vec![127_u8, 255, 0, 255, 127, 63]).unwrap();
    let normalize = Normalize::new([127.0; 3], [128.0, 128.0, 64.0]);
    let mut planes = ArrayD::zeros(IxDyn(&[3, 1, 2]));
    normalize.twin(&[Values::U8(pixels.view())], ValuesMut::F32(planes.view_mut()));
    assert_eq!(planes, filled(&[3, 1, 2], &[0.0, 1.0, 1.0, 0.0, -1.984_375, -1.0]));
}

#[test]
fn small_kernels_give_what_the_hand_gives() {
    let x = filled(&[1, 2, 2], &[-1.0, 2.0, 8.0, -3.0]);
    assert_eq!(twin(&Unary::relu(), &[&x]), filled(&[1, 2, 2], &[0.0, 2.0, 8.0, 0.0]));
    assert_eq!(twin(&Unary::clip(-2.0, 6.0), &[&x]), filled(&[1, 2, 2], &[-1.0, 2.0, 6.0, -2.0]));
    assert_eq!(twin(&Binary::add(), &[&x, &x]), filled(&[1, 2, 2], &[-2.0, 4.0, 16.0, -6.0]));
    assert_eq!(twin(&GlobalAveragePool::new(), &[&x]), filled(&[1], &[1.5]));
    let weight = filled(&[1, 1, 2, 2], &[1.0, 10.0, 100.0, 1000.0]);
    assert_eq!(twin(&Conv2d::new(), &[&x, &weight]), filled(&[1, 1, 1], &[-2181.0]));
}

#[test]
fn nan_stays_nan() {
    let x = filled(&[1, 1, 3], &[f32::NAN, 1.0, -1.0]);
    for y in [twin(&Unary::relu(), &[&x]), twin(&Unary::clip(0.0, 6.0), &[&x])] {
        assert!(y[[0, 0, 0]].is_nan() && y[[0, 0, 1]] == 1.0 && y[[0, 0, 2]] == 0.0);
    }
    let pooled = twin(&MaxPool2d::new([1, 2]), &[&x]);
    assert!(pooled[[0, 0, 0]].is_nan() && pooled[[0, 0, 1]] == 1.0);
    assert!(twin(&Softmax::new(), &[&x]).iter().all(|share| share.is_nan()));
}

#[test]
fn what_does_not_fit_is_named_with_what_would() {
    let x = || Spec::floats(&[4, 8, 8]);
    refused(
        &Conv2d::new().groups(2),
        &[x(), Spec::constant(&[8, 4, 3, 3])],
        "weight is an f32 constant [8, 4, 3, 3]; [a multiple of 2, 2, kernel height, kernel width] would fit",
    );
    refused(
        &Conv2d::new().stride([0, 1]),
        &[x(), Spec::constant(&[8, 4, 3, 3])],
        "stride is [0, 1]; 1 to 2^30 would fit",
    );
    refused(&Conv2d::new(), &[x()], "takes 2 inputs (x, weight), not 1; a bias may be third");
    refused(
        &Unary::relu(),
        &[Spec::bytes(&[2, 2, 3])],
        "x is a u8 activation [2, 2, 3]; an f32 or i32 tensor of 1 to 2^30 elements would fit",
    );
    refused(&MaxPool2d::new([2, 2]).dilation([0, 1]), &[x()], "dilation is [0, 1]; 1 to 2^30 would fit");
    refused(
        &Normalize::new([0.0; 3], [1.0; 3]),
        &[Spec::bytes(&[2, 2, 4])],
        "pixels is a u8 activation [2, 2, 4]; a u8 activation [height, width, 3] would fit",
    );
    refused(
        &Binary::add(),
        &[x(), Spec::constant(&[4])],
        "b is an f32 constant [4]; axes of 1 or of the length that a, [4, 8, 8], has would fit",
    );
}

proptest! {
    #[test]
    fn no_setting_makes_a_shape_rule_panic(
        shape in proptest::collection::vec(prop_oneof![6 => 0_usize..5, 1 => Just(1_usize << 31), 1 => Just(usize::MAX)], 0..5),
        size in proptest::array::uniform2(prop_oneof![4 => 0_usize..4, 1 => Just(1 << 33), 1 => Just(usize::MAX)]),
        pads in proptest::array::uniform4(prop_oneof![4 => 0_usize..3, 1 => Just(usize::MAX)]),
        count in 0_usize..4,
    ) {
        let (x, constant) = (Spec::floats(&shape), Spec::constant(&shape));
        let inputs = [&x, &constant, &constant, &x];
        let kernels: [&dyn Kernel; 8] = [
            &Conv2d::new().stride(size).pads(pads).dilation(size).groups(size[0]),
            &MaxPool2d::new(size).stride(size).pads(pads),
            &AveragePool2d::new(size).stride(size).pads(pads),
            &FullyConnected::new(),
            &Softmax::new(),
            &Binary::add(),
            &GlobalAveragePool::new(),
            &Normalize::new(vec![f32::NAN; size[1].min(9)], vec![0.0; count]),
        ];
        for kernel in kernels {
            let _ = kernel.output(&inputs[..count]);
        }
        let weight = Spec::constant(&[size[0], 1, size[1], 3]);
        let _ = kernels[0].output(&[&x, &weight]);
    }
}
