//! Convolution of planes.

mod twin;

use ndarray::ArrayViewMutD;

use super::clip::Clip;
use super::params::{params, wgsl};
use super::window::Window;
use super::{Dispatch, Kernel, Spec, Values, grid, rule};
use crate::error::Cause;

/// Convolution: x `[channels, height, width]`, the constants weight
/// `[outputs, channels / groups, kernel height, kernel width]` and, where there is one, bias
/// `[outputs]`, to `[outputs, height, width]`.
///
/// As in every network, it is a correlation: the kernel is not turned. Weights must be finite: padding
/// counts as zeros, and zero times infinity is NaN. On a device, groups of one channel run in a shader
/// of their own; the choice depends on the shapes alone.
///
/// ```
/// use gapless::kernel::{Conv2d, Kernel, Spec};
/// let conv = Conv2d::new().stride([2, 2]).pads([0, 0, 1, 1]).clip(0.0, 6.0);
/// let (x, weight, bias) = (Spec::floats(&[3, 224, 224]), Spec::constant(&[32, 3, 3, 3]), Spec::constant(&[32]));
/// assert_eq!(conv.output(&[&x, &weight, &bias])?, Spec::floats(&[32, 112, 112]));
///
/// let depthwise = Conv2d::new().groups(32).pads([1, 1, 1, 1]);
/// let (x, weight) = (Spec::floats(&[32, 112, 112]), Spec::constant(&[32, 1, 3, 3]));
/// assert_eq!(depthwise.output(&[&x, &weight])?, Spec::floats(&[32, 112, 112]));
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct Conv2d {
    stride: [usize; 2],
    pads: [usize; 4],
    dilation: [usize; 2],
    groups: usize,
    clip: Option<Clip>,
}

params! {
    /// Mirrors `Params` of `shaders/conv2d.wgsl` and `shaders/depthwise_conv2d.wgsl`.
    struct Conv2dParams {
        channels_in_group: u32,
        outputs_in_group: u32,
        height: u32,
        width: u32,
        out_width: u32,
        out_pixels: u32,
        in_len: u32,
        out_len: u32,
        kernel_height: u32,
        kernel_width: u32,
        stride_y: i32,
        stride_x: i32,
        pad_top: i32,
        pad_left: i32,
        dilation_y: i32,
        dilation_x: i32,
        channel_tiles: u32,
        pixel_tiles: u32,
        work: u32,
        clips: u32,
        low: f32,
        high: f32,
    }
}

/// Outputs and pixels that one invocation computes.
const TILE: usize = 4;

impl Default for Conv2d {
    fn default() -> Self {
        Self { stride: [1, 1], pads: [0; 4], dilation: [1, 1], groups: 1, clip: None }
    }
}

impl Conv2d {
    /// A convolution whose sizes are those of its inputs: stride 1, no pads, no dilation, one group.
    pub fn new() -> Self {
        Self::default()
    }

    /// Steps of the kernel in y and x; 1 by default, 0 is an error.
    pub fn stride(mut self, stride: [usize; 2]) -> Self {
        self.stride = stride;
        self
    }

    /// Zeros at top, left, bottom and right; 0 by default.
    pub fn pads(mut self, pads: [usize; 4]) -> Self {
        self.pads = pads;
        self
    }

    /// Distance of the kernel's values in y and x; 1 by default, 0 is an error.
    pub fn dilation(mut self, dilation: [usize; 2]) -> Self {
        self.dilation = dilation;
        self
    }

    /// Groups of channels that do not see each other; 1 by default, 0 is an error. As many as channels
    /// make the convolution depthwise.
    pub fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// Keeps every value of the output in this range, as [`Clip`] does, without a pass of its own; by
    /// default none. `clip(0.0, f32::INFINITY)` is ReLU.
    pub fn clip(mut self, low: f32, high: f32) -> Self {
        self.clip = Some(Clip::new(low, high));
        self
    }

    fn window(&self, kernel: [usize; 2]) -> Window {
        Window { kernel, stride: self.stride, pads: self.pads, dilation: self.dilation }
    }

    fn check_bias(inputs: &[&Spec], outputs: usize) -> Result<(), Cause> {
        let Some(bias) = inputs.get(2) else { return Ok(()) };
        let wanted = format!("[{outputs}]");
        if rule::constant("bias", bias, &wanted)? == [outputs] {
            return Ok(());
        }
        Err(rule::misfit("bias", bias, format!("an f32 constant {wanted} would fit")))
    }

