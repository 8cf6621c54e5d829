//! A tensor with a border.

mod border;

use ndarray::{ArrayViewD, ArrayViewMutD, IxDyn};

use self::border::Border;
use super::params::{params, wgsl};
use super::rearrange::{MOST_AXES, check_axes, strides};
use super::{Access, Dispatch, Kernel, Needs, Spec, Values, ValuesMut, grid, rounds, rule};
use crate::error::Cause;

/// What a border is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum PadMode {
    /// This value.
    Constant(f32),
    /// The value at the edge again and again.
    Edge,
    /// The values inside as in a mirror that stands on the edge, whose own value does not come twice.
    Reflect,
    /// The values from the other side: the tensor is repeated.
    Wrap,
}

/// A tensor of up to eight axes with a border before and after each; a border below 0 cuts off.
///
/// What is cut off is gone before the border is made. `Reflect` and `Wrap` go on where a border is longer
/// than the axis, as numpy's do.
///
/// ```
/// use gapless::kernel::{Kernel, Pad, PadMode, Spec};
/// let pad = Pad::new([0, 3, 3], [0, 3, -1], PadMode::Reflect);
/// assert_eq!(pad.output(&[&Spec::floats(&[3, 224, 224])])?, Spec::floats(&[3, 230, 226]));
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Pad {
    before: Vec<i64>,
    after: Vec<i64>,
    mode: PadMode,
}

params! {
    /// Mirrors `Params` of `shaders/pad.wgsl`. What is inside is the input without what is cut off.
    struct PadParams {
        shape: [u32; 8],
        inside: [i32; 8],
        before: [i32; 8],
        strides: [u32; 8],
        offset: u32,
        axes: u32,
        in_len: u32,
        len: u32,
        mode: u32,
        value: f32,
        unused: [u32; 2],
    }
}

impl Pad {
    /// Borders before and after every axis.
    pub fn new(before: impl Into<Vec<i64>>, after: impl Into<Vec<i64>>, mode: PadMode) -> Self {
        Self { before: before.into(), after: after.into(), mode }
    }

    fn borders(&self, shape: &[usize]) -> Result<Vec<Border>, Cause> {
        for (name, values) in [("before", &self.before), ("after", &self.after)] {
            if values.len() != shape.len() {
                let wanted = format!("{} numbers would fit {shape:?}", shape.len());
                return Err(Cause::msg(format!("the borders {name} are {values:?}; {wanted}")));
            }
        }
        let axes = shape.iter().zip(self.before.iter().zip(&self.after));
        axes.map(|(&len, (&before, &after))| Border::new(len, before, after)).collect()
    }

    fn params(&self, x: &Spec, output: &Spec) -> PadParams {
        let borders = self.borders(&x.shape).expect("the shape rule made these borders");
        let (mode, value) = match self.mode {
            PadMode::Constant(value) => (0, value),
            PadMode::Edge => (1, 0.0),
            PadMode::Reflect => (2, 0.0),
            PadMode::Wrap => (3, 0.0),
        };
        let strides = strides(&x.shape);
        let mut params = PadParams {
            shape: [1; MOST_AXES],
            inside: [1; MOST_AXES],
            before: [0; MOST_AXES],
            strides: [0; MOST_AXES],
            offset: borders.iter().zip(&strides).map(|(border, stride)| border.cut * stride).sum::<usize>()
                as u32,
            axes: borders.len() as u32,
            in_len: x.len() as u32,
            len: output.len() as u32,
            mode,
            value,
            unused: [0; 2],
        };
        for (axis, (border, stride)) in borders.iter().zip(strides).enumerate() {
            params.shape[axis] = border.len() as u32;
            params.inside[axis] = border.inside as i32;
            params.before[axis] = border.before as i32;
            params.strides[axis] = stride as u32;
        }
        params
    }
}

impl Kernel for Pad {
    fn name(&self) -> &'static str {
        "pad"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        let x = rule::only_values(inputs)?;
        check_axes("x", &x.shape)?;
        let borders = self.borders(&x.shape)?;
        rule::output_like(x, &borders.iter().map(Border::len).collect::<Vec<_>>())
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        let params = self.params(inputs[0], output);
        Dispatch {
            kernel: "pad".into(),
            source: wgsl!("pad", "shared/each_value", "shared/linear").into(),
            access: Access::ours(&["x"]),
            constants: Vec::new(),
            workgroups: grid::cover(output.len(), 256),
            params: bytemuck::bytes_of(&params).to_vec(),
            needs: Needs::rounds(rounds::nested(&[MOST_AXES])),
        }
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        let border = if let PadMode::Constant(border) = self.mode { border } else { 0.0 };
        match (&inputs[0], output) {
            (Values::I32(x), ValuesMut::I32(y)) => self.pad(x, border as i32, y),
            (x, y) => self.pad(&x.floats(), border, y.floats()),
        }
    }
}

impl Pad {
    fn pad<T: Copy>(&self, x: &ArrayViewD<'_, T>, border: T, mut output: ArrayViewMutD<'_, T>) {
        let borders = self.borders(x.shape()).expect("the shape rule made these borders");
        // Where each place of each axis comes from, found once an axis and not once a value.
        let sources: Vec<Vec<Option<usize>>> =
            borders.iter().map(|border| border.sources(self.mode)).collect();
        let mut from = IxDyn(&vec![0; sources.len()]);
        for (place, value) in output.indexed_iter_mut() {
            let mut inside = true;
            for (axis, source) in sources.iter().enumerate() {
                inside &= source[place[axis]].is_some();
                from[axis] = source[place[axis]].unwrap_or_default();
            }
            *value = match self.mode {
                PadMode::Constant(_) if !inside => border,
                _ => x[&from],
            };
        }
    }
}
