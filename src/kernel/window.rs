//! A window that slides over the two last axes: what convolution needs of it.

use std::ops::Range;

use super::rule;
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

impl Window {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Window {
        fn new(kernel: [usize; 2]) -> Self {
            Self { kernel, stride: [1, 1], pads: [0; 4], dilation: [1, 1] }
        }
    }

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
