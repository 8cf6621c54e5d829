//! The window of a pool, over one to three axes: what the largest value and the mean have in common.

use std::ops::Range;

use ndarray::{
    Array1, ArrayView3, ArrayView4, ArrayViewD, ArrayViewMut3, ArrayViewMut4, ArrayViewMutD, Axis, Ix4, Zip,
    s,
};

use super::params::params;
use super::{Needs, Spec, rounds, rule};
use crate::error::Cause;

/// Size of the window, and how it slides over the last `N` axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pool<const N: usize> {
    pub(super) kernel: [usize; N],
    pub(super) stride: [usize; N],
    pub(super) before: [usize; N],
    pub(super) after: [usize; N],
    pub(super) dilation: [usize; N],
    pub(super) ceil: bool,
}

params! {
    /// Mirrors `Params` of `shaders/max_pool.wgsl` and `shaders/average_pool.wgsl`: channels and three axes,
    /// where a window has no size on the channels.
    struct PoolParams {
        input: [i32; 4],
        output: [u32; 4],
        kernel: [i32; 4],
        stride: [i32; 4],
        before: [i32; 4],
        after: [i32; 4],
        dilation: [i32; 4],
        in_len: u32,
        len: u32,
        mode: u32,
        unused: u32,
    }
}

/// The axes of an input by name.
pub(super) fn axes(count: usize) -> &'static str {
    ["", "[channels, width]", "[channels, height, width]", "[channels, depth, height, width]"][count]
}

/// The name of one of the last `count` axes.
pub(super) fn axis_name(count: usize, axis: usize) -> &'static str {
    ["depth", "height", "width"][3 - count + axis]
}

/// Values of the last axes with `first` for the channels and for axes that are not there.
pub(super) fn four<const N: usize>(first: usize, values: [usize; N]) -> [usize; 4] {
    let mut four = [first; 4];
    four[4 - N..].copy_from_slice(&values);
    four
}

/// The same for a shader. What a rule accepted is at most 2^30.
pub(super) fn signed(values: [usize; 4]) -> [i32; 4] {
    values.map(|value| value as i32)
}

/// Channels and three axes of a shape of channels and one to three axes.
pub(super) fn planes(shape: &[usize]) -> [usize; 4] {
    let mut planes = [1; 4];
    planes[0] = shape[0];
    planes[5 - shape.len()..].copy_from_slice(&shape[1..]);
    planes
}

