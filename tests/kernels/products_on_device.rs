//! Every variant of convolution and matrix product gives on a device what the twin gives.

use gapless::gpu::TensorId;
use gapless::kernel::{Binary, Conv2d, Kernel, MatMul, Spec, Unary, UnaryOp};
use gapless::{Gpu, Program};
use ndarray::ArrayD;

use crate::check::{cases_on_device, compare, output};
use crate::forced::{self, Forced};
use crate::near::SUMS;
use crate::numbers::Numbers;

/// A program of one kernel, made from its input; `forced` says which variant a device runs.
type Build<'a> = &'a dyn Fn(&Gpu, usize) -> Program;

/// Every variant against the twin, and every item alone against the same item in its batch, bit by bit.
fn check_variants(gpu: &Gpu, variants: &[usize], build: Build<'_>, batch: &[ArrayD<f32>], what: &str) {
    let wanted = output(&mut build(&Gpu::cpu(), 0), batch);
    for &variant in variants {
        let what = format!("variant {variant} of {what}");
        compare(&mut build(gpu, variant), batch, &wanted, SUMS, &what);
    }
}

/// What is done behind a kernel before it writes.
#[derive(Clone, Copy, Debug)]
struct Behind {
    /// Whether another tensor is added.
    sum: bool,
    op: Option<UnaryOp>,
}

impl Behind {
    fn some(n: &mut Numbers) -> Self {
        let ops = [
            UnaryOp::Clip { low: -1.0, high: 3.0 },
            UnaryOp::Relu,
            UnaryOp::LeakyRelu { alpha: 0.25 },
            UnaryOp::Sigmoid,
            UnaryOp::HardSigmoid { alpha: 0.2, beta: 0.5 },
            UnaryOp::HardSwish,
            UnaryOp::Swish { alpha: 1.0 },
            UnaryOp::Tanh,
        ];
        Self { sum: n.pick(0, 1) == 1, op: ops.get(n.pick(0, ops.len())).copied() }
    }
}

/// A convolution of the input, with the sum of another convolution behind it, or not.
fn check_convolution(gpu: &Gpu, conv: Conv2d, shape: &[usize], weights: &[usize], n: &mut Numbers) {
    let (rows, behind) = (n.pick(1, 3), Behind::some(n));
    let batch = n.batch(rows, shape);
    let (weight, other) = (n.floats(weights), n.floats(weights));
    let bias = (n.pick(0, 1) == 1).then(|| n.floats(&weights[..1]));
    let build = |gpu: &Gpu, variant: usize| {
        let mut net = Program::new(gpu);
        let mut inputs = vec![net.input("x", Spec::floats(shape)).unwrap()];
        inputs.push(net.constant("weight", weight.clone()).unwrap());
        inputs.extend(bias.clone().map(|bias| net.constant("bias", bias).unwrap()));
        let other = behind.sum.then(|| {
            let other = net.constant("other", other.clone()).unwrap();
            net.add(conv, &[inputs[0], other]).unwrap()
        });
        finish_behind(net, conv, &inputs, variant, (other, behind.op))
    };
    let (x, weight) = (Spec::floats(shape), Spec::constant(weights));
    let variants = forced::full(gpu, &conv, &[&x, &weight]);
    check_variants(
        gpu,
        &variants,
        &build,
        &batch,
        &format!("{conv:?} of {shape:?} by {weights:?}, {behind:?}"),
    );
}

fn finish(net: Program, kernel: impl Kernel, inputs: &[TensorId], variant: usize) -> Program {
    finish_behind(net, kernel, inputs, variant, (None, None))
}

