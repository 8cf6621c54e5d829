//! The twin of the matrix product: one product of `ndarray` a matrix of the output.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewD, ArrayViewMut2, ArrayViewMutD, Axis, Dimension as _, IxDyn};

use super::MatMul;
use crate::kernel::Values;
use crate::kernel::inputs::Inputs;

pub(super) fn run(product: &MatMul, inputs: &[Values<'_>], mut output: ArrayViewMutD<'_, f32>) {
    let shape = output.shape().to_vec();
    let Inputs { one, other, bias } = Inputs::accepted(inputs);
    let (a, b, bias) = (one.floats(), other.floats(), bias.map(Values::floats));
    let (a, b) = (broadcast(&a, &shape), broadcast(&b, &shape));
    let leading = IxDyn(&shape[..shape.len() - 2]);
    for place in ndarray::indices(leading) {
        let a = at(a.view(), &place, product.transpose_a);
        let b = at(b.view(), &place, product.transpose_b);
        let target = output.view_mut();
        let target = place.slice().iter().fold(target, |view, &index| view.index_axis_move(Axis(0), index));
        let target: ArrayViewMut2<'_, f32> = target.into_dimensionality().expect("two axes are left");
        multiply(a, b, bias.as_ref(), target);
    }
}

/// The tensor with the leading axes of the output.
fn broadcast<'a>(tensor: &'a ArrayViewD<'_, f32>, output: &[usize]) -> ArrayViewD<'a, f32> {
    let matrix = &tensor.shape()[tensor.ndim() - 2..];
    let shape = [&output[..output.len() - 2], matrix].concat();
    tensor.broadcast(IxDyn(&shape)).expect("the shape rule takes what can be broadcast")
}

/// The matrix at this place of the leading axes.
fn at<'a>(tensor: ArrayViewD<'a, f32>, place: &IxDyn, transpose: bool) -> ArrayView2<'a, f32> {
    let matrix = place.slice().iter().fold(tensor, |view, &index| view.index_axis_move(Axis(0), index));
    let matrix: ArrayView2<'a, f32> = matrix.into_dimensionality().expect("two axes are left");
    if transpose { matrix.reversed_axes() } else { matrix }
}

fn multiply(
    a: ArrayView2<'_, f32>,
    b: ArrayView2<'_, f32>,
    bias: Option<&ArrayViewD<'_, f32>>,
    mut target: ArrayViewMut2<'_, f32>,
) {
    general_mat_mul(1.0, &a, &b, 0.0, &mut target);
    if let Some(bias) = bias {
        target += bias;
    }
}
