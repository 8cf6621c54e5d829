//! One of two values, as a flag says.

use ndarray::{ArrayViewMutD, Zip};

use super::params::{params, wgsl};
use super::{Dispatch, Kernel, Needs, Spec, Values, axes, grid, rounds, rule};
use crate::error::Cause;

/// `a` where a flag is not 0, else `b`: the ONNX operator `Where`.
///
/// Inputs are the flags, `a` and `b`: activations and constants in any mix, of which one is an activation at
/// least. Their shapes are aligned at the last axes; an axis of 1, or one that is missing, is repeated as
/// often as the others ask for. A flag that is NaN gives NaN.
///
/// ```
/// use gapless::kernel::{Kernel, Select, Spec};
/// let (mask, scores) = (Spec::constant(&[197, 197]), Spec::floats(&[12, 197, 197]));
/// assert_eq!(Select::new().output(&[&mask, &scores, &Spec::constant(&[])])?, scores);
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Select;

params! {
    /// Mirrors `Params` of `shaders/select.wgsl`. A step is the way from one item to the next: 0 for a constant.
    struct SelectParams {
        axes: [[u32; 4]; axes::MOST],
        len: u32,
        flag_step: u32,
        a_step: u32,
        b_step: u32,
    }
}

impl Select {
    /// The choice; it has no parameter.
    pub fn new() -> Self {
        Self
    }
}

fn shapes<'a>(inputs: &[&'a Spec]) -> [&'a [usize]; 3] {
    [&inputs[0].shape, &inputs[1].shape, &inputs[2].shape]
}

impl Kernel for Select {
    fn name(&self) -> &str {
        "select"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        let [flag, a, b] = rule::take(inputs, ["flag", "a", "b"])?;
        rule::floats("flag", flag)?;
        rule::floats("a", a)?;
        rule::floats("b", b)?;
        rule::any_activation(inputs)?;
        let shapes = shapes(inputs);
        let Some(wide) = axes::broadcast(&shapes) else {
            return Err(Cause::msg(format!("the shapes are {shapes:?}; axes that are equal or 1 would fit")));
        };
        axes::together(shapes, &wide).check()?;
        rule::output(&wide)
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        let axes = axes::together(shapes(inputs), &output.shape);
        let params = SelectParams {
            axes: axes.packed(),
            len: output.len() as u32,
            flag_step: rule::step(inputs[0]),
            a_step: rule::step(inputs[1]),
            b_step: rule::step(inputs[2]),
        };
        Dispatch {
            kernel: "select".into(),
            source: wgsl!("select", "shared/linear", "shared/nan", "shared/nan_made").into(),
            constants: vec![("rank".into(), axes.count() as f64)],
            workgroups: grid::cover(output.len(), 256),
            params: bytemuck::bytes_of(&params).to_vec(),
            needs: Needs::rounds(rounds::nested(&[axes::MOST])),
        }
    }

    fn twin(&self, inputs: &[Values<'_>], output: ArrayViewMutD<'_, f32>) {
        let [flag, a, b] = [0, 1, 2].map(|index| inputs[index].floats());
        let wide = output.raw_dim();
        let [flag, a, b] =
            [&flag, &a, &b].map(|input| input.broadcast(wide.clone()).expect("the shape rule accepted it"));
        let chosen = |flag: f32, a: f32, b: f32| {
            if flag.is_nan() {
                flag
            } else if flag != 0.0 {
                a
            } else {
                b
            }
        };
        Zip::from(output).and(flag).and(a).and(b).for_each(|y, &flag, &a, &b| *y = chosen(flag, a, b));
    }
}
