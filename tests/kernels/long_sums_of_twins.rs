//! A twin's sum of many values with a large mean is as exact as a float is.

use gapless::kernel::{
    AveragePool2d, Conv2d, ConvTranspose2d, FullyConnected, GlobalAveragePool, InstanceNorm, Interpolation,
    LayerNorm, LogSoftmax, Lrn, MatMul, Reduce, ReduceOp, Resize, Softmax,
};
use ndarray::ArrayD;

use crate::check::twin;
use crate::numbers::Numbers;

/// Of a value: less than a float of eight digits shows, and than a product of matrices adds up part by part.
const ROUNDED: f64 = 2e-7;
const PARTS: f64 = 2e-6;

fn large(n: &mut Numbers, shape: &[usize]) -> ArrayD<f32> {
    n.floats(shape).mapv(|value| 1000.5 + value / 4.0)
}

#[track_caller]
fn near(given: &ArrayD<f32>, wanted: f64, share: f64) {
    for value in given {
        let off = (f64::from(*value) - wanted).abs() / wanted.abs();
        assert!(off <= share, "{value} is not {wanted}: {off:e} of it away");
    }
}

fn sum(x: &ArrayD<f32>, of: impl Fn(f64) -> f64) -> f64 {
    x.iter().map(|value| of(f64::from(*value))).sum()
}

fn product(x: &ArrayD<f32>, weight: &ArrayD<f32>) -> f64 {
    x.iter().zip(weight).map(|(x, weight)| f64::from(*x) * f64::from(*weight)).sum()
}

#[test]
fn means_and_other_numbers_of_many_values() {
    let n = &mut Numbers::new(1);
    let x = large(n, &[1, 512, 512]);
    let (count, whole) = (x.len() as f64, sum(&x, |value| value));
    near(&twin(&GlobalAveragePool::new(), &[&x]), whole / count, ROUNDED);
    near(&twin(&AveragePool2d::new([512, 512]), &[&x]), whole / count, ROUNDED);
    let of = |op: ReduceOp| twin(&Reduce::new(op, [1, 2]), &[&x]);
    near(&of(ReduceOp::Sum), whole, ROUNDED);
    near(&of(ReduceOp::Mean), whole / count, ROUNDED);
    near(&of(ReduceOp::L1), whole, ROUNDED);
    near(&of(ReduceOp::LogSum), whole.ln(), ROUNDED);
    let squares = sum(&x, |value| value * value);
    near(&of(ReduceOp::SumSquare), squares, ROUNDED);
    near(&of(ReduceOp::L2), squares.sqrt(), ROUNDED);
    near(&of(ReduceOp::LogSumExp), 1000.0 + sum(&x, |value| (value - 1000.0).exp()).ln(), ROUNDED);
    let one = Resize::new([1, 1, 1], Interpolation::Linear).antialias(true);
    let table = one.table(x.shape()).unwrap();
    let one = twin(&one, &[&x, &table]);
    assert!((f64::from(one[[0, 0, 0]]) - 1000.5).abs() < 0.01, "{one}");
}

#[test]
fn shares_of_many_values() {
    let n = &mut Numbers::new(2);
    let x = n.floats(&[1 << 20]);
    let first = f64::from(x[[0]]);
    let exponentials = sum(&x, f64::exp);
    let (share, logarithm) = (twin(&Softmax::new(), &[&x]), twin(&LogSoftmax::new(), &[&x]));
    near(&share.slice_move(ndarray::s![..1]).into_dyn(), first.exp() / exponentials, 5.0 * ROUNDED);
    near(&logarithm.slice_move(ndarray::s![..1]).into_dyn(), first - exponentials.ln(), ROUNDED);
}

#[test]
fn normal_values_of_long_rows_with_a_large_mean() {
    let n = &mut Numbers::new(3);
    let x = large(n, &[1, 512, 512]);
    let mean = sum(&x, |value| value) / x.len() as f64;
    let variance = sum(&x, |value| (value - mean).powi(2)) / x.len() as f64;
    let wanted = x.mapv(|value| (f64::from(value) - mean) / (variance + 1e-5).sqrt());
    let one = |shape: &[usize]| ArrayD::from_elem(shape.to_vec(), 1.0);
    let of_layer = twin(&LayerNorm::new(1, 1e-5), &[&x, &one(&[512, 512])]);
    let of_plane = twin(&InstanceNorm::new(1e-5), &[&x, &one(&[1])]);
    for given in [of_layer, of_plane] {
        let off = given.iter().zip(&wanted).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
        assert!(off < 1e-6, "{off}");
    }
}

#[test]
fn products_of_many_terms() {
    let n = &mut Numbers::new(4);
    let (row, weight) = (large(n, &[1, 100_352]), large(n, &[1, 100_352]));
    let wanted = product(&row, &weight);
    near(&twin(&MatMul::new().transpose_b(true), &[&row, &weight]), wanted, PARTS);
    let flat = row.clone().into_shape_with_order([100_352].to_vec()).unwrap();
    let none = ArrayD::zeros([1].to_vec());
    near(&twin(&FullyConnected::new(), &[&flat, &weight, &none]), wanted, PARTS);
    let (x, weight) = (large(n, &[8192, 3, 3]), large(n, &[1, 8192, 3, 3]));
    near(&twin(&Conv2d::new(), &[&x, &weight]), product(&x, &weight), PARTS);
    let (x, weight) = (large(n, &[2, 90, 90]), large(n, &[2, 1, 90, 90]));
    let given = twin(&Conv2d::new().groups(2), &[&x, &weight]);
    for channel in 0..2 {
        let [x, weight] = [&x, &weight].map(|all| all.index_axis(ndarray::Axis(0), channel).to_owned());
        let of_channel = given.index_axis(ndarray::Axis(0), channel).to_owned();
        near(&of_channel, product(&x, &weight), PARTS);
    }
    let (x, weight) = (large(n, &[20_000, 1, 1]), large(n, &[20_000, 1, 1, 1]));
    near(&twin(&ConvTranspose2d::new(), &[&x, &weight]), product(&x, &weight), ROUNDED);
}

#[test]
fn squares_of_many_channels() {
    let n = &mut Numbers::new(5);
    let x = large(n, &[2000, 1]);
    let given = twin(&Lrn::new(4001, 4001.0, 1.0, 0.0), &[&x]);
    let squares = sum(&x, |value| value * value);
    let off = |(given, x): (&f32, &f32)| (f64::from(*given) * squares / f64::from(*x) - 1.0).abs();
    let off = given.iter().zip(&x).map(off).fold(0.0, f64::max);
    assert!(off < 3.0 * ROUNDED, "{off:e}");
}
