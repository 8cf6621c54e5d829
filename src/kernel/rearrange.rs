//! Values in another order: transposed, cut out, repeated, in windows.

mod view;

pub(crate) use self::view::View;
pub(super) use self::view::{MOST_AXES, check_axes, strides};
use ndarray::{ArrayViewD, ArrayViewMutD};

use super::params::{params, wgsl};
use super::{Access, Dispatch, Epilogue, Kernel, Needs, Spec, Values, ValuesMut, grid, rounds, rule};
use crate::error::Cause;

/// The values of a tensor of up to eight axes in another order: transposed, cut out or repeated.
///
/// ```
/// use gapless::kernel::{Kernel, Rearrange, Spec};
/// let x = Spec::floats(&[224, 224, 3]);
/// assert_eq!(Rearrange::transpose([2, 0, 1]).output(&[&x])?, Spec::floats(&[3, 224, 224]));
///
/// // Every second row from the last one on, without the columns at the ends.
/// let cut = Rearrange::slice([223, 1, 0], [-1, 223, 3], [-2, 1, 1]);
/// assert_eq!(cut.output(&[&x])?, Spec::floats(&[112, 222, 3]));
///
/// let row = Spec::floats(&[1, 3]);
/// assert_eq!(Rearrange::expand([8, 5, 3]).output(&[&row])?, Spec::floats(&[8, 5, 3]));
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Rearrange {
    order: Order,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Order {
    Copy,
    Transpose(Vec<usize>),
    Slice([Vec<i64>; 3]),
    Expand(Vec<usize>),
    Windows { axis: usize, count: usize, stride: usize, size: usize, dilation: usize },
}

params! {
    /// Mirrors `Params` of `shaders/rearrange.wgsl`.
    struct RearrangeParams {
        shape: [u32; 8],
        strides: [i32; 8],
        offset: i32,
        axes: u32,
        in_len: u32,
        len: u32,
    }
}

impl Rearrange {
    /// Every value where it is: a copy.
    pub fn copy() -> Self {
        Self { order: Order::Copy }
    }

    /// Axis `i` of the output is axis `perm[i]` of the input. Anything but every axis once is an error.
    pub fn transpose(perm: impl Into<Vec<usize>>) -> Self {
        Self { order: Order::Transpose(perm.into()) }
    }

    /// On every axis the places from its start on in steps, up to its end without it.
    ///
    /// There is one number an axis. Places count from 0, and a step may be less than 0: then the axis is
    /// read backwards, and an end of -1 reads the first place too. Names of places from the end of an axis
    /// are the caller's to resolve: a start outside the axis, an end that leaves nothing or lies past the
    /// axis, and a step of 0 are errors.
    pub fn slice(starts: impl Into<Vec<i64>>, ends: impl Into<Vec<i64>>, steps: impl Into<Vec<i64>>) -> Self {
        Self { order: Order::Slice([starts.into(), ends.into(), steps.into()]) }
    }

    /// The values repeated to this shape: axes of 1 may get longer, and axes may be put in front.
    pub fn expand(shape: impl Into<Vec<usize>>) -> Self {
        Self { order: Order::Expand(shape.into()) }
    }

    /// Of this axis `count` windows that may overlap, `stride` apart, each of `size` places, `dilation` apart: the axis
    /// becomes two of these lengths. Windows that reach beyond the axis are an error.
    ///
    /// ```
    /// use gapless::kernel::{Kernel, Rearrange, Spec};
    /// let frames = Spec::floats(&[3, 16, 112, 112]);
    /// let three_each = Rearrange::windows(1, [14, 1], [3, 1]).output(&[&frames])?;
    /// assert_eq!(three_each, Spec::floats(&[3, 14, 3, 112, 112]));
    /// # Ok::<(), gapless::Cause>(())
    /// ```
    pub fn windows(axis: usize, [count, stride]: [usize; 2], [size, dilation]: [usize; 2]) -> Self {
        Self { order: Order::Windows { axis, count, stride, size, dilation } }
    }

    fn view(&self, shape: &[usize]) -> Result<View, Cause> {
        self.of(&View::whole(shape))
    }

    /// The same of a tensor that is seen through a view already.
    pub(crate) fn of(&self, view: &View) -> Result<View, Cause> {
        match &self.order {
            Order::Copy => Ok(view.clone()),
            Order::Transpose(perm) => view.transpose(perm),
            Order::Slice([starts, ends, steps]) => view.slice([starts, ends, steps]),
            Order::Expand(wanted) => view.expand(wanted),
            &Order::Windows { axis, count, stride, size, dilation } => {
                view.windows(axis, [count, stride], [size, dilation])
            }
        }
    }

    /// What follows a kernel, and then this order of the last value, in which the values have this shape.
    ///
    /// # Errors
    /// Why it cannot follow in the same pass.
    pub fn behind(&self, epilogue: Epilogue, shape: &[usize]) -> Result<Epilogue, &'static str> {
        epilogue.turned(self.turned(shape).ok_or("it leaves values out or repeats some")?)
    }

    /// Where each value of the input goes in the output, if every one goes to one place.
    fn turned(&self, output: &[usize]) -> Option<View> {
        let whole = View::whole(output);
        match &self.order {
            Order::Copy => Some(whole),
            Order::Transpose(perm) => {
                let mut view = whole.clone();
                for (place, &axis) in perm.iter().enumerate() {
                    (view.shape[axis], view.strides[axis]) = (output[place], whole.strides[place]);
                }
                Some(view)
            }
            Order::Slice(_) | Order::Expand(_) | Order::Windows { .. } => None,
        }
    }

    fn params(&self, x: &Spec, output: &Spec) -> RearrangeParams {
        let view = self.view(&x.shape).expect("the shape rule made this view").collapsed();
        let mut params = RearrangeParams {
            shape: [1; MOST_AXES],
            strides: [0; MOST_AXES],
            offset: view.offset as i32,
            axes: view.shape.len() as u32,
            in_len: x.len() as u32,
            len: output.len() as u32,
        };
        for (axis, (&len, &stride)) in view.shape.iter().zip(&view.strides).enumerate() {
            params.shape[axis] = len as u32;
            params.strides[axis] = stride as i32;
        }
        params
    }
}

