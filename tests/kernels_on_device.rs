//! Every kernel gives on a device what its twin gives, whatever the shape, the batch and the place in it.

mod common;

use common::numbers::{Numbers, assert_near, cases, run};
use gapless::gpu::TensorId;
use gapless::kernel::{
    AveragePool2d, Binary, Clip, Conv2d, FullyConnected, GlobalAveragePool, Kernel, MaxPool2d, Normalize,
    Relu, Softmax, Spec,
};
use gapless::{Gpu, GpuStage, Program};
use ndarray::{Array, Array1, ArrayD, IxDyn};

/// Runs one kernel on device and twin; then every item alone, and compares bit by bit.
fn check<T: gapless::gpu::Scalar>(
    gpu: &Gpu,
    kernel: impl Kernel,
    spec: Spec,
    constants: Vec<ArrayD<f32>>,
    batch: &[ArrayD<T>],
) {
    let what = format!("{kernel:?} of {:?}", spec.shape);
    let mut net = Program::new(gpu);
    let mut inputs: Vec<TensorId> = vec![net.input("x", spec).unwrap()];
    for (index, constant) in constants.into_iter().enumerate() {
        inputs.push(net.constant(&format!("constant {index}"), constant).unwrap());
    }
    let y = net.add(kernel, &inputs).unwrap();
    net.output("y", y).unwrap();
    let mut twin = net.on(&Gpu::cpu());
    GpuStage::<ArrayD<T>>::open(&mut net, batch.len()).unwrap();
    GpuStage::<ArrayD<T>>::open(&mut twin, batch.len()).unwrap();
    let together = run(&mut net, batch);
    assert_near(&together["y"], &run(&mut twin, batch)["y"], &what);
    for (row, item) in batch.iter().enumerate() {
        let alone = run(&mut net, std::slice::from_ref(item));
        let bits =
            |values: ndarray::ArrayViewD<'_, f32>| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        let (alone, together) =
            (alone["y"].index_axis(ndarray::Axis(0), 0), together["y"].index_axis(ndarray::Axis(0), row));
        assert_eq!(bits(alone), bits(together), "{what}: item {row} depends on its batch");
    }
}

fn check_floats(
    gpu: &Gpu,
    kernel: impl Kernel,
    shape: &[usize],
    constants: Vec<ArrayD<f32>>,
    n: &mut Numbers,
) {
    let batch: Vec<_> = (0..n.pick(1, 4)).map(|_| n.floats(shape)).collect();
    check(gpu, kernel, Spec::floats(shape), constants, &batch);
}

#[test]
fn normalize_gives_what_its_twin_gives() {
    cases(16, |gpu, n| {
        let channels = n.pick(1, 4);
        let [height, width] = n.pair(1, 19);
        let mean: Vec<f32> = (0..channels).map(|_| n.pick(0, 255) as f32).collect();
        let std: Vec<f32> = (0..channels).map(|_| n.pick(1, 128) as f32).collect();
        let shape = [height, width, channels];
        let batch: Vec<ArrayD<u8>> = (0..n.pick(1, 4))
            .map(|_| ArrayD::from_shape_simple_fn(IxDyn(&shape), || (n.next() >> 33) as u8))
            .collect();
        check(gpu, Normalize::new(mean, std), Spec::bytes(&shape), vec![], &batch);
    });
}

#[test]
fn relu_and_clip_give_what_their_twins_give() {
    cases(6, |gpu, n| {
        let shape = [n.pick(1, 5), n.pick(1, 30), n.pick(1, 30)];
        check_floats(gpu, Relu::new(), &shape, vec![], n);
        check_floats(gpu, Clip::new(-0.5, 1.25), &shape, vec![], n);
    });
}

#[test]
fn add_of_a_constant_on_either_side_gives_what_its_twin_gives() {
    cases(6, |gpu, n| {
        let shape = [n.pick(1, 5), n.pick(1, 300)];
        let constant = n.floats(&shape);
        check_floats(gpu, Binary::add(), &shape, vec![constant], n);
    });
}

#[test]
fn add_of_two_activations_adds_each_item_to_its_own() {
    let Some(gpu) = common::device() else { return };
    let mut n = Numbers(77);
    let batch: Vec<_> = (0..3).map(|_| n.floats(&[5, 61])).collect();
    let build = |gpu: &Gpu| {
        let mut net = Program::new(gpu);
        let x = net.input("x", Spec::floats(&[5, 61])).unwrap();
        let bias = net.constant("bias", ArrayD::ones(IxDyn(&[5, 61]))).unwrap();
        let relu = net.add(Relu::new(), &[x]).unwrap();
        let left = net.add(Binary::add(), &[bias, relu]).unwrap();
        let sum = net.add(Binary::add(), &[left, x]).unwrap();
        net.output("y", sum).unwrap();
        GpuStage::<ArrayD<f32>>::open(&mut net, 3).unwrap();
        net
    };
    let (device, twin) = (run(&mut build(&gpu), &batch), run(&mut build(&Gpu::cpu()), &batch));
    assert_near(&device["y"], &twin["y"], "1 + relu(x) + x");
    for (row, x) in batch.iter().enumerate() {
        let wanted = x.mapv(|x| 1.0 + x.max(0.0) + x);
        assert_near(&twin["y"].index_axis(ndarray::Axis(0), row).to_owned(), &wanted, "by hand");
    }
}

