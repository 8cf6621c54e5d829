//! Every variant of the kernels that join rows gives on a device what the twin gives.

use gapless::Gpu;
use gapless::kernel::{
    ArgReduce, FullyConnected, GlobalAveragePool, GroupNorm, Kernel, LayerNorm, LogSoftmax, Reduce, ReduceOp,
    Softmax, Spec,
};
use ndarray::ArrayD;

use crate::arithmetic::reductions::ALL;
use crate::check::{Input, cases_on_device, check, item};
use crate::common::device;
use crate::forced::{self, Forced};
use crate::near::{EXACT, Near, SUMS};
use crate::numbers::{Numbers, odd_values};

/// Every variant that the device can run; where rows are long there is more than one, if it has subgroups.
#[track_caller]
fn check_all(gpu: &Gpu, kernel: impl Kernel + Clone, inputs: &[Input], near: Near) {
    let spec = |input: &Input| match input {
        Input::Items(items) => Spec::floats(items[0].shape()),
        Input::Constant(values) => Spec::constant(values.shape()),
        Input::Again | Input::Clipped => unreachable!("none is made of another"),
    };
    let specs: Vec<Spec> = inputs.iter().map(spec).collect();
    let variants = forced::full(gpu, &kernel, &specs.iter().collect::<Vec<_>>());
    assert_eq!(variants.len() > 1, gpu.limits().subgroups.is_some(), "{kernel:?} of {specs:?}");
    for variant in variants {
        check(gpu, Forced { kernel: kernel.clone(), variant }, inputs, near);
    }
}

/// Rows that a workgroup has for itself.
fn long(n: &mut Numbers) -> usize {
    n.pick(129, 700)
}

#[test]
fn softmax_of_long_rows_gives_what_its_twin_gives() {
    cases_on_device(6, |gpu, n| {
        let shape = [n.pick(1, 5), long(n)];
        let (items, large) = (n.items(&shape), item(n.floats(&shape) * 500.0));
        for input in [items, large] {
            check_all(gpu, Softmax::new(), std::slice::from_ref(&input), SUMS);
            check_all(gpu, LogSoftmax::new(), &[input], SUMS);
        }
        let across = [long(n), n.pick(1, 5)];
        let across = n.items(&across);
        check_all(gpu, Softmax::new().axis(0), &[across], SUMS);
    });
}

#[test]
fn reductions_of_long_rows_give_what_their_twins_give() {
    cases_on_device(2, |gpu, n| {
        for op in ALL {
            let shape = [n.pick(1, 4), 13, n.pick(10, 40)];
            let mut items = n.batch(2, &shape);
            if op == ReduceOp::Prod {
                // A product of less would be no number that every device has.
                items.iter_mut().for_each(|item| item.mapv_inplace(|value| 1.0 + value / 32.0));
            }
            check_all(gpu, Reduce::new(op, [1, 2]), &[Input::Items(items)], SUMS);
        }
        let shape = [n.pick(1, 4), long(n)];
        let input = n.items(&shape);
        check_all(gpu, ArgReduce::max(1), std::slice::from_ref(&input), EXACT);
        check_all(gpu, ArgReduce::min(1), &[input], EXACT);
    });
}

#[test]
fn normalised_rows_are_what_the_twins_make_of_them() {
    cases_on_device(4, |gpu, n| {
        let (rows, len) = (n.pick(1, 5), long(n));
        let factors = [n.constant(&[len]), n.constant(&[len])];
        let (items, shifted) = (n.items(&[rows, len]), item(n.floats(&[rows, len]) + 1000.0));
        for x in [items, shifted] {
            let inputs = [&[x], &factors[..]].concat();
            check_all(gpu, LayerNorm::new(1, 1e-5), &inputs, Near::Largest(1e-4));
        }
        let inputs = [n.items(&[4, len]), n.constant(&[4])];
        check_all(gpu, GroupNorm::new(2, 1e-5), &inputs, Near::Largest(1e-4));
    });
}

#[test]
fn sums_of_a_workgroup_are_what_the_twins_give() {
    cases_on_device(6, |gpu, n| {
        let shape = [n.pick(1, 20), 13, n.pick(10, 40)];
        let planes = n.items(&shape);
        check_all(gpu, GlobalAveragePool::new(), &[planes], SUMS);
        let shape = n.picks::<3>(1, 11);
        let small = n.items(&shape);
        check(gpu, GlobalAveragePool::new(), &[small], SUMS);
        let [m, k] = n.picks(1, 200);
        let inputs = [n.items(&[k]), n.constant(&[m, k]), n.constant(&[m])];
        check_all(gpu, FullyConnected::new(), &inputs, SUMS);
    });
}

#[test]
fn nan_and_infinity_in_a_long_row_are_what_the_twin_makes_of_them() {
    let Some(gpu) = device() else { return };
    let mut n = Numbers::new(3);
    for odd in odd_values().into_iter().filter(|value| !value.is_finite()) {
        let mut row: ArrayD<f32> = n.floats(&[2, 200]);
        row[[0, n.pick(0, 199)]] = odd;
        let input = [item(row)];
        check_all(&gpu, Softmax::new(), &input, SUMS);
        for op in [ReduceOp::Sum, ReduceOp::Max, ReduceOp::Min] {
            check_all(&gpu, Reduce::new(op, [1]), &input, SUMS);
        }
        check_all(&gpu, ArgReduce::max(1), &input, EXACT);
    }
    for alike in [f32::NEG_INFINITY, f32::INFINITY, f32::NAN, -0.0, 1.0] {
        let input = [item(ArrayD::from_elem(ndarray::IxDyn(&[200]), alike))];
        check_all(&gpu, Reduce::new(ReduceOp::Max, [0]), &input, EXACT);
        check_all(&gpu, Reduce::new(ReduceOp::Min, [0]), &input, EXACT);
        check_all(&gpu, Softmax::new(), &input, SUMS);
    }
}
