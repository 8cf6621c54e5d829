//! The twins of kernels that move values against plain definitions, and against values computed by hand.

use gapless::kernel::{
    Concat, CumSum, Gather, GatherNd, GridPadding, GridSample, Pad, PadMode, Rearrange, Spec,
};
use ndarray::{ArrayD, Axis, IxDyn};

use crate::check::{refused, twin};
use crate::numbers::{Numbers, cases, filled};

/// Starts, ends and steps that leave something of every axis.
fn cut(n: &mut Numbers, shape: &[usize]) -> [Vec<i64>; 3] {
    let mut cut = [const { Vec::new() }; 3];
    for &len in shape {
        let (start, step) = (n.signed(0, len as i64 - 1), n.signed(1, 3));
        let forth = n.pick(0, 1) == 1;
        let end = if forth { n.signed(start + 1, len as i64) } else { n.signed(-1, start - 1) };
        for (values, value) in cut.iter_mut().zip([start, end, if forth { step } else { -step }]) {
            values.push(value);
        }
    }
    cut
}

#[test]
fn a_transposed_tensor_has_its_values_at_permuted_places() {
    cases(60, |n| {
        let x = n.shape([0, 8], 4);
        let (x, perm) = (n.floats(&x), n.permutation(x.len()));
        let y = twin(&Rearrange::transpose(perm.clone()), &[&x]);
        assert_eq!(y, x.clone().permuted_axes(perm));
        assert_eq!(twin(&Rearrange::copy(), &[&x]), x);
    });
}

#[test]
fn a_slice_has_the_places_from_start_to_end_in_steps() {
    cases(60, |n| {
        let shape = n.shape([0, 6], 6);
        let (x, [starts, ends, steps]) = (n.floats(&shape), cut(n, &shape));
        let y = twin(&Rearrange::slice(starts.clone(), ends.clone(), steps.clone()), &[&x]);
        let places = |axis: usize| {
            let all: Vec<i64> = (0..shape[axis] as i64).collect();
            let (start, end, step) = (starts[axis], ends[axis], steps[axis]);
            let part = if step > 0 {
                all[start as usize..end as usize].to_vec()
            } else {
                all[(end + 1) as usize..=start as usize].iter().rev().copied().collect()
            };
            part.into_iter()
                .step_by(step.unsigned_abs() as usize)
                .map(|place| place as usize)
                .collect::<Vec<_>>()
        };
        let wanted = (0..shape.len()).fold(x, |x, axis| x.select(Axis(axis), &places(axis)));
        assert_eq!(y, wanted);
    });
}

#[test]
fn an_expanded_tensor_is_broadcast() {
    cases(60, |n| {
        let wanted = n.shape([0, 8], 4);
        let front = n.pick(0, wanted.len());
        let shape: Vec<usize> =
            wanted[front..].iter().map(|&len| if n.pick(0, 1) == 1 { len } else { 1 }).collect();
        let x = n.floats(&shape);
        let y = twin(&Rearrange::expand(wanted.clone()), &[&x]);
        assert_eq!(y, x.broadcast(wanted).unwrap());
    });
}

#[test]
fn parts_lie_one_after_the_other() {
    cases(60, |n| {
        let shape = n.shape([1, 5], 4);
        let axis = n.pick(0, shape.len() - 1);
        let parts: Vec<ArrayD<f32>> = (0..n.pick(1, 4))
            .map(|_| {
                let mut shape = shape.clone();
                shape[axis] = n.pick(1, 5);
                n.floats(&shape)
            })
            .collect();
        let y = twin(&Concat::new(axis), &parts.iter().collect::<Vec<_>>());
        let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
        assert_eq!(y, ndarray::concatenate(Axis(axis), &views).unwrap());
    });
}

#[test]
fn a_constant_border_surrounds_what_is_not_cut_off() {
    cases(60, |n| {
        let shape = n.shape([0, 5], 6);
        let x = n.floats(&shape);
        let border =
            |n: &mut Numbers| shape.iter().map(|&len| n.signed(-(len as i64 - 1) / 2, 3)).collect::<Vec<_>>();
        let (before, after) = (border(n), border(n));
        let y = twin(&Pad::new(before.clone(), after.clone(), PadMode::Constant(9.0)), &[&x]);
        let lens: Vec<usize> =
            (0..shape.len()).map(|axis| (shape[axis] as i64 + before[axis] + after[axis]) as usize).collect();
        let wanted = ArrayD::from_shape_fn(IxDyn(&lens), |place| {
            let from: Vec<usize> =
                (0..shape.len()).map(|axis| (place[axis] as i64 - before[axis]) as usize).collect();
            x.get(IxDyn(&from)).copied().unwrap_or(9.0)
        });
        assert_eq!(y, wanted);
    });
}

