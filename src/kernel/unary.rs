//! One function of every value.

mod function;
mod op;

use ndarray::Zip;

pub use self::op::UnaryOp;
use super::params::{params, wgsl};
use super::{Access, Dispatch, Element, Kernel, Needs, Spec, Values, ValuesMut, grid, rule};
use crate::error::Cause;

/// One function of every value, in any shape. NaN stays NaN.
///
/// ```
/// use gapless::kernel::{Kernel, Spec, Unary, UnaryOp};
/// let x = Spec::floats(&[8, 14, 14]);
/// assert_eq!(Unary::new(UnaryOp::Sigmoid).output(&[&x])?, x);
/// assert!(Unary::new(UnaryOp::Celu { alpha: 0.0 }).output(&[&x]).is_err());
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct Unary {
    op: UnaryOp,
}

params! {
    /// Mirrors `Params` of `shaders/unary.wgsl`.
    struct UnaryParams {
        len: u32,
        alpha: f32,
        beta: f32,
    }
}

impl Unary {
    /// The function.
    pub fn new(op: UnaryOp) -> Self {
        Self { op }
    }
}

impl Kernel for Unary {
    fn name(&self) -> &str {
        "unary"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        self.op.check()?;
        let x = rule::only_values(inputs)?;
        if x.element == Element::I32 && !self.op.takes_ints() {
            return Err(rule::misfit("x", x, format!("floats would fit {:?}", self.op)));
        }
        Ok(x.clone())
    }

    fn dispatch(&self, _inputs: &[&Spec], output: &Spec) -> Dispatch {
        let [alpha, beta] = self.op.parameters();
        let params = UnaryParams { len: output.len() as u32, alpha, beta };
        Dispatch {
            kernel: "unary".into(),
            source: source(output.element).into(),
            access: Access::named(&["x"]),
            constants: vec![("op".into(), self.op.number())],
            workgroups: grid::cover(output.len(), 256),
            params: bytemuck::bytes_of(&params).to_vec(),
            needs: Needs::default(),
        }
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        match (&inputs[0], output) {
            (Values::I32(x), ValuesMut::I32(y)) => {
                Zip::from(y).and(x).for_each(|y, &x| *y = self.op.apply_to_int(x))
            }
            (x, y) => Zip::from(y.floats()).and(x.floats()).for_each(|y, &x| *y = self.op.apply(x)),
        }
    }
}

/// The shader for values of this element.
fn source(element: Element) -> &'static str {
    match element {
        Element::I32 => {
            wgsl!("unary", "shared/each_value", "shared/unary_ints", "shared/ints", "shared/linear")
        }
        _ => wgsl!(
            "unary",
            "shared/each_value",
            "shared/unary_floats",
            "shared/linear",
            "shared/nan",
            "shared/nan_made",
            "shared/exponential",
            "shared/erf",
            "shared/sine"
        ),
    }
}
