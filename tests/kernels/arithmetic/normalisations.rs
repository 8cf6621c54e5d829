//! Softmax along an axis, and normalisations of rows, groups and neighbours.

use gapless::kernel::{GroupNorm, InstanceNorm, LayerNorm, LogSoftmax, Lrn, Softmax, Spec};
use ndarray::{ArrayD, Axis, IxDyn};
use proptest::prelude::*;

use crate::check::{Input, cases_on_device, check, item, refused, twin};
use crate::near::{assert_near, within};
use crate::numbers::{Numbers, filled};

proptest! {
    #[test]
    fn shares_along_an_axis_are_their_definition(seed: u64) {
        let mut n = Numbers::new(seed);
        let shape = n.shape([1, 4], 6);
        let axis = n.pick(0, shape.len() - 1);
        let x = n.floats(&shape);
        let exponentials = x.mapv(f32::exp);
        let sums = exponentials.sum_axis(Axis(axis)).insert_axis(Axis(axis));
        let wanted = &exponentials / &sums;
        assert_near(&twin(&Softmax::new().axis(axis), &[&x]), &wanted, within(1e-5), "softmax");
        let logarithms = twin(&LogSoftmax::new().axis(axis), &[&x]);
        assert_near(&logarithms, &wanted.mapv(f32::ln), within(1e-5), "log_softmax");
    }

    #[test]
    fn every_row_gets_a_mean_of_zero_and_a_variance_of_one(seed: u64) {
        let mut n = Numbers::new(seed);
        let shape = [n.pick(1, 4), n.pick(1, 3), n.pick(2, 40)];
        let (x, scale, bias) = (n.floats(&shape) + 3.0, n.floats(&shape[2..]), n.floats(&shape[2..]));
        let wanted = ArrayD::from_shape_fn(IxDyn(&shape), |place| {
            let row: Vec<f64> = (0..shape[2]).map(|column| f64::from(x[[place[0], place[1], column]])).collect();
            normal(&row, place[2]) * scale[[place[2]]] + bias[[place[2]]]
        });
        let inputs = [&x, &scale, &bias];
        assert_near(&twin(&LayerNorm::new(2, 0.01), &inputs), &wanted, within(1e-5), "layer_norm");
    }

    #[test]
    fn every_group_gets_a_mean_of_zero_and_a_variance_of_one(groups in 1_usize..4, share in 1_usize..4, seed: u64) {
        let mut n = Numbers::new(seed);
        let shape = [groups * share, n.pick(1, 4), n.pick(2, 5)];
        let (x, scale, bias) = (n.floats(&shape) + 3.0, n.floats(&shape[..1]), n.floats(&shape[..1]));
        let wanted = ArrayD::from_shape_fn(IxDyn(&shape), |place| {
            let first = place[0] / share * share;
            let group: Vec<f64> = (first..first + share).flat_map(|channel| {
                x.index_axis(Axis(0), channel).iter().map(|&value| f64::from(value)).collect::<Vec<_>>()
            }).collect();
            let own = ((place[0] - first) * shape[1] + place[1]) * shape[2] + place[2];
            normal(&group, own) * scale[[place[0]]] + bias[[place[0]]]
        });
        let inputs = [&x, &scale, &bias];
        assert_near(&twin(&GroupNorm::new(groups, 0.01), &inputs), &wanted, within(1e-5), "group_norm");
        if share == 1 {
            assert_eq!(twin(&InstanceNorm::new(0.01), &inputs), twin(&GroupNorm::new(groups, 0.01), &inputs));
        }
    }

    #[test]
    fn neighbours_are_damped_as_the_formula_says(channels in 1_usize..8, size in 1_usize..12, seed: u64) {
        let x = Numbers::new(seed).floats(&[channels, 3]);
        let wanted = ArrayD::from_shape_fn(IxDyn(&[channels, 3]), |place| {
            let near = |channel: &usize| {
                channel + (size - 1) / 2 >= place[0] && *channel <= place[0] + (size - 1).div_ceil(2)
            };
            let sum: f32 = (0..channels).filter(near).map(|channel| x[[channel, place[1]]].powi(2)).sum();
            x[[place[0], place[1]]] / (1.5 + 0.3 / size as f32 * sum).powf(0.75)
        });
        assert_near(&twin(&Lrn::new(size, 0.3, 0.75, 1.5), &[&x]), &wanted, within(1e-5), "lrn");
    }
}

/// A value of a row between mean and scale, with an epsilon of 0.01.
fn normal(row: &[f64], place: usize) -> f32 {
    let mean = row.iter().sum::<f64>() / row.len() as f64;
    let variance = row.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / row.len() as f64;
    // The epsilon is a float, and its square root is felt in small groups.
    ((row[place] - mean) / (variance + f64::from(0.01_f32)).sqrt()) as f32
}

