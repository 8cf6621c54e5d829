//! A small network with every kind of kernel and fixed weights: what examples and benches run on photos.
//!
//! It classifies nothing; it costs what a small network costs, about 6 million multiply-adds a photo of
//! 224 × 224 pixels.

use gapless::gpu::TensorId;
use gapless::kernel::{
    AveragePool2d, Binary, Conv2d, FullyConnected, GlobalAveragePool, MaxPool2d, Normalize, Softmax, Spec,
    Unary,
};
use gapless::{Error, Gpu, Program};
use ndarray::{ArrayD, IxDyn};

/// Classes of its output `prob`.
const CLASSES: usize = 10;

/// u8 photos of [side, side, 3] in, `prob` of [10] and `features` of [32] out. `side` is at least 16.
pub(crate) fn small_network(gpu: &Gpu, side: usize) -> Result<Program, Error> {
    let mut net = Program::new(gpu);
    let photo = net.input("photo", Spec::bytes(&[side, side, 3]))?;
    let pixels = net.add(Normalize::new([127.0; 3], [128.0; 3]), &[photo])?;
    let stem =
        convolve(&mut net, "stem", Conv2d::new().stride([4, 4]).pads([0, 0, 1, 1]), pixels, [16, 3, 3, 3])?;
    let stem = net.add(Unary::relu(), &[stem])?;
    let depthwise = Conv2d::new().pads([1; 4]).groups(16);
    let deep = convolve(&mut net, "depthwise", depthwise, stem, [16, 1, 3, 3])?;
    let deep = net.add(Unary::clip(0.0, 6.0), &[deep])?;
    let deep = convolve(&mut net, "pointwise", Conv2d::new(), deep, [16, 16, 1, 1])?;
    let sum = net.add(Binary::add(), &[stem, deep])?;
    let wide = convolve(&mut net, "wide", Conv2d::new(), sum, [32, 16, 1, 1])?;
    let wide = net.add(Unary::clip(0.0, 6.0), &[wide])?;
    let half = net.add(MaxPool2d::new([3, 3]).stride([2, 2]).pads([0, 0, 1, 1]), &[wide])?;
    let grouped = convolve(&mut net, "grouped", Conv2d::new().pads([1; 4]).groups(4), half, [32, 8, 3, 3])?;
    let grouped = net.add(Unary::clip(0.0, 6.0), &[grouped])?;
    let quarter = net.add(AveragePool2d::new([2, 2]).stride([2, 2]), &[grouped])?;
    let features = net.add(GlobalAveragePool, &[quarter])?;
    let (weight, bias) =
        (constant(&mut net, "head.weight", &[CLASSES, 32])?, constant(&mut net, "head.bias", &[CLASSES])?);
    let scores = net.add(FullyConnected, &[features, weight, bias])?;
    let prob = net.add(Softmax::new(), &[scores])?;
    net.output("prob", prob)?;
    net.output("features", features)?;
    Ok(net)
}

fn convolve(
    net: &mut Program,
    name: &str,
    kernel: Conv2d,
    input: TensorId,
    weight: [usize; 4],
) -> Result<TensorId, Error> {
    let bias = constant(net, &format!("{name}.bias"), &weight[..1])?;
    let weight = constant(net, &format!("{name}.weight"), &weight)?;
    net.add(kernel, &[input, weight, bias])
}

/// Weights that look random and are the same everywhere; their size keeps the values of a layer near 1.
fn constant(net: &mut Program, name: &str, shape: &[usize]) -> Result<TensorId, Error> {
    let fan_in: usize = shape[1..].iter().product();
    let scale = (3.0 / fan_in.max(1) as f32).sqrt();
    let mut state =
        name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let values = ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 8) as f32 / (1 << 23) as f32 - 1.0) * scale
    });
    net.constant(name, values)
}
