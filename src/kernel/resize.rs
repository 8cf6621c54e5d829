//! Tensors made larger or smaller by interpolation.

mod plan;
mod taps;

use ndarray::{ArrayD, IxDyn};

use self::plan::Plan;
use self::taps::Axis;
use super::gather::EXACT;
use super::params::{params, wgsl};
use super::{Access, Dispatch, Kernel, Needs, Spec, Values, ValuesMut, grid, rounds, rule};
use crate::error::Cause;

/// How a value is made of those around its source.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Interpolation {
    /// One of them.
    Nearest(Nearest),
    /// The two on either side of each axis, weighted by how near they are.
    Linear,
    /// The four around on each axis, by cubic convolution with this coefficient: -0.75 in ONNX, -0.5 in Pillow.
    Cubic(f64),
}

/// Which place is the nearest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Nearest {
    /// The nearer one; the one before, where both are as near.
    RoundPreferFloor,
    /// The nearer one; the one behind, where both are as near.
    RoundPreferCeil,
    /// The one before.
    Floor,
    /// The one behind.
    Ceil,
}

/// Where a place of the output lies in the input: the modes of ONNX's `Resize`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Coordinates {
    /// Places are squares, whose outer edges lie on each other.
    HalfPixel,
    /// The same, with the middles on each other where the scale does not lead to the output's size.
    HalfPixelSymmetric,
    /// `HalfPixel`, but for an output of one place, which lies on the first one.
    PytorchHalfPixel,
    /// Places are points, of which the first and the last lie on each other.
    ///
    /// Where a scale below 1 leads to a length with a fraction, that length counts and not the output's, as in
    /// ONNX's cases: the last place of the output then lies before the last one of the input.
    AlignCorners,
    /// Places are points, of which the first lie on each other.
    Asymmetric,
    /// `AlignCorners` of a part of the input.
    TfCropAndResize {
        /// Where the part starts on each axis, from 0 to 1.
        starts: Vec<f64>,
        /// Where the part ends on each axis, from 0 to 1.
        ends: Vec<f64>,
        /// What lies outside the input.
        outside: f32,
    },
}

/// A tensor in another size, of which up to three axes change.
///
/// The arithmetic is that of ONNX's `Resize`. Which places a value is made of, and their weights, are
/// computed once and are the second input: a constant, the [`Resize::table`] for the shape of the first.
///
/// ```
/// use gapless::kernel::{Interpolation, Kernel, Resize, Spec};
/// let double = Resize::new([64, 28, 28], Interpolation::Linear);
/// let x = Spec::floats(&[64, 14, 14]);
/// let table = double.table(&x.shape)?;
/// assert_eq!(double.output(&[&x, &Spec::constant(table.shape())])?, Spec::floats(&[64, 28, 28]));
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Resize {
    shape: Vec<usize>,
    interpolation: Interpolation,
    coordinates: Coordinates,
    scales: Option<Vec<f64>>,
    antialias: bool,
    exclude_outside: bool,
}

params! {
    /// Mirrors `Params` of `shaders/resize.wgsl`: of each of the three axes that may change.
    struct ResizeParams {
        input: [u32; 4],
        output: [u32; 4],
        taps: [u32; 4],
        behind: [u32; 4],
        tables: [u32; 4],
        in_len: u32,
        len: u32,
        outside: f32,
        unused: u32,
    }
}

impl Resize {
    /// A tensor of this shape, with as many axes as the input.
    pub fn new(shape: impl Into<Vec<usize>>, interpolation: Interpolation) -> Self {
        Self {
            shape: shape.into(),
            interpolation,
            coordinates: Coordinates::HalfPixel,
            scales: None,
            antialias: false,
            exclude_outside: false,
        }
    }

    /// Where a place of the output lies in the input; `HalfPixel` by default.
    pub fn coordinates(mut self, coordinates: Coordinates) -> Self {
        self.coordinates = coordinates;
        self
    }

    /// The scale of every axis, which need not lead to the output's size exactly; by default that of the sizes.
    pub fn scales(mut self, scales: impl Into<Vec<f64>>) -> Self {
        self.scales = Some(scales.into());
        self
    }

    /// Whether a smaller output is made of all values of the input, and not of the nearest ones alone; by
    /// default it is not. An error for the nearest place, which is one.
    pub fn antialias(mut self, antialias: bool) -> Self {
        self.antialias = antialias;
        self
    }

    /// Whether places outside the input weigh nothing; by default they have the value at the edge.
    pub fn exclude_outside(mut self, exclude: bool) -> Self {
        self.exclude_outside = exclude;
        self
    }

    /// The second input: which places of an input of this shape every value is made of, and their weights.
    ///
    /// # Errors
    /// If no input of this shape can be resized so.
    pub fn table(&self, shape: &[usize]) -> Result<ArrayD<f32>, Cause> {
        let table = self.plan(shape)?.table();
        Ok(ArrayD::from_shape_vec(IxDyn(&[table.len()]), table).expect("it is as long as itself"))
    }

