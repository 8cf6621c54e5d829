//! The sum of two tensors.

use ndarray::{ArrayViewMutD, Zip};

use super::params::{params, wgsl};
use super::{Dispatch, Kernel, Spec, Values, grid, rule};
use crate::error::Cause;

/// `a + b` of two tensors of the same shape: two activations, or an activation and a constant.
///
/// ```
/// use gapless::kernel::{Add, Kernel, Spec};
/// let (x, bias) = (Spec::floats(&[8, 14, 14]), Spec::constant(&[8, 14, 14]));
/// assert_eq!(Add::new().output(&[&x, &bias])?, x);
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[must_use]
pub struct Add;

params! {
    /// Mirrors `Params` of `shaders/add.wgsl`. A step is the way from one item to the next: 0 for a constant.
    struct AddParams {
        len: u32,
        a_step: u32,
        b_step: u32,
    }
}

impl Add {
    /// The sum; it has no parameter.
    pub fn new() -> Self {
        Self
    }
}

impl Kernel for Add {
    fn name(&self) -> &'static str {
        "add"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        let [a, b] = rule::take(inputs, ["a", "b"])?;
        rule::floats("a", a)?;
        rule::floats("b", b)?;
        if a.shape != b.shape {
            return Err(rule::misfit("b", b, format!("the shape of a, {:?}, would fit", a.shape)));
        }
        if !a.batched && !b.batched {
            return Err(rule::misfit("b", b, "an activation would fit, since a is a constant too"));
        }
        rule::output(&a.shape)
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        let len = output.len() as u32;
        let step = |input: &Spec| if input.batched { len } else { 0 };
        let params = AddParams { len, a_step: step(inputs[0]), b_step: step(inputs[1]) };
        Dispatch {
            kernel: "add".into(),
            source: wgsl!("add", "shared/linear").into(),
            constants: Vec::new(),
            workgroups: grid::cover(output.len(), 256),
            params: bytemuck::bytes_of(&params).to_vec(),
        }
    }

    fn twin(&self, inputs: &[Values<'_>], output: ArrayViewMutD<'_, f32>) {
        let (a, b) = (inputs[0].floats(), inputs[1].floats());
        Zip::from(output).and(a).and(b).for_each(|y, a, b| *y = a + b);
    }
}
