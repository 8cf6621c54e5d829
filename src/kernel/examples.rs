//! Every kernel once or more, for tests that hold for all of them.

mod movement;
mod pools;

use super::params::Layout;
use super::{
    Add, Clip, Conv2d, FullyConnected, GlobalAveragePool, Kernel, Normalize, Relu, Softmax, Spec, add, clip,
    conv2d, fully_connected, global_average_pool, normalize, relu, softmax,
};

/// A kernel with inputs that it accepts.
#[derive(Debug)]
pub struct Example {
    /// The kernel.
    pub kernel: Box<dyn Kernel>,
    /// Its inputs.
    pub inputs: Vec<Spec>,
    /// Where its parameters lie.
    pub layout: Layout,
}

fn example(kernel: impl Kernel, inputs: &[Spec], layout: Layout) -> Example {
    Example { kernel: Box::new(kernel), inputs: inputs.to_vec(), layout }
}

/// Every kernel, and every shader of those that have several.
pub fn all() -> Vec<Example> {
    let planes = || Spec::floats(&[8, 9, 7]);
    vec![
        example(
            Normalize::new([127.0; 3], [128.0; 3]),
            &[Spec::bytes(&[5, 7, 3])],
            normalize::NormalizeParams::LAYOUT,
        ),
        example(Relu::new(), &[planes()], relu::ReluParams::LAYOUT),
        example(Clip::new(0.0, 6.0), &[planes()], clip::ClipParams::LAYOUT),
        example(Add::new(), &[planes(), planes()], add::AddParams::LAYOUT),
        example(GlobalAveragePool::new(), &[planes()], global_average_pool::GlobalAveragePoolParams::LAYOUT),
        example(
            FullyConnected::new(),
            &[Spec::floats(&[70]), Spec::constant(&[10, 70]), Spec::constant(&[10])],
            fully_connected::FullyConnectedParams::LAYOUT,
        ),
        example(Softmax::new(), &[Spec::floats(&[3, 100])], softmax::SoftmaxParams::LAYOUT),
    ]
    .into_iter()
    .chain(convolutions())
    .chain(movement::all())
    .chain(pools::all())
    .collect()
}

/// Both shaders of the convolution, with a bias and without.
fn convolutions() -> [Example; 4] {
    let layout = conv2d::Conv2dParams::LAYOUT;
    let (x, bias) = (Spec::floats(&[8, 9, 7]), Spec::constant(&[8]));
    let (full, single) = (Spec::constant(&[8, 4, 3, 3]), Spec::constant(&[8, 1, 3, 3]));
    let grouped = Conv2d::new().groups(2).stride([2, 1]).pads([0, 1, 1, 2]);
    let depthwise = Conv2d::new().groups(8).pads([1; 4]).clip(0.0, 6.0);
    [
        example(grouped, &[x.clone(), full.clone(), bias.clone()], layout),
        example(grouped, &[x.clone(), full], layout),
        example(depthwise, &[x.clone(), single.clone(), bias], layout),
        example(depthwise, &[x, single], layout),
    ]
}
