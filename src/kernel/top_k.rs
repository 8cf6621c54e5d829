//! The largest or smallest values, in order.

use std::cmp::Ordering;

use ndarray::{ArrayView1, ArrayViewMut1, Axis, Zip};

use super::lanes::Rows;
use super::params::{params, wgsl};
use super::{Access, Dispatch, Kernel, Needs, Spec, Values, ValuesMut, grid, rounds, rule};
use crate::error::Cause;

/// Most values of a row: one workgroup has all of them.
const LONGEST: usize = 1 << 18;
/// So many values are sooner compared with each other than counted.
const SHORT: usize = 512;
/// Invocations of a workgroup that selects.
const WIDTH: usize = 256;

/// The `k` largest or smallest values along an axis, the best first, or where they stand.
///
/// Of equal values the first one comes first. A row with NaN has no order and becomes NaN as a whole.
/// A row has 2^18 values at most. On a device the values of a row up to 512 are compared with each other; of a longer
/// one a workgroup finds the last one that is chosen digit by digit, and sorts what comes before it. On software
/// Vulkan 300 of 25,200 values take 7 ms so, 300 of 200,000 take 37 ms, and all of these in order 0.5 s.
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
    /// Mirrors `Params` of `shaders/top_k.wgsl` and `shaders/top_k_select.wgsl`.
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
        // Of equal values, of which no two stand at the same place, the first one comes first.
        let in_order = |&a: &usize, &b: &usize| {
            let [one, other] = if self.smallest { [row[a], row[b]] } else { [row[b], row[a]] };
            one.partial_cmp(&other).unwrap_or(Ordering::Equal).then(a.cmp(&b))
        };
        if self.k < order.len() {
            order.select_nth_unstable_by(self.k, in_order);
            order.truncate(self.k);
        }
        order.sort_unstable_by(in_order);
        for (chosen, &place) in chosen.iter_mut().zip(&order) {
            *chosen = if self.indices { place as f32 } else { row[place] };
        }
    }
}

impl TopK {
    /// Finds the last value that is chosen digit by digit, then sorts those that come before it.
    fn selected(&self, rows: &Rows, params: Vec<u8>) -> Dispatch {
        let walk = rows.len.div_ceil(WIDTH);
        let (powers, pairs) = (self.k.next_power_of_two().ilog2() as usize, self.k.next_power_of_two() / 2);
        let loops = [
            rounds::nested(&[7, walk]),
            // Counts are added up in eight steps for each of seven digits.
            rounds::nested(&[7, 8]),
            rounds::nested(&[walk]),
            rounds::nested(&[powers, powers, pairs.div_ceil(4 * WIDTH)]),
            rounds::nested(&[self.k.div_ceil(WIDTH)]),
        ];
        Dispatch {
            kernel: "top_k_select".into(),
            source: wgsl!("top_k_select", "shared/linear", "shared/nan", "shared/nan_made").into(),
            access: Access::ours(&["x"]),
            constants: Vec::new(),
            workgroups: grid::fold(rows.count() as u32),
            params,
            needs: Needs { rounds: rounds::all(&loops), ..Needs::workgroup_bytes(4 * (2 * 256 + 5)) },
        }
    }
}

/// Compares every value with all others of its row.
fn compared(rows: &Rows, params: Vec<u8>) -> Dispatch {
    let values = rows.count() * rows.len;
    Dispatch {
        kernel: "top_k".into(),
        source: wgsl!("top_k", "shared/linear", "shared/nan", "shared/nan_made").into(),
        access: Access::ours(&["x"]),
        constants: Vec::new(),
        workgroups: grid::cover(values, 64),
        params,
        needs: Needs::rounds(rounds::nested(&[rows.len])),
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
        let params = bytemuck::bytes_of(&params).to_vec();
        if rows.len > SHORT { self.selected(&rows, params) } else { compared(&rows, params) }
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        let mut output = output.floats();
        let (x, axis) = (inputs[0].floats(), Axis(self.axis));
        Zip::from(output.lanes_mut(axis)).and(x.lanes(axis)).for_each(|chosen, row| self.choose(chosen, row));
    }
}
