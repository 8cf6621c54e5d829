//! The largest or smallest values, in order.

use std::cmp::Ordering;

use ndarray::{ArrayView1, ArrayViewMut1, ArrayViewMutD, Axis, Zip};

use super::lanes::Rows;
use super::params::{params, wgsl};
use super::{Dispatch, Kernel, Needs, Spec, Values, grid, rounds, rule};
use crate::error::Cause;

/// Most values of a row: each is compared with all others on a device.
const LONGEST: usize = 1 << 18;

/// The `k` largest or smallest values along an axis, the best first, or where they stand.
///
/// Of equal values the first one comes first. A row with NaN has no order and becomes NaN as a whole.
/// A row has 2^18 values at most. On a device each value is compared with all others of its row, which
/// asks for no memory and suits rows of up to some ten thousand.
///
/// ```
/// use gapless::kernel::{Kernel, Spec, TopK};
/// let best = TopK::indices(0, 5).output(&[&Spec::floats(&[1000])])?;
/// assert_eq!(best, Spec::floats(&[5]));
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct TopK {
    axis: usize,
    k: usize,
    indices: bool,
    smallest: bool,
}

params! {
    /// Mirrors `Params` of `shaders/top_k.wgsl`.
    struct TopKParams {
        values: u32,
        len: u32,
        inner: u32,
        k: u32,
        smallest: u32,
        indices: u32,
    }
}

impl TopK {
    /// The values.
    pub fn values(axis: usize, k: usize) -> Self {
        Self { axis, k, indices: false, smallest: false }
    }

    /// Where they stand along the axis: whole numbers.
    pub fn indices(axis: usize, k: usize) -> Self {
        Self { axis, k, indices: true, smallest: false }
    }

    /// Whether the smallest values are meant; the largest ones by default.
    pub fn smallest(mut self, smallest: bool) -> Self {
        self.smallest = smallest;
        self
    }

    fn choose(&self, mut chosen: ArrayViewMut1<'_, f32>, row: ArrayView1<'_, f32>) {
        if row.iter().any(|value| value.is_nan()) {
            return chosen.fill(f32::NAN);
        }
        let mut order: Vec<usize> = (0..row.len()).collect();
        let ascending = |a: usize, b: usize| row[a].partial_cmp(&row[b]).unwrap_or(Ordering::Equal);
        // The sort is stable: equal values stay as they stand.
        order.sort_by(|&a, &b| if self.smallest { ascending(a, b) } else { ascending(b, a) });
        for (chosen, &place) in chosen.iter_mut().zip(&order) {
            *chosen = if self.indices { place as f32 } else { row[place] };
        }
    }
}

impl Kernel for TopK {
    fn name(&self) -> &str {
        "top_k"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        let x = rule::only_activation_with_axis(inputs, Some(self.axis))?;
        let len = x.shape[self.axis];
        if len > LONGEST {
            return Err(rule::misfit(
                "x",
                x,
                format!("up to 2^18 values along axis {} would fit", self.axis),
            ));
        }
        if !(1..=len).contains(&self.k) {
            return Err(Cause::msg(format!("k is {}; 1 to {len} would fit", self.k)));
        }
        let mut shape = x.shape.clone();
        shape[self.axis] = self.k;
        rule::output(&shape)
    }

    fn dispatch(&self, inputs: &[&Spec], _output: &Spec) -> Dispatch {
        let rows = Rows::along(&inputs[0].shape, self.axis);
        let params = TopKParams {
            values: inputs[0].len() as u32,
            len: rows.len as u32,
            inner: rows.inner as u32,
            k: self.k as u32,
            smallest: self.smallest.into(),
            indices: self.indices.into(),
        };
        Dispatch {
            kernel: "top_k".into(),
            source: wgsl!("top_k", "shared/linear", "shared/nan", "shared/nan_made").into(),
            constants: Vec::new(),
            workgroups: grid::cover(inputs[0].len(), 64),
            params: bytemuck::bytes_of(&params).to_vec(),
            needs: Needs::rounds(rounds::nested(&[rows.len])),
        }
    }

    fn twin(&self, inputs: &[Values<'_>], mut output: ArrayViewMutD<'_, f32>) {
        let (x, axis) = (inputs[0].floats(), Axis(self.axis));
        Zip::from(output.lanes_mut(axis)).and(x.lanes(axis)).for_each(|chosen, row| self.choose(chosen, row));
    }
}
