//! A tensor read through other axes: where each value of the output lies in the input.

use crate::error::Cause;
use crate::kernel::rule;

/// Most axes of a tensor that a kernel takes apart.
pub(in crate::kernel) const MOST_AXES: usize = 8;

/// Value `[i, j, …]` of the output is value `offset + i * strides[0] + j * strides[1] + …` of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) shape: Vec<usize>,
    /// 0 reads a value again, less than 0 goes backwards.
    pub(crate) strides: Vec<i64>,
    pub(crate) offset: usize,
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
    pub(crate) fn whole(shape: &[usize]) -> Self {
        let strides = strides(shape).into_iter().map(|stride| stride as i64).collect();
        Self { shape: shape.to_vec(), strides, offset: 0 }
    }

    /// The same with axis `perm[i]` as its axis `i`.
    pub(super) fn transpose(&self, perm: &[usize]) -> Result<Self, Cause> {
        let (shape, mut sorted) = (&self.shape, perm.to_vec());
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..shape.len()) {
            let wanted = format!("every number below {} once would fit {shape:?}", shape.len());
            return Err(Cause::msg(format!("the permutation is {perm:?}; {wanted}")));
        }
        Ok(Self {
            shape: perm.iter().map(|&axis| shape[axis]).collect(),
            strides: perm.iter().map(|&axis| self.strides[axis]).collect(),
            offset: self.offset,
        })
    }

    /// From `starts` on in `steps`, up to `ends` without them.
    pub(super) fn slice(&self, [starts, ends, steps]: [&[i64]; 3]) -> Result<Self, Cause> {
        let shape = &self.shape;
        for (name, values) in [("starts", starts), ("ends", ends), ("steps", steps)] {
            if values.len() != shape.len() {
                let wanted = format!("{} numbers would fit {shape:?}", shape.len());
                return Err(Cause::msg(format!("{name} are {values:?}; {wanted}")));
            }
        }
        let mut view = self.clone();
        for axis in 0..shape.len() {
            let (start, len) = cut(shape[axis], [starts[axis], ends[axis], steps[axis]])
                .map_err(|cause| Cause::msg(format!("axis {axis} of {shape:?}: {cause}")))?;
            view.offset = (view.offset as i64 + start as i64 * view.strides[axis]) as usize;
            // A step that is not taken may be longer than any tensor.
            view.strides[axis] *= if len > 1 { steps[axis] } else { 0 };
            view.shape[axis] = len;
        }
        Ok(view)
    }

    /// Axes of 1 are repeated, and axes are put in front.
    pub(super) fn expand(&self, wanted: &[usize]) -> Result<Self, Cause> {
        let shape = &self.shape;
        let misfit = || {
            let fits = "the same axes at the end, where those of 1 may be longer, would fit";
            Cause::msg(format!("{shape:?} does not expand to {wanted:?}; {fits}"))
        };
        let front = wanted.len().checked_sub(shape.len()).ok_or_else(misfit)?;
        let mut strides = vec![0; front];
        for ((&from, &to), &stride) in shape.iter().zip(&wanted[front..]).zip(&self.strides) {
            if from != 1 && from != to {
                return Err(misfit());
            }
            strides.push(if from == 1 { 0 } else { stride });
        }
        Ok(Self { shape: wanted.to_vec(), strides, offset: self.offset })
    }

    /// The axis as windows of it.
    pub(super) fn windows(
        &self,
        axis: usize,
        [count, stride]: [usize; 2],
        [size, dilation]: [usize; 2],
    ) -> Result<Self, Cause> {
        let shape = &self.shape;
        let reach = |steps: usize, step: usize| steps.checked_sub(1)?.checked_mul(step);
        let last = reach(count, stride).zip(reach(size, dilation)).and_then(|(at, to)| at.checked_add(to));
        if shape.get(axis).zip(last).is_none_or(|(&len, last)| last >= len) {
            let windows = format!("{count} windows of {size} places, {stride} and {dilation} apart,");
            return Err(Cause::msg(format!("{windows} do not fit axis {axis} of {shape:?}")));
        }
        let mut view = self.clone();
        // A step that is not taken may be longer than any tensor.
        let step = |len: usize, step: usize| if len > 1 { self.strides[axis] * step as i64 } else { 0 };
        view.shape.splice(axis..=axis, [count, size]);
        view.strides.splice(axis..=axis, [step(count, stride), step(size, dilation)]);
        Ok(view)
    }

    /// The same values in another shape, if they lie so that strides can say it.
    pub(crate) fn reshaped(&self, shape: &[usize]) -> Option<Self> {
        let own = self.collapsed();
        let mut own = own.shape.into_iter().zip(own.strides).rev();
        let (mut left, mut stride) = (1, 0);
        let mut strides = vec![0; shape.len()];
        for (axis, place) in shape.iter().zip(&mut strides).rev().filter(|(axis, _)| **axis != 1) {
            if left == 1 {
                (left, stride) = own.next()?;
            }
            if !left.is_multiple_of(*axis) {
                return None;
            }
            *place = stride;
            stride *= *axis as i64;
            left /= axis;
        }
        let all = left == 1 && own.next().is_none();
        all.then(|| Self { shape: shape.to_vec(), strides, offset: self.offset })
    }

    /// The same with as few axes as it can be said with: no axis of 1, and none that goes on where the
    /// next one ends.
    pub(crate) fn collapsed(&self) -> Self {
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
    pub(in crate::kernel) fn rows(&self, mut row: impl FnMut(usize)) {
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
        let view = View::whole(&[2, 3, 4, 5]).transpose(&[0, 3, 1, 2]).unwrap().collapsed();
        assert_eq!((view.shape, view.strides), (vec![2, 5, 12], vec![60, 1, 5]));
        let view = View::whole(&[1, 1, 3]).expand(&[4, 5, 3]).unwrap().collapsed();
        assert_eq!((view.shape, view.strides), (vec![20, 3], vec![0, 1]));
        let view = View::whole(&[3, 4]).slice([&[2, 3], &[-1, -1], &[-1, -1]]).unwrap().collapsed();
        assert_eq!((view.shape, view.strides, view.offset), (vec![12], vec![-1], 11));
    }

    #[test]
    fn rows_start_where_the_strides_say() {
        let view = View::whole(&[2, 3]).transpose(&[1, 0]).unwrap();
        assert_eq!(starts_of_rows(&view), [0, 1, 2]);
        let view = View::whole(&[3, 2, 2]).slice([&[2, 0, 1], &[-1, 2, 2], &[-2, 1, 1]]).unwrap();
        assert_eq!(starts_of_rows(&view), [9, 11, 1, 3]);
        assert_eq!(starts_of_rows(&View::whole(&[])), [0]);
    }

    #[test]
    fn a_step_that_is_not_taken_may_be_as_long_as_it_likes() {
        let view = View::whole(&[5]).slice([&[3], &[5], &[i64::MAX]]).unwrap();
        assert_eq!((view.shape, view.strides, view.offset), (vec![1], vec![0], 3));
        let view = View::whole(&[5]).slice([&[3], &[-1], &[i64::MIN]]).unwrap();
        assert_eq!((view.shape, view.offset), (vec![1], 3));
    }
    #[test]
    fn another_shape_is_had_where_strides_can_say_it() {
        let turned = View::whole(&[4, 2, 3]).transpose(&[1, 0, 2]).unwrap();
        let split = turned.reshaped(&[1, 2, 2, 2, 3]).unwrap();
        assert_eq!(split.strides, [0, 3, 12, 6, 1]);
        assert_eq!(turned.reshaped(&[2, 12]), None);
        let cut = View::whole(&[3, 4]).slice([&[1, 0], &[2, 4], &[1, 1]]).unwrap();
        assert_eq!(cut.reshaped(&[2, 2]), Some(View { shape: vec![2, 2], strides: vec![2, 1], offset: 4 }));
    }
}
