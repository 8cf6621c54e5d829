//! A batch of more work than a submission may have is several submissions.

use std::time::Duration;

use gapless::kernel::{Conv2d, Softmax, Spec, Unary};
use gapless::{Cause, Gpu, Pipeline, Program};
use ndarray::ArrayD;

use crate::check::{device_with_shaders, open, run};
use crate::numbers::Numbers;

const SHAPE: [usize; 3] = [4, 9, 9];

/// Two convolutions and a softmax: three kernels, of which two give what is read back.
fn net(gpu: &Gpu) -> Program {
    let mut n = Numbers::new(31);
    let mut net = Program::new(gpu);
    let x = net.input("x", Spec::floats(&SHAPE)).unwrap();
    let weight = net.constant("weight", n.floats(&[4, 4, 3, 3])).unwrap();
    let x = net.add(Conv2d::new().pads([1; 4]), &[x, weight]).unwrap();
    let x = net.add(Unary::relu(), &[x]).unwrap();
    let x = net.add(Conv2d::new().pads([1; 4]), &[x, weight]).unwrap();
    let y = net.add(Softmax::new(), &[x]).unwrap();
    net.output("x", x).unwrap();
    net.output("y", y).unwrap();
    net
}

fn bits(net: &mut Program, batch: &[ArrayD<f32>]) -> Vec<u32> {
    let given = run(net, batch);
    ["x", "y"].iter().flat_map(|name| given[*name].iter().map(|value| value.to_bits())).collect()
}

#[test]
fn a_batch_of_many_submissions_gives_the_same_bits_as_one() {
    let Some(gpu) = device_with_shaders() else { return };
    let batch = Numbers::new(32).batch(7, &SHAPE);
    let [mut whole, mut cut] =
        [Duration::MAX, Duration::from_nanos(1)].map(|most| net(&gpu).submission(most));
    open::<ArrayD<f32>>(&mut whole, 7);
    open::<ArrayD<f32>>(&mut cut, 7);
    for rows in [7, 1, 4, 7] {
        assert_eq!(bits(&mut cut, &batch[..rows]), bits(&mut whole, &batch[..rows]), "{rows} items");
    }
}

#[test]
fn a_run_of_cut_batches_is_timed_kernel_by_kernel_too() {
    let Some(gpu) = device_with_shaders() else { return };
    let net = net(&gpu).submission(Duration::from_nanos(1));
    let prepare = |seed: &mut u64| Ok::<_, Cause>(Numbers::new(*seed).floats(&SHAPE));
    let mut run = Pipeline::new(prepare, net).batch_size(3).run(0..9_u64);
    let rows: usize = run.by_ref().map(|batch| batch.unwrap().rows().count()).sum();
    let report = run.report();
    assert_eq!(rows, 9);
    let kernels = &report.devices[0].kernels;
    assert!(kernels.is_empty() || kernels.len() == 3, "{kernels:?}");
    assert_eq!(kernels.is_empty(), report.devices[0].device_s.is_none());
}
