//! Every kernel gives on a device what its twin gives, whatever the shape, the batch and the place in it.

use gapless::kernel::{
    AveragePool2d, Binary, Conv2d, FullyConnected, GlobalAveragePool, MaxPool2d, Normalize, Softmax, Spec,
    Unary,
};
use gapless::{Gpu, Program};
use ndarray::{Array, ArrayD, IxDyn};

use crate::check::{Input, cases_on_device, check, check_floats, compare, item, output};
use crate::common::device;
use crate::near::{SUMS, assert_near};
use crate::numbers::{Numbers, filled};

#[test]
fn normalize_gives_what_its_twin_gives() {
    cases_on_device(16, |gpu, n| {
        let channels = n.pick(1, 4);
        let [height, width] = n.picks(1, 19);
        let mean: Vec<f32> = (0..channels).map(|_| n.pick(0, 255) as f32).collect();
        let std: Vec<f32> = (0..channels).map(|_| n.pick(1, 128) as f32).collect();
        let shape = [height, width, channels];
        let batch: Vec<ArrayD<u8>> = (0..n.pick(1, 4))
            .map(|_| ArrayD::from_shape_simple_fn(IxDyn(&shape), || n.pick(0, 255) as u8))
            .collect();
        let mut net = Program::new(gpu);
        let x = net.input("x", Spec::bytes(&shape)).unwrap();
        let y = net.add(Normalize::new(mean, std), &[x]).unwrap();
        net.output("y", y).unwrap();
        let wanted = output(&mut net.on(&Gpu::cpu()), &batch);
        compare(&mut net, &batch, &wanted, SUMS, &format!("Normalize of {shape:?}"));
    });
}

#[test]
fn relu_and_clip_give_what_their_twins_give() {
    cases_on_device(6, |gpu, n| {
        let shape = [n.pick(1, 5), n.pick(1, 30), n.pick(1, 30)];
        check_floats(gpu, Unary::relu(), &shape, &[], n);
        check_floats(gpu, Unary::clip(-0.5, 1.25), &shape, &[], n);
    });
}

#[test]
fn add_of_a_constant_on_either_side_gives_what_its_twin_gives() {
    cases_on_device(6, |gpu, n| {
        let shape = [n.pick(1, 5), n.pick(1, 300)];
        let constant = n.constant(&shape);
        check_floats(gpu, Binary::add(), &shape, std::slice::from_ref(&constant), n);
        check(gpu, Binary::add(), &[constant, n.items(&shape)], SUMS);
    });
}

#[test]
fn add_of_two_activations_adds_each_item_to_its_own() {
    let Some(gpu) = device() else { return };
    let mut n = Numbers::new(77);
    let batch = n.batch(3, &[5, 61]);
    let build = |gpu: &Gpu| {
        let mut net = Program::new(gpu);
        let x = net.input("x", Spec::floats(&[5, 61])).unwrap();
        let bias = net.constant("bias", ArrayD::ones(IxDyn(&[5, 61]))).unwrap();
        let relu = net.add(Unary::relu(), &[x]).unwrap();
        let left = net.add(Binary::add(), &[bias, relu]).unwrap();
        let sum = net.add(Binary::add(), &[left, x]).unwrap();
        net.output("y", sum).unwrap();
        net
    };
    let (device, twin) = (output(&mut build(&gpu), &batch), output(&mut build(&Gpu::cpu()), &batch));
    assert_near(&device, &twin, SUMS, "1 + relu(x) + x");
    for (row, x) in batch.iter().enumerate() {
        let wanted = x.mapv(|x| 1.0 + x.max(0.0) + x);
        assert_near(&twin.index_axis(ndarray::Axis(0), row).to_owned(), &wanted, SUMS, "by hand");
    }
}