/// The kernel, and behind it the sum with another tensor and a function, in one pass.
fn finish_behind(
    mut net: Program,
    kernel: impl Kernel,
    inputs: &[TensorId],
    variant: usize,
    (other, op): (Option<TensorId>, Option<UnaryOp>),
) -> Program {
    let mut y = net.add(Forced { kernel, variant }, inputs).unwrap();
    if let Some(other) = other {
        y = net.add(Binary::add(), &[other, y]).unwrap();
    }
    if let Some(op) = op {
        y = net.add(Unary::new(op), &[y]).unwrap();
    }
    net.output("y", y).unwrap();
    let plan = net.plan(1).unwrap();
    let last = plan.kernels().last().unwrap();
    let follows = usize::from(other.is_some()) + usize::from(op.is_some());
    assert_eq!(last.then.split_terminator(", ").count(), follows, "all is in one pass");
    net
}

#[test]
fn grouped_strided_dilated_and_padded_convolutions_give_what_their_twins_give() {
    cases_on_device(20, |gpu, n| {
        let groups = n.pick(1, 3);
        let (share, outputs) = (n.pick(1, 7), groups * n.pick(1, 9));
        let kernel: [usize; 2] = n.picks(1, 5);
        let conv =
            Conv2d::new().groups(groups).stride(n.picks(1, 3)).dilation(n.picks(1, 2)).pads(n.picks(0, 5));
        let shape = [groups * share, n.pick(10, 16), n.pick(10, 16)];
        check_convolution(gpu, conv, &shape, &[outputs, share, kernel[0], kernel[1]], n);
    });
}

#[test]
fn depthwise_convolutions_give_what_their_twins_give() {
    cases_on_device(20, |gpu, n| {
        let (channels, share) = (n.pick(2, 9), n.pick(1, 2));
        let kernel = [[3, 3], [5, 5], n.picks(1, 7)][n.pick(0, 2)];
        let dilation = if n.pick(0, 2) == 0 { n.picks(1, 2) } else { [1, 1] };
        let conv = Conv2d::new()
            .groups(channels)
            .stride([[1, 1], [2, 2], n.picks(1, 3)][n.pick(0, 2)])
            .dilation(dilation)
            .pads(n.picks(0, 3));
        let shape = [channels, n.pick(13, 30), n.pick(13, 30)];
        check_convolution(gpu, conv, &shape, &[channels * share, 1, kernel[0], kernel[1]], n);
    });
}

#[test]
fn pointwise_convolutions_give_what_their_twins_give() {
    cases_on_device(20, |gpu, n| {
        let ([share], groups) = (n.sizes(1, 72), n.pick(1, 2));
        let outputs = groups * n.pick(1, 70);
        let conv = Conv2d::new().groups(groups);
        let side = n.pick(1, 4);
        let plane = [[7, n.pick(1, 16), 4 * side][n.pick(0, 2)], [7, n.pick(1, 16), 8][n.pick(0, 2)]];
        check_convolution(gpu, conv, &[groups * share, plane[0], plane[1]], &[outputs, share, 1, 1], n);
    });
}

#[test]
fn convolutions_that_give_few_pixels_give_what_their_twins_give() {
    cases_on_device(16, |gpu, n| {
        let groups = n.pick(1, 2);
        let (share, outputs) = (n.pick(64, 150), groups * n.pick(1, 20));
        let kernel: [usize; 2] = [[1, 1], n.picks(1, 3)][n.pick(0, 1)];
        let conv = Conv2d::new().groups(groups).stride([3, 3]).pads(n.picks(0, 1));
        let shape = [groups * share, n.pick(3, 4), n.pick(3, 4)];
        let weights = [outputs, share, kernel[0], kernel[1]];
        let (x, weight) = (Spec::floats(&shape), Spec::constant(&weights));
        let names = conv.variants(&[&x, &weight], &conv.output(&[&x, &weight]).unwrap());
        assert!(names.iter().any(|variant| variant.kernel == "conv2d_few"), "{names:?}");
        check_convolution(gpu, conv, &shape, &weights, n);
    });
}

#[test]
fn a_convolution_of_a_photo_gives_what_its_twin_gives() {
    cases_on_device(2, |gpu, n| {
        let conv = Conv2d::new().stride([2, 2]).pads([0, 0, 1, 1]);
        check_convolution(gpu, conv, &[3, 64, 60], &[32, 3, 3, 3], n);
    });
}

