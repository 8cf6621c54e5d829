//! One number for many values.

use gapless::kernel::{Reduce, ReduceOp, Spec};
use ndarray::{ArrayD, IxDyn};
use proptest::prelude::*;

use crate::check::{cases_on_device, check, item, refused, twin};
use crate::near::{assert_near, within};
use crate::numbers::{Numbers, filled};

/// Every operation that a reduction knows.
pub(crate) const ALL: [ReduceOp; 10] = [
    ReduceOp::Sum,
    ReduceOp::Mean,
    ReduceOp::Max,
    ReduceOp::Min,
    ReduceOp::Prod,
    ReduceOp::L1,
    ReduceOp::L2,
    ReduceOp::SumSquare,
    ReduceOp::LogSum,
    ReduceOp::LogSumExp,
];

/// The number by its definition.
fn number(op: ReduceOp, row: &[f64]) -> f64 {
    let sum = |share: fn(f64) -> f64| row.iter().copied().map(share).sum::<f64>();
    match op {
        ReduceOp::Sum => sum(|v| v),
        ReduceOp::Mean => sum(|v| v) / row.len() as f64,
        ReduceOp::Max => row.iter().copied().fold(f64::MIN, f64::max),
        ReduceOp::Min => row.iter().copied().fold(f64::MAX, f64::min),
        ReduceOp::Prod => row.iter().product(),
        ReduceOp::L1 => sum(f64::abs),
        ReduceOp::L2 => sum(|v| v * v).sqrt(),
        ReduceOp::SumSquare => sum(|v| v * v),
        ReduceOp::LogSum => sum(|v| v).ln(),
        _ => sum(f64::exp).ln(),
    }
}

/// Every value goes to the place that its coordinates name, with 0 along the reduced axes.
fn definition(op: ReduceOp, axes: &[usize], x: &ArrayD<f32>) -> ArrayD<f32> {
    let place = |at: &IxDyn| -> Vec<usize> {
        (0..x.ndim()).map(|axis| if axes.contains(&axis) { 0 } else { at[axis] }).collect()
    };
    let shape: Vec<usize> =
        (0..x.ndim()).map(|axis| if axes.contains(&axis) { 1 } else { x.shape()[axis] }).collect();
    let mut rows = ArrayD::from_elem(IxDyn(&shape), Vec::new());
    x.indexed_iter().for_each(|(at, &value)| rows[IxDyn(&place(&at))].push(f64::from(value)));
    rows.mapv(|row| number(op, &row) as f32)
}

/// Some of the axes of a shape, each at most once.
fn some_axes(n: &mut Numbers, rank: usize) -> Vec<usize> {
    (0..rank).filter(|_| n.pick(0, 1) == 1).collect()
}

proptest! {
    #[test]
    fn every_number_is_its_definition(seed: u64) {
        let mut n = Numbers::new(seed);
        let shape = n.shape([0, 5], 5);
        let axes = some_axes(&mut n, shape.len());
        let x = n.floats(&shape);
        for op in ALL {
            let wanted = definition(op, &axes, &x);
            assert_near(&twin(&Reduce::new(op, axes.clone()), &[&x]), &wanted, within(1e-5), &format!("{op:?}"));
        }
    }
}

#[test]
fn every_number_is_the_same_on_a_device() {
    cases_on_device(6, |gpu, n| {
        for op in ALL {
            let shape = n.shape([0, 5], 7);
            let axes = some_axes(n, shape.len());
            check(gpu, Reduce::new(op, axes), &[n.items(&shape)], within(2e-5));
        }
    });
}

#[test]
fn long_rows_and_rows_side_by_side_are_the_same_on_a_device() {
    cases_on_device(1, |gpu, n| {
        for op in [ReduceOp::Mean, ReduceOp::Max, ReduceOp::LogSumExp] {
            check(gpu, Reduce::new(op, [1, 2]), &[n.items(&[3, 40, 50])], within(1e-5));
            check(gpu, Reduce::new(op, [0]), &[n.items(&[37, 1100])], within(1e-5));
            check(gpu, Reduce::new(op, [0, 2]), &[n.items(&[7, 33, 9])], within(1e-5));
        }
    });
}

#[test]
fn nan_and_infinity_reach_the_number_on_twin_and_device() {
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    let rows = [[1.0, nan, 2.0], [nan, -1.0, inf], [1.0, inf, 2.0], [-inf, 1.0, 2.0], [-inf; 3], [100.0; 3]];
    let x = filled(&[6, 3], rows.as_flattened());
    for op in ALL {
        let y = twin(&Reduce::new(op, [1]), &[&x]);
        assert!(y[[0, 0]].is_nan() && y[[1, 0]].is_nan(), "{op:?} drops NaN: {y}");
        cases_on_device(1, |gpu, _| {
            check(gpu, Reduce::new(op, [1]), &[item(x.clone())], within(1e-5));
            check(gpu, Reduce::new(op, [0]), &[item(x.clone())], within(1e-5));
        });
    }
    let exponentials = twin(&Reduce::new(ReduceOp::LogSumExp, [1]), &[&x]);
    assert_eq!([exponentials[[2, 0]], exponentials[[4, 0]]], [inf, -inf]);
}

#[test]
fn axes_that_are_not_there_or_named_twice_are_refused() {
    let (x, sum) = ([Spec::floats(&[2, 3])], |axes: &[usize]| Reduce::new(ReduceOp::Sum, axes));
    refused(&sum(&[2]), &x, "x is an f32 activation [2, 3]; an axis for each of [2] would fit");
    refused(&sum(&[1, 1]), &x, "x is an f32 activation [2, 3]; an axis for each of [1, 1] would fit");
}
