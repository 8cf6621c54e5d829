//! One function of every value.

mod function;
mod op;
mod text;

use std::borrow::Cow;

use ndarray::Zip;

pub use self::op::UnaryOp;
use super::each::{self, Each};
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
    }
}

impl Unary {
    /// The function.
    pub fn new(op: UnaryOp) -> Self {
        Self { op }
    }

    pub(crate) fn op(&self) -> UnaryOp {
        self.op
    }

    /// The rectifier, `max(x, 0)`.
    pub fn relu() -> Self {
        Self::new(UnaryOp::Relu)
    }

    /// Every value kept between `low` and `high`; ReLU6 is `clip(0.0, 6.0)`.
    pub fn clip(low: f32, high: f32) -> Self {
        Self::new(UnaryOp::Clip { low, high })
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
        let params = UnaryParams { len: output.len() as u32 };
        let ints = output.element == Element::I32;
        Dispatch {
            kernel: "unary".into(),
            source: if ints { of_ints().into() } else { self.of_floats() },
            access: Access::ours(&["x"]),
            constants: if ints { vec![("op".into(), self.op.number_of_ints())] } else { Vec::new() },
            workgroups: grid::cover(output.len(), 256),
            params: bytemuck::bytes_of(&params).to_vec(),
            needs: Needs::default(),
        }
    }

    fn each(&self) -> Option<Each> {
        Some(Each::one(self.op))
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        match (&inputs[0], output) {
            (Values::I32(x), ValuesMut::I32(y)) => {
                Zip::from(y).and(x).for_each(|y, &x| *y = self.op.apply_to_int(x))
            }
            (x, y) => {
                let mut y = y.floats();
                y.assign(&x.floats());
                match y.as_slice_memory_order_mut() {
                    Some(values) => self.op.apply_all(values),
                    None => y.mapv_inplace(|value| self.op.apply(value)),
                }
            }
        }
    }
}

fn of_ints() -> &'static str {
    wgsl!("unary", "shared/each_value", "shared/unary_ints", "shared/ints", "shared/linear")
}

impl Unary {
    fn of_floats(&self) -> Cow<'static, str> {
        let mut source = wgsl!("unary", "shared/each_value", "shared/linear").to_owned();
        let files = self.op.declare("function", &mut source);
        each::add_files("", &files, &mut source);
        source.into()
    }
}
