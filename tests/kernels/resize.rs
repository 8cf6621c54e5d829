//! Resized tensors: the twin against plain definitions and values of ONNX, and the device against the twin.

use gapless::kernel::{Coordinates, Interpolation, Nearest, Resize, Spec};
use ndarray::{ArrayD, Axis, IxDyn};

use crate::check::{Input, cases_on_device, check_floats, refused, twin};
use crate::near::{SUMS, assert_near};
use crate::numbers::{Numbers, cases, filled};

fn resized(resize: &Resize, x: &ArrayD<f32>) -> ArrayD<f32> {
    twin(resize, &[x, &resize.table(x.shape()).unwrap()])
}

/// The weight of a value at this distance.
fn weight(interpolation: Interpolation, distance: f64) -> f64 {
    let x = distance.abs();
    match interpolation {
        Interpolation::Linear => (1.0 - x).max(0.0),
        Interpolation::Cubic(a) if x <= 1.0 => (a + 2.0) * x.powi(3) - (a + 3.0) * x.powi(2) + 1.0,
        Interpolation::Cubic(a) if x < 2.0 => a * x.powi(3) - 5.0 * a * x.powi(2) + 8.0 * a * x - 4.0 * a,
        _ => 0.0,
    }
}

/// One axis resized by the definition: every value far and wide, weighted by its distance from the source.
fn by_definition(
    x: &ArrayD<f32>,
    axis: usize,
    sources: &[f64],
    weight: impl Fn(f64) -> f64,
    exclude_outside: bool,
) -> ArrayD<f32> {
    let len = x.shape()[axis] as i64;
    let rows: Vec<ArrayD<f32>> = sources
        .iter()
        .map(|source| {
            let mut sum = ArrayD::<f32>::zeros(x.index_axis(Axis(axis), 0).raw_dim());
            let mut weights = 0.0;
            for place in -60..len + 60 {
                let weight = weight(place as f64 - source);
                if exclude_outside && !(0..len).contains(&place) {
                    continue;
                }
                sum.scaled_add(weight as f32, &x.index_axis(Axis(axis), place.clamp(0, len - 1) as usize));
                weights += weight;
            }
            sum / weights as f32
        })
        .collect();
    ndarray::stack(Axis(axis), &rows.iter().map(|row| row.view()).collect::<Vec<_>>()).unwrap()
}

/// A shape of which up to three axes change, and one that they change to.
fn shapes(n: &mut Numbers) -> [Vec<usize>; 2] {
    let shape = n.shape([1, 4], 6);
    let mut to = shape.clone();
    (0..n.pick(0, 3)).for_each(|_| {
        let axis = n.pick(0, shape.len() - 1);
        to[axis] = n.pick(1, 11);
    });
    [shape, to]
}

fn interpolation(n: &mut Numbers) -> Interpolation {
    [Interpolation::Linear, Interpolation::Cubic(-0.75), Interpolation::Cubic(-0.5)][n.pick(0, 2)]
}

#[test]
fn interpolation_weighs_values_by_their_distance() {
    cases(60, |n| {
        let ([shape, to], interpolation) = (shapes(n), interpolation(n));
        let (x, antialias, exclude) = (n.floats(&shape), n.pick(0, 1) == 1, n.pick(0, 1) == 1);
        let resize = Resize::new(to.clone(), interpolation).antialias(antialias).exclude_outside(exclude);
        let wanted = (0..shape.len()).fold(x.clone(), |x, axis| {
            let scale = to[axis] as f64 / shape[axis] as f64;
            let narrow = if antialias { scale.min(1.0) } else { 1.0 };
            let sources: Vec<f64> = (0..to[axis]).map(|place| (place as f64 + 0.5) / scale - 0.5).collect();
            by_definition(&x, axis, &sources, |distance| weight(interpolation, distance * narrow), exclude)
        });
        assert_near(&resized(&resize, &x), &wanted, SUMS, &format!("{resize:?} of {shape:?}"));
    });
}

#[test]
fn the_nearest_value_is_one_of_the_input() {
    cases(60, |n| {
        let [shape, to] = shapes(n);
        let x = n.floats(&shape);
        let y = resized(&Resize::new(to.clone(), Interpolation::Nearest(Nearest::RoundPreferFloor)), &x);
        let wanted = ArrayD::from_shape_fn(IxDyn(&to), |place| {
            let from: Vec<usize> = (0..shape.len())
                .map(|axis| {
                    // Twice the distances in whole numbers, so that ties are ties.
                    let (len, all) = (shape[axis] as i64, to[axis] as i64);
                    let source = (2 * place[axis] as i64 + 1) * len - all;
                    (0..len).min_by_key(|from| (2 * from * all - source).abs()).unwrap() as usize
                })
                .collect();
            x[IxDyn(&from)]
        });
        assert_eq!(y, wanted, "{shape:?}");
    });
}