#[test]
fn pools_give_what_their_twins_give() {
    cases_on_device(16, |gpu, n| {
        let shape = [n.pick(1, 6), n.pick(3, 17), n.pick(3, 17)];
        let kernel: [usize; 2] = n.picks(1, 3);
        let pads = [kernel[0], kernel[1], kernel[0], kernel[1]].map(|size| n.pick(0, size - 1));
        let stride = n.picks(1, 4);
        check_floats(gpu, MaxPool2d::new(kernel).stride(stride).pads(pads), &shape, &[], n);
        for include in [false, true] {
            let pool = AveragePool2d::new(kernel).stride(stride).pads(pads).count_include_pad(include);
            check_floats(gpu, pool, &shape, &[], n);
        }
        check_floats(gpu, GlobalAveragePool::new(), &shape, &[], n);
    });
}

#[test]
fn fully_connected_gives_what_its_twin_gives() {
    cases_on_device(8, |gpu, n| {
        let [m, k] = n.picks(1, 200);
        let constants = [n.constant(&[m, k]), n.constant(&[m])];
        check_floats(gpu, FullyConnected::new(), &[k], &constants, n);
    });
}

#[test]
fn softmax_gives_what_its_twin_gives() {
    cases_on_device(8, |gpu, n| {
        let shape = [n.pick(1, 5), n.pick(1, 300)];
        check_floats(gpu, Softmax::new(), &shape, &[], n);
        check(gpu, Softmax::new(), &[item(n.floats(&shape) * 500.0)], SUMS);
    });
}

#[test]
fn convolution_gives_what_its_twin_gives() {
    cases_on_device(48, |gpu, n| {
        let groups = n.pick(1, 4);
        let share = if n.pick(0, 2) == 0 { 1 } else { n.pick(1, 7) };
        let (channels, outputs) = (groups * share, groups * n.pick(1, 9));
        let (kernel, dilation): ([usize; 2], _) = (n.picks(1, 4), n.picks(1, 3));
        let shape = [channels, n.pick(10, 16), n.pick(10, 16)];
        let conv = Conv2d::new().groups(groups).stride(n.picks(1, 3)).dilation(dilation).pads(n.picks(0, 5));
        let mut constants = vec![n.constant(&[outputs, share, kernel[0], kernel[1]])];
        if n.pick(0, 1) == 1 {
            constants.push(n.constant(&[outputs]));
        }
        check_floats(gpu, conv, &shape, &constants, n);
    });
}

#[test]
fn nan_and_infinity_are_what_the_twin_makes_of_them() {
    let Some(gpu) = device() else { return };
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    let odd = [1.0, nan, -1.0, inf, -inf, 0.0, -nan, 7.0, -2.0, 1e-3, 3.0, inf];
    let x = &[item(filled(&[1, 3, 4], &odd))];
    check(&gpu, Unary::relu(), x, SUMS);
    check(&gpu, Unary::clip(0.0, 6.0), x, SUMS);
    check(&gpu, Unary::clip(0.0, inf), x, SUMS);
    check(&gpu, MaxPool2d::new([2, 2]), x, SUMS);
    check(&gpu, AveragePool2d::new([2, 2]), x, SUMS);
    check(&gpu, Softmax::new(), &[item(filled(&[12, 1], &odd))], SUMS);
    check(&gpu, Softmax::new(), &[item(filled(&[4, 3], &odd))], SUMS);
    let weight = Input::Constant(filled(&[1, 1, 1, 1], &[1.0]));
    check(&gpu, Conv2d::new(), &[x[0].clone(), weight], SUMS);
}

#[test]
fn more_workgroups_than_one_dimension_holds_reach_the_last_value() {
    let Some(gpu) = device() else { return };
    let len = 65_535 * 256 + 1;
    let mut net = Program::new(&gpu).depth(1);
    let x = net.input("x", Spec::floats(&[len])).unwrap();
    let y = net.add(Unary::relu(), &[x]).unwrap();
    net.output("y", y).unwrap();
    let item = Array::from_shape_fn(IxDyn(&[len]), |index| index[0] as f32);
    let result = output(&mut net, std::slice::from_ref(&item));
    assert!(result.iter().eq(item.iter()), "every value is where it was");
}
