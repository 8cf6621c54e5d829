//! Windows that move over the axes behind the channels: sizes, steps and pads of one or two axes.

use crate::error::Cause;
use crate::onnx::call::Call;
use crate::onnx::shapes;

/// More is no size of a window, and would overflow where sizes are added.
const MOST: i64 = 1 << 30;

/// A window over axes behind the channels, in the order of these axes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spatial {
    pub(super) kernel: Vec<usize>,
    pub(super) stride: Vec<usize>,
    pub(super) dilation: Vec<usize>,
    pub(super) before: Vec<usize>,
    pub(super) after: Vec<usize>,
}

impl Spatial {
    /// Reads the attributes of a window of this size over axes of these lengths.
    pub(super) fn new(call: &Call<'_>, axes: &[usize], kernel: &[usize]) -> Result<Self, Cause> {
        let mut spatial = Self::without_pads(call, kernel)?;
        match call.text("auto_pad", "NOTSET")? {
            "NOTSET" => {
                let pads = sizes(call, "pads", 2 * kernel.len(), 0)?;
                let (before, after) = pads.split_at(kernel.len());
                (spatial.before, spatial.after) = (before.to_vec(), after.to_vec());
            }
            "VALID" => {}
            "SAME_UPPER" => spatial.pad_to_same(axes, true),
            "SAME_LOWER" => spatial.pad_to_same(axes, false),
            other => return Err(Cause::msg(format!("auto_pad {other:?} is not known"))),
        }
        Ok(spatial)
    }

    /// Reads strides and dilations, and leaves the pads at 0.
    pub(super) fn without_pads(call: &Call<'_>, kernel: &[usize]) -> Result<Self, Cause> {
        let axes = kernel.len();
        let given = call.ints("kernel_shape")?.map(shapes::lengths).transpose()?;
        if let Some(given) = given.filter(|given| given != kernel) {
            return Err(Cause::msg(format!("kernel_shape {given:?} is not that of the weight, {kernel:?}")));
        }
        Ok(Self {
            kernel: kernel.to_vec(),
            stride: at_least_1(sizes(call, "strides", axes, 1)?)?,
            dilation: at_least_1(sizes(call, "dilations", axes, 1)?)?,
            before: vec![0; axes],
            after: vec![0; axes],
        })
    }

    /// Pads so that there are as many windows as steps fit the axis; the odd pad comes after or before.
    fn pad_to_same(&mut self, axes: &[usize], upper: bool) {
        for (axis, &length) in axes.iter().enumerate() {
            let windows = length.div_ceil(self.stride[axis]);
            let reach = (windows.saturating_sub(1) * self.stride[axis]).saturating_add(self.reach(axis));
            let pads = reach.saturating_sub(length);
            let (less, more) = (pads / 2, pads - pads / 2);
            (self.before[axis], self.after[axis]) = if upper { (less, more) } else { (more, less) };
        }
    }

    /// What one window spans.
    pub(super) fn reach(&self, axis: usize) -> usize {
        (self.kernel[axis].saturating_sub(1)).saturating_mul(self.dilation[axis]).saturating_add(1)
    }

    /// How many windows there are on axes of these lengths, without a partial last one.
    pub(super) fn windows(&self, axes: &[usize]) -> Vec<usize> {
        let count = |(axis, &length): (usize, &usize)| {
            let room = length.saturating_add(self.before[axis]).saturating_add(self.after[axis]);
            room.checked_sub(self.reach(axis)).map_or(0, |steps| steps / self.stride[axis] + 1)
        };
        axes.iter().enumerate().map(count).collect()
    }

    /// Two numbers for kernels that know two axes; of one axis, the first of two is trivial.
    pub(super) fn pair(values: &[usize], trivial: usize) -> [usize; 2] {
        match *values {
            [one, other] => [one, other],
            [only] => [trivial, only],
            _ => [trivial; 2],
        }
    }

    pub(super) fn kernel<const N: usize>(&self) -> Result<[usize; N], Cause> {
        array(&self.kernel)
    }

    pub(super) fn stride<const N: usize>(&self) -> Result<[usize; N], Cause> {
        array(&self.stride)
    }

    pub(super) fn dilation<const N: usize>(&self) -> Result<[usize; N], Cause> {
        array(&self.dilation)
    }

    /// Pads before every axis, then after every axis; `M` is twice the number of axes.
    pub(super) fn all_pads<const M: usize>(&self) -> Result<[usize; M], Cause> {
        array(&[&self.before[..], &self.after].concat())
    }

    /// Pads at top, left, bottom and right.
    pub(super) fn pads(&self) -> [usize; 4] {
        let ([top, left], [bottom, right]) = (Self::pair(&self.before, 0), Self::pair(&self.after, 0));
        [top, left, bottom, right]
    }
}

/// A shape with one or two axes behind two others, as one with two.
pub(super) fn planes(shape: &[usize]) -> Result<[usize; 4], Cause> {
    match *shape {
        [n, c, h, w] => Ok([n, c, h, w]),
        [n, c, w] => Ok([n, c, 1, w]),
        _ => Err(Cause::msg(format!("{shape:?} has not one or two axes behind the channels"))),
    }
}

pub(super) fn array<const N: usize>(values: &[usize]) -> Result<[usize; N], Cause> {
    values.try_into().map_err(|_| Cause::msg(format!("{values:?} are not {N} sizes")))
}

/// An attribute of so many sizes.
pub(super) fn sizes(call: &Call<'_>, name: &str, count: usize, default: usize) -> Result<Vec<usize>, Cause> {
    let Some(values) = call.ints(name)? else { return Ok(vec![default; count]) };
    let fits = values.len() == count && values.iter().all(|value| (0..=MOST).contains(value));
    if fits { shapes::lengths(values) } else { Err(Cause::msg(format!("{name} are {values:?}"))) }
}

fn at_least_1(sizes: Vec<usize>) -> Result<Vec<usize>, Cause> {
    if sizes.contains(&0) { Err(Cause::msg("a stride or dilation is 0")) } else { Ok(sizes) }
}
