//! The twins of pools and of transposed convolution against plain definitions, and against values computed by hand.

use gapless::kernel::{
    AveragePool1d, AveragePool2d, AveragePool3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d, Kernel,
    MaxPool1d, MaxPool2d, MaxPool3d, PlaceOrder, Spec,
};
use ndarray::{ArrayD, IxDyn};

use crate::check::{refused, twin};
use crate::near::{SUMS, assert_near};
use crate::numbers::{Numbers, cases, filled};

/// Every place below these sizes.
fn places(sizes: [usize; 3]) -> impl Iterator<Item = [usize; 3]> {
    ndarray::indices(sizes).into_iter().map(|(z, y, x)| [z, y, x])
}

/// A pool of `[channels, depth, height, width]`.
#[derive(Clone, Copy, Debug)]
struct Setting {
    kernel: [usize; 3],
    stride: [usize; 3],
    dilation: [usize; 3],
    pads: [usize; 6],
}

impl Setting {
    fn random(n: &mut Numbers) -> Self {
        Self { kernel: n.picks(1, 3), stride: n.picks(1, 3), dilation: n.picks(1, 2), pads: n.picks(0, 3) }
    }

    fn max(&self) -> MaxPool3d {
        MaxPool3d::new(self.kernel).stride(self.stride).dilation(self.dilation).pads(self.pads)
    }

    fn average(&self) -> AveragePool3d {
        AveragePool3d::new(self.kernel).stride(self.stride).dilation(self.dilation).pads(self.pads)
    }

    /// Calls `pool` with what is under each window: values, `None` in the padding, and nothing beyond it.
    fn windows(
        &self,
        x: &ArrayD<f32>,
        output: &[usize],
        pool: impl Fn(&[Option<f32>]) -> f32,
    ) -> ArrayD<f32> {
        ArrayD::from_shape_fn(IxDyn(output), |place| {
            let values = places(self.kernel).filter_map(|tap| {
                let at = |axis: usize| place[axis + 1] * self.stride[axis] + tap[axis] * self.dilation[axis];
                let padded = |axis: usize| self.pads[axis] + x.shape()[axis + 1] + self.pads[axis + 3];
                let at = [at(0), at(1), at(2)];
                (0..3).all(|axis| at[axis] < padded(axis)).then(|| {
                    let from: Vec<usize> =
                        (0..3).map(|axis| at[axis].wrapping_sub(self.pads[axis])).collect();
                    x.get(IxDyn(&[place[0], from[0], from[1], from[2]])).copied()
                })
            });
            pool(&values.collect::<Vec<_>>())
        })
    }
}

fn solid(n: &mut Numbers) -> ArrayD<f32> {
    let shape = [n.pick(1, 2), n.pick(6, 8), n.pick(6, 8), n.pick(6, 8)];
    n.floats(&shape)
}

#[test]
fn pools_are_their_definitions() {
    cases(40, |n| {
        let (x, setting, ceil) = (solid(n), Setting::random(n), n.pick(0, 1) == 1);
        let max = twin(&setting.max().ceil_mode(ceil), &[&x]);
        let largest =
            |window: &[Option<f32>]| window.iter().flatten().copied().fold(f32::NEG_INFINITY, f32::max);
        assert_eq!(max, setting.windows(&x, max.shape(), largest));
        let average = setting.average().ceil_mode(ceil);
        let inside = |window: &[Option<f32>]| {
            window.iter().flatten().sum::<f32>() / window.iter().flatten().count() as f32
        };
        assert_near(&twin(&average, &[&x]), &setting.windows(&x, max.shape(), inside), SUMS, "inside");
        let all = |window: &[Option<f32>]| window.iter().flatten().sum::<f32>() / window.len() as f32;
        let average = average.count_include_pad(true);
        assert_near(&twin(&average, &[&x]), &setting.windows(&x, max.shape(), all), SUMS, "with pads");
    });
}

