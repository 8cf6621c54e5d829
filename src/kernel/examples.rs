//! Every kernel once or more, for tests that hold for all of them.

mod ints;
mod joined;
mod movement;
mod pools;

use ndarray::ArrayD;

pub use self::joined::joined;
use super::params::Layout;
use super::{
    ArgReduce, Attention, Binary, BinaryOp, Conv2d, FullyConnected, GlobalAveragePool, GroupNorm, Kernel,
    LayerNorm, LogSoftmax, Lrn, MatMul, Normalize, Reduce, ReduceOp, Select, Softmax, Spec, TopK, Unary,
    UnaryOp, arg_reduce, attention, binary, conv2d, fully_connected, global_average_pool, group_norm,
    layer_norm, lrn, mat_mul, normalize, reduce, select, softmax, top_k, unary,
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
    /// An input that has these values and no others.
    pub values: Option<(usize, ArrayD<f32>)>,
}

fn example(kernel: impl Kernel, inputs: &[Spec], layout: Layout) -> Example {
    Example { kernel: Box::new(kernel), inputs: inputs.to_vec(), layout, values: None }
}

/// Every kernel, and every shader of those that have several.
pub fn all() -> Vec<Example> {
    let (planes, long) = (|| Spec::floats(&[8, 9, 7]), || Spec::floats(&[3, 9, 200]));
    vec![
        example(
            Normalize::new([127.0; 3], [128.0; 3]),
            &[Spec::bytes(&[5, 7, 3])],
            normalize::NormalizeParams::LAYOUT,
        ),
        example(Unary::relu(), &[planes()], unary::UnaryParams::LAYOUT),
        example(Unary::clip(0.0, f32::INFINITY), &[planes()], unary::UnaryParams::LAYOUT),
        example(Binary::add(), &[planes(), planes()], binary::BinaryParams::LAYOUT),
        example(
            Binary::new(BinaryOp::Pow),
            &[planes(), Spec::constant(&[8, 1, 1])],
            binary::BinaryParams::LAYOUT,
        ),
        example(
            Select::new(),
            &[Spec::constant(&[9, 1]), planes(), Spec::constant(&[])],
            select::SelectParams::LAYOUT,
        ),
        example(GlobalAveragePool::new(), &[long()], global_average_pool::GlobalAveragePoolParams::LAYOUT),
        example(
            FullyConnected::new(),
            &[Spec::floats(&[70]), Spec::constant(&[10, 70]), Spec::constant(&[10])],
            fully_connected::FullyConnectedParams::LAYOUT,
        ),
        example(Softmax::new(), &[long()], softmax::SoftmaxParams::LAYOUT),
        example(Reduce::new(ReduceOp::LogSumExp, [0, 2]), &[long()], reduce::ReduceParams::LAYOUT),
        example(ArgReduce::max(2), &[long()], arg_reduce::ArgReduceParams::LAYOUT),
        example(TopK::indices(1, 3), &[planes()], top_k::TopKParams::LAYOUT),
        example(TopK::values(0, 3), &[Spec::floats(&[600, 2])], top_k::TopKParams::LAYOUT),
        example(Lrn::new(5, 1e-4, 0.75, 1.0), &[planes()], lrn::LrnParams::LAYOUT),
        example(Unary::new(UnaryOp::Gelu), &[planes()], unary::UnaryParams::LAYOUT),
        example(
            Attention::new(0.5).causal(true),
            &[Spec::floats(&[2, 9, 8]), Spec::floats(&[2, 7, 8]), Spec::floats(&[2, 7, 12])],
            attention::AttentionParams::LAYOUT,
        ),
        example(
            Attention::new(0.5).softcap(2.0),
            &[Spec::floats(&[9, 5]), Spec::constant(&[7, 5]), Spec::constant(&[7, 6])],
            attention::AttentionParams::LAYOUT,
        ),
        example(
            Attention::new(0.5).masked(true),
            &[Spec::floats(&[9, 8]), Spec::constant(&[7, 8]), Spec::constant(&[7, 4]), Spec::floats(&[1, 7])],
            attention::AttentionParams::LAYOUT,
        ),
    ]
    .into_iter()
    .chain(convolutions())
    .chain(products())
    .chain(halves())
    .chain(vectors())
    .chain(movement::all())
    .chain(ints::all())
    .chain(normalisations())
    .chain(pools::all())
    .collect()
}

/// Every row normalisation, with a bias and without.
fn normalisations() -> Vec<Example> {
    let (x, of_channel, of_column) =
        (Spec::floats(&[8, 9, 170]), Spec::constant(&[8]), Spec::constant(&[170]));
    let (group, layer) = (GroupNorm::new(2, 1e-5), LayerNorm::new(2, 1e-5));
    let (in_group, in_layer) = (group_norm::GroupNormParams::LAYOUT, layer_norm::LayerNormParams::LAYOUT);
    vec![
        example(LogSoftmax::new(), std::slice::from_ref(&x), softmax::SoftmaxParams::LAYOUT),
        example(group, &[x.clone(), of_channel.clone()], in_group),
        example(group, &[x.clone(), of_channel.clone(), of_channel], in_group),
        example(layer, &[x.clone(), of_column.clone()], in_layer),
        example(layer, &[x.clone(), of_column.clone(), of_column.clone()], in_layer),
        example(LayerNorm::root_mean_square(2, 1e-5), &[x, of_column], in_layer),
    ]
}

