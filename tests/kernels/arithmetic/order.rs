//! Where the largest values stand, and which they are.

use gapless::kernel::{ArgReduce, Spec, TopK};
use ndarray::ArrayD;

use crate::check::{cases_on_device, check, item, refused, twin};
use crate::near::EXACT;
use crate::numbers::{cases, filled, odd_values};

#[test]
fn of_equal_values_the_first_or_the_last_one_is_meant() {
    let x = filled(&[2, 4], &[1.0, 3.0, 3.0, 0.0, 0.0, -1.0, 5.0, -1.0]);
    let place = |kernel: ArgReduce| twin(&kernel, &[&x]);
    assert_eq!(place(ArgReduce::max(1)), filled(&[2, 1], &[1.0, 2.0]));
    assert_eq!(place(ArgReduce::max(1).last(true)), filled(&[2, 1], &[2.0, 2.0]));
    assert_eq!(place(ArgReduce::min(1)), filled(&[2, 1], &[3.0, 1.0]));
    assert_eq!(place(ArgReduce::min(1).last(true)), filled(&[2, 1], &[3.0, 3.0]));
    assert_eq!(place(ArgReduce::max(0)), filled(&[1, 4], &[0.0, 0.0, 1.0, 0.0]));
}

#[test]
fn the_best_come_first_and_equal_ones_as_they_stand() {
    let x = filled(&[2, 4], &[1.0, 3.0, 3.0, 0.0, 0.0, -1.0, 5.0, -1.0]);
    let best = |kernel: TopK| twin(&kernel, &[&x]);
    assert_eq!(best(TopK::values(1, 3)), filled(&[2, 3], &[3.0, 3.0, 1.0, 5.0, 0.0, -1.0]));
    assert_eq!(best(TopK::indices(1, 3)), filled(&[2, 3], &[1.0, 2.0, 0.0, 2.0, 0.0, 1.0]));
    assert_eq!(best(TopK::indices(1, 2).smallest(true)), filled(&[2, 2], &[3.0, 0.0, 1.0, 3.0]));
    assert_eq!(best(TopK::values(0, 1)), filled(&[1, 4], &[1.0, 3.0, 5.0, 0.0]));
}

#[test]
fn places_and_orders_are_the_same_on_a_device_with_many_equal_values() {
    cases_on_device(12, |gpu, n| {
        let shape = n.shape([1, 4], 9);
        let axis = n.pick(0, shape.len() - 1);
        let k = n.pick(1, shape[axis]);
        let coarse = [item(n.floats(&shape).mapv(|value| (value * 2.0).round()))];
        for flag in [false, true] {
            check(gpu, ArgReduce::max(axis).last(flag), &coarse, EXACT);
            check(gpu, ArgReduce::min(axis).last(flag), &coarse, EXACT);
            check(gpu, TopK::values(axis, k).smallest(flag), &[n.items(&shape)], EXACT);
            check(gpu, TopK::indices(axis, k).smallest(flag), &coarse, EXACT);
        }
    });
}

#[test]
fn long_rows_have_the_same_places_and_orders_on_a_device() {
    cases_on_device(1, |gpu, n| {
        let coarse = [item(n.floats(&[3, 1000]).mapv(|value| (value * 20.0).round()))];
        check(gpu, ArgReduce::max(1), &coarse, EXACT);
        check(gpu, ArgReduce::min(1).last(true), &coarse, EXACT);
        check(gpu, TopK::indices(1, 1000), &coarse, EXACT);
        check(gpu, ArgReduce::max(0), &[n.items(&[9, 1100])], EXACT);
    });
}

#[test]
fn the_best_of_long_rows_are_the_same_on_a_device() {
    cases_on_device(8, |gpu, n| {
        let (len, inner) = (n.pick(513, 5000), n.pick(1, 3));
        let shape = [n.pick(1, 2), len, inner];
        let most = [7, 300, len][n.pick(0, 2)];
        let k = [n.pick(1, most), len][n.pick(0, 4) / 4];
        let mut odd = n.floats(&shape);
        // Infinities, both zeros and numbers below the normal ones, among many.
        let values = odd_values().into_iter().filter(|value| !value.is_nan()).chain([1e-42, -1e-42, -3e-44]);
        let values: Vec<f32> = values.collect();
        odd.mapv_inplace(|value| if n.pick(0, 2) == 0 { values[n.pick(0, values.len() - 1)] } else { value });
        let coarse = n.floats(&shape).mapv(|value| value.round());
        let same = ArrayD::from_elem(shape.to_vec(), -1.5);
        for x in [odd, coarse, same, n.floats(&shape)] {
            for flag in [false, true] {
                check(gpu, TopK::values(1, k).smallest(flag), &[item(x.clone())], EXACT);
                check(gpu, TopK::indices(1, k).smallest(flag), &[item(x.clone())], EXACT);
            }
        }
        let mut with_nan = n.floats(&shape);
        with_nan[[0, n.pick(0, len - 1), 0]] = f32::NAN;
        check(gpu, TopK::values(1, k), &[item(with_nan)], EXACT);
    });
}

#[test]
fn the_best_are_those_of_a_row_that_is_sorted() {
    cases(40, |n| {
        let len = n.pick(1, 60);
        let k = n.pick(1, len);
        let x = n.floats(&[len]).mapv(|value| (value * 3.0).round() + 0.0);
        let mut order: Vec<usize> = (0..len).collect();
        order.sort_by(|&a, &b| x[[b]].total_cmp(&x[[a]]).then(a.cmp(&b)));
        let places: Vec<f32> = order[..k].iter().map(|&place| place as f32).collect();
        assert_eq!(twin(&TopK::indices(0, k), &[&x]), filled(&[k], &places));
    });
}

#[test]
fn a_row_with_nan_has_no_order() {
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    let x = filled(&[3, 3], &[1.0, nan, 2.0, inf, -1.0, inf, -inf, -inf, -inf]);
    let place = twin(&ArgReduce::max(1), &[&x]);
    assert!(place[[0, 0]].is_nan() && place[[1, 0]] == 0.0 && place[[2, 0]] == 0.0);
    let best = twin(&TopK::indices(1, 2), &[&x]);
    assert!(best[[0, 0]].is_nan() && best[[0, 1]].is_nan() && best[[1, 1]] == 2.0);
    let x = [item(x)];
    cases_on_device(1, |gpu, _| {
        check(gpu, ArgReduce::max(1), &x, EXACT);
        check(gpu, ArgReduce::min(1).last(true), &x, EXACT);
        check(gpu, TopK::values(1, 2), &x, EXACT);
        check(gpu, TopK::indices(1, 3).smallest(true), &x, EXACT);
    });
}

#[test]
fn more_than_there_is_cannot_be_chosen() {
    let x = [Spec::floats(&[2, 3])];
    refused(&TopK::values(1, 4), &x, "k is 4; 1 to 3 would fit");
    refused(&TopK::values(1, 0), &x, "k is 0; 1 to 3 would fit");
    refused(&ArgReduce::max(2), &x, "x is an f32 activation [2, 3]; an axis 2 would fit");
}
