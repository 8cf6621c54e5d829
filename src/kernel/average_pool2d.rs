//! The mean of each window.

use ndarray::{ArrayView2, ArrayViewMutD, Ix3};

use super::params::wgsl;
use super::window::Window;
use super::{Dispatch, Kernel, Spec, Values, grid};
use crate::error::Cause;

/// The mean of each window: `[channels, height, width]` to the same with fewer places.
///
/// ```
/// use gapless::kernel::{AveragePool2d, Kernel, Spec};
/// let pool = AveragePool2d::new([2, 2]).stride([2, 2]);
/// assert_eq!(pool.output(&[&Spec::floats(&[64, 56, 56])])?, Spec::floats(&[64, 28, 28]));
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct AveragePool2d {
    window: Window,
    include_pad: bool,
}

impl AveragePool2d {
    /// A pool over windows of this height and width.
    pub fn new(kernel: [usize; 2]) -> Self {
        Self { window: Window::new(kernel), include_pad: false }
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

    /// Whether padding counts as zeros in the mean; by default the mean is over what lies in the input.
    pub fn count_include_pad(mut self, include: bool) -> Self {
        self.include_pad = include;
        self
    }

    fn pool(&self, plane: ArrayView2<'_, f32>, place: [usize; 2]) -> f32 {
        let values = self.window.values(plane, place);
        let inside = values.clone().count();
        let [height, width] = self.window.kernel;
        let count = if self.include_pad { height * width } else { inside };
        values.sum::<f32>() / count as f32
    }
}

impl Kernel for AveragePool2d {
    fn name(&self) -> &'static str {
        "average_pool2d"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        self.window.pool(inputs)
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        let params = self.window.pool_params(inputs[0], output, self.include_pad);
        Dispatch {
            kernel: "average_pool2d".into(),
            source: wgsl!("average_pool2d", "shared/linear").into(),
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
