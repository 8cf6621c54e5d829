//! Kernels that move values give on a device what their twins give, whatever the shape, the batch and the place in it.

use gapless::kernel::{Concat, CumSum, Gather, GatherNd, GridPadding, GridSample, Pad, PadMode, Rearrange};

use crate::check::{Input, cases_on_device, check, check_floats};
use crate::near::SUMS;

#[test]
fn rearrange_gives_what_its_twin_gives() {
    cases_on_device(16, |gpu, n| {
        let shape = n.shape([1, 8], 4);
        let perm = n.permutation(shape.len());
        check_floats(gpu, Rearrange::transpose(perm), &shape, &[], n);
        let starts: Vec<i64> = shape.iter().map(|&len| n.signed(0, len as i64 - 1)).collect();
        let (ends, steps) =
            (vec![-1; shape.len()], shape.iter().map(|_| -n.signed(1, 3)).collect::<Vec<_>>());
        check_floats(gpu, Rearrange::slice(starts.clone(), ends, steps), &shape, &[], n);
        let (ends, steps) = (shape.iter().map(|&len| len as i64).collect::<Vec<_>>(), vec![2; shape.len()]);
        check_floats(gpu, Rearrange::slice(starts, ends, steps), &shape, &[], n);
        let narrow: Vec<usize> = shape.iter().map(|&len| if n.pick(0, 1) == 1 { len } else { 1 }).collect();
        check_floats(gpu, Rearrange::expand(shape), &narrow, &[], n);
    });
}

#[test]
fn concat_of_activations_and_constants_gives_what_its_twin_gives() {
    cases_on_device(16, |gpu, n| {
        let shape = n.shape([1, 4], 7);
        let axis = n.pick(0, shape.len() - 1);
        let mut inputs = Vec::new();
        for _ in 0..n.pick(0, 3) {
            let mut other = shape.clone();
            other[axis] = n.pick(1, 5);
            inputs.push(match n.pick(0, 2) {
                0 => Input::Again,
                1 => Input::Clipped,
                _ => n.constant(&other),
            });
        }
        inputs.insert(n.pick(0, inputs.len()), n.items(&shape));
        check(gpu, Concat::new(axis), &inputs, SUMS);
    });
}

#[test]
fn pad_gives_what_its_twin_gives() {
    cases_on_device(16, |gpu, n| {
        let shape = n.shape([1, 5], 5);
        for mode in [PadMode::Constant(0.5), PadMode::Edge, PadMode::Reflect, PadMode::Wrap] {
            let [before, after] = [(); 2]
                .map(|()| shape.iter().map(|&len| n.signed(-(len as i64 - 1) / 2, 7)).collect::<Vec<_>>());
            check_floats(gpu, Pad::new(before, after, mode), &shape, &[], n);
        }
    });
}

#[test]
fn gather_gives_what_its_twin_gives() {
    cases_on_device(16, |gpu, n| {
        let shape = n.shape([1, 4], 5);
        let axis = n.pick(0, shape.len() - 1);
        let len = shape[axis] as i64;
        let indices = n.shape([0, 2], 4);
        let constant = Input::Constant(n.wholes(&indices, -len - 1, len));
        check_floats(gpu, Gather::new(axis), &shape, &[constant], n);
        let items = Input::Items((0..n.pick(1, 4)).map(|_| n.wholes(&shape, -7, 7)).collect());
        let table = n.constant(&[5, 3]);
        check(gpu, Gather::new(0), &[table, items.clone()], SUMS);
        check(gpu, Gather::new(axis), &[items, Input::Clipped], SUMS);
    });
}

#[test]
fn gather_nd_gives_what_its_twin_gives() {
    cases_on_device(16, |gpu, n| {
        let batch = n.shape([0, 2], 3);
        let axes = n.shape([1, 3], 4);
        let shape = [&batch[..], &axes, &n.shape([0, 2], 4)].concat();
        let places = [&batch[..], &n.shape([0, 2], 4), &[axes.len()]].concat();
        let kernel = GatherNd::new(batch.len());
        let constant = Input::Constant(n.wholes(&places, -5, 4));
        check_floats(gpu, kernel, &shape, &[constant], n);
        let items = Input::Items((0..n.pick(1, 4)).map(|_| n.wholes(&places, -5, 4)).collect());
        let table = n.constant(&shape);
        check(gpu, kernel, &[table, items], SUMS);
    });
}

#[test]
fn cum_sum_gives_what_its_twin_gives() {
    cases_on_device(16, |gpu, n| {
        let shape = n.shape([1, 4], 9);
        let (exclusive, reverse) = (n.pick(0, 1) == 1, n.pick(0, 1) == 1);
        let kernel = CumSum::new(n.pick(0, shape.len() - 1)).exclusive(exclusive).reverse(reverse);
        check_floats(gpu, kernel, &shape, &[], n);
    });
}

#[test]
fn windows_give_what_their_twin_gives() {
    cases_on_device(16, |gpu, n| {
        let (count, stride, size, dilation) = (n.pick(1, 4), n.pick(1, 3), n.pick(1, 3), n.pick(1, 2));
        let mut shape = n.shape([1, 3], 4);
        let axis = n.pick(0, shape.len() - 1);
        shape[axis] = (count - 1) * stride + (size - 1) * dilation + 1 + n.pick(0, 2);
        check_floats(gpu, Rearrange::windows(axis, [count, stride], [size, dilation]), &shape, &[], n);
    });
}

#[test]
fn grid_sample_gives_what_its_twin_gives() {
    cases_on_device(16, |gpu, n| {
        let shape = [n.pick(1, 3), n.pick(1, 6), n.pick(1, 6)];
        let kernel = [GridSample::nearest(), GridSample::linear(), GridSample::cubic()][n.pick(0, 2)];
        let padding = [GridPadding::Zeros, GridPadding::Border, GridPadding::Reflection][n.pick(0, 2)];
        let kernel = kernel.padding(padding).align_corners(n.pick(0, 1) == 1);
        let (rows, columns) = (n.pick(1, 4), n.pick(1, 5));
        let places = n.floats(&[rows, columns, 2]);
        check_floats(gpu, kernel, &shape, &[Input::Constant(places)], n);
    });
}
