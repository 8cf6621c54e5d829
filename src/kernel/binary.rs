//! One function of every pair of values.

mod op;
mod text;

use std::borrow::Cow;

use ndarray::{ArrayViewD, ArrayViewMutD, Zip};

pub use self::op::BinaryOp;
use super::each::{self, Each};
use super::params::{params, wgsl};
use super::{Access, Dispatch, Element, Kernel, Needs, Spec, Values, ValuesMut, axes, grid, rounds, rule};
use crate::error::Cause;

/// One function of every pair of values of two tensors: two activations, or one and a constant.
///
/// The shapes are aligned at their last axes; an axis of 1, or one that is missing, is repeated as often
/// as the other tensor asks for.
///
/// ```
/// use gapless::kernel::{Binary, BinaryOp, Kernel, Spec};
/// let (x, scale) = (Spec::floats(&[8, 14, 14]), Spec::constant(&[8, 1, 1]));
/// assert_eq!(Binary::new(BinaryOp::Mul).output(&[&x, &scale])?, x);
/// assert!(Binary::add().output(&[&x, &Spec::constant(&[8])]).is_err());
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct Binary {
    op: BinaryOp,
}

params! {
    /// Mirrors `Params` of `shaders/binary.wgsl`. A step is the way from one item to the next: 0 for a constant.
    struct BinaryParams {
        axes: [[u32; 4]; axes::MOST],
        len: u32,
        a_step: u32,
        b_step: u32,
        unused: u32,
    }
}

impl Binary {
    /// The function.
    pub fn new(op: BinaryOp) -> Self {
        Self { op }
    }

    pub(crate) fn op(&self) -> BinaryOp {
        self.op
    }

    /// The sum.
    pub fn add() -> Self {
        Self::new(BinaryOp::Add)
    }
}

impl Kernel for Binary {
    fn name(&self) -> &str {
        "binary"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        let [a, b] = rule::take(inputs, ["a", "b"])?;
        rule::values("a", a)?;
        rule::values("b", b)?;
        rule::alike("b", b, "a", a)?;
        if a.element == Element::I32 && !self.op.takes_ints() {
            return Err(rule::misfit("a", a, format!("floats would fit {:?}", self.op)));
        }
        let Some(wide) = axes::broadcast(&[&a.shape, &b.shape]) else {
            let wanted = format!("axes of 1 or of the length that a, {:?}, has would fit", a.shape);
            return Err(rule::misfit("b", b, wanted));
        };
        if !a.batched && !b.batched {
            return Err(rule::misfit("b", b, "an activation would fit, since a is a constant too"));
        }
        axes::together([&a.shape, &b.shape], &wide).check()?;
        if self.op.compares() { rule::output(&wide) } else { rule::output_like(a, &wide) }
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        let axes = axes::together([&inputs[0].shape, &inputs[1].shape], &output.shape);
        let params = BinaryParams {
            axes: axes.packed(),
            len: output.len() as u32,
            a_step: rule::step(inputs[0]),
            b_step: rule::step(inputs[1]),
            unused: 0,
        };
        let mut constants = vec![("rank".into(), axes.count() as f64)];
        if inputs[0].element == Element::I32 {
            constants.push(("op".into(), self.op.number()));
        }
        Dispatch {
            kernel: "binary".into(),
            source: source(inputs[0].element, self.op),
            access: Access::ours(&["a", "b"]),
            constants,
            workgroups: grid::cover(output.len(), 256),
            params: bytemuck::bytes_of(&params).to_vec(),
            needs: Needs::rounds(rounds::all(&[rounds::nested(&[axes::MOST]), rounds::POWER_OF_INTS])),
        }
    }

    fn each(&self) -> Option<Each> {
        Some(Each::two(self.op))
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        match (&inputs[0], &inputs[1], output) {
            (Values::I32(a), Values::I32(b), ValuesMut::I32(y)) => {
                pairs(a, b, y, |a, b| self.op.apply_to_ints(a, b));
            }
            (Values::I32(a), Values::I32(b), ValuesMut::F32(y)) => {
                pairs(a, b, y, |a, b| self.op.compare_ints(a, b));
            }
            (a, b, y) => self.twin_of_floats(&a.floats(), &b.floats(), y.floats()),
        }
    }
}

impl Binary {
    fn twin_of_floats(&self, a: &ArrayViewD<'_, f32>, b: &ArrayViewD<'_, f32>, y: ArrayViewMutD<'_, f32>) {
        match self.op {
            // What is chosen once for all values becomes a loop of its own.
            BinaryOp::Add => pairs(a, b, y, |a, b| a + b),
            BinaryOp::Sub => pairs(a, b, y, |a, b| a - b),
            BinaryOp::Mul => pairs(a, b, y, |a, b| a * b),
            BinaryOp::Div => pairs(a, b, y, |a, b| a / b),
            op => pairs(a, b, y, |a, b| op.apply(a, b)),
        }
    }
}

/// The shader for values of this element.
fn source(element: Element, op: BinaryOp) -> Cow<'static, str> {
    let common = wgsl!("binary", "shared/each_value", "shared/linear");
    let ints = match (element, op.compares()) {
        (Element::I32, false) => wgsl!("shared/binary_ints", "shared/ints"),
        (Element::I32, true) => wgsl!("shared/binary_flags", "shared/ints", "shared/nan_made"),
        _ => {
            let mut source = common.to_owned();
            let files = op.declare("function", &mut source);
            each::add_files("", &files, &mut source);
            return source.into();
        }
    };
    [common, ints].concat().into()
}

/// What `function` makes of every pair.
fn pairs<T: Copy, U>(
    a: &ArrayViewD<'_, T>,
    b: &ArrayViewD<'_, T>,
    output: ArrayViewMutD<'_, U>,
    function: impl Fn(T, T) -> U,
) {
    let wide = output.raw_dim();
    let a = a.broadcast(wide.clone()).expect("the shape rule accepted it");
    let b = b.broadcast(wide).expect("the shape rule accepted it");
    Zip::from(output).and(a).and(b).for_each(|y, &a, &b| *y = function(a, b));
}
