//! One function of every pair of values.

mod op;

use ndarray::{ArrayViewD, ArrayViewMutD, Zip};

pub use self::op::BinaryOp;
use super::params::{params, wgsl};
use super::{Dispatch, Kernel, Needs, Spec, Values, axes, grid, rounds, rule};
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
    whole: bool,
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
        Self { op, whole: false }
    }

    /// Both are whole numbers, or flags: where floats may not have the exact result (from 2²⁴ on, which they do not tell
    /// from the next), or one is NaN, the result is NaN, also that of a comparison.
    pub fn whole(self) -> Self {
        Self { whole: true, ..self }
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
        rule::floats("a", a)?;
        rule::floats("b", b)?;
        let Some(wide) = axes::broadcast(&[&a.shape, &b.shape]) else {
            let wanted = format!("axes of 1 or of the length that a, {:?}, has would fit", a.shape);
            return Err(rule::misfit("b", b, wanted));
        };
        if !a.batched && !b.batched {
            return Err(rule::misfit("b", b, "an activation would fit, since a is a constant too"));
        }
        axes::together([&a.shape, &b.shape], &wide).check()?;
        rule::output(&wide)
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
        Dispatch {
            kernel: "binary".into(),
            source: wgsl!("binary", "shared/linear", "shared/nan", "shared/nan_made", "shared/power").into(),
            constants: vec![
                ("op".into(), self.op.number()),
                ("rank".into(), axes.count() as f64),
                ("whole".into(), f64::from(u8::from(self.whole))),
            ],
            workgroups: grid::cover(output.len(), 256),
            params: bytemuck::bytes_of(&params).to_vec(),
            needs: Needs::rounds(rounds::all(&[rounds::nested(&[axes::MOST]), rounds::POWER])),
        }
    }

    fn twin(&self, inputs: &[Values<'_>], output: ArrayViewMutD<'_, f32>) {
        let (a, b) = (inputs[0].floats(), inputs[1].floats());
        if self.whole {
            return pairs(&a, &b, output, |a, b| self.op.apply_whole(a, b));
        }
        match self.op {
            // What is chosen once for all values becomes a loop of its own.
            BinaryOp::Add => pairs(&a, &b, output, |a, b| a + b),
            BinaryOp::Sub => pairs(&a, &b, output, |a, b| a - b),
            BinaryOp::Mul => pairs(&a, &b, output, |a, b| a * b),
            BinaryOp::Div => pairs(&a, &b, output, |a, b| a / b),
            op => pairs(&a, &b, output, |a, b| op.apply(a, b)),
        }
    }
}

fn pairs(
    a: &ArrayViewD<'_, f32>,
    b: &ArrayViewD<'_, f32>,
    output: ArrayViewMutD<'_, f32>,
    function: impl Fn(f32, f32) -> f32,
) {
    let wide = output.raw_dim();
    let a = a.broadcast(wide.clone()).expect("the shape rule accepted it");
    let b = b.broadcast(wide).expect("the shape rule accepted it");
    Zip::from(output).and(a).and(b).for_each(|y, &a, &b| *y = function(a, b));
}
