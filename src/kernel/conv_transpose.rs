//! Transposed convolution: every value spreads a kernel over the output.

mod twin;

use super::inputs::Inputs;
use super::params::{params, wgsl};
use super::pool::{axes, axis_name, four, planes, signed, split};
use super::{Access, Dispatch, Kernel, Needs, Spec, Values, ValuesMut, grid, rounds, rule};
use crate::error::Cause;

/// Transposed convolution over the last `N` axes, one to three: x `[channels, height, width]`, the
/// constants weight `[channels, outputs / groups, kernel height, kernel width]` and, where there is one,
/// bias `[outputs]`, to `[outputs, height, width]`, where `N` is 2.
///
/// An axis of the output is `stride * (input - 1) + dilation * (kernel - 1) + 1` long, without the pads and
/// with the padding of the output.
///
/// ```
/// use gapless::kernel::{ConvTranspose2d, Kernel, Spec};
/// let double = ConvTranspose2d::new().stride([2, 2]).pads([1, 1, 1, 1]);
/// let (x, weight) = (Spec::floats(&[64, 14, 14]), Spec::constant(&[64, 32, 4, 4]));
/// assert_eq!(double.output(&[&x, &weight])?, Spec::floats(&[32, 28, 28]));
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct ConvTranspose<const N: usize> {
    stride: [usize; N],
    before: [usize; N],
    after: [usize; N],
    dilation: [usize; N],
    output_padding: [usize; N],
    groups: usize,
}

/// Transposed convolution of `[channels, width]`.
pub type ConvTranspose1d = ConvTranspose<1>;
/// Transposed convolution of `[channels, height, width]`.
pub type ConvTranspose2d = ConvTranspose<2>;
/// Transposed convolution of `[channels, depth, height, width]`.
pub type ConvTranspose3d = ConvTranspose<3>;

params! {
    /// Mirrors `Params` of `shaders/conv_transpose.wgsl`: channels of a group and three axes.
    struct ConvTransposeParams {
        input: [i32; 4],
        output: [i32; 4],
        kernel: [i32; 4],
        stride: [i32; 4],
        before: [i32; 4],
        dilation: [i32; 4],
        in_len: u32,
        len: u32,
        tiles: u32,
        work: u32,
    }
}

/// Outputs that one invocation computes.
const TILE: usize = 4;

impl<const N: usize> Default for ConvTranspose<N> {
    fn default() -> Self {
        const { assert!(N >= 1 && N <= 3, "a kernel slides over one to three axes") };
        Self {
            stride: [1; N],
            before: [0; N],
            after: [0; N],
            dilation: [1; N],
            output_padding: [0; N],
            groups: 1,
        }
    }
}

impl<const N: usize> ConvTranspose<N> {
    /// A transposed convolution whose sizes are those of its inputs: stride 1, no pads, no dilation, one
    /// group.
    pub fn new() -> Self {
        Self::default()
    }

    /// Steps in the output from one value of the input to the next; 1 by default, 0 is an error.
    pub fn stride(mut self, stride: [usize; N]) -> Self {
        self.stride = stride;
        self
    }

    /// Places cut off the output before every axis, then after every axis: top, left, bottom and right
    /// where there are two; 0 by default. Another count of numbers does not compile.
    pub fn pads<const M: usize>(mut self, pads: [usize; M]) -> Self {
        [self.before, self.after] = split(pads);
        self
    }

    /// Distance of the kernel's values; 1 by default, 0 is an error.
    pub fn dilation(mut self, dilation: [usize; N]) -> Self {
        self.dilation = dilation;
        self
    }

    /// Places added after every axis of the output; 0 by default. What no kernel reaches is the bias.
    pub fn output_padding(mut self, padding: [usize; N]) -> Self {
        self.output_padding = padding;
        self
    }

    /// Groups of channels that do not see each other; 1 by default, 0 is an error.
    pub fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// Places of the output on an axis.
    fn places(&self, axis: usize, input: usize, kernel: usize) -> Result<usize, Cause> {
        let full = (input - 1)
            .saturating_mul(self.stride[axis])
            .saturating_add((kernel - 1).saturating_mul(self.dilation[axis]))
            .saturating_add(self.output_padding[axis])
            .saturating_add(1);
        let (name, pads) = (axis_name(N, axis), [self.before[axis], self.after[axis]]);
        if full > rule::MOST {
            return Err(Cause::msg(format!("the {name} would be {full} without pads; up to 2^30 would fit")));
        }
        let cut = pads[0].saturating_add(pads[1]);
        full.checked_sub(cut).filter(|places| *places > 0).ok_or_else(|| {
            Cause::msg(format!(
                "pads of {pads:?} leave nothing of the {name} {full}; less than {full} would fit"
            ))
        })
    }

