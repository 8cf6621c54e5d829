//! Places of an axis, by their numbers.

use ndarray::{ArrayViewMutD, Axis};

use super::params::{params, wgsl};
use super::{Dispatch, Kernel, Needs, Spec, Values, grid, rule};
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
fn place(index: f32, len: usize) -> Option<usize> {
    let whole = index.is_finite() && index.fract() == 0.0;
    let index = if index < 0.0 { f64::from(index) + len as f64 } else { f64::from(index) };
    (whole && (0.0..len as f64).contains(&index)).then_some(index as usize)
}

impl Kernel for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        let [data, indices] = rule::take(inputs, ["data", "indices"])?;
        rule::floats("data", data)?;
        rule::floats("indices", indices)?;
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
                rule::output(&[before, &indices.shape, &after[1..]].concat())
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
            source: wgsl!("gather", "shared/bits", "shared/linear").into(),
            constants: Vec::new(),
            workgroups: grid::cover(output.len(), 256),
            params: bytemuck::bytes_of(&params).to_vec(),
            needs: Needs::default(),
        }
    }

    fn twin(&self, inputs: &[Values<'_>], mut output: ArrayViewMutD<'_, f32>) {
        let (data, indices) = (inputs[0].floats(), inputs[1].floats());
        let (before, after) = data.shape().split_at(self.axis);
        let shape = [before, &[indices.len()], &after[1..]].concat();
        let mut output = output.view_mut().into_shape_with_order(shape).expect("an output is in order");
        for (mut part, &index) in output.axis_iter_mut(Axis(self.axis)).zip(&indices) {
            match place(index, after[0]) {
                Some(place) => part.assign(&data.index_axis(Axis(self.axis), place)),
                None => part.fill(f32::NAN),
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