#[test]
fn corners_stay_corners_where_they_are_aligned() {
    cases(20, |n| {
        let shape = [n.pick(2, 6), n.pick(2, 6)];
        let (x, to) = (n.floats(&shape), [n.pick(2, 9), n.pick(2, 9)]);
        let resize = Resize::new(to, interpolation(n)).coordinates(Coordinates::AlignCorners);
        let y = resized(&resize, &x);
        for (row, column) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let corner = |shape: &[usize]| [row * (shape[0] - 1), column * (shape[1] - 1)];
            assert!((y[corner(&to).as_slice()] - x[corner(&shape).as_slice()]).abs() < 1e-5, "{resize:?}");
        }
    });
}

#[test]
fn values_are_those_of_onnx() {
    let x = filled(&[2, 2], &[1.0, 2.0, 3.0, 4.0]);
    let nearest = Interpolation::Nearest(Nearest::RoundPreferFloor);
    let y = resized(&Resize::new([4, 6], nearest), &x);
    let [top, bottom] = [[1., 1., 1., 2., 2., 2.], [3., 3., 3., 4., 4., 4.]];
    assert_eq!(y, filled(&[4, 6], &[top, top, bottom, bottom].concat()));
    let row = filled(&[1, 4], &[1.0, 2.0, 3.0, 4.0]);
    let symmetric = Resize::new([1, 2], Interpolation::Linear).coordinates(Coordinates::HalfPixelSymmetric);
    assert_near(
        &resized(&symmetric.scales([1.0, 0.6]), &row),
        &filled(&[1, 2], &[5.0 / 3.0, 10.0 / 3.0]),
        SUMS,
        "symmetric",
    );
    let square = filled(&[4, 4], &(1..=16).map(|value| value as f32).collect::<Vec<_>>());
    let antialias = Resize::new([2, 2], Interpolation::Linear).antialias(true).scales([0.6, 0.6]);
    assert_near(
        &resized(&antialias, &square),
        &filled(&[2, 2], &[2.875, 4.5, 9.375, 11.0]),
        SUMS,
        "antialias",
    );
    let cubic = Resize::new([2, 2], Interpolation::Cubic(-0.75)).antialias(true).scales([0.6, 0.6]);
    let wanted = filled(&[2, 2], &[2.518_072_1, 4.285_886_3, 9.589_329, 11.357_142]);
    assert_near(&resized(&cubic, &square), &wanted, SUMS, "cubic antialias");
    let single = Resize::new([3, 1], Interpolation::Linear).coordinates(Coordinates::PytorchHalfPixel);
    assert_near(
        &resized(&single, &square),
        &filled(&[3, 1], &[5.0 / 3.0, 7.0, 37.0 / 3.0]),
        SUMS,
        "one place",
    );
}

/// Numbers of ONNX Runtime 1.32, which rounds a length of 13.5 down before it aligns the corners.
#[test]
fn corners_are_aligned_by_the_rounded_length_where_an_axis_gets_larger() {
    let row = filled(&[9], &(0..9).map(|value| value as f32).collect::<Vec<_>>());
    let aligned = |interpolation| {
        let resize = Resize::new([13], interpolation).coordinates(Coordinates::AlignCorners).scales([1.5]);
        resized(&resize, &row)
    };
    let nearest = [0., 1., 1., 2., 3., 3., 4., 5., 5., 6., 7., 7., 8.];
    assert_eq!(
        aligned(Interpolation::Nearest(Nearest::RoundPreferFloor)),
        filled(&[13], &nearest),
        "nearest"
    );
    let linear: Vec<f32> = (0..13).map(|place| place as f32 * 8.0 / 12.0).collect();
    assert_near(&aligned(Interpolation::Linear), &filled(&[13], &linear), SUMS, "linear");
    let half = [0.0, 0.574_074, 1.370_369_7, 2.0, 2.629_629_6, 3.370_372_3];
    let mirrored = half.iter().rev().map(|value| 8.0 - value);
    let cubic: Vec<f32> = half.iter().copied().chain([4.0]).chain(mirrored).collect();
    assert_near(&aligned(Interpolation::Cubic(-0.75)), &filled(&[13], &cubic), SUMS, "cubic");
}

/// The case resize_downsample_scales_linear_align_corners of ONNX, which ONNX Runtime does not pass.
#[test]
fn corners_are_aligned_by_the_length_before_rounding_where_an_axis_gets_smaller() {
    let row = filled(&[4], &[1.0, 2.0, 3.0, 4.0]);
    let resize = Resize::new([2], Interpolation::Linear).coordinates(Coordinates::AlignCorners);
    assert_near(
        &resized(&resize.clone().scales([0.6]), &row),
        &filled(&[2], &[1.0, 22.0 / 7.0]),
        SUMS,
        "2.4",
    );
    assert_near(&resized(&resize.scales([0.5]), &row), &filled(&[2], &[1.0, 4.0]), SUMS, "2");
}