#[test]
fn products_with_a_constant_on_either_side_give_what_their_twins_give() {
    cases_on_device(24, |gpu, n| {
        let ([m, k, j], turn) = (n.sizes(1, 72), [n.pick(0, 1) == 1, n.pick(0, 1) == 1]);
        let turned = |sizes: [usize; 2], turn: bool| if turn { [sizes[1], sizes[0]] } else { sizes };
        let (a, b) = (turned([m, k], turn[0]), turned([k, j], turn[1]));
        let product = MatMul::new().transpose_a(turn[0]).transpose_b(turn[1]);
        let heads = n.pick(1, 3);
        let constant_first = n.pick(0, 1) == 1;
        let (item, fixed) = if constant_first { (b, a) } else { (a, b) };
        let (item, fixed) = (
            [heads, item[0], item[1]],
            if n.pick(0, 1) == 1 { vec![heads, fixed[0], fixed[1]] } else { fixed.to_vec() },
        );
        let rows = n.pick(1, 3);
        let batch = n.batch(rows, &item);
        let (constant, other) = (n.floats(&fixed), n.floats(&fixed));
        let behind = Behind::some(n);
        let bias = (n.pick(0, 1) == 1).then(|| n.floats(&[j]));
        let build = |gpu: &Gpu, variant: usize| {
            let mut net = Program::new(gpu);
            let mut inputs = vec![net.input("x", Spec::floats(&item)).unwrap()];
            inputs.insert(usize::from(!constant_first), net.constant("c", constant.clone()).unwrap());
            let mut others = inputs.clone();
            inputs.extend(bias.clone().map(|bias| net.constant("bias", bias).unwrap()));
            let other = behind.sum.then(|| {
                others[usize::from(!constant_first)] = net.constant("other", other.clone()).unwrap();
                net.add(product, &others).unwrap()
            });
            finish_behind(net, product, &inputs, variant, (other, behind.op))
        };
        let (x, c) = (Spec::floats(&item), Spec::constant(&fixed));
        let inputs = if constant_first { [&c, &x] } else { [&x, &c] };
        let variants = forced::full(gpu, &product, &inputs);
        check_variants(gpu, &variants, &build, &batch, &format!("{product:?} of {inputs:?}, {behind:?}"));
    });
}

#[test]
fn a_product_of_two_activations_multiplies_each_item_with_its_own() {
    cases_on_device(8, |gpu, n| {
        let [m, k] = n.sizes(1, 40);
        let item = [n.pick(1, 3), m, k];
        let batch = n.batch(3, &item);
        let product = MatMul::new().transpose_b(true);
        let build = |gpu: &Gpu, variant: usize| {
            let mut net = Program::new(gpu);
            let x = net.input("x", Spec::floats(&item)).unwrap();
            let other = net.add(Unary::relu(), &[x]).unwrap();
            finish(net, product, &[x, other], variant)
        };
        let x = Spec::floats(&item);
        let variants = forced::full(gpu, &product, &[&x, &x]);
        check_variants(gpu, &variants, &build, &batch, &format!("a product of {item:?} with itself"));
    });
}

#[test]
fn nan_and_infinity_reach_what_depends_on_them_and_nothing_else() {
    cases_on_device(3, |gpu, n| {
        let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY][n.pick(0, 2)];
        let mut item = n.floats(&[18, 9, 7]);
        item[[n.pick(0, 17), n.pick(0, 8), n.pick(0, 6)]] = odd;
        let pads = Conv2d::new().pads([1, 2, 1, 0]);
        for (conv, weights) in
            [(pads, [20, 18, 3, 3]), (pads.groups(18), [18, 1, 3, 3]), (Conv2d::new(), [20, 18, 1, 1])]
        {
            let weight = n.floats(&weights);
            let build = |gpu: &Gpu, variant: usize| {
                let mut net = Program::new(gpu);
                let x = net.input("x", Spec::floats(&[18, 9, 7])).unwrap();
                let inputs = [x, net.constant("weight", weight.clone()).unwrap()];
                finish(net, conv, &inputs, variant)
            };
            let specs = [Spec::floats(&[18, 9, 7]), Spec::constant(&weights)];
            let inputs = [&specs[0], &specs[1]];
            let variants = forced::full(gpu, &conv, &inputs);
            check_variants(
                gpu,
                &variants,
                &build,
                std::slice::from_ref(&item),
                &format!("{odd} through {conv:?}"),
            );
        }
    });
}

