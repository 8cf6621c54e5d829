//! Numbers become the logarithms of shares of one.

use ndarray::{ArrayViewMut1, Axis};

use super::lanes::{Join, Rows};
use super::params::wgsl;
use super::softmax::{SoftmaxParams, largest};
use super::{Access, Dispatch, Kernel, Spec, Values, ValuesMut, rule};
use crate::error::Cause;

/// `x - log(sum(exp(x)))` over one axis, in any shape: the logarithm of `Softmax` without its underflow.
///
/// A row with NaN or plus infinity, or of minus infinities alone, becomes NaN as a whole.
///
/// ```
/// use gapless::kernel::{Kernel, LogSoftmax, Spec};
/// let scores = Spec::floats(&[5, 1000]);
/// assert_eq!(LogSoftmax::new().output(&[&scores])?, scores);
/// assert!(LogSoftmax::new().axis(2).output(&[&scores]).is_err());
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[must_use]
pub struct LogSoftmax {
    axis: Option<usize>,
}

impl LogSoftmax {
    /// Over the last axis.
    pub fn new() -> Self {
        Self::default()
    }

    /// The axis whose values become logarithms of shares; the last one by default.
    pub fn axis(mut self, axis: usize) -> Self {
        self.axis = Some(axis);
        self
    }

    fn rows(&self, shape: &[usize]) -> Rows {
        Rows::along(shape, self.axis.unwrap_or(shape.len() - 1))
    }

    fn joined(&self, shape: &[usize], join: Join) -> Dispatch {
        let rows = self.rows(shape);
        let own = wgsl!("log_softmax", "shared/nan_made", "shared/row_along", "shared/exponentials");
        rows.dispatch(
            "log_softmax",
            (own, Access::ours(&["x"])),
            &SoftmaxParams::new(&rows),
            join,
            &[rows.walk(1, &[]); 3],
        )
    }
}

impl Kernel for LogSoftmax {
    fn name(&self) -> &str {
        "log_softmax"
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
        output.lanes_mut(axis).into_iter().for_each(log_softmax);
    }
}

fn log_softmax(mut row: ArrayViewMut1<'_, f32>) {
    let largest = largest(&row);
    // Infinity minus infinity is NaN, and so is the sum then.
    let sum: f64 = row.iter().map(|value| f64::from((value - largest).exp())).sum();
    row.mapv_inplace(|value| (f64::from(value - largest) - sum.ln()) as f32);
}
