//! A small network with every kernel in it, and weights from a formula: what is measured is its speed.

use gapless::kernel::{
    Add, AveragePool2d, Clip, Conv2d, FullyConnected, GlobalAveragePool, MaxPool2d, Normalize, Relu, Softmax,
    Spec,
};
use gapless::{Error, Gpu, Program, gpu::TensorId};
use ndarray::{ArrayD, IxDyn};

/// Photos of `side` × `side` pixels to ten shares (`prob`) and 32 features (`features`).
pub(crate) fn network(gpu: &Gpu, side: usize) -> Result<Program, Error> {
    let mut net = Program::new(gpu);
    let photo = net.input("photo", Spec::bytes(&[side, side, 3]))?;
    let planes = net.add(Normalize::new([127.0; 3], [128.0; 3]), &[photo])?;
    let stem = Conv2d::new().stride([2, 2]).pads([1; 4]).clip(0.0, 6.0);
    let stem = conv(&mut net, "stem", stem, planes, [16, 3, 3, 3])?;
    let depthwise = conv(&mut net, "depthwise", Conv2d::new().groups(16).pads([1; 4]), stem, [16, 1, 3, 3])?;
    let relu = net.add(Relu::new(), &[depthwise])?;
    let wide = conv(&mut net, "wide", Conv2d::new(), relu, [32, 16, 1, 1])?;
    let pooled = net.add(MaxPool2d::new([2, 2]).stride([2, 2]), &[wide])?;
    let side_path = conv(&mut net, "side", Conv2d::new(), pooled, [32, 32, 1, 1])?;
    let side_path = net.add(Clip::new(0.0, 6.0), &[side_path])?;
    let joined = net.add(Add::new(), &[pooled, side_path])?;
    let smaller = net.add(AveragePool2d::new([2, 2]).stride([2, 2]), &[joined])?;
    let features = net.add(GlobalAveragePool::new(), &[smaller])?;
    let weight = net.constant("head.weight", weights(&[10, 32]))?;
    let bias = net.constant("head.bias", weights(&[10]))?;
    let scores = net.add(FullyConnected::new(), &[features, weight, bias])?;
    let shares = net.add(Softmax::new(), &[scores])?;
    net.output("prob", shares)?;
    net.output("features", features)?;
    Ok(net)
}

fn conv(
    net: &mut Program,
    name: &str,
    kernel: Conv2d,
    x: TensorId,
    shape: [usize; 4],
) -> Result<TensorId, Error> {
    let weight = net.constant(&format!("{name}.weight"), weights(&shape))?;
    let bias = net.constant(&format!("{name}.bias"), weights(&shape[..1]))?;
    net.add(kernel, &[x, weight, bias])
}

/// Values between -1 and 1 that look random, divided by the root of how many are summed.
fn weights(shape: &[usize]) -> ArrayD<f32> {
    let summed = shape[1..].iter().product::<usize>() as f32;
    let mut state = shape.iter().fold(1_u32, |state, size| state.wrapping_mul(31).wrapping_add(*size as u32));
    ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    }) / summed.sqrt()
}