#[test]
fn indices_name_the_places_of_the_largest_values() {
    cases(20, |n| {
        let (x, setting) = (solid(n), Setting::random(n));
        let largest = twin(&setting.max(), &[&x]);
        let rows = twin(&setting.max().indices(PlaceOrder::RowMajor), &[&x]);
        let columns = twin(&setting.max().indices(PlaceOrder::ColumnMajor), &[&x]);
        // The same channels with their planes turned round.
        let turned = x.view().permuted_axes(vec![0, 3, 2, 1]);
        let (values, turned): (Vec<f32>, Vec<f32>) =
            (x.iter().copied().collect(), turned.iter().copied().collect());
        for ((&largest, &row), &column) in largest.iter().zip(&rows).zip(&columns) {
            let found = if row < 0.0 { f32::NEG_INFINITY } else { values[row as usize] };
            assert_eq!(found, largest);
            assert_eq!(if column < 0.0 { f32::NEG_INFINITY } else { turned[column as usize] }, largest);
        }
    });
}

#[test]
fn indices_are_those_of_onnx() {
    let x = filled(&[1, 5, 5], &(1..=25).map(|value| value as f32).collect::<Vec<_>>());
    let pool = MaxPool2d::new([2, 2]).stride([2, 2]);
    let rows = twin(&pool.indices(PlaceOrder::RowMajor), &[&x]);
    assert_eq!(rows, filled(&[1, 2, 2], &[6.0, 8.0, 16.0, 18.0]));
    let columns = twin(&pool.indices(PlaceOrder::ColumnMajor), &[&x]);
    assert_eq!(columns, filled(&[1, 2, 2], &[6.0, 16.0, 8.0, 18.0]));
}

#[test]
fn a_window_in_the_padding_alone_gives_what_nothing_gives() {
    let x = filled(&[1, 1], &[5.0]);
    let max = MaxPool1d::new([1]).pads([1, 1]);
    assert_eq!(twin(&max, &[&x]), filled(&[1, 3], &[f32::NEG_INFINITY, 5.0, f32::NEG_INFINITY]));
    assert_eq!(twin(&max.indices(PlaceOrder::RowMajor), &[&x]), filled(&[1, 3], &[-1.0, 0.0, -1.0]));
    let mean = AveragePool1d::new([1]).pads([1, 1]);
    assert!(twin(&mean, &[&x]).iter().map(|value| value.is_nan()).eq([true, false, true]));
    assert_eq!(twin(&mean.count_include_pad(true), &[&x]), filled(&[1, 3], &[0.0, 5.0, 0.0]));
}

/// A transposed convolution by its definition, in f64: what every place of the output gets.
fn transposed(
    [x, weight, bias]: [&ArrayD<f32>; 3],
    [stride, dilation, before]: [[usize; 3]; 3],
    groups: usize,
    output: &[usize],
) -> ArrayD<f32> {
    let share = x.shape()[0] / groups;
    let size = |shape: &[usize]| [shape[0], shape[1], shape[2]];
    ArrayD::from_shape_fn(IxDyn(output), |place| {
        let mut sum = f64::from(bias[[place[0]]]);
        for from in places(size(&x.shape()[1..])) {
            for tap in places(size(&weight.shape()[2..])) {
                let to = |axis: usize| from[axis] * stride[axis] + tap[axis] * dilation[axis];
                if !(0..3).all(|axis| to(axis) == place[axis + 1] + before[axis]) {
                    continue;
                }
                let outputs = weight.shape()[1];
                for channel in (0..share).map(|channel| place[0] / outputs * share + channel) {
                    let x = f64::from(x[[channel, from[0], from[1], from[2]]]);
                    sum += x * f64::from(weight[[channel, place[0] % outputs, tap[0], tap[1], tap[2]]]);
                }
            }
        }
        sum as f32
    })
}