#[test]
fn borders_of_each_mode_are_what_numpy_gives() {
    let x = filled(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let padded = |mode| twin(&Pad::new([1, 2], [0, 1], mode), &[&x]);
    let edge = [1., 1., 1., 2., 3., 3., 1., 1., 1., 2., 3., 3., 4., 4., 4., 5., 6., 6.];
    assert_eq!(padded(PadMode::Edge), filled(&[3, 6], &edge));
    let reflect = [6., 5., 4., 5., 6., 5., 3., 2., 1., 2., 3., 2., 6., 5., 4., 5., 6., 5.];
    assert_eq!(padded(PadMode::Reflect), filled(&[3, 6], &reflect));
    let wrap = [5., 6., 4., 5., 6., 4., 2., 3., 1., 2., 3., 1., 5., 6., 4., 5., 6., 4.];
    assert_eq!(padded(PadMode::Wrap), filled(&[3, 6], &wrap));
}

#[test]
fn gathered_places_are_those_that_the_indices_name() {
    cases(60, |n| {
        let shape = n.shape([1, 4], 5);
        let axis = n.pick(0, shape.len() - 1);
        let len = shape[axis] as i64;
        let indices = n.shape([0, 3], 3);
        let (data, indices) = (n.floats(&shape), n.wholes(&indices, -len, len - 1));
        let y = twin(&Gather::new(axis), &[&data, &indices]);
        let places: Vec<usize> = indices.iter().map(|&at| (at as i64).rem_euclid(len) as usize).collect();
        let wanted = [&shape[..axis], indices.shape(), &shape[axis + 1..]].concat();
        let wanted = data.select(Axis(axis), &places).to_shape(wanted).unwrap().into_owned();
        assert_eq!(y, wanted);
    });
}

#[test]
fn slices_are_those_that_their_coordinates_name() {
    cases(60, |n| {
        let (batch, axes, inner) = (n.pick(1, 3), [n.pick(1, 4), n.pick(1, 4)], n.pick(1, 3));
        let data = n.floats(&[batch, axes[0], axes[1], inner]);
        let indices = n.wholes(&[batch, 5, 2], -3, 2);
        let y = twin(&GatherNd::new(1), &[&data, &indices]);
        let wanted = ArrayD::from_shape_fn(IxDyn(&[batch, 5, inner]), |at| {
            let place = |coordinate: usize| {
                let (index, axis) = (indices[[at[0], at[1], coordinate]] as i64, axes[coordinate] as i64);
                usize::try_from(if index < 0 { index + axis } else { index })
                    .ok()
                    .filter(|at| (*at as i64) < axis)
            };
            place(0).zip(place(1)).map_or(f32::NAN, |(one, other)| data[[at[0], one, other, at[2]]])
        });
        assert_eq!(y.mapv(f32::to_bits), wanted.mapv(f32::to_bits));
    });
}

#[test]
fn a_sum_up_to_each_place_is_that_of_the_places_before() {
    let x = filled(&[2, 3], &[1.0, 2.0, 4.0, 10.0, 20.0, 40.0]);
    let sums = |kernel: CumSum| twin(&kernel, &[&x]).into_raw_vec_and_offset().0;
    assert_eq!(sums(CumSum::new(1)), [1.0, 3.0, 7.0, 10.0, 30.0, 70.0]);
    assert_eq!(sums(CumSum::new(0)), [1.0, 2.0, 4.0, 11.0, 22.0, 44.0]);
    assert_eq!(sums(CumSum::new(1).exclusive(true)), [0.0, 1.0, 3.0, 0.0, 10.0, 30.0]);
    assert_eq!(sums(CumSum::new(1).reverse(true)), [7.0, 6.0, 4.0, 70.0, 60.0, 40.0]);
    assert_eq!(sums(CumSum::new(1).reverse(true).exclusive(true)), [6.0, 4.0, 0.0, 60.0, 40.0, 0.0]);
}

#[test]
fn pixels_are_those_between_which_a_place_is() {
    let x = filled(&[1, 2, 2], &[1.0, 2.0, 3.0, 4.0]);
    let at =
        |kernel: GridSample, place: [f32; 2]| twin(&kernel, &[&x, &filled(&[1, 1, 2], &place)])[[0, 0, 0]];
    let linear = GridSample::linear();
    assert_eq!(at(linear, [0.0, 0.0]), 2.5);
    assert_eq!(at(linear, [-1.0, -1.0]), 0.25);
    assert_eq!(at(linear.align_corners(true), [-1.0, 1.0]), 3.0);
    assert_eq!(at(linear.padding(GridPadding::Border), [-1.0, -1.0]), 1.0);
    assert_eq!(at(GridSample::nearest(), [0.9, -0.9]), 2.0);
    assert_eq!(at(GridSample::nearest().padding(GridPadding::Reflection), [1.6, 0.6]), 4.0);
    assert!(at(linear, [f32::NAN, 0.0]).is_nan());
}

#[test]
fn windows_overlap_where_their_steps_are_shorter_than_they_are() {
    let x = filled(&[5], &[1.0, 2.0, 3.0, 4.0, 5.0]);
    let y = twin(&Rearrange::windows(0, [2, 1], [2, 3]), &[&x]);
    assert_eq!(y, filled(&[2, 2], &[1.0, 4.0, 2.0, 5.0]));
}

#[test]
fn an_index_that_names_no_place_gives_nan() {
    let data = filled(&[3], &[1.0, 2.0, 3.0]);
    let indices = filled(&[6], &[2.0, 3.0, -3.0, -4.0, 0.5, f32::NAN]);
    let y = twin(&Gather::new(0), &[&data, &indices]);
    assert_eq!(
        y.mapv(|value| value.is_nan()).into_raw_vec_and_offset().0,
        [false, true, false, true, true, true]
    );
    assert_eq!((y[[0]], y[[2]]), (3.0, 1.0));
}

#[test]
fn what_does_not_fit_is_named_with_what_would() {
    let x = || Spec::floats(&[4, 8]);
    refused(
        &Rearrange::transpose([0, 0]),
        &[x()],
        "the permutation is [0, 0]; every number below 2 once would fit [4, 8]",
    );
    refused(
        &Rearrange::windows(1, [3, 3], [3, 1]),
        &[x()],
        "3 windows of 3 places, 3 and 1 apart, do not fit axis 1 of [4, 8]",
    );
    refused(&CumSum::new(2), &[x()], "x is an f32 activation [4, 8]; more than 2 axes would fit the axis 2");
    refused(
        &GatherNd::new(0),
        &[x(), Spec::constant(&[5, 3])],
        "indices is an f32 constant [5, 3]; 1 to 2 coordinates would fit [4, 8]",
    );
    refused(
        &GatherNd::new(1),
        &[x(), Spec::constant(&[5, 1])],
        "indices is an f32 constant [5, 1]; the first 1 axes of data, [4, 8], and more would fit",
    );
    refused(
        &Rearrange::slice([0, 8], [4, 9], [1, 1]),
        &[x()],
        "axis 1 of [4, 8]: starts at 8; 0 to 7 would fit",
    );
    refused(
        &Rearrange::slice([3, 0], [3, 8], [-1, 1]),
        &[x()],
        "axis 0 of [4, 8]: ends at 3; -1 to 2 would fit the start 3 and the step -1",
    );
    refused(
        &Rearrange::slice([0, 0], [4, 8], [1, 0]),
        &[x()],
        "axis 1 of [4, 8]: the step is 0; any other would fit",
    );
    refused(&Rearrange::slice([0], [4, 8], [1, 1]), &[x()], "starts are [0]; 2 numbers would fit [4, 8]");
    refused(
        &Rearrange::expand([4, 9]),
        &[x()],
        "[4, 8] does not expand to [4, 9]; the same axes at the end, where those of 1 may be longer, would fit",
    );
    refused(
        &Rearrange::copy(),
        &[Spec::floats(&[1; 9])],
        "x is [1, 1, 1, 1, 1, 1, 1, 1, 1]; up to 8 axes and 1 to 2^30 elements would fit",
    );
    refused(
        &Concat::new(1),
        &[x(), Spec::constant(&[3, 8])],
        "b is an f32 constant [3, 8]; the shape of a, [4, 8], but for axis 1, would fit",
    );
    refused(
        &Concat::new(2),
        &[x(), x()],
        "a is an f32 activation [4, 8]; more than 2 axes would fit the axis 2",
    );
    refused(&Concat::new(0), &[], "takes 1 to 4 inputs, not 0");
    refused(
        &Concat::new(0),
        &[Spec::constant(&[1]), Spec::constant(&[2])],
        "every input is a constant; one activation or more would fit",
    );
    refused(
        &Pad::new([0, -5], [0, -3], PadMode::Edge),
        &[x()],
        "borders of -5 and -3 leave nothing of an axis of 8; cutting off less than 8 would fit",
    );
    refused(
        &Gather::new(0),
        &[Spec::constant(&[(1 << 24) + 1]), x()],
        "data is an f32 constant [16777217]; up to 2^24 places on axis 0 would fit",
    );
}
