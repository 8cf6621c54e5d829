//! Slices of a tensor, by their coordinates.

use ndarray::{ArrayViewD, ArrayViewMutD};

use super::gather::{EXACT, counted, place};
use super::ints::NONE;
use super::params::{params, wgsl};
use super::{Access, Dispatch, Kernel, Needs, Spec, Values, ValuesMut, grid, rounds, rule};
use crate::error::Cause;

/// The slices of `data` at the coordinates that the last axis of `indices` has, as the ONNX operator `GatherND` gives
/// them.
///
/// Data is `[batch.., axes.., slice..]`, indices are `[batch.., places.., coordinates]`, with a coordinate for each of
/// the axes, and the output is `[batch.., places.., slice..]`. As for [`Gather`](super::Gather), indices are whole
/// numbers or floats that are such, those below 0 count from the end, one that is outside of its axis gives NaN, and one
/// of the two is an activation at least.
///
/// ```
/// use gapless::kernel::{GatherNd, Kernel, Spec};
/// let (scores, best) = (Spec::floats(&[300, 80]), Spec::ints(&[100, 2]));
/// assert_eq!(GatherNd::new(0).output(&[&scores, &best])?, Spec::floats(&[100]));
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct GatherNd {
    batch_axes: usize,
}

/// Most coordinates of a slice.
const MOST: usize = 8;

params! {
    /// Mirrors `Params` of `shaders/gather_nd.wgsl`. A step is the way from one item to the next: 0 for a constant.
    struct GatherNdParams {
        axes: [[u32; 4]; 2],
        depth: u32,
        inner: u32,
        each: u32,
        span: u32,
        data_step: u32,
        indices_step: u32,
        len: u32,
        unused: u32,
    }
}

impl GatherNd {
    /// So many axes come first that data and indices have together.
    pub fn new(batch_axes: usize) -> Self {
        Self { batch_axes }
    }

    /// Axes that coordinates are of, those behind them, and those of places.
    fn split<'a>(&self, data: &'a [usize], indices: &'a [usize]) -> [&'a [usize]; 3] {
        let (places, depth) = indices.split_at(indices.len() - 1);
        let (axes, inner) = data[self.batch_axes..].split_at(depth[0]);
        [axes, inner, &places[self.batch_axes..]]
    }
}

impl Kernel for GatherNd {
    fn name(&self) -> &str {
        "gather_nd"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        let [data, indices] = rule::take(inputs, ["data", "indices"])?;
        rule::values("data", data)?;
        rule::values("indices", indices)?;
        rule::any_activation(inputs)?;
        let batch = self.batch_axes;
        if data.shape.len() <= batch
            || indices.shape.len() <= batch
            || data.shape[..batch] != indices.shape[..batch]
        {
            let wanted = format!("the first {batch} axes of data, {:?}, and more would fit", data.shape);
            return Err(rule::misfit("indices", indices, wanted));
        }
        let depth = indices.shape[indices.shape.len() - 1];
        if !(1..=MOST.min(data.shape.len() - batch)).contains(&depth) {
            let wanted =
                format!("1 to {} coordinates would fit {:?}", MOST.min(data.shape.len() - batch), data.shape);
            return Err(rule::misfit("indices", indices, wanted));
        }
        let [axes, inner, places] = self.split(&data.shape, &indices.shape);
        if axes.iter().any(|&axis| axis > EXACT) {
            return Err(rule::misfit("data", data, "axes of up to 2^24 places would fit"));
        }
        rule::output_like(data, &[&data.shape[..batch], places, inner].concat())
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        let [data, indices] = [inputs[0], inputs[1]];
        let [axes, inner, places] = self.split(&data.shape, &indices.shape);
        let product = |axes: &[usize]| axes.iter().product::<usize>() as u32;
        let mut params = GatherNdParams {
            axes: [[1; 4]; 2],
            depth: axes.len() as u32,
            inner: product(inner),
            each: product(places),
            span: product(axes) * product(inner),
            data_step: rule::step(data),
            indices_step: rule::step(indices),
            len: output.len() as u32,
            unused: 0,
        };
        let places = params.axes.as_flattened_mut().iter_mut();
        places.zip(axes).for_each(|(place, &axis)| *place = axis as u32);
        Dispatch {
            kernel: "gather_nd".into(),
            source: wgsl!("gather_nd", "shared/each_value", "shared/linear").into(),
            access: Access::ours(&["data", "indices"]),
            constants: Vec::new(),
            workgroups: grid::cover(output.len(), 256),
            params: bytemuck::bytes_of(&params).to_vec(),
            needs: Needs::rounds(rounds::nested(&[MOST])),
        }
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        let [axes, inner, places] = self.split(inputs[0].shape(), inputs[1].shape());
        let product = |axes: &[usize]| axes.iter().product::<usize>();
        let axis = |number: usize| axes[number % axes.len()];
        let coordinates: Vec<Option<usize>> = match &inputs[1] {
            Values::I32(indices) => indices
                .iter()
                .enumerate()
                .map(|(number, &index)| counted(index.into(), axis(number)))
                .collect(),
            indices => {
                let indices = indices.floats();
                indices.iter().enumerate().map(|(number, &index)| place(index, axis(number))).collect()
            }
        };
        let row = |row: &[Option<usize>]| {
            row.iter().zip(axes).try_fold(0, |row, (place, axis)| place.map(|place| row * axis + place))
        };
        let rows = coordinates.chunks(axes.len()).map(row).enumerate();
        // Where each slice starts, counted in slices.
        let starts = rows.map(|(which, row)| row.map(|row| which / product(places) * product(axes) + row));
        let (starts, len) = (starts.collect::<Vec<_>>(), product(inner));
        match (&inputs[0], output) {
            (Values::I32(data), ValuesMut::I32(y)) => gather(data, &starts, len, NONE, y),
            (data, y) => gather(&data.floats(), &starts, len, f32::NAN, y.floats()),
        }
    }
}

fn gather<T: Copy>(
    data: &ArrayViewD<'_, T>,
    starts: &[Option<usize>],
    len: usize,
    none: T,
    mut output: ArrayViewMutD<'_, T>,
) {
    let data = data.as_standard_layout();
    let data = data.as_slice().expect("it is in order");
    let values = starts
        .iter()
        .flat_map(|start| (0..len).map(move |place| start.map_or(none, |start| data[start * len + place])));
    output.iter_mut().zip(values).for_each(|(y, value)| *y = value);
}