#[test]
fn transposed_convolution_is_its_definition() {
    cases(40, |n| {
        let (groups, share, outputs) = (n.pick(1, 3), n.pick(1, 2), n.pick(1, 3));
        let [depth, height, width] = n.picks(2, 4);
        let kernel: [usize; 3] = n.picks(2, 3);
        let x = n.floats(&[groups * share, depth, height, width]);
        let weight = n.floats(&[groups * share, outputs, kernel[0], kernel[1], kernel[2]]);
        let bias = n.floats(&[groups * outputs]);
        let [stride, dilation, before, after, padding] =
            [n.picks(1, 3), n.picks(1, 2), n.picks(0, 1), n.picks(0, 1), n.picks(0, 2)];
        let pads = [before[0], before[1], before[2], after[0], after[1], after[2]];
        let conv = ConvTranspose3d::new().groups(groups).stride(stride).dilation(dilation);
        let y = twin(&conv.pads(pads).output_padding(padding), &[&x, &weight, &bias]);
        let wanted = transposed([&x, &weight, &bias], [stride, dilation, before], groups, y.shape());
        assert_near(&y, &wanted, SUMS, "transposed convolution");
        for axis in 0..3 {
            let spread =
                stride[axis] * ([depth, height, width][axis] - 1) + dilation[axis] * (kernel[axis] - 1);
            assert_eq!(y.shape()[axis + 1], spread + 1 + padding[axis] - before[axis] - after[axis]);
        }
    });
}

/// The twin's output in the shape of three axes.
fn solid_of(kernel: &impl Kernel, inputs: &[&ArrayD<f32>], shape: &[usize]) -> ArrayD<f32> {
    twin(kernel, inputs).to_shape(shape).unwrap().into_owned()
}

#[test]
fn fewer_axes_are_three_axes_of_which_some_are_one_long() {
    let mut n = Numbers::new(7);
    let x = n.floats(&[2, 1, 6, 5]);
    let flat = x.to_shape(vec![2, 6, 5]).unwrap().into_owned();
    let line = x.to_shape(vec![2, 30]).unwrap().into_owned();
    let three = twin(&MaxPool3d::new([1, 3, 2]).pads([0, 1, 0, 0, 0, 1]), &[&x]);
    assert_eq!(solid_of(&MaxPool2d::new([3, 2]).pads([1, 0, 0, 1]), &[&flat], three.shape()), three);
    let three = twin(&AveragePool3d::new([1, 3, 2]).stride([1, 2, 1]), &[&x]);
    assert_eq!(solid_of(&AveragePool2d::new([3, 2]).stride([2, 1]), &[&flat], three.shape()), three);
    assert_eq!(twin(&MaxPool1d::new([3]), &[&line]).shape(), [2, 28]);
    let weight = n.floats(&[2, 3, 1, 2, 3]);
    let three = twin(&ConvTranspose3d::new().stride([1, 2, 1]).pads([0, 0, 1, 0, 1, 0]), &[&x, &weight]);
    let weight = weight.to_shape(vec![2, 3, 2, 3]).unwrap().into_owned();
    let two = ConvTranspose2d::new().stride([2, 1]).pads([0, 1, 1, 0]);
    assert_eq!(solid_of(&two, &[&flat, &weight], three.shape()), three);
    let one =
        twin(&ConvTranspose1d::new(), &[&filled(&[1, 3], &[0.0, 1.0, 2.0]), &filled(&[1, 1, 3], &[1.0; 3])]);
    assert_eq!(one, filled(&[1, 5], &[0.0, 1.0, 3.0, 3.0, 2.0]));
}

#[test]
fn what_does_not_fit_is_named_with_what_would() {
    let x = || Spec::floats(&[4, 8, 8]);
    refused(
        &MaxPool2d::new([9, 2]).pads([0, 1, 0, 0]),
        &[x()],
        "the height is 8 with pads; 9 or more would fit the kernel",
    );
    refused(&MaxPool2d::new([2, 2]).stride([0, 1]), &[x()], "stride is [0, 1]; 1 to 2^30 would fit");
    refused(
        &AveragePool3d::new([1; 3]),
        &[x()],
        "x is an f32 activation [4, 8, 8]; an f32 activation [channels, depth, height, width] would fit",
    );
    refused(
        &ConvTranspose2d::new().groups(2),
        &[x(), Spec::constant(&[3, 1, 2, 2])],
        "weight is an f32 constant [3, 1, 2, 2]; an f32 constant [4, outputs / groups, height, width] of the kernel would fit",
    );
    refused(
        &ConvTranspose2d::new().pads([5, 0, 5, 0]),
        &[x(), Spec::constant(&[4, 1, 3, 3])],
        "pads of [5, 5] leave nothing of the height 10; less than 10 would fit",
    );
    refused(&ConvTranspose2d::new(), &[x()], "takes 2 inputs (x, weight), not 1; a bias may be third");
}
