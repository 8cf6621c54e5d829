//! Sums along an axis, up to each of its places.

use ndarray::{ArrayViewMutD, Axis};

use super::ints::checked;
use super::params::{params, wgsl};
use super::{Access, Dispatch, Element, Kernel, Needs, Spec, Values, ValuesMut, grid, rounds, rule};
use crate::error::Cause;

/// The sum of the values of an axis up to each place, with what stands there or without: the ONNX operator `CumSum`.
///
/// Whole numbers whose sum 32 bits do not hold give none from there on ([`Element::I32`]).
///
/// ```
/// use gapless::kernel::{CumSum, Kernel, Spec};
/// let mask = Spec::ints(&[1, 128]);
/// assert_eq!(CumSum::new(1).output(&[&mask])?, mask);
/// assert!(CumSum::new(2).output(&[&mask]).is_err());
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct CumSum {
    axis: usize,
    exclusive: bool,
    reverse: bool,
}

params! {
    /// Mirrors `Params` of `shaders/cum_sum.wgsl`.
    struct CumSumParams {
        rows: u32,
        axis: u32,
        inner: u32,
        exclusive: u32,
        reverse: u32,
    }
}

impl CumSum {
    /// Along this axis, which counts from 0.
    pub fn new(axis: usize) -> Self {
        Self { axis, exclusive: false, reverse: false }
    }

    /// Whether what stands at a place is left out of its sum; by default it is a part of it.
    pub fn exclusive(mut self, exclusive: bool) -> Self {
        self.exclusive = exclusive;
        self
    }

    /// Whether sums run from the end of the axis to its begin.
    pub fn reverse(mut self, reverse: bool) -> Self {
        self.reverse = reverse;
        self
    }

    fn sum<T: Copy + Default>(self, mut values: ArrayViewMutD<'_, T>, add: fn(T, T) -> T) {
        for mut row in values.lanes_mut(Axis(self.axis)) {
            if self.reverse {
                row.invert_axis(Axis(0));
            }
            row.iter_mut().fold(T::default(), |sum, value| {
                let next = add(sum, *value);
                *value = if self.exclusive { sum } else { next };
                next
            });
        }
    }
}

impl Kernel for CumSum {
    fn name(&self) -> &str {
        "cum_sum"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        let x = rule::only_values(inputs)?;
        if self.axis >= x.shape.len() {
            return Err(rule::misfit("x", x, format!("more than {} axes would fit the axis {0}", self.axis)));
        }
        Ok(x.clone())
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        let axis = output.shape[self.axis];
        let rows = output.len() / axis;
        let params = CumSumParams {
            rows: rows as u32,
            axis: axis as u32,
            inner: output.shape[self.axis + 1..].iter().product::<usize>() as u32,
            exclusive: self.exclusive.into(),
            reverse: self.reverse.into(),
        };
        let source = match inputs[0].element {
            Element::I32 => wgsl!("cum_sum", "shared/add_ints", "shared/ints", "shared/linear"),
            _ => wgsl!("cum_sum", "shared/add_floats", "shared/linear"),
        };
        Dispatch {
            kernel: "cum_sum".into(),
            source: source.into(),
            access: Access::ours(&["x"]),
            constants: Vec::new(),
            workgroups: grid::cover(rows, 64),
            params: bytemuck::bytes_of(&params).to_vec(),
            needs: Needs::rounds(rounds::nested(&[axis])),
        }
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        match (&inputs[0], output) {
            (Values::I32(x), ValuesMut::I32(mut y)) => {
                y.assign(x);
                self.sum(y, |sum: i32, value| checked(sum, value, i32::checked_add));
            }
            (x, y) => {
                let mut y = y.floats();
                y.assign(&x.floats());
                self.sum(y, |sum: f32, value| sum + value);
            }
        }
    }
}
