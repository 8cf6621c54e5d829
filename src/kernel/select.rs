//! One of two values, as a flag says.

use ndarray::{ArrayViewD, ArrayViewMutD, Zip};

use super::ints::NONE;
use super::params::{params, wgsl};
use super::{Access, Dispatch, Kernel, Needs, Spec, Values, ValuesMut, axes, grid, rounds, rule};
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
        rule::values("a", a)?;
        rule::values("b", b)?;
        rule::alike("b", b, "a", a)?;
        rule::any_activation(inputs)?;
        let shapes = shapes(inputs);
        let Some(wide) = axes::broadcast(&shapes) else {
            return Err(Cause::msg(format!("the shapes are {shapes:?}; axes that are equal or 1 would fit")));
        };
        axes::together(shapes, &wide).check()?;
        rule::output_like(a, &wide)
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
            source: wgsl!("select", "shared/each_value", "shared/linear", "shared/nan").into(),
            access: Access::ours(&["flag", "a", "b"]),
            constants: vec![("rank".into(), axes.count() as f64)],
            workgroups: grid::cover(output.len(), 256),
            params: bytemuck::bytes_of(&params).to_vec(),
            needs: Needs::rounds(rounds::nested(&[axes::MOST])),
        }
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        let flag = inputs[0].floats();
        match (&inputs[1], &inputs[2], output) {
            (Values::I32(a), Values::I32(b), ValuesMut::I32(y)) => choose(&flag, a, b, NONE, y),
            (a, b, y) => choose(&flag, &a.floats(), &b.floats(), f32::NAN, y.floats()),
        }
    }
}

fn choose<T: Copy>(
    flag: &ArrayViewD<'_, f32>,
    a: &ArrayViewD<'_, T>,
    b: &ArrayViewD<'_, T>,
    none: T,
    output: ArrayViewMutD<'_, T>,
) {
    const FITS: &str = "the shape rule accepted it";
    let wide = output.raw_dim();
    let flag = flag.broadcast(wide.clone()).expect(FITS);
    let (a, b) = (a.broadcast(wide.clone()).expect(FITS), b.broadcast(wide).expect(FITS));
    let chosen = |flag: f32, a: T, b: T| match flag {
        _ if flag.is_nan() => none,
        0.0 => b,
        _ => a,
    };
    Zip::from(output).and(flag).and(a).and(b).for_each(|y, &flag, &a, &b| *y = chosen(flag, a, b));
}
