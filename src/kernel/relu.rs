//! The rectifier.

use ndarray::Zip;

use super::params::{params, wgsl};
use super::{Access, Dispatch, Kernel, Needs, Spec, Values, ValuesMut, grid, rule};
use crate::error::Cause;

/// `max(x, 0)` of every value, in any shape. NaN stays NaN, and infinity stays what it is.
///
/// ```
/// use gapless::kernel::{Kernel, Relu, Spec};
/// let x = Spec::floats(&[8, 14, 14]);
/// assert_eq!(Relu::new().output(&[&x])?, x);
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[must_use]
pub struct Relu;

params! {
    /// Mirrors `Params` of `shaders/relu.wgsl`.
    struct ReluParams {
        len: u32,
    }
}

impl Relu {
    /// The rectifier; it has no parameter.
    pub fn new() -> Self {
        Self
    }
}

impl Kernel for Relu {
    fn name(&self) -> &'static str {
        "relu"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        rule::only_activation(inputs).cloned()
    }

    fn dispatch(&self, _inputs: &[&Spec], output: &Spec) -> Dispatch {
        let params = ReluParams { len: output.len() as u32 };
        Dispatch {
            kernel: "relu".into(),
            source: wgsl!("relu", "shared/each_value", "shared/linear", "shared/nan").into(),
            access: Access::named(&["x"]),
            constants: Vec::new(),
            workgroups: grid::cover(output.len(), 256),
            params: bytemuck::bytes_of(&params).to_vec(),
            needs: Needs::default(),
        }
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        let output = output.floats();
        // `f32::max` would turn NaN into 0.
        let relu = |y: &mut f32, &x: &f32| *y = if x < 0.0 { 0.0 } else { x };
        Zip::from(output).and(inputs[0].floats()).for_each(relu);
    }
}