#[test]
fn shares_along_every_axis_are_the_same_on_a_device() {
    cases_on_device(8, |gpu, n| {
        let shape = n.shape([1, 4], 9);
        let axis = n.pick(0, shape.len() - 1);
        check(gpu, Softmax::new().axis(axis), &[n.items(&shape)], within(1e-5));
        check(gpu, LogSoftmax::new().axis(axis), &[n.items(&shape)], within(1e-5));
        let large = item(n.floats(&shape) * 500.0);
        check(gpu, LogSoftmax::new().axis(axis), &[large], within(1e-5));
    });
    cases_on_device(1, |gpu, n| {
        check(gpu, Softmax::new().axis(0), &[n.items(&[21, 40, 30])], within(1e-5));
        check(gpu, LogSoftmax::new(), &[n.items(&[5, 700])], within(1e-5));
    });
}

#[test]
fn normalisations_are_the_same_on_a_device_with_and_without_a_bias() {
    cases_on_device(8, |gpu, n| {
        let (groups, share) = (n.pick(1, 5), n.pick(1, 4));
        let shape = [groups * share, n.pick(1, 12), n.pick(2, 40)];
        let (of_channel, of_row) = (n.constant(&shape[..1]), n.constant(&shape[1..]));
        let x = n.items(&shape);
        let group = GroupNorm::new(groups, 1e-5);
        check(gpu, group, &[x.clone(), of_channel.clone(), of_channel.clone()], within(3e-5));
        check(gpu, group, &[x.clone(), of_channel], within(3e-5));
        let layer = LayerNorm::new(1, 1e-5);
        check(gpu, layer, &[x.clone(), of_row.clone(), of_row.clone()], within(3e-5));
        check(gpu, layer, &[x.clone(), of_row.clone()], within(3e-5));
        check(gpu, Lrn::new(n.pick(1, 7), 0.3, 0.75, 1.5), &[x], within(1e-5));
        // The factors may be the activation.
        let constant = n.constant(&shape);
        check(gpu, layer, &[constant, n.items(&shape[1..]), of_row], within(3e-5));
    });
}

#[test]
fn a_large_mean_costs_no_digits_on_a_device() {
    cases_on_device(1, |gpu, n| {
        let (x, one) =
            (item(n.floats(&[4, 300]).mapv(|value| (value * 8.0).round() + 4096.0)), n.floats(&[300]));
        check(gpu, LayerNorm::new(1, 1e-5), &[x, Input::Constant(one)], within(2e-3));
    });
}

#[test]
fn nan_and_infinity_spoil_what_depends_on_them_and_nothing_else() {
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    let x = filled(&[5, 3], &[1.0, nan, 2.0, inf, 1.0, 0.0, -inf, -inf, -inf, -inf, 1.0, 2.0, 1.0, 2.0, 4.0]);
    let [row, column] = [3, 5].map(|len| ArrayD::<f32>::ones(IxDyn(&[len])));
    let shares = twin(&LogSoftmax::new(), &[&x]);
    assert!(shares.iter().take(9).all(|share| share.is_nan()));
    assert!(shares[[3, 0]] == -inf && shares.iter().skip(10).all(|share| share.is_finite()));
    let layer = twin(&LayerNorm::new(1, 1e-5), &[&x, &row]);
    assert!(layer.iter().take(12).all(|value| value.is_nan()));
    assert!(layer.iter().skip(12).all(|value| value.is_finite()));
    cases_on_device(1, |gpu, _| {
        for axis in [0, 1] {
            check(gpu, Softmax::new().axis(axis), &[item(x.clone())], within(1e-5));
            check(gpu, LogSoftmax::new().axis(axis), &[item(x.clone())], within(1e-5));
        }
        check(gpu, LayerNorm::new(1, 1e-5), &[item(x.clone()), Input::Constant(row.clone())], within(1e-5));
        check(
            gpu,
            InstanceNorm::new(1e-5),
            &[item(x.clone()), Input::Constant(column.clone())],
            within(1e-5),
        );
        check(gpu, Lrn::new(3, 0.3, 0.75, 1.5), &[item(x.clone())], within(1e-5));
    });
}

#[test]
fn factors_of_another_shape_are_refused() {
    let specs = |scale: &[usize]| [Spec::floats(&[4, 3]), Spec::constant(scale)];
    refused(&LayerNorm::new(1, 1e-5), &specs(&[4]), "scale is an f32 constant [4]; [3] would fit");
    refused(&LayerNorm::new(2, 1e-5), &specs(&[3]), "x is an f32 activation [4, 3]; an axis 2 would fit");
    refused(&GroupNorm::new(2, 1e-5), &specs(&[3]), "scale is an f32 constant [3]; [4] would fit");
    refused(
        &GroupNorm::new(3, 1e-5),
        &specs(&[4]),
        "x is an f32 activation [4, 3]; a multiple of 3 channels would fit",
    );
    refused(&LayerNorm::new(1, -1.0), &specs(&[3]), "epsilon is -1; 0 or a positive number would fit");
}
