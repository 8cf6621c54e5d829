//! Places of an axis, by their numbers.

use ndarray::{ArrayViewD, ArrayViewMutD, Axis};

use super::ints::NONE;
use super::params::{params, wgsl};
use super::{Access, Dispatch, Kernel, Needs, Spec, Values, ValuesMut, grid, rule};
use crate::error::Cause;

/// The places of an axis of `data` that `indices` name: the axis is replaced by the axes of `indices`.
///
/// Indices are floats that are whole numbers. Those below 0 count from the end. One that is outside the
/// axis, or no whole number, gives NaN. Data and indices are activations or constants, of which one is an
/// activation at least; an axis is at most 2^24 long, up to which floats are exact.
///
/// ```
/// use gapless::kernel::{Gather, Kernel, Spec};
/// let (table, tokens) = (Spec::constant(&[30_522, 768]), Spec::floats(&[128]));
/// assert_eq!(Gather::new(0).output(&[&table, &tokens])?, Spec::floats(&[128, 768]));
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Gather {
    axis: usize,
}

params! {
    /// Mirrors `Params` of `shaders/gather.wgsl`. A step is the way from one item to the next: 0 for a constant.
    struct GatherParams {
        axis: u32,
        inner: u32,
        indices: u32,
        data_step: u32,
        indices_step: u32,
        len: u32,
    }
}

/// Up to here every whole number is a float.
pub(super) const EXACT: usize = 1 << 24;

impl Gather {
    /// Places of this axis, which counts from 0.
    pub fn new(axis: usize) -> Self {
        Self { axis }
    }
}

/// The place that an index names on an axis of this length.
pub(super) fn place(index: f32, len: usize) -> Option<usize> {
    let whole = index.fract() == 0.0 && index.abs() <= EXACT as f32;
    whole.then(|| counted(index as i64, len)).flatten()
}

/// The same for a whole number.
pub(super) fn counted(index: i64, len: usize) -> Option<usize> {
    let index = if index < 0 { index + len as i64 } else { index };
    usize::try_from(index).ok().filter(|place| *place < len)
}

impl Kernel for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        let [data, indices] = rule::take(inputs, ["data", "indices"])?;
        rule::values("data", data)?;
        rule::values("indices", indices)?;
        rule::any_activation(inputs)?;
        match data.shape.get(self.axis) {
            None => {
                let wanted = format!("more than {} axes would fit the axis {0}", self.axis);
                Err(rule::misfit("data", data, wanted))
            }
            Some(&len) if len > EXACT => {
                Err(rule::misfit("data", data, format!("up to 2^24 places on axis {} would fit", self.axis)))
            }
            Some(_) => {
                let (before, after) = data.shape.split_at(self.axis);
                rule::output_like(data, &[before, &indices.shape, &after[1..]].concat())
            }
        }
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        let [data, indices] = [inputs[0], inputs[1]];
        let step = |input: &Spec| if input.batched { input.len() as u32 } else { 0 };
        let params = GatherParams {
            axis: data.shape[self.axis] as u32,
            inner: data.shape[self.axis + 1..].iter().product::<usize>() as u32,
            indices: indices.len() as u32,
            data_step: step(data),
            indices_step: step(indices),
            len: output.len() as u32,
        };
        Dispatch {
            kernel: "gather".into(),
            source: wgsl!("gather", "shared/each_value", "shared/linear").into(),
            access: Access::ours(&["data", "indices"]),
            constants: Vec::new(),
            workgroups: grid::cover(output.len(), 256),
            params: bytemuck::bytes_of(&params).to_vec(),
            needs: Needs::default(),
        }
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        let len = inputs[0].shape()[self.axis];
        let places: Vec<Option<usize>> = match &inputs[1] {
            Values::I32(indices) => indices.iter().map(|&index| counted(index.into(), len)).collect(),
            indices => indices.floats().iter().map(|&index| place(index, len)).collect(),
        };
        match (&inputs[0], output) {
            (Values::I32(data), ValuesMut::I32(y)) => self.gather(data, &places, NONE, y),
            (data, y) => self.gather(&data.floats(), &places, f32::NAN, y.floats()),
        }
    }
}

impl Gather {
    fn gather<T: Copy>(
        &self,
        data: &ArrayViewD<'_, T>,
        places: &[Option<usize>],
        none: T,
        mut output: ArrayViewMutD<'_, T>,
    ) {
        let (before, after) = data.shape().split_at(self.axis);
        let shape = [before, &[places.len()], &after[1..]].concat();
        let mut output = output.view_mut().into_shape_with_order(shape).expect("an output is in order");
        for (mut part, index) in output.axis_iter_mut(Axis(self.axis)).zip(places) {
            match *index {
                Some(place) => part.assign(&data.index_axis(Axis(self.axis), place)),
                None => part.fill(none),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn an_index_counts_from_either_end_or_names_nothing() {
        let found = [-4.0, -3.0, -0.0, 2.0, 3.0, 0.5, f32::NAN, f32::INFINITY, -1e30].map(|at| place(at, 3));
        assert_eq!(found, [None, Some(0), Some(0), Some(2), None, None, None, None, None]);
    }
}