#[test]
fn a_few_rows_times_a_matrix_give_what_their_twin_gives() {
    cases_on_device(16, |gpu, n| {
        let ([k, j], m) = ([n.pick(64, 400), n.pick(1, 70)], n.pick(1, 4));
        let turned = n.pick(0, 1) == 1;
        let product = MatMul::new().transpose_b(turned);
        let (item, fixed) = ([n.pick(1, 2), m, k], if turned { [j, k] } else { [k, j] });
        let batch = n.batch(2, &item);
        let (constant, bias) = (n.floats(&fixed), (n.pick(0, 1) == 1).then(|| n.floats(&[j])));
        let build = |gpu: &Gpu, variant: usize| {
            let mut net = Program::new(gpu);
            let mut inputs = vec![net.input("x", Spec::floats(&item)).unwrap()];
            inputs.push(net.constant("c", constant.clone()).unwrap());
            inputs.extend(bias.clone().map(|bias| net.constant("bias", bias).unwrap()));
            finish(net, product, &inputs, variant)
        };
        let inputs = [&Spec::floats(&item), &Spec::constant(&fixed)];
        let variants = forced::full(gpu, &product, &inputs);
        assert!(variants.len() > 1, "{inputs:?}");
        check_variants(gpu, &variants, &build, &batch, &format!("{product:?} of {inputs:?}"));
    });
}

/// The shaders of all variants.
fn shaders(kernel: &impl Kernel, inputs: &[&Spec]) -> Vec<String> {
    let variants = kernel.variants(inputs, &kernel.output(inputs).unwrap());
    variants.into_iter().map(|variant| variant.kernel.into_owned()).collect()
}

#[test]
fn vectors_of_four_are_read_only_where_they_lie_so() {
    let (x, floats) = (Spec::floats(&[8, 4, 5]), |shape: &[usize]| Spec::floats(shape));
    let conv = |conv: Conv2d, x: &Spec, weight: [usize; 4]| {
        shaders(&conv, &[x, &Spec::constant(&weight)]).contains(&"conv2d_tiled_vec4".into())
    };
    assert!(conv(Conv2d::new(), &x, [17, 8, 1, 1]));
    assert!(!conv(Conv2d::new(), &floats(&[9, 4, 5]), [16, 9, 1, 1]), "nine channels");
    assert!(!conv(Conv2d::new(), &floats(&[8, 7, 7]), [16, 8, 1, 1]), "49 pixels");
    assert!(!conv(Conv2d::new().pads([1; 4]), &x, [16, 8, 3, 3]), "not pointwise");
    assert!(!conv(Conv2d::new().pads([0, 0, 0, 3]), &x, [16, 8, 1, 1]), "padded");
    let product = |[a, b]: [bool; 2], [m, k, n]: [usize; 3]| {
        let sizes =
            |turn: bool, [rows, columns]: [usize; 2]| if turn { [columns, rows] } else { [rows, columns] };
        let product = MatMul::new().transpose_a(a).transpose_b(b);
        let inputs = [&floats(&sizes(a, [m, k])), &Spec::constant(&sizes(b, [k, n]))];
        shaders(&product, &inputs).contains(&"mat_mul_tiled_vec4".into())
    };
    for turn in [[false, false], [false, true], [true, false], [true, true]] {
        assert!(product(turn, [20, 20, 20]), "{turn:?}");
        assert_eq!(product(turn, [21, 20, 20]), !turn[0], "{turn:?}: 21 rows");
        assert_eq!(product(turn, [20, 21, 20]), turn == [true, false], "{turn:?}: 21 terms");
        assert!(!product(turn, [20, 20, 21]), "{turn:?}: 21 columns");
    }
}

