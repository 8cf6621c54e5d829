//! The twin of attention: the scores of one matrix at a time, as they are defined.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, ArrayViewMutD, ShapeBuilder};

use super::shape::{Shapes, steps};
use super::{Attention, Empty};
use crate::kernel::rearrange::View;
use crate::kernel::softmax::softmax;
use crate::kernel::{Spec, Values};

pub(super) fn run(kernel: &Attention, inputs: &[Values<'_>], mut output: ArrayViewMutD<'_, f32>) {
    let specs: Vec<Spec> = inputs.iter().map(|values| Spec::floats(values.shape())).collect();
    let shapes = kernel.shapes(&specs.iter().collect::<Vec<_>>()).expect("the shape rule took them");
    let Shapes { m, n, d, e, .. } = shapes;
    let inputs: Vec<_> = inputs.iter().map(|values| values.floats()).collect();
    let inputs: Vec<_> = inputs.iter().map(|values| values.as_standard_layout()).collect();
    let read = |index: usize| inputs[index].as_slice().expect("it was laid out");
    let written = output.as_slice_mut().expect("the memory of a tensor is in one piece");
    let mut written = written.chunks_exact_mut(m * e);
    let mut scores = Array2::zeros((m, n));
    for place in ndarray::indices(shapes.leading) {
        let place = [place.0, place.1, place.2, place.3];
        let of = |index: usize, sizes| matrix(read(index), &shapes.views[index], place, sizes);
        general_mat_mul(kernel.scale, &of(0, [m, d]), &of(1, [n, d]).t(), 0.0, &mut scores);
        if kernel.cap != 0.0 {
            scores.mapv_inplace(|score| kernel.cap * (score / kernel.cap).tanh());
        }
        if kernel.masked {
            scores += &of(3, [m, n]);
        }
        for (row, mut scores) in scores.rows_mut().into_iter().enumerate() {
            let end = if kernel.causal { (row + 1 + n).saturating_sub(m.min(n)).min(n) } else { n };
            scores.iter_mut().skip(end).for_each(|score| *score = f32::NEG_INFINITY);
            let unseen = scores.iter().all(|score| *score == f32::NEG_INFINITY);
            softmax(scores.view_mut());
            let zero = match kernel.empty {
                Empty::Nan => false,
                Empty::Zero => scores.iter().any(|share| share.is_nan()),
                Empty::ZeroIfUnseen => unseen,
            };
            if zero {
                scores.fill(0.0);
            }
        }
        let sums = written.next().expect("one for each place");
        let mut sums = ArrayViewMut2::from_shape((m, e), sums).expect("as many as it has");
        general_mat_mul(1.0, &scores, &of(2, [n, e]), 0.0, &mut sums);
    }
}

/// Where the matrix at this place of the leading axes starts, and how far rows and columns are apart.
fn start_of(view: &View, place: [usize; 4]) -> (usize, [usize; 2]) {
    let start = place.iter().zip(steps(view)).map(|(place, step)| place * step as usize).sum::<usize>();
    let axes = view.shape.len();
    let step = |axis: usize| if view.shape[axis] == 1 { 0 } else { view.strides[axis] as usize };
    (view.offset + start, [step(axes - 2), step(axes - 1)])
}

fn matrix<'a>(values: &'a [f32], view: &View, place: [usize; 4], sizes: [usize; 2]) -> ArrayView2<'a, f32> {
    let (start, [row, column]) = start_of(view, place);
    ArrayView2::from_shape(sizes.strides([row, column]), &values[start..]).expect("a view of its tensor")
}