/// A tensor of channels and one to three axes as one of three.
pub(super) fn view(x: ArrayViewD<'_, f32>) -> ArrayView4<'_, f32> {
    let missing = 4 - x.ndim();
    let x = (0..missing).fold(x, |x, _| x.insert_axis(Axis(1)));
    x.into_dimensionality::<Ix4>().expect("the shape rule takes up to three axes")
}

/// The same of what is written.
pub(super) fn view_mut(y: ArrayViewMutD<'_, f32>) -> ArrayViewMut4<'_, f32> {
    let missing = 4 - y.ndim();
    let y = (0..missing).fold(y, |y, _| y.insert_axis(Axis(1)));
    y.into_dimensionality::<Ix4>().expect("the shape rule takes up to three axes")
}

/// Pads as ONNX orders them: before every axis, then after every axis.
pub(super) fn split<const N: usize, const M: usize>(pads: [usize; M]) -> [[usize; N]; 2] {
    const { assert!(M == 2 * N, "pads are one number before and one after every axis") };
    [std::array::from_fn(|axis| pads[axis]), std::array::from_fn(|axis| pads[N + axis])]
}

impl<const N: usize> Pool<N> {
    pub(super) fn new(kernel: [usize; N]) -> Self {
        const { assert!(N >= 1 && N <= 3, "a window slides over one to three axes") };
        Self { kernel, stride: [1; N], before: [0; N], after: [0; N], dilation: [1; N], ceil: false }
    }

    /// The shape rule of a pool.
    pub(super) fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        let x = rule::only_activation(inputs)?;
        let sizes = [("kernel", self.kernel), ("stride", self.stride), ("dilation", self.dilation)];
        for (name, size) in sizes {
            if size.iter().any(|size| !(1..=rule::MOST).contains(size)) {
                return Err(Cause::msg(format!("{name} is {size:?}; 1 to 2^30 would fit")));
            }
        }
        if x.shape.len() != N + 1 {
            return Err(rule::misfit("x", x, format!("an f32 activation {} would fit", axes(N))));
        }
        let mut shape = x.shape.clone();
        for (axis, len) in shape[1..].iter_mut().enumerate() {
            *len = self.places(axis, *len)?;
        }
        rule::output(&shape)
    }

    /// How many places the window has on an axis of this length.
    fn places(&self, axis: usize, len: usize) -> Result<usize, Cause> {
        let (stride, before, after) = (self.stride[axis], self.before[axis], self.after[axis]);
        let padded = len.saturating_add(before).saturating_add(after);
        if padded > rule::MOST {
            let reason = format!("pads are {:?} and {:?}", self.before, self.after);
            return Err(Cause::msg(format!("{reason}; an axis up to 2^30 would fit")));
        }
        let extent = (self.kernel[axis] - 1).saturating_mul(self.dilation[axis]).saturating_add(1);
        let way = padded.saturating_add(stride).saturating_sub(extent);
        let places = if self.ceil { way.div_ceil(stride) } else { way / stride };
        if places == 0 {
            let name = axis_name(N, axis);
            let reason = format!("the {name} is {padded} with pads; {extent} or more would fit the kernel");
            return Err(Cause::msg(reason));
        }
        // A last window that would start behind the input is none.
        let starts_behind = self.ceil && (places - 1) * stride >= len + before;
        Ok(places - usize::from(starts_behind))
    }

    /// The parameters of a pool whose inputs were accepted.
    pub(super) fn params(&self, input: &Spec, output: &Spec, mode: u32) -> PoolParams {
        PoolParams {
            input: signed(planes(&input.shape)),
            output: planes(&output.shape).map(|len| len as u32),
            kernel: signed(four(1, self.kernel)),
            stride: signed(four(1, self.stride)),
            before: signed(four(0, self.before)),
            after: signed(four(0, self.after)),
            dilation: signed(four(1, self.dilation)),
            in_len: input.len() as u32,
            len: output.len() as u32,
            mode,
            unused: 0,
        }
    }

    /// What a shader needs that walks over a window.
    pub(super) fn needs(&self, input: &Spec) -> Needs {
        let ([_, plane @ ..], [_, kernel @ ..]) = (planes(&input.shape), four(1, self.kernel));
        let taps: [usize; 3] = std::array::from_fn(|axis| kernel[axis].min(plane[axis]));
        Needs::rounds(rounds::nested(&taps))
    }

    /// The places of the input under the window at `place`, of a plane with these three axes.
    pub(super) fn under(&self, place: [usize; 3], plane: [usize; 3]) -> Under {
        Under { axes: [0, 1, 2].map(|axis| self.along(axis, place[axis], plane[axis])) }
    }

    /// What the window at this place of one of three axes covers, of so many places of the input.
    fn along(&self, axis: usize, place: usize, len: usize) -> OneAxis {
        let [kernel, stride, dilation] =
            [self.kernel, self.stride, self.dilation].map(|size| four(1, size)[1 + axis]);
        let [before, after] = [self.before, self.after].map(|pads| four(0, pads)[1 + axis]);
        let start = place * stride;
        // The first part of the window that lies at `limit` or behind it.
        let part = |limit: usize| limit.saturating_sub(start).div_ceil(dilation).min(kernel);
        let (first, end) = (before, before + len);
        let at = |part: usize| (start + part * dilation).saturating_sub(before);
        let (from, to) = (part(first), part(end));
        OneAxis { places: at(from)..at(to), step: dilation, taps: to - from, padded: part(end + after) }
    }

    /// Joins the values under every window of a plane: of all rows that a row of windows covers first, which are long
    /// loops, then along these. `start` is what nothing gives, and `finish` has how many places a window covers, of
    /// the input alone and with its pads.
    pub(super) fn slide<T: Copy>(
        &self,
        plane: ArrayView3<'_, f32>,
        mut output: ArrayViewMut3<'_, f32>,
        start: T,
        (add, join): (impl Fn(T, f32) -> T, impl Fn(T, T) -> T),
        finish: impl Fn(T, [usize; 2]) -> f32,
    ) {
        let [depth, height, width] = [0, 1, 2].map(|axis| plane.len_of(Axis(axis)));
        let windows = |axis: usize, len: usize, places: usize| -> Vec<OneAxis> {
            (0..places).map(|place| self.along(axis, place, len)).collect()
        };
        let (z_places, y_places, x_places) = output.dim();
        let (zs, ys, xs) =
            (windows(0, depth, z_places), windows(1, height, y_places), windows(2, width, x_places));
        let mut joined = Array1::from_elem(width, start);
        for ((z, y), mut row) in
            (0..z_places).flat_map(|z| (0..y_places).map(move |y| (z, y))).zip(output.rows_mut())
        {
            joined.fill(start);
            for (z, y) in zs[z].places().flat_map(|z| ys[y].places().map(move |y| (z, y))) {
                let values = plane.slice(s![z, y, ..]);
                Zip::from(&mut joined).and(values).for_each(|joined, &value| *joined = add(*joined, value));
            }
            for (value, x) in row.iter_mut().zip(&xs) {
                let whole = x.places().fold(start, |whole, place| join(whole, joined[place]));
                let axes = [&zs[z], &ys[y], x];
                let count = |of: fn(&OneAxis) -> usize| axes.iter().map(|axis| of(axis)).product();
                *value = finish(whole, [count(|axis| axis.taps), count(|axis| axis.padded)]);
            }
        }
    }
}

impl OneAxis {
    /// The places, in order.
    fn places(&self) -> impl Iterator<Item = usize> + Clone {
        self.places.clone().step_by(self.step).take(self.taps)
    }
}

/// What a window covers of one axis.
#[derive(Clone, Debug)]
struct OneAxis {
    places: Range<usize>,
    step: usize,
    taps: usize,
    /// Parts of the window that lie in the input or in its pads.
    padded: usize,
}

/// What a window covers.
#[derive(Clone, Debug)]
pub(super) struct Under {
    axes: [OneAxis; 3],
}

impl Under {
    /// Places of the input, in order.
    pub(super) fn places(&self) -> impl Iterator<Item = [usize; 3]> + '_ {
        let [z, y, x] = [0, 1, 2].map(|axis| self.axes[axis].places());
        z.flat_map(move |z| {
            let x = x.clone();
            y.clone().flat_map(move |y| x.clone().map(move |x| [z, y, x]))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(pool: Pool<1>, len: usize) -> Result<usize, Cause> {
        pool.output(&[&Spec::floats(&[1, len])]).map(|spec| spec.shape[1])
    }

    #[test]
    fn the_ceiling_counts_windows_that_start_in_the_input_or_before_it() {
        let pool = Pool { stride: [2], ceil: true, ..Pool::new([3]) };
        assert_eq!(places(pool, 4).unwrap(), 2);
        assert_eq!(places(Pool { ceil: false, ..pool }, 4).unwrap(), 1);
        assert_eq!(places(Pool { stride: [3], before: [1], after: [1], ..pool }, 2).unwrap(), 1);
        assert_eq!(places(Pool { kernel: [1], ..pool }, 2).unwrap(), 1);
        assert_eq!(places(pool, 2).unwrap(), 1);
    }

    #[test]
    fn a_window_covers_what_a_search_finds() {
        for (kernel, stride, dilation, before, after, len) in [
            (3, 1, 1, 1, 1, 5),
            (2, 3, 3, 4, 0, 2),
            (5, 2, 2, 3, 9, 4),
            (1, 1, 7, 2, 2, 1),
            (4, 2, 1, 6, 6, 3),
        ] {
            let pool = Pool {
                kernel: [kernel],
                stride: [stride],
                before: [before],
                after: [after],
                dilation: [dilation],
                ceil: false,
            };
            for place in 0..places(pool, len).unwrap() {
                let taps = (0..kernel).map(|tap| place * stride + tap * dilation);
                let inside = taps.clone().filter(|tap| (before..before + len).contains(tap));
                let found: Vec<_> = inside.map(|tap| [0, 0, tap - before]).collect();
                let under = pool.under([0, 0, place], [1, 1, len]);
                assert_eq!(under.places().collect::<Vec<_>>(), found, "{pool:?} at {place}");
                let axis = pool.along(2, place, len);
                assert_eq!(axis.taps, found.len());
                let padded = taps.filter(|tap| *tap < before + len + after).count();
                assert_eq!(axis.padded, padded);
            }
        }
    }
}
