//! The twin of the convolution: a product of matrices, or for one channel a group a walk along rows.
//!
//! A piece of the output is finished while it is in the processor's cache, and what a product needs is
//! put into columns a piece at a time, in memory that each thread keeps.

mod columns;
mod rows;

use std::cell::Cell;

use ndarray::{ArrayViewMutD, CowArray, IxDyn};

use super::Conv2d;
use crate::kernel::Values;
use crate::kernel::inputs::Inputs;
use crate::kernel::window::Window;

/// A convolution whose tensors lie in one piece each.
struct Work<'a> {
    window: Window,
    groups: usize,
    /// Channels that one output sees.
    share: usize,
    /// Height and width.
    size: [usize; 2],
    outputs: usize,
    out_size: [usize; 2],
    x: &'a [f32],
    weight: &'a [f32],
    bias: Option<&'a [f32]>,
    /// What follows, for values from this place of the output on.
    then: &'a dyn Fn(usize, &mut [f32]),
}

pub(super) fn run(
    conv: &Conv2d,
    inputs: &[Values<'_>],
    mut output: ArrayViewMutD<'_, f32>,
    then: &dyn Fn(usize, &mut [f32]),
) {
    let Inputs { one, other, bias } = Inputs::accepted(inputs);
    let (x, weight) = (laid_out(one), laid_out(other));
    let bias = bias.map(laid_out);
    let work = Work {
        window: conv.window([weight.shape()[2], weight.shape()[3]]),
        groups: conv.groups,
        share: weight.shape()[1],
        size: [x.shape()[1], x.shape()[2]],
        outputs: output.shape()[0],
        out_size: [output.shape()[1], output.shape()[2]],
        x: in_one_piece(&x),
        weight: in_one_piece(&weight),
        bias: bias.as_ref().map(in_one_piece),
        then,
    };
    match output.as_slice_mut() {
        Some(values) => work.run(values),
        None => {
            let mut values = vec![0.0; output.len()];
            work.run(&mut values);
            output.iter_mut().zip(values).for_each(|(place, value)| *place = value);
        }
    }
}

fn laid_out<'a>(values: &'a Values<'_>) -> CowArray<'a, f32, IxDyn> {
    match values {
        Values::F32(view) => view.as_standard_layout(),
        Values::U8(_) | Values::I32(_) => unreachable!("the shape rule takes floats"),
    }
}

fn in_one_piece<'a>(values: &'a CowArray<'_, f32, IxDyn>) -> &'a [f32] {
    values.as_slice().expect("it was laid out")
}

impl Work<'_> {
    fn run(&self, output: &mut [f32]) {
        if self.share == 1 && self.outputs > 1 && rows::suits(self) {
            rows::run(self, output);
        } else {
            columns::run(self, output);
        }
    }

    fn pixels(&self) -> usize {
        self.out_size[0] * self.out_size[1]
    }

    /// Turns the sums of one output, from this pixel on, into values.
    fn finish(&self, output: usize, first: usize, values: &mut [f32]) {
        if let Some(bias) = self.bias {
            let bias = bias[output];
            values.iter_mut().for_each(|value| *value += bias);
        }
        (self.then)(output * self.pixels() + first, values);
    }
}

/// Lends `len` floats of this thread's scratch memory; what lies in them is what lay there before.
fn with_scratch<R>(len: usize, run: impl FnOnce(&mut [f32]) -> R) -> R {
    thread_local! {
        static SCRATCH: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
    }
    let mut scratch = SCRATCH.take();
    if scratch.len() < len {
        scratch.resize(len, 0.0);
    }
    let result = run(&mut scratch[..len]);
    SCRATCH.set(scratch);
    result
}
