//! Where the largest or the smallest value stands.

use ndarray::{ArrayView1, Axis, Zip};

use super::lanes::{Join, Rows};
use super::params::{params, wgsl};
use super::{Access, Dispatch, Kernel, Spec, Values, ValuesMut, rule};
use crate::error::Cause;

/// Most values of a row, so that every place in it is a float.
pub(super) const LONGEST: usize = 1 << 24;

/// Where the largest or the smallest value along an axis stands: a whole number, with that axis at 1.
///
/// Of equal values the first one is meant, or the last one on demand. A row with NaN gives NaN.
///
/// ```
/// use gapless::kernel::{ArgReduce, Kernel, Spec};
/// let classes_of_pixels = ArgReduce::max(0).output(&[&Spec::floats(&[21, 64, 64])])?;
/// assert_eq!(classes_of_pixels, Spec::floats(&[1, 64, 64]));
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct ArgReduce {
    axis: usize,
    smallest: bool,
    last: bool,
}

params! {
    /// Mirrors `Params` of `shaders/arg_reduce.wgsl`.
    struct ArgReduceParams {
        rows: u32,
        len: u32,
        inner: u32,
        smallest: u32,
        last: u32,
    }
}

impl ArgReduce {
    /// Where the largest value along this axis stands.
    pub fn max(axis: usize) -> Self {
        Self { axis, smallest: false, last: false }
    }

    /// Where the smallest value along this axis stands.
    pub fn min(axis: usize) -> Self {
        Self { axis, smallest: true, last: false }
    }

    /// Whether the last one of equal values is meant; the first one by default.
    pub fn last(mut self, last: bool) -> Self {
        self.last = last;
        self
    }

    fn place(&self, row: ArrayView1<'_, f32>) -> f32 {
        if row.iter().any(|value| value.is_nan()) {
            return f32::NAN;
        }
        let mut best = 0;
        for (place, &value) in row.iter().enumerate() {
            let better = if self.smallest { value < row[best] } else { value > row[best] };
            if better || (self.last && value == row[best]) {
                best = place;
            }
        }
        best as f32
    }

    fn rows(&self, shape: &[usize]) -> Rows {
        Rows::along(shape, self.axis)
    }

    fn joined(&self, shape: &[usize], join: Join) -> Dispatch {
        let rows = self.rows(shape);
        let params = ArgReduceParams {
            rows: rows.count() as u32,
            len: rows.len as u32,
            inner: rows.inner as u32,
            smallest: self.smallest.into(),
            last: self.last.into(),
        };
        let own = wgsl!("arg_reduce", "shared/nan_made", "shared/row_along");
        rows.dispatch("arg_reduce", (own, Access::ours(&["x"])), &params, join, &[rows.walk(1, &[]); 2])
    }
}

impl Kernel for ArgReduce {
    fn name(&self) -> &str {
        "arg_reduce"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        let x = rule::only_activation_with_axis(inputs, Some(self.axis))?;
        if x.shape[self.axis] > LONGEST {
            return Err(rule::misfit(
                "x",
                x,
                format!("up to 2^24 values along axis {} would fit", self.axis),
            ));
        }
        let mut shape = x.shape.clone();
        shape[self.axis] = 1;
        rule::output(&shape)
    }

    fn dispatch(&self, inputs: &[&Spec], _output: &Spec) -> Dispatch {
        self.joined(&inputs[0].shape, Join::Memory)
    }

    fn variants(&self, inputs: &[&Spec], _output: &Spec) -> Vec<Dispatch> {
        self.rows(&inputs[0].shape).joins().map(|join| self.joined(&inputs[0].shape, join)).collect()
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        let mut output = output.floats();
        let (x, axis) = (inputs[0].floats(), Axis(self.axis));
        Zip::from(output.lanes_mut(axis)).and(x.lanes(axis)).for_each(|mut y, row| y[0] = self.place(row));
    }
}
