//! Convolution of planes.

mod few;
mod joined;
mod shaders;
mod strip;
mod twin;

use super::inputs::Inputs;
use super::params::params;
use super::product::{Factors, Tiling};
use super::window::Window;
use super::{Dispatch, Element, ItemEpilogue, Kernel, Spec, Values, ValuesMut, rule};
use crate::error::Cause;

/// Convolution: x `[channels, height, width]`, the constants weight
/// `[outputs, channels / groups, kernel height, kernel width]` and, where there is one, bias
/// `[outputs]`, to `[outputs, height, width]`. The weight may be of f16 or i8. What is done to each value behind it, such as
/// the sum with another activation, needs no pass of its own.
///
/// As in every network, it is a correlation: the kernel is not turned. Weights must be finite: padding
/// counts as zeros, and zero times infinity is NaN. On a device, groups of one channel run in a shader
/// of their own; the choice depends on the shapes alone.
///
/// ```
/// use gapless::kernel::{Conv2d, Kernel, Spec};
/// let conv = Conv2d::new().stride([2, 2]).pads([0, 0, 1, 1]);
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
}

params! {
    /// Mirrors `Params` of `shaders/conv2d*.wgsl` and `shaders/depthwise_conv2d*.wgsl`.
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
        tiles_down: u32,
        tiles_across: u32,
        work: u32,
        }
}

impl Default for Conv2d {
    fn default() -> Self {
        Self { stride: [1, 1], pads: [0; 4], dilation: [1, 1], groups: 1 }
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

    fn window(&self, kernel: [usize; 2]) -> Window {
        Window { kernel, stride: self.stride, pads: self.pads, dilation: self.dilation }
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

    fn params(&self, inputs: &[&Spec], output: &Spec, tiles: [usize; 2]) -> Conv2dParams {
        let (x, weight) = (&inputs[0].shape, &weight_shape(inputs));
        let (outputs_in_group, out_pixels) = (weight[0] / self.groups, output.shape[1] * output.shape[2]);
        // A shader with one channel a group cuts each output, any other each group.
        let cut = if is_depthwise(inputs) { weight[0] } else { self.groups };
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
            tiles_down: tiles[0] as u32,
            tiles_across: tiles[1] as u32,
            work: (cut * tiles[0] * tiles[1]) as u32,
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

impl Kernel for Conv2d {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        let taken = Inputs::take(inputs, ["x", "weight"])?;
        let (x, weight) = (taken.one, taken.other);
        let [_, height, width] = rule::activation("x", x, "[channels, height, width]")?;
        let axes = "[outputs, channels / groups, kernel height, kernel width]";
        let [outputs, _, kernel @ ..] = rule::weight::<4>("weight", weight, axes)?;
        self.check_groups(x, weight)?;
        taken.check_bias(outputs)?;
        let [out_height, out_width] = self.window(kernel).output([height, width])?;
        rule::output(&[outputs, out_height, out_width])
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        if is_depthwise(inputs) {
            return self.depthwise(inputs, output);
        }
        self.as_product(inputs, output, Tiling::Plain)
    }

    fn variants(&self, inputs: &[&Spec], output: &Spec) -> Vec<Dispatch> {
        if is_depthwise(inputs) {
            let plain = self.depthwise(inputs, output);
            return [plain].into_iter().chain(self.by_strips(inputs, output)).collect();
        }
        let [outputs, channels, height, width] = weight_shape(inputs);
        let sizes = [outputs / self.groups, output.shape[1] * output.shape[2], channels * height * width];
        let vectors = self.is_pointwise(inputs) && channels.is_multiple_of(4) && sizes[1].is_multiple_of(4);
        let halves = inputs[1].element == Element::F16;
        let factors = Factors { halves, vectors, rows_over_items: false, columns_over_items: true };
        let mut tiled =
            Tiling::for_sizes(sizes, factors).map(|tiling| self.as_product(inputs, output, tiling));
        let plain = tiled.next();
        plain.into_iter().chain(few::variants(self, inputs, output)).chain(tiled).collect()
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        self.twin_with_epilogue(inputs, 0, output, &ItemEpilogue::nothing());
    }

    fn twin_with_epilogue(
        &self,
        inputs: &[Values<'_>],
        place: usize,
        output: ValuesMut<'_>,
        epilogue: &ItemEpilogue<'_>,
    ) {
        twin::run(self, inputs, output.floats(), &|at, values| epilogue.apply(place + at, values));
    }

    fn multiply_adds(&self, inputs: &[&Spec], output: &Spec) -> u64 {
        let [_, channels, height, width] = weight_shape(inputs);
        output.len() as u64 * (channels * height * width) as u64
    }
}
