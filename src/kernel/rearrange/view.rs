//! A tensor read through other axes: where each value of the output lies in the input.

use crate::error::Cause;
use crate::kernel::rule;

/// Most axes of a tensor that a kernel takes apart.
pub(in crate::kernel) const MOST_AXES: usize = 8;

/// Value `[i, j, …]` of the output is value `offset + i * strides[0] + j * strides[1] + …` of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::kernel) struct View {
    pub(in crate::kernel) shape: Vec<usize>,
    /// 0 reads a value again, less than 0 goes backwards.
    pub(in crate::kernel) strides: Vec<i64>,
    pub(in crate::kernel) offset: usize,
}

/// Elements from one place of each axis to the next. The shape is one that a rule accepted.
pub(in crate::kernel) fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

impl View {
    /// Every value where it is.
    pub(super) fn whole(shape: &[usize]) -> Self {
        let strides = strides(shape).into_iter().map(|stride| stride as i64).collect();
        Self { shape: shape.to_vec(), strides, offset: 0 }
    }

    /// Axis `i` of the output is axis `perm[i]` of the input.
    pub(super) fn transpose(shape: &[usize], perm: &[usize]) -> Result<Self, Cause> {
        let mut sorted = perm.to_vec();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..shape.len()) {
            let wanted = format!("every number below {} once would fit {shape:?}", shape.len());
            return Err(Cause::msg(format!("the permutation is {perm:?}; {wanted}")));
        }
        let whole = Self::whole(shape);
        Ok(Self {
            shape: perm.iter().map(|&axis| shape[axis]).collect(),
            strides: perm.iter().map(|&axis| whole.strides[axis]).collect(),
            offset: 0,
        })
    }

    /// From `starts` on in `steps`, up to `ends` without them.
    pub(super) fn slice(shape: &[usize], [starts, ends, steps]: [&[i64]; 3]) -> Result<Self, Cause> {
        for (name, values) in [("starts", starts), ("ends", ends), ("steps", steps)] {
            if values.len() != shape.len() {
                let wanted = format!("{} numbers would fit {shape:?}", shape.len());
                return Err(Cause::msg(format!("{name} are {values:?}; {wanted}")));
            }
        }
        let mut view = Self::whole(shape);
        for axis in 0..shape.len() {
            let (start, len) = cut(shape[axis], [starts[axis], ends[axis], steps[axis]])
                .map_err(|cause| Cause::msg(format!("axis {axis} of {shape:?}: {cause}")))?;
            view.offset += start * view.strides[axis] as usize;
            // A step that is not taken may be longer than any tensor.
            view.strides[axis] *= if len > 1 { steps[axis] } else { 0 };
            view.shape[axis] = len;
        }
        Ok(view)
    }

    /// Axes of 1 are repeated, and axes are put in front.
    pub(super) fn expand(shape: &[usize], wanted: &[usize]) -> Result<Self, Cause> {
        let misfit = || {
            let fits = "the same axes at the end, where those of 1 may be longer, would fit";
            Cause::msg(format!("{shape:?} does not expand to {wanted:?}; {fits}"))
        };
        let front = wanted.len().checked_sub(shape.len()).ok_or_else(misfit)?;
        let mut strides = vec![0; front];
        for ((&from, &to), stride) in shape.iter().zip(&wanted[front..]).zip(Self::whole(shape).strides) {
            if from != 1 && from != to {
                return Err(misfit());
            }
            strides.push(if from == 1 { 0 } else { stride });
        }
        Ok(Self { shape: wanted.to_vec(), strides, offset: 0 })
    }

    /// The same with as few axes as it can be said with: no axis of 1, and none that goes on where the
    /// next one ends.
    pub(super) fn collapsed(&self) -> Self {
        let mut view = Self { shape: Vec::new(), strides: Vec::new(), offset: self.offset };
        for (&len, &stride) in self.shape.iter().zip(&self.strides).filter(|(len, _)| **len != 1) {
            match (view.shape.last_mut(), view.strides.last_mut()) {
                (Some(last), Some(step)) if *step == stride * len as i64 => {
                    *last *= len;
                    *step = stride;
                }
                _ => {
                    view.shape.push(len);
                    view.strides.push(stride);
                }
            }
        }
        view
    }

    /// Calls `row` for every row of the output, in order, with where it starts in the input.
    pub(super) fn rows(&self, mut row: impl FnMut(usize)) {
        let outer = self.shape.len().saturating_sub(1);
        let mut place = vec![0_usize; outer];
        let mut at = self.offset as i64;
        loop {
            row(at as usize);
            let mut axes = place.iter_mut().zip(self.shape[..outer].iter().zip(&self.strides[..outer])).rev();
            // The last axis that has a place left goes on; those behind it start again.
            let goes_on = axes.any(|(place, (&len, &stride))| {
                let goes_on = *place + 1 < len;
                at += if goes_on { stride } else { -(*place as i64) * stride };
                *place = if goes_on { *place + 1 } else { 0 };
                goes_on
            });
            if !goes_on {
                return;
            }
        }
    }
}

