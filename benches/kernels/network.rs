//! The kernels of EfficientNet-Lite0, with weights that keep its values in a useful range.

use gapless::gpu::TensorId;
use gapless::kernel::{Binary, Conv2d, FullyConnected, GlobalAveragePool, Softmax, Spec, Unary};
use gapless::{Error, Gpu, Program};
use ndarray::{ArrayD, IxDyn};

/// Repeats, kernel, stride of the first, channels that each channel expands to, and outputs.
const BLOCKS: [[usize; 5]; 7] = [
    [1, 3, 1, 1, 16],
    [2, 3, 2, 6, 24],
    [2, 5, 2, 6, 40],
    [3, 3, 2, 6, 80],
    [3, 5, 1, 6, 112],
    [4, 5, 2, 6, 192],
    [1, 3, 1, 6, 320],
];

/// What an item of the network is.
pub(crate) const SHAPE: [usize; 3] = [3, 224, 224];

/// A network while it is built.
struct Builder {
    net: Program,
    channels: usize,
    side: usize,
    numbers: u64,
    constants: usize,
}

/// One convolution: `groups` is 1 or the number of channels.
struct Layer {
    outputs: usize,
    kernel: usize,
    stride: usize,
    groups: usize,
    clips: bool,
}

impl Layer {
    fn pointwise(outputs: usize) -> Self {
        Self { outputs, kernel: 1, stride: 1, groups: 1, clips: true }
    }
}

impl Builder {
    fn floats(&mut self, shape: &[usize], scale: f32) -> ArrayD<f32> {
        ArrayD::from_shape_simple_fn(IxDyn(shape), || {
            self.numbers = self.numbers.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((self.numbers >> 40) as f32 / (1 << 23) as f32 - 1.0) * scale
        })
    }

    /// The pads of a window that gives `ceil(side / stride)` places: the odd one comes after.
    fn convolution(
        &mut self,
        x: TensorId,
        layer: &Layer,
        residual: Option<TensorId>,
    ) -> Result<TensorId, Error> {
        let Layer { outputs, kernel, stride, groups, clips } = *layer;
        let share = self.channels / groups;
        let outside = self.side.div_ceil(stride);
        let pad = ((outside - 1) * stride + kernel).saturating_sub(self.side);
        let (before, after) = (pad / 2, pad - pad / 2);
        let conv = Conv2d::new().stride([stride; 2]).pads([before, before, after, after]).groups(groups);
        let scale = (3.0 / (share * kernel * kernel) as f32).sqrt();
        let weight = self.floats(&[outputs, share, kernel, kernel], scale);
        let bias = self.floats(&[outputs], 0.5);
        let inputs = [x, self.constant(weight)?, self.constant(bias)?];
        (self.channels, self.side) = (outputs, outside);
        let mut y = self.net.add(conv, &inputs)?;
        if let Some(residual) = residual {
            y = self.net.add(Binary::add(), &[y, residual])?;
        }
        if clips { self.net.add(Unary::clip(0.0, 6.0), &[y]) } else { Ok(y) }
    }

    fn constant(&mut self, values: ArrayD<f32>) -> Result<TensorId, Error> {
        self.constants += 1;
        let name = format!("constant {}", self.constants);
        self.net.constant(&name, values)
    }

    fn block(&mut self, before: TensorId, block: [usize; 5], first: bool) -> Result<TensorId, Error> {
        let [_, kernel, stride, expansion, outputs] = block;
        let (stride, mut x) = (if first { stride } else { 1 }, before);
        let residual = (!first && self.channels == outputs).then_some(before);
        if expansion > 1 {
            x = self.convolution(x, &Layer::pointwise(self.channels * expansion), None)?;
        }
        let channels = self.channels;
        let depthwise = Layer { outputs: channels, kernel, stride, groups: channels, clips: true };
        x = self.convolution(x, &depthwise, None)?;
        self.convolution(x, &Layer { clips: false, ..Layer::pointwise(outputs) }, residual)
    }

    fn classifier(&mut self, x: TensorId) -> Result<TensorId, Error> {
        let mean = self.net.add(GlobalAveragePool::new(), &[x])?;
        let weight = self.floats(&[1000, self.channels], 0.1);
        let bias = self.floats(&[1000], 0.5);
        let inputs = [mean, self.constant(weight)?, self.constant(bias)?];
        let logits = self.net.add(FullyConnected::new(), &inputs)?;
        self.net.add(Softmax::new(), &[logits])
    }
}

/// The network, not yet open. Its output is `prob`.
pub(crate) fn lite0(gpu: &Gpu) -> Result<Program, Error> {
    let mut builder =
        Builder { net: Program::new(gpu).depth(1), channels: 3, side: 224, numbers: 7, constants: 0 };
    let photo = builder.net.input("photo", Spec::floats(&SHAPE))?;
    let stem = Layer { outputs: 32, kernel: 3, stride: 2, groups: 1, clips: true };
    let mut x = builder.convolution(photo, &stem, None)?;
    for block in BLOCKS {
        for repeat in 0..block[0] {
            x = builder.block(x, block, repeat == 0)?;
        }
    }
    x = builder.convolution(x, &Layer::pointwise(1280), None)?;
    let prob = builder.classifier(x)?;
    builder.net.output("prob", prob)?;
    Ok(builder.net)
}