#[test]
fn tiles_reach_over_the_parts_of_items() {
    cases_on_device(4, |gpu, n| {
        let parts = 3;
        let [share, k] = n.sizes(8, 20);
        let side = [7, 8][n.pick(0, 1)];
        let (item, rows) = ([parts, share, side, side], [parts, n.pick(1, 5), k]);
        let (weight, matrix) = (n.floats(&[20, share, 1, 1]), n.floats(&[k, 20]));
        let conv = |gpu: &Gpu, variant: usize| each(gpu, Conv2d::new(), variant, &item, &weight);
        let product = |gpu: &Gpu, variant: usize| each(gpu, MatMul::new(), variant, &rows, &matrix);
        let of_conv = [&Spec::floats(&item[1..]), &Spec::constant(weight.shape())];
        let of_product = [&Spec::floats(&rows[1..]), &Spec::constant(matrix.shape())];
        let (batch, many) = (n.batch(3, &item), n.batch(3, &rows));
        check_variants(gpu, &forced::full(gpu, &Conv2d::new(), &of_conv), &conv, &batch, "parts of planes");
        let variants = forced::full(gpu, &MatMul::new(), &of_product);
        check_variants(gpu, &variants, &product, &many, "parts of rows");
    });
}

/// A kernel on every part of an item, with a constant.
fn each(gpu: &Gpu, kernel: impl Kernel, variant: usize, item: &[usize], constant: &ArrayD<f32>) -> Program {
    let mut net = Program::new(gpu);
    let x = net.input("x", Spec::floats(item)).unwrap();
    let constant = net.constant("c", constant.clone()).unwrap();
    let y = net.add_each(Forced { kernel, variant }, &[x, constant]).unwrap();
    net.output("y", y).unwrap();
    net
}

#[test]
fn many_items_fill_more_than_one_tile() {
    cases_on_device(1, |gpu, n| {
        let (matrix, weight) = (n.floats(&[12, 20]), n.floats(&[20, 12, 1, 1]));
        let with = |gpu: &Gpu, item: &[usize], constant: &ArrayD<f32>| {
            let mut net = Program::new(gpu);
            let x = net.input("x", Spec::floats(item)).unwrap();
            let inputs = [x, net.constant("c", constant.clone()).unwrap()];
            (net, inputs)
        };
        let product = |gpu: &Gpu, variant: usize| {
            let (net, inputs) = with(gpu, &[1, 12], &matrix);
            finish(net, MatMul::new(), &inputs, variant)
        };
        let conv = |gpu: &Gpu, variant: usize| {
            let (net, inputs) = with(gpu, &[12, 2, 4], &weight);
            finish(net, Conv2d::new(), &inputs, variant)
        };
        let (rows, planes) = (n.batch(130, &[1, 12]), n.batch(18, &[12, 2, 4]));
        let of_product = [&Spec::floats(&[1, 12]), &Spec::constant(&[12, 20])];
        let variants = forced::full(gpu, &MatMul::new(), &of_product);
        assert!(shaders(&MatMul::new(), &of_product).contains(&"mat_mul_tiled_vec4".into()));
        check_variants(gpu, &variants, &product, &rows, "130 items of a row");
        let of_conv = [&Spec::floats(&[12, 2, 4]), &Spec::constant(&[20, 12, 1, 1])];
        let variants = forced::full(gpu, &Conv2d::new(), &of_conv);
        assert!(shaders(&Conv2d::new(), &of_conv).contains(&"conv2d_tiled_vec4".into()));
        check_variants(gpu, &variants, &conv, &planes, "18 items of eight pixels");
    });
}
