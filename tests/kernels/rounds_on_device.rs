//! Loops of more rounds than some devices run are split or refused, and never cut.

use gapless::Gpu;
use gapless::kernel::{
    ArgReduce, AveragePool2d, Conv2d, ConvTranspose2d, GlobalAveragePool, InstanceNorm, Kernel, LayerNorm,
    LogSoftmax, MatMul, MaxPool2d, Precision, Reduce, ReduceOp, Softmax, Spec, TopK,
};
use ndarray::ArrayD;

use crate::check::{Input, check, device_with_shaders, item, program};
use crate::forced::Forced;
use crate::near::{EXACT, Near, SUMS};
use crate::numbers::Numbers;

/// The fewest rounds that a device is known to run.
const FEWEST: u32 = 65_535;

/// A size of which the longest loops have about as many rounds.
const LEAST: usize = 1 << 15;

/// Of sums of small whole numbers, which are exact: the first round that is missing shows.
const WHOLE: Near = Near::Largest(5e-6);

/// Of long sums: a device that runs any number of rounds may have one invocation add all of it, whichever is fastest there.
const ALONE: Near = Near::Largest(1e-4);

/// Of rows that are written in the last rounds: a value that is missing shows.
const ROWS: Near = Near::Largest(2e-4);

/// Values above zero, so that no sum of many is near zero.
fn positive(n: &mut Numbers, shape: &[usize]) -> ArrayD<f32> {
    n.floats(shape) * 0.25 + 1.0
}

/// Whether the device gives what the twin gives; `false` where it says why it cannot.
#[track_caller]
fn is_right(gpu: &Gpu, kernel: impl Kernel + Clone, inputs: &[Input], near: Near) -> bool {
    let Err(error) = program(gpu, kernel.clone(), inputs).plan(1) else {
        check(gpu, kernel, inputs, near);
        return true;
    };
    let (reason, most) = (error.to_string(), gpu.limits().rounds);
    assert!(reason.contains(&format!("{}.0 needs loops of ", kernel.name())), "{reason}");
    assert!(reason.ends_with(&format!(" rounds in an invocation; the device runs {most}")), "{reason}");
    assert!(most < u32::MAX, "{reason}");
    false
}

#[test]
fn usual_long_sums_and_rows_run_on_every_device() {
    let Some(gpu) = device_with_shaders() else { return };
    let n = &mut Numbers::new(1);
    let row = item(positive(n, &[1, 100_352]));
    let [lying, standing] = [[10, 100_352], [100_352, 10]].map(|shape| Input::Constant(positive(n, &shape)));
    assert!(is_right(&gpu, MatMul::new().transpose_b(true), &[row.clone(), lying.clone()], ALONE));
    assert!(is_right(&gpu, MatMul::new(), &[row, standing], ALONE));
    // More rows than are few.
    let rows = item(positive(n, &[6, 100_352]));
    assert!(is_right(&gpu, MatMul::new().transpose_b(true), &[rows, lying], ALONE));
    let weight = Input::Constant(positive(n, &[2, 8192, 3, 3]));
    let planes = item(positive(n, &[8192, 5, 5]));
    assert!(is_right(&gpu, Conv2d::new(), &[planes, weight], ALONE));
    for side in [512, 2048] {
        let plane = item(positive(n, &[1, side, side]));
        assert!(is_right(&gpu, GlobalAveragePool::new(), &[plane], SUMS));
    }
    let plane = item(positive(n, &[1, 1500, 1500]));
    let row = item(n.floats(&[1, 1 << 18]));
    assert!(is_right(&gpu, TopK::indices(1, 1 << 18), &[row], EXACT));
    let [scale, bias] = [[1], [1]].map(|shape| n.constant(&shape));
    assert!(is_right(&gpu, InstanceNorm::new(1e-5), &[plane, scale, bias], Near::Largest(1e-4)));
}

#[test]
fn what_is_too_long_for_a_device_is_refused_and_never_wrong() {
    let Some(gpu) = device_with_shaders() else { return };
    let n = &mut Numbers::new(2);
    let mut plane = |side: usize| item(positive(n, &[1, side, side]));
    let (large, larger) = (plane(256), plane(300));
    let mut ran = vec![
        is_right(&gpu, AveragePool2d::new([256, 256]), &[large], SUMS),
        is_right(&gpu, MaxPool2d::new([300, 300]), &[larger], EXACT),
    ];
    let row = item(n.floats(&[1, 3_000_000]));
    ran.push(is_right(&gpu, ArgReduce::max(1), std::slice::from_ref(&row), EXACT));
    ran.push(is_right(&gpu, Softmax::new(), std::slice::from_ref(&row), Near::Largest(1e-4)));
    ran.push(is_right(&gpu, LogSoftmax::new(), &[row], Near::Largest(1e-4)));
    let is_unlimited = gpu.limits().rounds == u32::MAX;
    assert!(ran.iter().all(|ran| *ran == is_unlimited), "{ran:?}");
}