    fn check_groups(&self, x: &Spec, weight: &Spec) -> Result<(), Cause> {
        let (channels, groups) = (x.shape[0], self.groups);
        if groups == 0 || !channels.is_multiple_of(groups) {
            let wanted = format!("a multiple of groups, {groups}, would fit as channels");
            return Err(rule::misfit("x", x, wanted));
        }
        let share = channels / groups;
        if weight.shape[1] == share && weight.shape[0].is_multiple_of(groups) {
            return Ok(());
        }
        let wanted = format!("[a multiple of {groups}, {share}, kernel height, kernel width] would fit");
        Err(rule::misfit("weight", weight, wanted))
    }

    fn params(&self, inputs: &[&Spec], output: &Spec) -> Conv2dParams {
        let (x, weight) = (&inputs[0].shape, &weight_shape(inputs));
        let (outputs_in_group, out_pixels) = (weight[0] / self.groups, output.shape[1] * output.shape[2]);
        let (channel_tiles, pixel_tiles) = (outputs_in_group.div_ceil(TILE), out_pixels.div_ceil(TILE));
        let [low, high] = self.clip.map_or([0.0; 2], |clip| clip.range());
        let tiles = if is_depthwise(inputs) { weight[0] } else { self.groups * channel_tiles };
        Conv2dParams {
            channels_in_group: weight[1] as u32,
            outputs_in_group: outputs_in_group as u32,
            height: x[1] as u32,
            width: x[2] as u32,
            out_width: output.shape[2] as u32,
            out_pixels: out_pixels as u32,
            in_len: inputs[0].len() as u32,
            out_len: output.len() as u32,
            kernel_height: weight[2] as u32,
            kernel_width: weight[3] as u32,
            stride_y: self.stride[0] as i32,
            stride_x: self.stride[1] as i32,
            pad_top: self.pads[0] as i32,
            pad_left: self.pads[1] as i32,
            dilation_y: self.dilation[0] as i32,
            dilation_x: self.dilation[1] as i32,
            channel_tiles: channel_tiles as u32,
            pixel_tiles: pixel_tiles as u32,
            work: (tiles * pixel_tiles) as u32,
            clips: u32::from(self.clip.is_some()),
            low,
            high,
        }
    }
}

fn weight_shape(inputs: &[&Spec]) -> [usize; 4] {
    inputs[1].shape[..].try_into().expect("the shape rule takes four axes")
}

/// Whether every group has one channel.
fn is_depthwise(inputs: &[&Spec]) -> bool {
    inputs[0].shape[0] > 1 && inputs[1].shape[1] == 1
}

/// The shader for these inputs, and its source.
fn variant(inputs: &[&Spec]) -> (&'static str, &'static str) {
    match (is_depthwise(inputs), inputs.len() == 3) {
        (false, true) => {
            ("conv2d", wgsl!("conv2d", "shared/bias", "shared/finish", "shared/linear", "shared/nan"))
        }
        (false, false) => {
            ("conv2d", wgsl!("conv2d", "shared/no_bias", "shared/finish", "shared/linear", "shared/nan"))
        }
        (true, true) => (
            "depthwise_conv2d",
            wgsl!("depthwise_conv2d", "shared/bias", "shared/finish", "shared/linear", "shared/nan"),
        ),
        (true, false) => (
            "depthwise_conv2d",
            wgsl!("depthwise_conv2d", "shared/no_bias", "shared/finish", "shared/linear", "shared/nan"),
        ),
    }
}

impl Kernel for Conv2d {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        let [x, weight] = match inputs {
            [x, weight, _bias] => [*x, *weight],
            _ => rule::take(inputs, ["x", "weight"])
                .map_err(|cause| Cause::msg(format!("{cause}; a bias may be third")))?,
        };
        self.clip.map_or(Ok(()), |clip| clip.check())?;
        let [_, height, width] = rule::activation("x", x, "[channels, height, width]")?;
        let axes = "[outputs, channels / groups, kernel height, kernel width]";
        let [outputs, _, kernel @ ..] = rule::constant::<4>("weight", weight, axes)?;
        self.check_groups(x, weight)?;
        Self::check_bias(inputs, outputs)?;
        let [out_height, out_width] = self.window(kernel).output([height, width])?;
        rule::output(&[outputs, out_height, out_width])
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        let params = self.params(inputs, output);
        let (kernel, source) = variant(inputs);
        Dispatch {
            kernel: kernel.into(),
            source: source.into(),
            constants: Vec::new(),
            workgroups: grid::cover(params.work as usize, 64),
            params: bytemuck::bytes_of(&params).to_vec(),
        }
    }

    fn twin(&self, inputs: &[Values<'_>], output: ArrayViewMutD<'_, f32>) {
        twin::run(self, inputs, output);
    }

    fn multiply_adds(&self, inputs: &[&Spec], output: &Spec) -> u64 {
        let [_, channels, height, width] = weight_shape(inputs);
        output.len() as u64 * (channels * height * width) as u64
    }
}