    fn plan(&self, shape: &[usize]) -> Result<Plan, Cause> {
        self.check(shape)?;
        let taps = |number: usize| {
            let axis = self.axis(shape, number);
            let taps = (!axis.is_same()).then(|| axis.taps()).transpose();
            taps.map_err(|cause| Cause::msg(format!("axis {number} of {shape:?}: {cause}")))
        };
        let taps = (0..shape.len()).map(taps).collect::<Result<Vec<_>, _>>()?;
        Plan::new(shape, &self.shape, taps)
    }

    fn axis(&self, shape: &[usize], number: usize) -> Axis<'_> {
        let (input, output) = (shape[number], self.shape[number]);
        let crop = match &self.coordinates {
            Coordinates::TfCropAndResize { starts, ends, .. } => [starts[number], ends[number]],
            _ => [0.0, 1.0],
        };
        Axis {
            input,
            output,
            scale: self.scales.as_ref().map_or(output as f64 / input as f64, |scales| scales[number]),
            interpolation: self.interpolation,
            coordinates: &self.coordinates,
            crop,
            antialias: self.antialias,
            exclude_outside: self.exclude_outside,
        }
    }

    /// Checks that there is one number an axis, and that sizes are such that indices are exact.
    fn check(&self, shape: &[usize]) -> Result<(), Cause> {
        let mut lens = vec![("the output's shape has", self.shape.len())];
        lens.extend(self.scales.as_ref().map(|scales| ("the scales are", scales.len())));
        if let Coordinates::TfCropAndResize { starts, ends, .. } = &self.coordinates {
            lens.extend([("the starts are", starts.len()), ("the ends are", ends.len())]);
        }
        if let Some((what, len)) = lens.into_iter().find(|(_, len)| *len != shape.len()) {
            return Err(Cause::msg(format!("{what} {len}; {} numbers would fit {shape:?}", shape.len())));
        }
        if self.antialias && matches!(self.interpolation, Interpolation::Nearest(_)) {
            return Err(Cause::msg("there is no antialias of the nearest place; linear or cubic would fit"));
        }
        if matches!(self.interpolation, Interpolation::Cubic(a) if !a.is_finite()) {
            return Err(Cause::msg("the cubic coefficient is not finite; -0.75 would fit"));
        }
        for shape in [shape, &self.shape] {
            if rule::size(shape).is_none() || shape.iter().any(|&len| len > EXACT) {
                let wanted = "1 to 2^30 elements on axes up to 2^24 would fit";
                return Err(Cause::msg(format!("{shape:?} cannot be resized from or to; {wanted}")));
            }
        }
        Ok(())
    }

    fn outside(&self) -> f32 {
        match self.coordinates {
            Coordinates::TfCropAndResize { outside, .. } => outside,
            _ => 0.0,
        }
    }

    fn params(&self, x: &Spec, output: &Spec) -> ResizeParams {
        let plan = self.plan(&x.shape).expect("the shape rule made this plan");
        let four = |value: &dyn Fn(usize) -> usize| {
            [0, 1, 2, 3].map(|axis| if axis < 3 { value(axis) as u32 } else { 1 })
        };
        ResizeParams {
            input: four(&|axis| plan.resized[axis].input),
            output: four(&|axis| plan.resized[axis].output),
            taps: four(&|axis| plan.resized[axis].taps.count),
            behind: four(&|axis| plan.behind[axis]),
            tables: four(&|axis| plan.offsets()[axis]),
            in_len: x.len() as u32,
            len: output.len() as u32,
            outside: self.outside(),
            unused: 0,
        }
    }
}

impl Kernel for Resize {
    fn name(&self) -> &'static str {
        "resize"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        let [x, table] = rule::take(inputs, ["x", "table"])?;
        let x = rule::only_activation(&[x])?;
        let [.., len] = self.plan(&x.shape)?.offsets();
        if rule::constant("table", table, "[numbers]")? != [len] {
            let wanted = format!("what Resize::table gives for {:?}, [{len}], would fit", x.shape);
            return Err(rule::misfit("table", table, wanted));
        }
        rule::output(&self.shape)
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        let params = self.params(inputs[0], output);
        let taps: [usize; 3] = std::array::from_fn(|axis| params.taps[axis] as usize);
        Dispatch {
            kernel: "resize".into(),
            source: wgsl!("resize", "shared/linear").into(),
            access: Access::ours(&["x", "table"]),
            constants: Vec::new(),
            workgroups: grid::cover(output.len(), 64),
            params: bytemuck::bytes_of(&params).to_vec(),
            needs: Needs::rounds(rounds::nested(&taps)),
        }
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        let mut output = output.floats();
        let x = inputs[0].floats();
        let plan = self.plan(x.shape()).expect("the shape rule made this plan");
        let x = x.as_standard_layout();
        plan.run(x.as_slice().expect("it is in order"), output.iter_mut(), self.outside());
    }
}
