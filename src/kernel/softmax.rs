//! Numbers become shares of one.

use ndarray::{ArrayViewMut1, ArrayViewMutD, Axis};

use super::params::{params, wgsl};
use super::{Dispatch, Kernel, Spec, Values, grid, rule};
use crate::error::Cause;

/// `exp(x) / sum(exp(x))` over the last axis, in any shape.
///
/// The largest value of a row is taken off first, so that no finite row overflows; minus infinity
/// becomes 0. A row with NaN or plus infinity, or of minus infinities alone, becomes NaN as a whole.
///
/// ```
/// use gapless::kernel::{Kernel, Softmax, Spec};
/// let scores = Spec::floats(&[1000]);
/// assert_eq!(Softmax::new().output(&[&scores])?, scores);
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[must_use]
pub struct Softmax;

params! {
    /// Mirrors `Params` of `shaders/softmax.wgsl`.
    struct SoftmaxParams {
        rows: u32,
        len: u32,
    }
}

impl Softmax {
    /// Softmax over the last axis; it has no parameter.
    pub fn new() -> Self {
        Self
    }
}

impl Kernel for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        let x = rule::only_activation(inputs)?;
        if x.shape.is_empty() {
            return Err(rule::misfit("x", x, "one axis or more would fit"));
        }
        Ok(x.clone())
    }

    fn dispatch(&self, _inputs: &[&Spec], output: &Spec) -> Dispatch {
        let len = output.shape.last().copied().unwrap_or(1);
        let params = SoftmaxParams { rows: (output.len() / len) as u32, len: len as u32 };
        Dispatch {
            kernel: "softmax".into(),
            source: wgsl!("softmax", "shared/linear", "shared/nan", "shared/sum").into(),
            constants: Vec::new(),
            workgroups: grid::fold(params.rows),
            params: bytemuck::bytes_of(&params).to_vec(),
        }
    }

    fn twin(&self, inputs: &[Values<'_>], mut output: ArrayViewMutD<'_, f32>) {
        output.assign(&inputs[0].floats());
        let last = Axis(output.ndim() - 1);
        output.lanes_mut(last).into_iter().for_each(softmax);
    }
}

fn softmax(mut row: ArrayViewMut1<'_, f32>) {
    let larger = |a: f32, &b: &f32| if a.is_nan() || a > b { a } else { b };
    let largest = row.fold(f32::NEG_INFINITY, larger);
    // Infinity minus infinity is NaN: a row that has no softmax becomes NaN here.
    row.mapv_inplace(|value| (value - largest).exp());
    let sum = row.sum();
    row.mapv_inplace(|share| share / sum);
}