/// The first place of a slice of an axis, and how many there are.
fn cut(axis: usize, [start, end, step]: [i64; 3]) -> Result<(usize, usize), Cause> {
    let len = i64::try_from(axis).unwrap_or(i64::MAX);
    if !(0..len).contains(&start) {
        return Err(Cause::msg(format!("starts at {start}; 0 to {} would fit", len - 1)));
    }
    let ends = if step > 0 { start + 1..=len } else { -1..=start - 1 };
    if step == 0 {
        return Err(Cause::msg("the step is 0; any other would fit"));
    }
    if !ends.contains(&end) {
        let reason = format!(
            "ends at {end}; {} to {} would fit the start {start} and the step {step}",
            ends.start(),
            ends.end()
        );
        return Err(Cause::msg(reason));
    }
    let count = (end - start).unsigned_abs().div_ceil(step.unsigned_abs());
    Ok((start as usize, count as usize))
}

/// Checks that a kernel can take a tensor of so many axes apart.
pub(in crate::kernel) fn check_axes(name: &str, shape: &[usize]) -> Result<(), Cause> {
    if shape.len() <= MOST_AXES && rule::size(shape).is_some() {
        return Ok(());
    }
    let wanted = format!("up to {MOST_AXES} axes and 1 to 2^30 elements would fit");
    Err(Cause::msg(format!("{name} is {shape:?}; {wanted}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts_of_rows(view: &View) -> Vec<usize> {
        let mut starts = Vec::new();
        view.rows(|start| starts.push(start));
        starts
    }

    #[test]
    fn axes_that_go_on_where_the_next_ends_become_one() {
        let view = View::whole(&[2, 1, 3, 4]).collapsed();
        assert_eq!((view.shape, view.strides), (vec![24], vec![1]));
        let view = View::transpose(&[2, 3, 4, 5], &[0, 3, 1, 2]).unwrap().collapsed();
        assert_eq!((view.shape, view.strides), (vec![2, 5, 12], vec![60, 1, 5]));
        let view = View::expand(&[1, 1, 3], &[4, 5, 3]).unwrap().collapsed();
        assert_eq!((view.shape, view.strides), (vec![20, 3], vec![0, 1]));
        let view = View::slice(&[3, 4], [&[2, 3], &[-1, -1], &[-1, -1]]).unwrap().collapsed();
        assert_eq!((view.shape, view.strides, view.offset), (vec![12], vec![-1], 11));
    }

    #[test]
    fn rows_start_where_the_strides_say() {
        let view = View::transpose(&[2, 3], &[1, 0]).unwrap();
        assert_eq!(starts_of_rows(&view), [0, 1, 2]);
        let view = View::slice(&[3, 2, 2], [&[2, 0, 1], &[-1, 2, 2], &[-2, 1, 1]]).unwrap();
        assert_eq!(starts_of_rows(&view), [9, 11, 1, 3]);
        assert_eq!(starts_of_rows(&View::whole(&[])), [0]);
    }

    #[test]
    fn a_step_that_is_not_taken_may_be_as_long_as_it_likes() {
        let view = View::slice(&[5], [&[3], &[5], &[i64::MAX]]).unwrap();
        assert_eq!((view.shape, view.strides, view.offset), (vec![1], vec![0], 3));
        let view = View::slice(&[5], [&[3], &[-1], &[i64::MIN]]).unwrap();
        assert_eq!((view.shape, view.offset), (vec![1], 3));
    }
}