    fn check_sizes(&self) -> Result<(), Cause> {
        for (name, size) in [("stride", self.stride), ("dilation", self.dilation)] {
            if size.iter().any(|size| !(1..=rule::MOST).contains(size)) {
                return Err(Cause::msg(format!("{name} is {size:?}; 1 to 2^30 would fit")));
            }
        }
        Ok(())
    }

    /// Checks x and weight against each other, and gives the number of outputs.
    fn check_channels(&self, x: &Spec, weight: &Spec) -> Result<usize, Cause> {
        let (channels, groups) = (x.shape[0], self.groups);
        if groups == 0 || !channels.is_multiple_of(groups) {
            return Err(rule::misfit(
                "x",
                x,
                format!("a multiple of groups, {groups}, would fit as channels"),
            ));
        }
        if weight.batched || weight.shape.len() != N + 2 || weight.shape[0] != channels {
            let sizes = axes(N).trim_start_matches("[channels, ");
            let wanted =
                format!("an f32 constant [{channels}, outputs / groups, {sizes} of the kernel would fit");
            return Err(rule::misfit("weight", weight, wanted));
        }
        Ok(weight.shape[1].saturating_mul(groups))
    }

    fn params(&self, inputs: &[&Spec], output: &Spec) -> ConvTransposeParams {
        let (weight, [outputs, place @ ..]) = (&inputs[1].shape, planes(&output.shape));
        let outputs_in_group = outputs / self.groups;
        let tiles = outputs_in_group.div_ceil(TILE);
        let (mut input, [_, kernel @ ..]) = (planes(&inputs[0].shape), planes(&weight[1..]));
        input[0] /= self.groups;
        let work = self.groups * tiles * place.iter().product::<usize>();
        ConvTransposeParams {
            input: signed(input),
            output: signed(four(outputs_in_group, place)),
            kernel: signed(four(1, kernel)),
            stride: signed(four(1, self.stride)),
            before: signed(four(0, self.before)),
            dilation: signed(four(1, self.dilation)),
            in_len: inputs[0].len() as u32,
            len: output.len() as u32,
            tiles: tiles as u32,
            work: work as u32,
        }
    }
}

impl<const N: usize> Kernel for ConvTranspose<N> {
    fn name(&self) -> &'static str {
        "conv_transpose"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        let taken = Inputs::take(inputs, ["x", "weight"])?;
        self.check_sizes()?;
        for (name, input) in ["x", "weight", "bias"].into_iter().zip(inputs) {
            rule::floats(name, input)?;
        }
        let x = taken.one;
        if !x.batched || x.shape.len() != N + 1 {
            return Err(rule::misfit("x", x, format!("an f32 activation {} would fit", axes(N))));
        }
        let outputs = self.check_channels(x, taken.other)?;
        taken.check_bias(outputs)?;
        let mut shape = vec![outputs];
        for axis in 0..N {
            shape.push(self.places(axis, x.shape[axis + 1], inputs[1].shape[axis + 2])?);
        }
        rule::output(&shape)
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        let params = self.params(inputs, output);
        let [_, depth, height, width] = planes(&inputs[1].shape[1..]);
        let loops = [depth, height, width, inputs[0].shape[0] / self.groups];
        Dispatch {
            kernel: "conv_transpose".into(),
            source: wgsl!("conv_transpose", "shared/linear", "shared/finish4").into(),
            access: Access::first(&["x", "weight", "bias"], inputs.len()),
            constants: Vec::new(),
            workgroups: grid::cover(params.work as usize, 64),
            params: bytemuck::bytes_of(&params).to_vec(),
            needs: Needs::rounds(rounds::nested(&loops)),
        }
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        let output = output.floats();
        twin::run(self, inputs, output);
    }

    fn multiply_adds(&self, inputs: &[&Spec], _output: &Spec) -> u64 {
        let taps: usize = inputs[1].shape[1..].iter().product();
        inputs[0].len() as u64 * taps as u64
    }
}
