//! Kernels that move values give on a device what their twins give, whatever the shape, the batch and the place in it.

mod common;

use common::kernels::{Input, cases, check, check_floats};
use gapless::kernel::{Concat, Gather, Pad, PadMode, Rearrange};

#[test]
fn rearrange_gives_what_its_twin_gives() {
    let Some(gpu) = common::device() else { return };
    cases(16, |n| {
        let shape = n.shape([1, 8], 4);
        let perm = n.permutation(shape.len());
        check_floats(&gpu, Rearrange::transpose(perm), &shape, vec![], n);
        let starts: Vec<i64> = shape.iter().map(|&len| n.signed(0, len as i64 - 1)).collect();
        let (ends, steps) =
            (vec![-1; shape.len()], shape.iter().map(|_| -n.signed(1, 3)).collect::<Vec<_>>());
        check_floats(&gpu, Rearrange::slice(starts.clone(), ends, steps), &shape, vec![], n);
        let (ends, steps) = (shape.iter().map(|&len| len as i64).collect::<Vec<_>>(), vec![2; shape.len()]);
        check_floats(&gpu, Rearrange::slice(starts, ends, steps), &shape, vec![], n);
        let narrow: Vec<usize> = shape.iter().map(|&len| if n.pick(0, 1) == 1 { len } else { 1 }).collect();
        check_floats(&gpu, Rearrange::expand(shape), &narrow, vec![], n);
    });
}

#[test]
fn concat_of_activations_and_constants_gives_what_its_twin_gives() {
    let Some(gpu) = common::device() else { return };
    cases(16, |n| {
        let shape = n.shape([1, 4], 7);
        let axis = n.pick(0, shape.len() - 1);
        let mut inputs = Vec::new();
        for _ in 0..n.pick(0, 3) {
            let mut other = shape.clone();
            other[axis] = n.pick(1, 5);
            inputs.push(match n.pick(0, 2) {
                0 => Input::X,
                1 => Input::Clipped,
                _ => Input::Constant(n.floats(&other)),
            });
        }
        inputs.insert(n.pick(0, inputs.len()), Input::X);
        let batch: Vec<_> = (0..n.pick(1, 4)).map(|_| n.floats(&shape)).collect();
        check(&gpu, Concat::new(axis), inputs, &batch);
    });
}

#[test]
fn pad_gives_what_its_twin_gives() {
    let Some(gpu) = common::device() else { return };
    cases(16, |n| {
        let shape = n.shape([1, 5], 5);
        for mode in [PadMode::Constant(0.5), PadMode::Edge, PadMode::Reflect, PadMode::Wrap] {
            let [before, after] = [(); 2]
                .map(|()| shape.iter().map(|&len| n.signed(-(len as i64 - 1) / 2, 7)).collect::<Vec<_>>());
            check_floats(&gpu, Pad::new(before, after, mode), &shape, vec![], n);
        }
    });
}

#[test]
fn gather_gives_what_its_twin_gives() {
    let Some(gpu) = common::device() else { return };
    cases(16, |n| {
        let shape = n.shape([1, 4], 5);
        let axis = n.pick(0, shape.len() - 1);
        let len = shape[axis] as i64;
        let indices = n.shape([0, 2], 4);
        let constant = Input::Constant(n.wholes(&indices, -len - 1, len));
        check_floats(&gpu, Gather::new(axis), &shape, vec![constant], n);
        let batch: Vec<_> = (0..n.pick(1, 4)).map(|_| n.wholes(&shape, -7, 7)).collect();
        let table = Input::Constant(n.floats(&[5, 3]));
        check(&gpu, Gather::new(0), vec![table, Input::X], &batch);
        check(&gpu, Gather::new(axis), vec![Input::X, Input::Clipped], &batch);
    });
}
