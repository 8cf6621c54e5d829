//! Pools and transposed convolution give on a device what their twins give, whatever the shape, the batch and the
//! place in it.

use gapless::kernel::{
    AveragePool1d, AveragePool2d, AveragePool3d, ConvTranspose2d, ConvTranspose3d, MaxPool1d, MaxPool2d,
    MaxPool3d, PlaceOrder,
};

use crate::check::{cases_on_device, check, check_floats, item};
use crate::common::device;
use crate::near::SUMS;
use crate::numbers::{Numbers, filled};

fn planes(n: &mut Numbers) -> [usize; 3] {
    [n.pick(1, 4), n.pick(5, 15), n.pick(5, 15)]
}

#[test]
fn pools_of_planes_give_what_their_twins_give() {
    cases_on_device(12, |gpu, n| {
        let (shape, kernel, dilation, stride) = (planes(n), n.picks(1, 3), n.picks(1, 2), n.picks(1, 4));
        let (pads, ceil): ([usize; 4], _) = (n.picks(0, 4), n.pick(0, 1) == 1);
        let pool = MaxPool2d::new(kernel).stride(stride).pads(pads).dilation(dilation).ceil_mode(ceil);
        check_floats(gpu, pool, &shape, &[], n);
        check_floats(gpu, pool.indices(PlaceOrder::RowMajor), &shape, &[], n);
        check_floats(gpu, pool.indices(PlaceOrder::ColumnMajor), &shape, &[], n);
        let pool = AveragePool2d::new(kernel).stride(stride).pads(pads).dilation(dilation).ceil_mode(ceil);
        check_floats(gpu, pool, &shape, &[], n);
        check_floats(gpu, pool.count_include_pad(true), &shape, &[], n);
    });
}

#[test]
fn pools_of_lines_and_solids_give_what_their_twins_give() {
    cases_on_device(6, |gpu, n| {
        let shape = [n.pick(1, 3), n.pick(4, 9), n.pick(4, 9), n.pick(4, 9)];
        let (kernel, stride, pads): ([usize; 3], _, [usize; 6]) =
            (n.picks(1, 4), n.picks(1, 3), n.picks(0, 2));
        check_floats(gpu, MaxPool3d::new(kernel).stride(stride).pads(pads), &shape, &[], n);
        check_floats(gpu, AveragePool3d::new(kernel).stride(stride).pads(pads), &shape, &[], n);
        let shape = [shape[0], shape[1] * shape[2]];
        check_floats(gpu, MaxPool1d::new([kernel[0]]).pads([pads[0], 9]), &shape, &[], n);
        check_floats(gpu, AveragePool1d::new([kernel[0]]).ceil_mode(true), &shape, &[], n);
    });
}

#[test]
fn nan_and_infinity_are_what_the_twin_makes_of_them() {
    let Some(gpu) = device() else { return };
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    let odd = filled(&[1, 3, 4], &[1.0, nan, -1.0, inf, -inf, 0.0, -nan, 7.0, -2.0, 1e-3, -inf, -inf]);
    let pool = MaxPool2d::new([2, 2]).pads([2, 0, 0, 1]);
    for pool in [pool, pool.indices(PlaceOrder::RowMajor), pool.dilation([2, 1])] {
        check(&gpu, pool, &[item(odd.clone())], SUMS);
    }
    check(&gpu, AveragePool2d::new([2, 2]).pads([2, 0, 0, 1]), &[item(odd)], SUMS);
}

#[test]
fn transposed_convolution_gives_what_its_twin_gives() {
    cases_on_device(24, |gpu, n| {
        let (groups, share, outputs) = (n.pick(1, 3), n.pick(1, 4), n.pick(1, 9));
        let (kernel, stride, dilation): ([usize; 2], _, _) = (n.picks(1, 4), n.picks(1, 3), n.picks(1, 2));
        let shape = [groups * share, n.pick(3, 8), n.pick(3, 8)];
        let pads: [usize; 4] = n.picks(0, 1);
        let conv = ConvTranspose2d::new().groups(groups).stride(stride).dilation(dilation).pads(pads);
        let mut others = vec![n.constant(&[groups * share, outputs, kernel[0], kernel[1]])];
        if n.pick(0, 1) == 1 {
            others.push(n.constant(&[groups * outputs]));
        }
        check_floats(gpu, conv.output_padding(n.picks(0, 2)), &shape, &others, n);
    });
}

#[test]
fn transposed_convolution_of_solids_gives_what_its_twin_gives() {
    cases_on_device(6, |gpu, n| {
        let shape = [2, n.pick(2, 5), n.pick(2, 5), n.pick(2, 5)];
        let [depth, height, width] = n.picks(1, 3);
        let weight = n.constant(&[2, 3, depth, height, width]);
        check_floats(gpu, ConvTranspose3d::new().stride(n.picks(1, 3)), &shape, &[weight], n);
    });
}
