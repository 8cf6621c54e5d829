//! The largest value of each window.

use ndarray::{ArrayView2, ArrayViewMutD, Ix3};

use super::params::wgsl;
use super::window::Window;
use super::{Dispatch, Kernel, Spec, Values, grid};
use crate::error::Cause;

/// The largest value of each window: `[channels, height, width]` to the same with fewer places.
///
/// Padding is never the largest; NaN always is.
///
/// ```
/// use gapless::kernel::{Kernel, MaxPool2d, Spec};
/// let pool = MaxPool2d::new([3, 3]).stride([2, 2]).pads([1, 1, 1, 1]);
/// assert_eq!(pool.output(&[&Spec::floats(&[64, 112, 112])])?, Spec::floats(&[64, 56, 56]));
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct MaxPool2d {
    window: Window,
}

impl MaxPool2d {
    /// A pool over windows of this height and width.
    pub fn new(kernel: [usize; 2]) -> Self {
        Self { window: Window::new(kernel) }
    }

    /// Steps of the window in y and x; 1 by default, 0 is an error.
    pub fn stride(mut self, stride: [usize; 2]) -> Self {
        self.window.stride = stride;
        self
    }

    /// Padding at top, left, bottom and right; 0 by default, less than the kernel.
    pub fn pads(mut self, pads: [usize; 4]) -> Self {
        self.window.pads = pads;
        self
    }

    fn pool(&self, plane: ArrayView2<'_, f32>, place: [usize; 2]) -> f32 {
        let larger = |a: f32, b: f32| if a.is_nan() || a > b { a } else { b };
        self.window.values(plane, place).fold(f32::NEG_INFINITY, larger)
    }
}

impl Kernel for MaxPool2d {
    fn name(&self) -> &'static str {
        "max_pool2d"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        self.window.pool(inputs)
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        let params = self.window.pool_params(inputs[0], output, false);
        Dispatch {
            kernel: "max_pool2d".into(),
            source: wgsl!("max_pool2d", "shared/linear", "shared/nan").into(),
            constants: Vec::new(),
            workgroups: grid::cover(output.len(), 64),
            params: bytemuck::bytes_of(&params).to_vec(),
        }
    }

    fn twin(&self, inputs: &[Values<'_>], mut output: ArrayViewMutD<'_, f32>) {
        let x = inputs[0].floats().into_dimensionality::<Ix3>().expect("the shape rule takes three axes");
        for (plane, mut output) in x.outer_iter().zip(output.outer_iter_mut()) {
            for (place, value) in output.indexed_iter_mut() {
                *value = self.pool(plane, [place[0], place[1]]);
            }
        }
    }
}
