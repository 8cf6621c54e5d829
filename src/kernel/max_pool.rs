//! The largest value of each window.

use ndarray::{ArrayView3, Axis};

use super::params::wgsl;
use super::pool::{self, Pool, Under};
use super::{Access, Dispatch, Kernel, Spec, Values, ValuesMut, grid};
use crate::error::Cause;

/// The largest value of each window that slides over the last `N` axes, one to three: from
/// `[channels, height, width]` to the same with fewer places, where `N` is 2.
///
/// Padding is never the largest; NaN always is. A window in the padding alone gives minus infinity.
///
/// ```
/// use gapless::kernel::{Kernel, MaxPool2d, Spec};
/// let pool = MaxPool2d::new([3, 3]).stride([2, 2]).pads([1, 1, 1, 1]);
/// assert_eq!(pool.output(&[&Spec::floats(&[64, 112, 112])])?, Spec::floats(&[64, 56, 56]));
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct MaxPool<const N: usize> {
    window: Pool<N>,
    gives: Gives,
}

/// The largest value of each window of `[channels, width]`.
pub type MaxPool1d = MaxPool<1>;
/// The largest value of each window of `[channels, height, width]`.
pub type MaxPool2d = MaxPool<2>;
/// The largest value of each window of `[channels, depth, height, width]`.
pub type MaxPool3d = MaxPool<3>;

/// The order in which [`MaxPool::indices`] numbers the places of a plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlaceOrder {
    /// The last axis runs first, as values lie in memory.
    RowMajor,
    /// The first axis of the plane runs first.
    ColumnMajor,
}

/// What of the largest value is given. The numbers are those of the shader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gives {
    Value = 0,
    RowMajor = 1,
    ColumnMajor = 2,
}

impl<const N: usize> MaxPool<N> {
    /// A pool over windows of this size.
    pub fn new(kernel: [usize; N]) -> Self {
        Self { window: Pool::new(kernel), gives: Gives::Value }
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

    /// Gives where the largest value is and not the value: the number of its place, counted through all
    /// channels, of the first one where several are equal. A window in the padding alone gives -1.
    ///
    /// The numbers are floats, which are exact up to 2^24.
    pub fn indices(mut self, order: PlaceOrder) -> Self {
        self.gives = match order {
            PlaceOrder::RowMajor => Gives::RowMajor,
            PlaceOrder::ColumnMajor => Gives::ColumnMajor,
        };
        self
    }

    fn number(&self, channel: usize, plane: [usize; 3], place: [usize; 3]) -> f32 {
        let ([depth, height, width], [z, y, x]) = (plane, place);
        // Axes that are not there are 1 long, so that either order is right for fewer axes.
        let place = match self.gives {
            Gives::ColumnMajor => (x * height + y) * depth + z,
            Gives::Value | Gives::RowMajor => (z * height + y) * width + x,
        };
        (channel * depth * height * width + place) as f32
    }
}

/// The larger of two values; NaN, if one is.
fn larger(one: f32, other: f32) -> f32 {
    if other > one || other.is_nan() { other } else { one }
}

/// Where the largest value under a window is, the first of several.
fn place_of_largest(plane: ArrayView3<'_, f32>, under: &Under) -> Option<[usize; 3]> {
    under.places().reduce(|at, place| {
        let (largest, value) = (plane[at], plane[place]);
        if !largest.is_nan() && (value.is_nan() || value > largest) { place } else { at }
    })
}

impl<const N: usize> Kernel for MaxPool<N> {
    fn name(&self) -> &'static str {
        "max_pool"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        self.window.output(inputs)
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        let params = self.window.params(inputs[0], output, self.gives as u32);
        Dispatch {
            kernel: "max_pool".into(),
            source: wgsl!("max_pool", "shared/bits", "shared/linear", "shared/nan", "shared/window").into(),
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
        let [_, plane @ ..] = [0, 1, 2, 3].map(|axis| x.len_of(Axis(axis)));
        for (channel, (x, mut output)) in x.outer_iter().zip(output.outer_iter_mut()).enumerate() {
            if let Gives::Value = self.gives {
                self.window.slide(x, output, f32::NEG_INFINITY, (larger, larger), |largest, _| largest);
                continue;
            }
            for ((z, y, x_place), value) in output.indexed_iter_mut() {
                let at = place_of_largest(x, &self.window.under([z, y, x_place], plane));
                *value = at.map_or(-1.0, |at| self.number(channel, plane, at));
            }
        }
    }
}
