//! A window that slides over the two last axes: what convolution and pooling have in common.

use std::ops::Range;

use ndarray::ArrayView2;

use super::params::params;
use super::{Spec, rule};
use crate::error::Cause;

/// Size of the window, and how it slides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) kernel: [usize; 2],
    pub(super) stride: [usize; 2],
    /// Top, left, bottom, right.
    pub(super) pads: [usize; 4],
    pub(super) dilation: [usize; 2],
}

params! {
    /// Mirrors `Params` of `shaders/max_pool2d.wgsl` and `shaders/average_pool2d.wgsl`.
    struct PoolParams {
        channels: u32,
        height: u32,
        width: u32,
        out_height: u32,
        out_width: u32,
        kernel_height: u32,
        kernel_width: u32,
        stride_y: u32,
        stride_x: u32,
        pad_top: u32,
        pad_left: u32,
        include_pad: u32,
    }
}

impl Window {
    pub(super) fn new(kernel: [usize; 2]) -> Self {
        Self { kernel, stride: [1, 1], pads: [0; 4], dilation: [1, 1] }
    }

    /// Height and width of the output for an input of this height and width.
    pub(super) fn output(&self, input: [usize; 2]) -> Result<[usize; 2], Cause> {
        let sizes = [("kernel", self.kernel), ("stride", self.stride), ("dilation", self.dilation)];
        for (name, size) in sizes {
            if size.iter().any(|size| !(1..=rule::MOST).contains(size)) {
                return Err(Cause::msg(format!("{name} is {size:?}; 1 to 2^30 would fit")));
            }
        }
        Ok([self.output_axis(0, input[0])?, self.output_axis(1, input[1])?])
    }

    fn output_axis(&self, axis: usize, input: usize) -> Result<usize, Cause> {
        let padded = input.saturating_add(self.pads[axis]).saturating_add(self.pads[axis + 2]);
        if padded > rule::MOST {
            return Err(Cause::msg(format!("pads are {:?}; an axis up to 2^30 would fit", self.pads)));
        }
        let extent = (self.kernel[axis] - 1).saturating_mul(self.dilation[axis]).saturating_add(1);
        match padded.checked_sub(extent) {
            Some(way) => Ok(way / self.stride[axis] + 1),
            None => {
                let name = ["height", "width"][axis];
                let reason =
                    format!("the {name} is {padded} with pads; {extent} or more would fit the kernel");
                Err(Cause::msg(reason))
            }
        }
    }

    /// The shape rule of a pool: `[channels, height, width]` to the same with fewer places.
    pub(super) fn pool(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        let [x] = rule::take(inputs, ["x"])?;
        let [channels, height, width] = rule::activation("x", x, "[channels, height, width]")?;
        let [out_height, out_width] = self.output([height, width])?;
        self.touches_input()?;
        rule::output(&[channels, out_height, out_width])
    }

    /// The parameters of a pool whose inputs were accepted.
    pub(super) fn pool_params(&self, input: &Spec, output: &Spec, include_pad: bool) -> PoolParams {
        let number = |size: usize| size as u32;
        PoolParams {
            channels: number(input.shape[0]),
            height: number(input.shape[1]),
            width: number(input.shape[2]),
            out_height: number(output.shape[1]),
            out_width: number(output.shape[2]),
            kernel_height: number(self.kernel[0]),
            kernel_width: number(self.kernel[1]),
            stride_y: number(self.stride[0]),
            stride_x: number(self.stride[1]),
            pad_top: number(self.pads[0]),
            pad_left: number(self.pads[1]),
            include_pad: u32::from(include_pad),
        }
    }

    /// Checks that no window lies in the padding alone: what a pool of nothing gives is not defined.
    pub(super) fn touches_input(&self) -> Result<(), Cause> {
        let [height, width] = self.kernel;
        let fits = self.pads.iter().zip([height, width, height, width]).all(|(&pad, size)| pad < size);
        if fits {
            return Ok(());
        }
        Err(Cause::msg(format!("pads are {:?}; less than the kernel {:?} would fit", self.pads, self.kernel)))
    }

    /// Places in the output, of `output` on this axis, whose window has its part `tap` inside the input.
    pub(super) fn inside(&self, axis: usize, tap: usize, input: usize, output: usize) -> Range<usize> {
        let (stride, pad, shift) = (self.stride[axis], self.pads[axis], tap * self.dilation[axis]);
        let first = pad.saturating_sub(shift).div_ceil(stride).min(output);
        let end = (input + pad).saturating_sub(shift).div_ceil(stride).min(output);
        first..end.max(first)
    }

    /// Where part `tap` of the window at `place` lies in the input. The place is one of [`Self::inside`].
    pub(super) fn source(&self, axis: usize, tap: usize, place: usize) -> usize {
        place * self.stride[axis] + tap * self.dilation[axis] - self.pads[axis]
    }

    /// The values under the window at `place`, without the padding. Only without dilation.
    pub(super) fn values<'a>(
        &self,
        plane: ArrayView2<'a, f32>,
        place: [usize; 2],
    ) -> impl Iterator<Item = f32> + Clone + 'a {
        let (height, width) = plane.dim();
        let columns = self.covers(1, place[1], width);
        self.covers(0, place[0], height)
            .flat_map(move |row| columns.clone().map(move |column| plane[[row, column]]))
    }

    /// What part of the input the window at `place` covers. Only without dilation.
    fn covers(&self, axis: usize, place: usize, input: usize) -> Range<usize> {
        let start = place * self.stride[axis];
        let end = (start + self.kernel[axis]).saturating_sub(self.pads[axis]).min(input);
        start.saturating_sub(self.pads[axis])..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window() -> Window {
        Window { stride: [2, 2], pads: [0, 0, 1, 1], ..Window::new([3, 3]) }
    }

    #[test]
    fn the_output_counts_the_places_of_the_window() {
        assert_eq!(window().output([224, 7]).unwrap(), [112, 3]);
        assert_eq!(Window { dilation: [2, 1], ..window() }.output([4, 2]).unwrap(), [1, 1]);
    }

    #[test]
    fn sizes_that_cannot_work_are_errors_and_no_panics() {
        let broken = [
            Window { stride: [0, 1], ..window() },
            Window { dilation: [1, 0], ..window() },
            Window { pads: [usize::MAX, 0, usize::MAX, 0], ..window() },
            Window { dilation: [usize::MAX, 1], ..window() },
            Window::new([0, 3]),
            Window::new([1 << 30, 1 << 30]),
        ];
        for window in broken {
            assert!(window.output([9, 9]).is_err(), "{window:?}");
        }
        let error = Window::new([5, 5]).output([5, 3]).unwrap_err().to_string();
        assert_eq!(error, "the width is 3 with pads; 5 or more would fit the kernel");
    }

    #[test]
    fn what_is_inside_is_what_a_search_finds() {
        for (stride, pad, dilation, tap, input) in
            [(1, 1, 1, 0, 5), (2, 3, 2, 1, 4), (3, 0, 1, 2, 7), (5, 2, 3, 0, 1)]
        {
            let window =
                Window { kernel: [3; 2], stride: [stride; 2], pads: [pad; 4], dilation: [dilation; 2] };
            let place = |place: &usize| {
                let source = place * stride + tap * dilation;
                (pad..input + pad).contains(&source)
            };
            let found: Vec<usize> = (0..9).filter(place).collect();
            assert_eq!(window.inside(0, tap, input, 9).collect::<Vec<_>>(), found);
        }
    }
}
