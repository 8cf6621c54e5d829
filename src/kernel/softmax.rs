//! Numbers become shares of one.

use ndarray::{ArrayViewMut1, Axis};

use super::lanes::{Join, Rows};
use super::params::{params, wgsl};
use super::{Access, Dispatch, Kernel, Spec, Values, ValuesMut, rule};
use crate::error::Cause;

/// `exp(x) / sum(exp(x))` over one axis, in any shape.
///
/// The largest value of a row is taken off first, so that no finite row overflows; minus infinity
/// becomes 0. A row with NaN or plus infinity, or of minus infinities alone, becomes NaN as a whole.
///
/// ```
/// use gapless::kernel::{Kernel, Softmax, Spec};
/// let scores = Spec::floats(&[1000]);
/// assert_eq!(Softmax::new().output(&[&scores])?, scores);
/// let classes_of_pixels = Spec::floats(&[21, 64, 64]);
/// assert_eq!(Softmax::new().axis(0).output(&[&classes_of_pixels])?, classes_of_pixels);
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[must_use]
pub struct Softmax {
    axis: Option<usize>,
}

params! {
    /// Mirrors `Params` of `shaders/softmax.wgsl` and `shaders/log_softmax.wgsl`.
    struct SoftmaxParams {
        rows: u32,
        len: u32,
        inner: u32,
    }
}

impl SoftmaxParams {
    pub(super) fn new(rows: &Rows) -> Self {
        Self { rows: rows.count() as u32, len: rows.len as u32, inner: rows.inner as u32 }
    }
}

impl Softmax {
    /// Softmax over the last axis.
    pub fn new() -> Self {
        Self::default()
    }

    /// The axis whose values become shares of one; the last one by default.
    pub fn axis(mut self, axis: usize) -> Self {
        self.axis = Some(axis);
        self
    }

    /// Whether it is over the last axis of so many.
    pub(crate) fn is_along_last(&self, rank: usize) -> bool {
        self.axis.is_none_or(|axis| axis + 1 == rank)
    }

    fn rows(&self, shape: &[usize]) -> Rows {
        Rows::along(shape, self.axis.unwrap_or(shape.len() - 1))
    }

    fn joined(&self, shape: &[usize], join: Join) -> Dispatch {
        let rows = self.rows(shape);
        let own = wgsl!("softmax", "shared/nan_made", "shared/row_along", "shared/exponentials");
        rows.dispatch(
            "softmax",
            (own, Access::ours(&["x"])),
            &SoftmaxParams::new(&rows),
            join,
            &[rows.walk(1, &[]); 3],
        )
    }
}

impl Kernel for Softmax {
    fn name(&self) -> &str {
        "softmax"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        rule::only_activation_with_axis(inputs, self.axis).cloned()
    }

    fn dispatch(&self, _inputs: &[&Spec], output: &Spec) -> Dispatch {
        self.joined(&output.shape, Join::Memory)
    }

    fn variants(&self, _inputs: &[&Spec], output: &Spec) -> Vec<Dispatch> {
        self.rows(&output.shape).joins().map(|join| self.joined(&output.shape, join)).collect()
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        let mut output = output.floats();
        output.assign(&inputs[0].floats());
        let axis = Axis(self.axis.unwrap_or(output.ndim() - 1));
        output.lanes_mut(axis).into_iter().for_each(softmax);
    }
}

pub(super) fn softmax(mut row: ArrayViewMut1<'_, f32>) {
    let largest = largest(&row);
    // Infinity minus infinity is NaN: a row that has no softmax becomes NaN here.
    row.mapv_inplace(|value| (value - largest).exp());
    let sum: f64 = row.iter().copied().map(f64::from).sum();
    row.mapv_inplace(|share| (f64::from(share) / sum) as f32);
}

/// The largest value of a row; NaN, if there is one.
pub(super) fn largest(row: &ArrayViewMut1<'_, f32>) -> f32 {
    let larger = |a: f32, &b: &f32| if a.is_nan() || a > b { a } else { b };
    row.fold(f32::NEG_INFINITY, larger)
}