impl Kernel for Rearrange {
    fn name(&self) -> &'static str {
        "rearrange"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        let x = rule::only_values(inputs)?;
        check_axes("x", &x.shape)?;
        let view = self.view(&x.shape)?;
        check_axes("the output", &view.shape)?;
        rule::output_like(x, &view.shape)
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        let params = self.params(inputs[0], output);
        Dispatch {
            kernel: "rearrange".into(),
            source: wgsl!("rearrange", "shared/each_value", "shared/linear").into(),
            access: Access::ours(&["x"]),
            constants: Vec::new(),
            workgroups: grid::cover(output.len(), 256),
            params: bytemuck::bytes_of(&params).to_vec(),
            needs: Needs::rounds(rounds::nested(&[MOST_AXES])),
        }
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        match (&inputs[0], output) {
            (Values::I32(x), ValuesMut::I32(y)) => self.rearrange(x, y),
            (x, y) => self.rearrange(&x.floats(), y.floats()),
        }
    }
}

impl Rearrange {
    fn rearrange<T: Copy>(&self, x: &ArrayViewD<'_, T>, mut output: ArrayViewMutD<'_, T>) {
        let view = self.view(x.shape()).expect("the shape rule made this view").collapsed();
        let x = x.as_standard_layout();
        let (x, mut y) = (x.as_slice().expect("it is in order"), output.iter_mut());
        let (len, stride) = (view.shape.last().map_or(1, |&len| len), view.strides.last().map_or(0, |&s| s));
        view.rows(|start| {
            let row = (0..len as i64).map(|place| x[(start as i64 + place * stride) as usize]);
            row.zip(y.by_ref().take(len)).for_each(|(x, y)| *y = x);
        });
    }
}
