//! Shape rules against what ONNX says.

use super::*;

#[test]
fn axes_count_from_both_ends_and_are_named_once() {
    assert_eq!(axes(&[-1, 0], 3).unwrap(), [0, 2]);
    assert!(axes(&[3], 3).is_err());
    assert!(axes(&[i64::MIN], 3).is_err());
    assert!(axes(&[0, -3], 3).is_err());
}

#[test]
fn shapes_broadcast_from_the_right() {
    assert_eq!(broadcast(&[2, 1, 4], &[3, 1]).unwrap(), [2, 3, 4]);
    assert_eq!(broadcast(&[], &[5]).unwrap(), [5]);
    assert_eq!(broadcast(&[0], &[1]).unwrap(), [0]);
    assert!(broadcast(&[2], &[3]).is_err());
    assert!(broadcasts_to(&[3, 1], &[2, 3, 4]) && !broadcasts_to(&[2, 3, 4], &[3, 1]));
}

#[test]
fn a_reshape_keeps_zeros_and_fills_one_axis() {
    assert_eq!(reshape(&[2, 3, 4], &[0, -1], false).unwrap(), [2, 12]);
    assert_eq!(reshape(&[2, 3, 4], &[4, 3, 2], false).unwrap(), [4, 3, 2]);
    assert_eq!(reshape(&[0, 3], &[3, 0], true).unwrap(), [3, 0]);
    assert_eq!(reshape(&[1], &[], false).unwrap(), [0_usize; 0]);
    for wanted in [&[-1, -1][..], &[5, -1], &[7], &[0, 0, 0, 0], &[-2], &[i64::MAX, i64::MAX]] {
        assert!(reshape(&[2, 3, 4], wanted, false).is_err(), "{wanted:?}");
    }
}

#[test]
fn axes_of_one_come_and_go() {
    assert_eq!(squeeze(&[1, 3, 1], None).unwrap(), [3]);
    assert_eq!(squeeze(&[1, 3, 1], Some(&[-1])).unwrap(), [1, 3]);
    assert!(squeeze(&[1, 3, 1], Some(&[1])).is_err());
    assert_eq!(unsqueeze(&[3, 4], &[0, -1]).unwrap(), [1, 3, 4, 1]);
    assert!(unsqueeze(&[3], &[0, 0]).is_err());
    assert_eq!(flatten(&[2, 3, 4], -1).unwrap(), [6, 4]);
    assert_eq!(flatten(&[2, 3], 2).unwrap(), [6, 1]);
    assert!(flatten(&[2, 3], 3).is_err());
}

#[test]
fn a_permutation_names_every_axis() {
    assert_eq!(permutation(None, 3).unwrap(), [2, 1, 0]);
    assert_eq!(permutation(Some(&[0, 2, 1]), 3).unwrap(), [0, 2, 1]);
    assert!(permutation(Some(&[0, 1]), 3).is_err());
    assert!(permutation(Some(&[0, 0, 1]), 3).is_err());
}

#[test]
fn parts_add_up_to_their_axis() {
    assert_eq!(split(7, None, 3).unwrap(), [3, 3, 1]);
    assert_eq!(split(6, Some(&[2, 4]), 2).unwrap(), [2, 4]);
    assert!(split(6, Some(&[2, 3]), 2).is_err());
    assert!(split(6, Some(&[i64::MAX, i64::MAX]), 2).is_err());
    assert!(split(6, None, 0).is_err());
}

/// Every short slice of short axes, against a plain walk.
#[test]
fn slices_take_what_onnx_says() {
    for axis in 0..5_usize {
        for start in -7..7_i64 {
            for end in -7..7_i64 {
                for step in [-9, -2, -1, 1, 2, 9] {
                    let taken = slices(&[axis], &[start], &[end], None, Some(&[step])).unwrap()[0];
                    let wanted = walk(axis as i64, start, end, step);
                    assert_eq!(taken.places().collect::<Vec<_>>(), wanted, "{start}:{end}:{step} of {axis}");
                }
            }
        }
    }
}

/// The operator's description: a start is kept in `0..=axis`, or in `0..axis` where steps go back, and an
/// end in `0..=axis`, or in `-1..axis`. Backwards, numpy takes nothing where a start lies before the axis.
fn walk(axis: i64, start: i64, end: i64, step: i64) -> Vec<usize> {
    if axis == 0 {
        return Vec::new();
    }
    let from_end = |place: i64| if place < 0 { place + axis } else { place };
    let (mut place, end) = match step > 0 {
        true => (from_end(start).clamp(0, axis), from_end(end).clamp(0, axis)),
        false => (from_end(start).clamp(0, axis - 1), from_end(end).clamp(-1, axis - 1)),
    };
    let mut places = Vec::new();
    while (step > 0 && place < end) || (step < 0 && place > end) {
        places.push(place as usize);
        place += step;
    }
    places
}

#[test]
fn slices_with_the_largest_numbers_do_not_overflow() {
    let extremes = [i64::MIN, i64::MIN + 1, -1, 0, i64::MAX - 1, i64::MAX];
    for start in extremes {
        for end in extremes {
            for step in extremes.into_iter().filter(|&step| step != 0) {
                let taken = slices(&[3], &[start], &[end], None, Some(&[step])).unwrap()[0];
                assert!(taken.places().all(|place| place < 3));
            }
        }
    }
    assert!(slices(&[3], &[0], &[3], None, Some(&[0])).is_err());
    assert!(slices(&[3], &[0], &[3], Some(&[1]), None).is_err());
    assert!(slices(&[3], &[0, 0], &[3], None, None).is_err());
}
