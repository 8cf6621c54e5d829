//! The mean of each window.

use super::params::wgsl;
use super::pool::{self, Pool};
use super::{Access, Dispatch, Kernel, Spec, Values, ValuesMut, grid};
use crate::error::Cause;

/// The mean of each window that slides over the last `N` axes, one to three: from
/// `[channels, height, width]` to the same with fewer places, where `N` is 2.
///
/// ```
/// use gapless::kernel::{AveragePool2d, Kernel, Spec};
/// let pool = AveragePool2d::new([2, 2]).stride([2, 2]);
/// assert_eq!(pool.output(&[&Spec::floats(&[64, 56, 56])])?, Spec::floats(&[64, 28, 28]));
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct AveragePool<const N: usize> {
    window: Pool<N>,
    include_pad: bool,
}

/// The mean of each window of `[channels, width]`.
pub type AveragePool1d = AveragePool<1>;
/// The mean of each window of `[channels, height, width]`.
pub type AveragePool2d = AveragePool<2>;
/// The mean of each window of `[channels, depth, height, width]`.
pub type AveragePool3d = AveragePool<3>;

impl<const N: usize> AveragePool<N> {
    /// A pool over windows of this size.
    pub fn new(kernel: [usize; N]) -> Self {
        Self { window: Pool::new(kernel), include_pad: false }
    }

    /// Steps of the window; 1 by default, 0 is an error.
    pub fn stride(mut self, stride: [usize; N]) -> Self {
        self.window.stride = stride;
        self
    }

    /// Padding before every axis, then after every axis: top, left, bottom and right where there are two;
    /// 0 by default. Another count of numbers does not compile.
    pub fn pads<const M: usize>(mut self, pads: [usize; M]) -> Self {
        [self.window.before, self.window.after] = pool::split(pads);
        self
    }

    /// Distance of the values of a window; 1 by default, 0 is an error.
    pub fn dilation(mut self, dilation: [usize; N]) -> Self {
        self.window.dilation = dilation;
        self
    }

    /// Whether a last window may go beyond the padding, if it starts in the input or before it; by default
    /// it may not.
    pub fn ceil_mode(mut self, ceil: bool) -> Self {
        self.window.ceil = ceil;
        self
    }

    /// Whether padding counts as zeros in the mean; by default the mean is over what lies in the input, and
    /// is NaN where nothing does. What lies beyond the padding never counts.
    pub fn count_include_pad(mut self, include: bool) -> Self {
        self.include_pad = include;
        self
    }
}

impl<const N: usize> Kernel for AveragePool<N> {
    fn name(&self) -> &'static str {
        "average_pool"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        self.window.output(inputs)
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        let params = self.window.params(inputs[0], output, u32::from(self.include_pad));
        Dispatch {
            kernel: "average_pool".into(),
            source: wgsl!("average_pool", "shared/bits", "shared/linear", "shared/window").into(),
            access: Access::ours(&["x"]),
            constants: Vec::new(),
            workgroups: grid::cover(output.len(), 64),
            params: bytemuck::bytes_of(&params).to_vec(),
            needs: self.window.needs(inputs[0]),
        }
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        let x = pool::view(inputs[0].floats());
        let mut output = pool::view_mut(output.floats());
        let mean = |sum: f64, [inside, padded]: [usize; 2]| {
            (sum / if self.include_pad { padded } else { inside } as f64) as f32
        };
        let (add, join) = (|sum, value| sum + f64::from(value), |sum: f64, other: f64| sum + other);
        for (x, output) in x.outer_iter().zip(output.outer_iter_mut()) {
            self.window.slide(x, output, 0.0, (add, join), mean);
        }
    }
}