#[test]
fn pools_give_what_their_twins_give() {
    cases(16, |gpu, n| {
        let (shape, kernel) = ([n.pick(1, 6), n.pick(3, 17), n.pick(3, 17)], n.pair(1, 3));
        let pads = [kernel[0], kernel[1], kernel[0], kernel[1]].map(|size| n.pick(0, size - 1));
        let stride = n.pair(1, 4);
        check_floats(gpu, MaxPool2d::new(kernel).stride(stride).pads(pads), &shape, vec![], n);
        for include in [false, true] {
            let pool = AveragePool2d::new(kernel).stride(stride).pads(pads).count_include_pad(include);
            check_floats(gpu, pool, &shape, vec![], n);
        }
        check_floats(gpu, GlobalAveragePool::new(), &shape, vec![], n);
    });
}

#[test]
fn fully_connected_gives_what_its_twin_gives() {
    cases(8, |gpu, n| {
        let [m, k] = n.pair(1, 200);
        let constants = vec![n.floats(&[m, k]), n.floats(&[m])];
        check_floats(gpu, FullyConnected::new(), &[k], constants, n);
    });
}

#[test]
fn softmax_gives_what_its_twin_gives() {
    cases(8, |gpu, n| {
        let shape = [n.pick(1, 5), n.pick(1, 300)];
        check_floats(gpu, Softmax::new(), &shape, vec![], n);
        let scale = n.floats(&shape) * 500.0;
        check(gpu, Softmax::new(), Spec::floats(&shape), vec![], &[scale]);
    });
}

#[test]
fn convolution_gives_what_its_twin_gives() {
    cases(48, |gpu, n| {
        let groups = n.pick(1, 4);
        let share = if n.pick(0, 2) == 0 { 1 } else { n.pick(1, 7) };
        let (channels, outputs) = (groups * share, groups * n.pick(1, 9));
        let (kernel, dilation) = (n.pair(1, 4), n.pair(1, 3));
        let shape = [channels, n.pick(10, 16), n.pick(10, 16)];
        let pads = [0; 4].map(|_| n.pick(0, 5));
        let mut conv = Conv2d::new().groups(groups).stride(n.pair(1, 3)).dilation(dilation).pads(pads);
        if n.pick(0, 1) == 1 {
            conv = conv.clip(-1.0, 3.0);
        }
        let mut constants = vec![n.floats(&[outputs, share, kernel[0], kernel[1]])];
        if n.pick(0, 1) == 1 {
            constants.push(n.floats(&[outputs]));
        }
        check_floats(gpu, conv, &shape, constants, n);
    });
}

#[test]
fn nan_and_infinity_are_what_the_twin_makes_of_them() {
    let Some(gpu) = common::device() else { return };
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    let odd = [1.0, nan, -1.0, inf, -inf, 0.0, -nan, 7.0, -2.0, 1e-3, 3.0, inf];
    let one = |shape: &[usize]| Array1::from(odd.to_vec()).into_shape_with_order(IxDyn(shape)).unwrap();
    let planes = [1, 3, 4];
    let x = &[one(&planes)];
    check(&gpu, Relu::new(), Spec::floats(&planes), vec![], x);
    check(&gpu, Clip::new(0.0, 6.0), Spec::floats(&planes), vec![], x);
    check(&gpu, Clip::new(0.0, inf), Spec::floats(&planes), vec![], x);
    check(&gpu, MaxPool2d::new([2, 2]), Spec::floats(&planes), vec![], x);
    check(&gpu, AveragePool2d::new([2, 2]), Spec::floats(&planes), vec![], x);
    check(&gpu, Softmax::new(), Spec::floats(&[12, 1]), vec![], &[one(&[12, 1])]);
    check(&gpu, Softmax::new(), Spec::floats(&[4, 3]), vec![], &[one(&[4, 3])]);
    let weight = ArrayD::ones(IxDyn(&[1, 1, 1, 1]));
    check(&gpu, Conv2d::new().clip(0.0, 6.0), Spec::floats(&planes), vec![weight], x);
}

#[test]
fn more_workgroups_than_one_dimension_holds_reach_the_last_value() {
    let Some(gpu) = common::device() else { return };
    let len = 65_535 * 256 + 1;
    let mut net = Program::new(&gpu).depth(1);
    let x = net.input("x", Spec::floats(&[len])).unwrap();
    let y = net.add(Relu::new(), &[x]).unwrap();
    net.output("y", y).unwrap();
    GpuStage::<ArrayD<f32>>::open(&mut net, 1).unwrap();
    let item = Array::from_shape_fn(IxDyn(&[len]), |index| index[0] as f32);
    let result = run(&mut net, std::slice::from_ref(&item));
    assert!(result["y"].iter().eq(item.iter()), "every value is where it was");
}
