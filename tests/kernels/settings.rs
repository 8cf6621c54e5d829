//! No setting of a kernel makes it panic: a shape rule refuses it, or the twin runs.

use gapless::kernel::{
    AveragePool1d, AveragePool3d, Concat, ConvTranspose1d, ConvTranspose3d, Coordinates, Gather,
    Interpolation, Kernel, MaxPool2d, MaxPool3d, Nearest, Pad, PadMode, PlaceOrder, Rearrange, Resize, Spec,
    Values, ValuesMut,
};
use ndarray::{ArrayD, IxDyn};
use proptest::collection::vec;
use proptest::prelude::*;

/// Larger outputs would take too long here.
const MOST: usize = 10_000;

/// Asks for the output, and computes what is accepted and small.
fn run(kernel: &dyn Kernel, specs: &[&Spec]) {
    let Ok(output) = kernel.output(specs) else { return };
    let _ = kernel.dispatch(specs, &output);
    let _ = kernel.multiply_adds(specs, &output);
    if output.len() > MOST || specs.iter().any(|spec| spec.len() > MOST) {
        return;
    }
    let arrays: Vec<_> = specs.iter().map(|spec| ArrayD::from_elem(IxDyn(&spec.shape), -1.5)).collect();
    let values: Vec<_> = arrays.iter().map(|array| Values::F32(array.view())).collect();
    kernel.twin(&values, ValuesMut::F32(ArrayD::zeros(IxDyn(&output.shape)).view_mut()));
}

fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![8 => 0_usize..5, 1 => Just(1_usize << 31), 1 => Just(usize::MAX)]
}

fn places() -> impl Strategy<Value = i64> {
    prop_oneof![8 => -4_i64..6, 1 => Just(i64::MIN), 1 => Just(i64::MAX)]
}

fn numbers() -> impl Strategy<Value = f64> {
    prop_oneof![6 => -0.5..3.0_f64, 1 => Just(f64::NAN), 1 => Just(1e300), 1 => Just(1e-300), 1 => Just(-0.0)]
}

/// Axes that are a shape more often than not.
fn shape() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![3 => vec(1_usize..5, 0..5), 1 => vec(sizes(), 0..10)]
}

proptest! {
    #[test]
    fn kernels_that_move_values_refuse_or_run(
        shape in shape(), other in shape(), places in [vec(places(), 0..5), vec(places(), 0..5), vec(places(), 0..5)],
        axis in sizes(), value: f32,
    ) {
        let (x, y, constant) = (Spec::floats(&shape), Spec::floats(&other), Spec::constant(&other));
        let [starts, ends, steps] = places;
        run(&Rearrange::transpose(other.clone()), &[&x]);
        run(&Rearrange::expand(other.clone()), &[&x]);
        run(&Rearrange::copy(), &[&x]);
        run(&Rearrange::slice(starts.clone(), ends.clone(), steps), &[&x]);
        for mode in [PadMode::Constant(value), PadMode::Edge, PadMode::Reflect, PadMode::Wrap] {
            run(&Pad::new(starts.clone(), ends.clone(), mode), &[&x]);
        }
        run(&Gather::new(axis), &[&x, &constant]);
        run(&Concat::new(axis), &[&x, &x, &y, &constant]);
        run(&Concat::new(axis), &[&x, &x]);
    }

    #[test]
    fn pools_and_transposed_convolutions_refuse_or_run(
        shape in shape(), weight in shape(), kernel in [sizes(), sizes(), sizes()], stride in [sizes(), sizes(), sizes()],
        pads in [sizes(), sizes(), sizes(), sizes(), sizes(), sizes()], ceil: bool, groups in sizes(),
    ) {
        let (x, weight, bias) = (Spec::floats(&shape), Spec::constant(&weight), Spec::constant(&stride[..1]));
        let dilation = [stride[1], stride[0], pads[0].max(1)];
        let max = MaxPool3d::new(kernel).stride(stride).pads(pads).dilation(dilation).ceil_mode(ceil);
        run(&max, &[&x]);
        run(&max.indices(PlaceOrder::ColumnMajor), &[&x]);
        run(&MaxPool2d::new([kernel[0], 1]).pads([pads[0]; 4]).ceil_mode(ceil), &[&x]);
        let average = AveragePool3d::new(kernel).stride(stride).pads(pads).ceil_mode(ceil);
        run(&average.count_include_pad(ceil), &[&x]);
        run(&AveragePool1d::new([kernel[0]]).pads([pads[0], pads[1]]).stride([stride[0]]), &[&x]);
        let solid = ConvTranspose3d::new().stride(stride).pads(pads).dilation(dilation).output_padding(kernel);
        run(&solid.groups(groups), &[&x, &weight]);
        let line = ConvTranspose1d::new().stride([stride[0]]).pads([pads[0], pads[1]]).groups(groups);
        run(&line, &[&x, &weight]);
        run(&line, &[&x, &weight, &bias]);
    }

    #[test]
    fn resizes_refuse_or_run(
        shape in shape(), to in shape(), scales in vec(numbers(), 0..5), a in numbers(),
        crop in [vec(numbers(), 0..5), vec(numbers(), 0..5)], antialias: bool, exclude: bool, which in 0_usize..6,
    ) {
        let [starts, ends] = crop;
        let coordinates = [
            Coordinates::HalfPixel, Coordinates::HalfPixelSymmetric, Coordinates::PytorchHalfPixel,
            Coordinates::AlignCorners, Coordinates::Asymmetric,
            Coordinates::TfCropAndResize { starts, ends, outside: 1.0 },
        ][which].clone();
        let to = if to.len() == shape.len() { to } else { shape.iter().rev().copied().collect() };
        for interpolation in [Interpolation::Nearest(Nearest::Ceil), Interpolation::Linear, Interpolation::Cubic(a)] {
            let resize = Resize::new(to.clone(), interpolation).coordinates(coordinates.clone());
            let resize = resize.antialias(antialias).exclude_outside(exclude);
            for resize in [resize.clone(), resize.scales(scales.clone())] {
                let table = resize.table(&shape).map_or(1, |table| table.len());
                run(&resize, &[&Spec::floats(&shape), &Spec::constant(&[table])]);
            }
        }
    }
}