/// Numbers of ONNX Runtime 1.32: place 3 lies at 5, though 3 / 0.6f32 is a little less.
#[test]
fn a_source_that_is_whole_but_for_rounding_is_taken_as_whole() {
    let row = filled(&[12], &(0..12).map(|value| value as f32).collect::<Vec<_>>());
    let resize =
        Resize::new([7], Interpolation::Nearest(Nearest::Floor)).coordinates(Coordinates::Asymmetric);
    let y = resized(&resize.scales([f64::from(0.6f32)]), &row);
    assert_eq!(y, filled(&[7], &[0.0, 1.0, 3.0, 5.0, 6.0, 8.0, 10.0]));
}

/// ONNX has it so for `PytorchHalfPixel` and `AlignCorners`, whatever scale led there.
#[test]
fn one_place_is_made_of_the_first_one() {
    let row = filled(&[7], &[2.0, 7.0, 1.0, 8.0, 2.0, 8.0, 1.0]);
    for coordinates in [Coordinates::PytorchHalfPixel, Coordinates::AlignCorners] {
        for scale in [1.0 / 7.0, 0.2] {
            let resize = Resize::new([1], Interpolation::Cubic(-0.75)).coordinates(coordinates.clone());
            assert_eq!(
                resized(&resize.scales([scale]), &row),
                filled(&[1], &[2.0]),
                "{coordinates:?} {scale}"
            );
        }
    }
}

#[test]
fn what_lies_outside_a_crop_has_the_value_that_was_asked_for() {
    let x = filled(&[3], &[1.0, 2.0, 3.0]);
    let crop = Coordinates::TfCropAndResize { starts: vec![-0.5], ends: vec![1.0], outside: 9.0 };
    let y = resized(&Resize::new([4], Interpolation::Linear).coordinates(crop), &x);
    assert_eq!(y, filled(&[4], &[9.0, 1.0, 2.0, 3.0]));
    let same = Coordinates::TfCropAndResize { starts: vec![0.5], ends: vec![0.5], outside: 9.0 };
    let y = resized(&Resize::new([3], Interpolation::Linear).coordinates(same), &x);
    assert_eq!(y, filled(&[3], &[2.0; 3]));
}

#[test]
fn resize_gives_what_its_twin_gives() {
    cases_on_device(40, |gpu, n| {
        let [shape, to] = shapes(n);
        let axes = shape.len();
        let crop = |n: &mut Numbers| (0..axes).map(|_| n.pick(0, 12) as f64 / 10.0).collect::<Vec<_>>();
        let coordinates = match n.pick(0, 5) {
            0 => Coordinates::HalfPixel,
            1 => Coordinates::HalfPixelSymmetric,
            2 => Coordinates::PytorchHalfPixel,
            3 => Coordinates::AlignCorners,
            4 => Coordinates::Asymmetric,
            _ if axes > 3 => Coordinates::HalfPixel,
            _ => Coordinates::TfCropAndResize { starts: crop(n), ends: crop(n), outside: 7.0 },
        };
        let modes = [Nearest::RoundPreferFloor, Nearest::RoundPreferCeil, Nearest::Floor, Nearest::Ceil];
        let resize = match n.pick(0, 1) {
            0 => Resize::new(to, Interpolation::Nearest(modes[n.pick(0, 3)])),
            _ => Resize::new(to, interpolation(n)).antialias(n.pick(0, 1) == 1),
        };
        let resize = resize.coordinates(coordinates).exclude_outside(n.pick(0, 1) == 1);
        let table = Input::Constant(resize.table(&shape).unwrap());
        check_floats(gpu, resize, &shape, &[table], n);
    });
}

#[test]
fn what_does_not_fit_is_named_with_what_would() {
    let (x, table) = (Spec::floats(&[4, 8, 8]), Spec::constant(&[5]));
    let double = Resize::new([4, 16, 16], Interpolation::Linear);
    refused(
        &double,
        &[x.clone(), table],
        "table is an f32 constant [5]; what Resize::table gives for [4, 8, 8], [98], would fit",
    );
    refused(&double, std::slice::from_ref(&x), "takes 2 inputs (x, table), not 1");
    let reason = |resize: Resize, shape: &[usize]| resize.table(shape).unwrap_err().to_string();
    assert_eq!(reason(double.clone(), &[8, 8]), "the output's shape has 3; 2 numbers would fit [8, 8]");
    assert_eq!(
        reason(double.clone().scales([1.0, 2.0, 0.0]), &[4, 8, 8]),
        "axis 2 of [4, 8, 8]: the scale is 0; a number above 0 would fit"
    );
    assert_eq!(
        reason(Resize::new([2; 4], Interpolation::Linear), &[1; 4]),
        "axes [0, 1, 2, 3] change; up to 3 at once would fit"
    );
    assert_eq!(
        reason(Resize::new([2], Interpolation::Nearest(Nearest::Floor)).antialias(true), &[1]),
        "there is no antialias of the nearest place; linear or cubic would fit"
    );
}
