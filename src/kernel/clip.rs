//! Values kept in a range.

use ndarray::Zip;

use super::params::{params, wgsl};
use super::{Access, Dispatch, Kernel, Needs, Spec, Values, ValuesMut, grid, rule};
use crate::error::Cause;

/// Every value kept between `low` and `high`, in any shape. NaN stays NaN.
///
/// A bound may be infinite, which leaves that side open; ReLU6 is `Clip::new(0.0, 6.0)`.
///
/// ```
/// use gapless::kernel::{Clip, Kernel, Spec};
/// let x = Spec::floats(&[8, 14, 14]);
/// assert_eq!(Clip::new(0.0, 6.0).output(&[&x])?, x);
/// assert!(Clip::new(6.0, 0.0).output(&[&x]).is_err());
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct Clip {
    low: f32,
    high: f32,
}

params! {
    /// Mirrors `Params` of `shaders/clip.wgsl`.
    struct ClipParams {
        len: u32,
        low: f32,
        high: f32,
    }
}

impl Clip {
    /// The range, both ends included.
    pub fn new(low: f32, high: f32) -> Self {
        Self { low, high }
    }

    pub(super) fn check(&self) -> Result<(), Cause> {
        if self.low <= self.high {
            return Ok(());
        }
        let Self { low, high } = self;
        Err(Cause::msg(format!("the range is {low} to {high}; a low end up to the high end would fit")))
    }

    fn range(&self) -> [f32; 2] {
        [self.low, self.high]
    }

    pub(super) fn apply(&self, value: f32) -> f32 {
        // `f32::clamp` panics for a range that is none, and this keeps NaN as well.
        let value = if value > self.high { self.high } else { value };
        if value < self.low { self.low } else { value }
    }
}

impl Kernel for Clip {
    fn name(&self) -> &'static str {
        "clip"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        self.check()?;
        rule::only_activation(inputs).cloned()
    }

    fn dispatch(&self, _inputs: &[&Spec], output: &Spec) -> Dispatch {
        let [low, high] = self.range();
        let params = ClipParams { len: output.len() as u32, low, high };
        Dispatch {
            kernel: "clip".into(),
            source: wgsl!("clip", "shared/each_value", "shared/linear", "shared/nan").into(),
            access: Access::named(&["x"]),
            constants: Vec::new(),
            workgroups: grid::cover(output.len(), 256),
            params: bytemuck::bytes_of(&params).to_vec(),
            needs: Needs::default(),
        }
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        let output = output.floats();
        Zip::from(output).and(inputs[0].floats()).for_each(|y, &x| *y = self.apply(x));
    }
}
