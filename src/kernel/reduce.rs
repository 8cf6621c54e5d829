//! One number for many values.

mod ints;
mod op;

use ndarray::{ArrayD, ArrayViewD, Axis as Dimension, Zip};

pub use self::op::ReduceOp;
use super::axes::{self, Axes, Axis};
use super::lanes::{Join, Rows};
use super::params::{params, wgsl};
use super::{Access, Dispatch, Element, Kernel, Spec, Values, ValuesMut, rounds, rule};
use crate::error::Cause;

/// One number for the values along some axes: the shape stays, with those axes at 1.
///
/// A row that holds NaN gives NaN. Sums are made in an order that depends on the shape alone.
///
/// ```
/// use gapless::kernel::{Kernel, Reduce, ReduceOp, Spec};
/// let largest = Reduce::new(ReduceOp::Max, [1, 2]).output(&[&Spec::floats(&[8, 14, 14])])?;
/// assert_eq!(largest, Spec::floats(&[8, 1, 1]));
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Reduce {
    op: ReduceOp,
    axes: Vec<usize>,
}

params! {
    /// Mirrors `Params` of `shaders/reduce.wgsl`.
    struct ReduceParams {
        kept: [[u32; 4]; axes::MOST],
        reduced: [[u32; 4]; axes::MOST],
        kept_count: u32,
        reduced_count: u32,
        rows: u32,
        len: u32,
    }
}

impl ReduceParams {
    fn new(kept: &Axes<1>, reduced: &Axes<1>) -> Self {
        Self {
            kept: kept.packed(),
            reduced: reduced.packed(),
            kept_count: kept.count() as u32,
            reduced_count: reduced.count() as u32,
            rows: kept.len() as u32,
            len: reduced.len() as u32,
        }
    }
}

impl Reduce {
    /// The number, and the axes along which there will be one alone. Without axes every value stands alone.
    pub fn new(op: ReduceOp, axes: impl Into<Vec<usize>>) -> Self {
        Self { op, axes: axes.into() }
    }

    fn check(&self, x: &Spec) -> Result<(), Cause> {
        let twice = |(place, axis): (usize, &usize)| self.axes[..place].contains(axis);
        let outside = self.axes.iter().any(|&axis| axis >= x.shape.len());
        if outside || self.axes.iter().enumerate().any(twice) {
            return Err(rule::misfit("x", x, format!("an axis for each of {:?} would fit", self.axes)));
        }
        Ok(())
    }

    /// The loops over the numbers, and the loops along a row.
    fn loops(&self, shape: &[usize]) -> [Axes<1>; 2] {
        let strides = axes::strides(shape);
        let axis = |place: usize| Axis { len: shape[place], strides: [strides[place]] };
        [false, true].map(|reduced| {
            let places = (0..shape.len()).filter(|place| self.axes.contains(place) == reduced);
            Axes::new(places.map(axis))
        })
    }

    fn shares(&self, x: &ArrayViewD<'_, f32>, op: ReduceOp, shift: Option<&ArrayD<f64>>) -> ArrayD<f64> {
        let mut shares = x.mapv(f64::from);
        match shift.and_then(|shift| shift.broadcast(x.raw_dim())) {
            Some(shift) => Zip::from(&mut shares).and(shift).for_each(|v, &shift| *v = op.share(*v, shift)),
            None => shares.mapv_inplace(|value| op.share(value, 0.0)),
        }
        for &axis in &self.axes {
            let axis = Dimension(axis);
            shares = shares.fold_axis(axis, op.start(), |&one, &other| op.join(one, other)).insert_axis(axis);
        }
        shares
    }

    fn rows(&self, inputs: &[&Spec], output: &Spec) -> Rows {
        let [kept, reduced] = self.loops(&inputs[0].shape);
        let side_by_side = if kept.innermost().strides == [1] { kept.innermost().len } else { 1 };
        Rows { outer: output.len() / side_by_side, len: reduced.len(), inner: side_by_side }
    }

    fn joined(&self, inputs: &[&Spec], output: &Spec, join: Join) -> Dispatch {
        let [kept, reduced] = self.loops(&inputs[0].shape);
        let rows = self.rows(inputs, output);
        let params = ReduceParams::new(&kept, &reduced);
        // Where a row starts, and where in it each value lies, is found axis by axis.
        let walk = rows.walk(1, &[reduced.count() - 1]);
        let walks = match self.op {
            ReduceOp::LogSumExp => &[rounds::nested(&[kept.count()]), walk, walk][..],
            _ => &[rounds::nested(&[kept.count()]), walk],
        };
        let own = wgsl!("reduce", "shared/reduced", "shared/nan_made", "shared/logarithm");
        let mut dispatch = rows.dispatch("reduce", (own, Access::ours(&["x"])), &params, join, walks);
        dispatch.constants.push(("op".into(), self.op.number()));
        dispatch
    }
}

impl Kernel for Reduce {
    fn name(&self) -> &str {
        "reduce"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        let x = rule::only_values(inputs)?;
        self.check(x)?;
        if x.element == Element::I32 && !self.op.takes_ints() {
            return Err(rule::misfit("x", x, format!("floats would fit {:?}", self.op)));
        }
        self.loops(&x.shape).iter().try_for_each(Axes::check)?;
        let mut shape = x.shape.clone();
        self.axes.iter().for_each(|&axis| shape[axis] = 1);
        rule::output_like(x, &shape)
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        if output.element == Element::I32 {
            return self.of_ints(inputs, output);
        }
        self.joined(inputs, output, Join::Memory)
    }

    fn variants(&self, inputs: &[&Spec], output: &Spec) -> Vec<Dispatch> {
        if output.element == Element::I32 {
            return vec![self.of_ints(inputs, output)];
        }
        self.rows(inputs, output).joins().map(|join| self.joined(inputs, output, join)).collect()
    }

    fn twin(&self, inputs: &[Values<'_>], mut output: ValuesMut<'_>) {
        if let (Values::I32(x), ValuesMut::I32(output)) = (&inputs[0], &mut output) {
            return ints::run(self, x, output);
        }
        let output = output.floats();
        let x = inputs[0].floats();
        let count = x.len() / output.len();
        // A largest value that is no number is taken off nowhere: the exponentials tell of it themselves.
        let shift = (self.op == ReduceOp::LogSumExp).then(|| {
            let largest = self.shares(&x, ReduceOp::Max, None);
            largest.mapv(|largest| if largest.is_finite() { largest } else { 0.0 })
        });
        let whole = self.shares(&x, self.op, shift.as_ref());
        let none = ArrayD::zeros(whole.raw_dim());
        let shift = shift.unwrap_or(none);
        let finish = |y: &mut f32, &whole: &f64, &shift: &f64| {
            *y = self.op.finish(whole, shift, count) as f32;
        };
        Zip::from(output).and(&whole).and(&shift).for_each(finish);
    }
}