/// Both shaders of the convolution, with a bias and without.
fn convolutions() -> [Example; 9] {
    let layout = conv2d::Conv2dParams::LAYOUT;
    let (x, bias) = (Spec::floats(&[8, 9, 7]), Spec::constant(&[8]));
    let (full, single) = (Spec::constant(&[8, 4, 3, 3]), Spec::constant(&[8, 1, 3, 3]));
    let grouped = Conv2d::new().groups(2).stride([2, 1]).pads([0, 1, 1, 2]);
    let same = Conv2d::new().groups(2).pads([1; 4]);
    let depthwise = Conv2d::new().groups(8).pads([1; 4]);
    [
        example(grouped, &[x.clone(), full.clone(), bias.clone()], layout),
        example(grouped, &[x.clone(), full.clone()], layout),
        example(same, &[x.clone(), full.clone(), bias.clone()], layout),
        example(same, &[x.clone(), full], layout),
        example(depthwise, &[x.clone(), single.clone(), bias], layout),
        example(depthwise, &[x.clone(), single.clone()], layout),
        example(depthwise.stride([2, 2]), &[x.clone(), single], layout),
        example(Conv2d::new(), &[x, Spec::constant(&[16, 8, 1, 1])], layout),
        example(Conv2d::new(), &[Spec::floats(&[70, 2, 2]), Spec::constant(&[9, 70, 1, 1])], layout),
    ]
}

/// Every variant that reads halves or i8, with an odd number of them.
fn halves() -> Vec<Example> {
    let (in_conv, in_product) = (conv2d::Conv2dParams::LAYOUT, mat_mul::MatMulParams::LAYOUT);
    let (x, matrix) = (Spec::floats(&[17, 9, 7]), Spec::floats(&[17, 17]));
    let (full, single) = (Spec::constant_f16(&[17, 17, 3, 3]), Spec::constant_f16(&[17, 1, 3, 3]));
    let factor = Spec::constant_f16(&[17, 17]);
    let (bytes, byte_factor) = (Spec::constant_i8(&[17, 17, 3, 3]), Spec::constant_i8(&[17, 17]));
    vec![
        example(Conv2d::new().pads([1; 4]), &[x.clone(), bytes], in_conv),
        example(MatMul::new(), &[matrix.clone(), byte_factor], in_product),
        example(Conv2d::new().pads([1; 4]), &[x.clone(), full], in_conv),
        example(Conv2d::new().pads([1; 4]).groups(17), &[x, single, Spec::constant(&[17])], in_conv),
        example(MatMul::new(), &[factor.clone(), matrix.clone()], in_product),
        example(MatMul::new(), &[matrix, factor, Spec::constant(&[17])], in_product),
    ]
}

/// Every variant that reads vectors of four: of convolutions with a bias and without, of
/// products with each factor either way around, all with floats, with halves and with i8.
fn vectors() -> Vec<Example> {
    let (in_conv, in_product) = (conv2d::Conv2dParams::LAYOUT, mat_mul::MatMulParams::LAYOUT);
    let (x, bias) = (Spec::floats(&[8, 4, 4]), Spec::constant(&[20]));
    let (conv, floats, halves) = (Conv2d::new(), Spec::constant, Spec::constant_f16);
    let weights = [floats(&[20, 8, 1, 1]), halves(&[20, 8, 1, 1]), Spec::constant_i8(&[20, 8, 1, 1])];
    let of_weight = |weight: Spec| {
        let inputs = [x.clone(), weight, bias.clone()];
        [example(conv, &inputs[..2], in_conv), example(conv, &inputs, in_conv)]
    };
    let square = [20, 20];
    let of_turns = |[a, b]: [bool; 2]| {
        let product = MatMul::new().transpose_a(a).transpose_b(b);
        [
            example(product, &[Spec::floats(&square), floats(&square), bias.clone()], in_product),
            example(product, &[Spec::floats(&square), halves(&square)], in_product),
            example(product, &[Spec::floats(&square), Spec::constant_i8(&square)], in_product),
            example(product, &[halves(&square), Spec::floats(&square)], in_product),
        ]
    };
    let turns = [[false, false], [false, true], [true, false], [true, true]];
    weights.into_iter().flat_map(of_weight).chain(turns.into_iter().flat_map(of_turns)).collect()
}

/// The matrix product with a bias and without.
fn products() -> [Example; 5] {
    let layout = mat_mul::MatMulParams::LAYOUT;
    let (a, b, bias) = (Spec::floats(&[3, 16, 9]), Spec::constant(&[9, 18]), Spec::constant(&[18]));
    let product = MatMul::new();
    let (row, few) = (Spec::floats(&[1, 70]), MatMul::new().transpose_b(true));
    [
        example(product, &[a.clone(), b.clone(), bias], layout),
        example(product, &[a, b], layout),
        example(product, &[row.clone(), Spec::constant(&[70, 9])], layout),
        example(few, &[row.clone(), Spec::constant(&[9, 70])], layout),
        example(few, &[row, Spec::constant_f16(&[9, 70]), Spec::constant(&[9])], layout),
    ]
}