/// Checks every variant, of the largest kernel that `of` makes, whose loops are as long as every device runs them.
#[track_caller]
fn check_longest<K: Kernel + Clone>(
    gpu: &Gpu,
    n: &mut Numbers,
    near: Near,
    of: impl Fn(usize) -> (K, Vec<Vec<usize>>),
) {
    let variants = |size: usize| {
        let (kernel, shapes) = of(size);
        let constant =
            |(index, shape): (usize, &Vec<usize>)| Spec { batched: index == 0, ..Spec::floats(shape) };
        let specs: Vec<Spec> = shapes.iter().enumerate().map(constant).collect();
        let inputs: Vec<&Spec> = specs.iter().collect();
        kernel.variants(&inputs, &kernel.output(&inputs).unwrap())
    };
    let named = |size: usize, name: &str| variants(size).iter().position(|way| way.variant() == name);
    let rounds = |size: usize, name: &str| variants(size)[named(size, name).unwrap()].needs.rounds;
    for dispatch in variants(LEAST) {
        let (name, needs) = (dispatch.variant(), dispatch.needs);
        // A loop that many invocations share is not worth the values that make it long; some are of even sizes alone.
        let is_short = (needs.rounds as usize) < LEAST / 2;
        let is_there = !needs.subgroups || gpu.limits().subgroups.is_some();
        if is_short || !is_there || needs.precision > Precision::Full || named(LEAST + 1, &name).is_none() {
            continue;
        }
        let sizes: Vec<usize> = (LEAST..2 * FEWEST as usize).collect();
        let size = LEAST - 1 + sizes.partition_point(|&size| rounds(size, &name) <= FEWEST);
        let most = rounds(size, &name);
        assert!((FEWEST - 200..=FEWEST).contains(&most), "{name} of size {size} has {most} rounds");
        let (kernel, shapes) = of(size);
        let mut inputs: Vec<Input> =
            shapes[1..].iter().map(|shape| Input::Constant(n.wholes(shape, 1, 4))).collect();
        inputs.insert(0, item(n.wholes(&shapes[0], 1, 4)));
        let variant = named(size, &name).unwrap();
        check(gpu, Forced { kernel, variant }, &inputs, near);
    }
}

#[test]
fn a_loop_as_long_as_every_device_runs_it_is_not_cut() {
    let Some(gpu) = device_with_shaders() else { return };
    let n = &mut Numbers::new(3);
    check_longest(&gpu, n, WHOLE, |k| (MatMul::new(), vec![vec![5, k], vec![k, 5]]));
    check_longest(&gpu, n, WHOLE, |k| (MatMul::new(), vec![vec![20, k], vec![k, 20]]));
    check_longest(&gpu, n, WHOLE, |c| (Conv2d::new(), vec![vec![c, 3, 2], vec![1, c, 1, 1]]));
    check_longest(&gpu, n, WHOLE, |c| (Conv2d::new(), vec![vec![c / 8, 2, 6], vec![5, c / 8, 2, 4]]));
    check_longest(&gpu, n, WHOLE, |k| (Conv2d::new().groups(2), vec![vec![2, 1, k + 3], vec![2, 1, 1, k]]));
    check_longest(&gpu, n, WHOLE, |c| {
        (ConvTranspose2d::new(), vec![vec![c / 4, 2, 2], vec![c / 4, 1, 2, 2]])
    });
    check_longest(&gpu, n, WHOLE, |k| (AveragePool2d::new([2, k / 2]), vec![vec![1, 3, k / 2]]));
    check_longest(&gpu, n, WHOLE, |k| (MaxPool2d::new([k / 2, 2]), vec![vec![1, k / 2, 2]]));
    // Rows that 64 invocations share, walked along several times.
    check_longest(&gpu, n, WHOLE, |k| (ArgReduce::max(1).last(true), vec![vec![1, 32 * k]]));
    check_longest(&gpu, n, ROWS, |k| (Softmax::new(), vec![vec![1, 21 * k]]));
    check_longest(&gpu, n, ROWS, |k| (LayerNorm::new(1, 1e-5), vec![vec![1, 40 * k], vec![40 * k]]));
    check_longest(&gpu, n, WHOLE, |k| (Reduce::new(ReduceOp::Sum, [0]), vec![vec![30 * k]]));
    check_longest(&gpu, n, WHOLE, |k| (Reduce::new(ReduceOp::Sum, [0, 2]), vec![vec![10 * k, 3, 2]]));
}
