//! Tensors one after the other.

use std::fmt::Write as _;

use ndarray::{ArrayViewD, ArrayViewMutD, Axis, Slice};

use super::access;
use super::params::{params, wgsl};
use super::{
    Access, Computed, Dispatch, Element, Kernel, Needs, Spec, Values, ValuesMut, grid, rounds, rule,
};
use crate::error::Cause;

/// One to four tensors one after the other on an axis: activations and constants in any mix, of which one
/// is an activation at least. Their other axes are equal.
///
/// More than four are concatenated four by four.
///
/// ```
/// use gapless::kernel::{Concat, Kernel, Spec};
/// let (x, token) = (Spec::floats(&[196, 768]), Spec::constant(&[1, 768]));
/// assert_eq!(Concat::new(0).output(&[&token, &x])?, Spec::floats(&[197, 768]));
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Concat {
    axis: usize,
}

params! {
    /// Mirrors `Params` of `shaders/concat.wgsl`. A row is what stands between two places of the axes
    /// before, a step the way from one item to the next: 0 for a constant.
    struct ConcatParams {
        rows: [u32; 4],
        steps: [u32; 4],
        row: u32,
        len: u32,
        unused: [u32; 2],
    }
}

/// Most inputs of one kernel.
const MOST_INPUTS: usize = 4;

impl Concat {
    /// Tensors one after the other on this axis, which counts from 0.
    pub fn new(axis: usize) -> Self {
        Self { axis }
    }

    /// Whether two shapes are equal but for the axis.
    fn fits(&self, one: &[usize], other: &[usize]) -> bool {
        let others = |shape: &[usize]| {
            shape.iter().enumerate().all(|(axis, len)| axis == self.axis || one[axis] == *len)
        };
        one.len() == other.len() && others(other)
    }

    /// How one value is read where another kernel wants it: of activations of floats, from the one in which it lies.
    pub(crate) fn computed(&self, inputs: &[&Spec], output: &Spec) -> Option<Computed> {
        let floats = |spec: &&&Spec| spec.batched && spec.element == Element::F32;
        if !inputs.iter().all(|input| floats(&input)) {
            return None;
        }
        let row = |spec: &Spec| spec.shape[self.axis..].iter().product::<usize>();
        let rows: Vec<usize> = inputs.iter().map(|input| row(input)).collect();
        let one = in_parts(&rows, row(output), "", "f32");
        let four = if rows.iter().all(|row| row.is_multiple_of(4)) {
            in_parts(&rows, row(output), "4", "vec4<f32>")
        } else {
            format!("{one}{}", access::four_by_one("part"))
        };
        Some(Computed { inputs: &PARTS[..inputs.len()], value: "part", sources: [one, four], rounds: 0 })
    }

    fn params(&self, inputs: &[&Spec], output: &Spec) -> ConcatParams {
        let row = |spec: &Spec| spec.shape[self.axis..].iter().product::<usize>() as u32;
        let mut params = ConcatParams {
            rows: [0; MOST_INPUTS],
            steps: [0; MOST_INPUTS],
            row: row(output),
            len: output.len() as u32,
            unused: [0; 2],
        };
        for (place, input) in inputs.iter().enumerate() {
            params.rows[place] = row(input);
            params.steps[place] = if input.batched { input.len() as u32 } else { 0 };
        }
        params
    }
}

/// What errors and the shader call the inputs.
const NAMES: [&str; MOST_INPUTS] = ["a", "b", "c", "d"];

/// What a kernel calls them that reads them in the place of their concatenation.
const PARTS: [&str; MOST_INPUTS] = ["part_a", "part_b", "part_c", "part_d"];

/// `part(place)`, or `part4(place)`, of tensors whose rows are so long.
fn in_parts(rows: &[usize], whole: usize, four: &str, value: &str) -> String {
    let mut text = format!(
        "\nfn part{four}(place: u32) -> {value} {{\n    let row = place / {whole}u;\n    let at = place % {whole}u;\n"
    );
    let mut start = 0;
    for (name, row) in PARTS.iter().zip(rows) {
        let read = format!("return {name}{four}(row * {row}u + at - {start}u);");
        start += row;
        let _ = if start == whole {
            write!(text, "    {read}\n}}\n")
        } else {
            write!(text, "    if at < {start}u {{\n        {read}\n    }}\n")
        };
    }
    text
}

impl Kernel for Concat {
    fn name(&self) -> &'static str {
        "concat"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        if !(1..=MOST_INPUTS).contains(&inputs.len()) {
            return Err(Cause::msg(format!("takes 1 to {MOST_INPUTS} inputs, not {}", inputs.len())));
        }
        let mut shape = inputs[0].shape.clone();
        let Some(axis) = shape.get_mut(self.axis) else {
            let wanted = format!("more than {} axes would fit the axis {0}", self.axis);
            return Err(rule::misfit("a", inputs[0], wanted));
        };
        *axis = 0;
        for (place, input) in inputs.iter().enumerate() {
            rule::values(NAMES[place], input)?;
            rule::alike(NAMES[place], input, "a", inputs[0])?;
            if !self.fits(&input.shape, &inputs[0].shape) {
                let wanted =
                    format!("the shape of a, {:?}, but for axis {}, would fit", inputs[0].shape, self.axis);
                return Err(rule::misfit(NAMES[place], input, wanted));
            }
            shape[self.axis] += input.shape[self.axis];
        }
        rule::any_activation(inputs)?;
        rule::output_like(inputs[0], &shape)
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        let params = self.params(inputs, output);
        Dispatch {
            kernel: "concat".into(),
            source: wgsl!("concat", "shared/each_value", "shared/linear").into(),
            access: Access::first(&NAMES, inputs.len()),
            constants: Vec::new(),
            workgroups: grid::cover(output.len(), 256),
            params: bytemuck::bytes_of(&params).to_vec(),
            needs: Needs::rounds(rounds::nested(&[MOST_INPUTS - 1])),
        }
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        match output {
            ValuesMut::I32(y) => self.join(inputs.iter().map(Values::ints), y),
            ValuesMut::F32(y) => self.join(inputs.iter().map(Values::floats), y),
        }
    }
}

impl Concat {
    fn join<'a, T: Copy + 'a>(
        &self,
        inputs: impl Iterator<Item = ArrayViewD<'a, T>>,
        mut output: ArrayViewMutD<'_, T>,
    ) {
        let mut start = 0;
        for input in inputs {
            let end = start + input.shape()[self.axis];
            output.slice_axis_mut(Axis(self.axis), Slice::from(start..end)).assign(&input);
            start = end;
        }
    }
}
