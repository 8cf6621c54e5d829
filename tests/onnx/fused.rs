//! Fusing saves kernels and changes no value.

use ndarray::ArrayD;

use crate::make::{Parts, assert_near, float, int, list, values};

/// The model has these kernels, and gives what it gives when nothing of it is fused.
fn check(parts: &Parts, kernels: &[&str]) {
    assert_eq!(parts.kernels(), kernels);
    let items: Vec<ArrayD<f32>> = parts
        .inputs
        .iter()
        .zip(1..)
        .map(|(input, seed)| {
            let shape = input.r#type.as_ref().unwrap().tensor_type.as_ref().unwrap().shape.as_ref().unwrap();
            let axes: Vec<usize> =
                shape.dim.iter().skip(1).map(|axis| axis.dim_value.unwrap() as usize).collect();
            values(&axes, seed)
        })
        .collect();
    let (fused, apart) = (parts.run(&items), parts.apart().run(&items));
    for name in &parts.outputs {
        assert_near(&fused[name.as_str()], &apart[name.as_str()], name);
    }
}

/// A convolution of 4 channels of 6×5 to 6, with a bias.
fn convolution() -> Parts {
    Parts::new(13)
        .input("x", "n 4 6 5")
        .constant("w", &values(&[6, 4, 3, 3], 7))
        .constant("b", &values(&[6], 8))
        .node("Conv x w b -> c", vec![list("pads", &[1, 1, 1, 1])])
}

/// Scale, bias, mean and variance of so many channels.
fn with_statistics(parts: Parts, channels: usize) -> Parts {
    parts
        .constant("s", &values(&[channels], 11))
        .constant("t", &values(&[channels], 12))
        .constant("m", &values(&[channels], 13))
        .constant("v", &values(&[channels], 14).mapv_into(|value| value.abs() + 0.5))
}

#[test]
fn batch_normalisation_goes_into_the_weights() {
    let normal = with_statistics(convolution(), 6).node("BatchNormalization c s t m v -> y", vec![]);
    check(&normal.output("y"), &["conv2d"]);
    let without_bias = with_statistics(Parts::new(13).input("x", "n 4 6 5"), 6)
        .constant("w", &values(&[6, 4, 1, 1], 7))
        .node("Conv x w -> c", vec![])
        .node("BatchNormalization c s t m v -> y", vec![float("epsilon", 0.01)]);
    check(&without_bias.output("y"), &["conv2d"]);
}

#[test]
fn batch_normalisation_goes_into_the_weights_of_groups() {
    let grouped = with_statistics(Parts::new(13).input("x", "n 4 6 5"), 6)
        .constant("w", &values(&[6, 2, 3, 3], 7))
        .node("Conv x w -> c", vec![int("group", 2)])
        .node("BatchNormalization c s t m v -> y", vec![]);
    check(&grouped.output("y"), &["conv2d"]);
    let transposed = with_statistics(Parts::new(13).input("x", "n 4 6 5"), 6)
        .constant("w", &values(&[4, 3, 3, 3], 7))
        .node("ConvTranspose x w -> c", vec![int("group", 2), list("strides", &[2, 1])])
        .node("BatchNormalization c s t m v -> y", vec![]);
    check(&transposed.output("y"), &["conv_transpose"]);
}

#[test]
fn batch_normalisation_goes_into_a_product() {
    for transposed in [0, 1] {
        let shape = if transposed == 1 { [5, 7] } else { [7, 5] };
        let product = with_statistics(Parts::new(13).input("x", "n 7"), 5)
            .constant("w", &values(&shape, 7))
            .constant("b", &values(&[1, 5], 8))
            .node("Gemm x w b -> c", vec![int("transB", transposed), float("beta", 0.5), float("alpha", 2.0)])
            .node("BatchNormalization c s t m v -> d", vec![])
            .node("Relu d -> y", vec![]);
        check(&product.output("y"), &["mat_mul+relu"]);
    }
}

#[test]
fn factors_and_summands_of_channels_go_into_the_weights() {
    let chain = convolution()
        .constant("f", &values(&[6, 1, 1], 9))
        .constant("g", &values(&[1, 6, 1, 1], 10))
        .constant("h", &values(&[], 11))
        .node("Mul f c -> d", vec![])
        .node("Add d g -> e", vec![])
        .node("Sub e h -> k", vec![])
        .node("Div k g -> y", vec![]);
    check(&chain.output("y"), &["conv2d"]);
}

#[test]
fn a_factor_of_rows_or_a_sum_that_is_turned_round_is_done_in_the_same_pass() {
    let rows = convolution().constant("f", &values(&[6, 5], 9)).node("Mul c f -> y", vec![]);
    check(&rows.output("y"), &["conv2d+mul"]);
    let turned = convolution().constant("f", &values(&[6, 1, 1], 9)).node("Sub f c -> y", vec![]);
    check(&turned.output("y"), &["conv2d+sub"]);
}

#[test]
fn activations_go_into_what_is_before_them() {
    let bounds = |parts: Parts| {
        parts.constant("lo", &ArrayD::zeros(vec![])).constant("hi", &ArrayD::from_elem(vec![], 6.0))
    };
    for text in [
        "Relu c -> y",
        "LeakyRelu c -> y",
        "Sigmoid c -> y",
        "HardSigmoid c -> y",
        "HardSwish c -> y",
        "Tanh c -> y",
        "Clip c lo hi -> y",
        "Clip c _ hi -> y",
        "Softplus c -> y",
        "Pow c lo -> y",
    ] {
        let parts = bounds(convolution()).node(text, vec![]).output("y");
        let parts = Parts { opset: 14, ..parts };
        let name = text.split(' ').next().unwrap_or_default().to_lowercase();
        check(&parts, &[&format!("conv2d+{name}")]);
    }
}

#[test]
fn a_value_times_its_sigmoid_is_one_function() {
    let silu = convolution().node("Sigmoid c -> s", vec![]).node("Mul c s -> y", vec![]);
    check(&silu.output("y"), &["conv2d+swish"]);
    let gate = vec![float("alpha", 1.0 / 6.0), float("beta", 0.5)];
    let swish = convolution().node("HardSigmoid c -> s", gate).node("Mul s c -> y", vec![]);
    check(&swish.output("y"), &["conv2d+hardswish"]);
    let alone = Parts::new(13).input("x", "n 7").node("Sigmoid x -> s", vec![]).node("Mul x s -> y", vec![]);
    check(&alone.output("y"), &["unary"]);
}

/// The nodes of the error function's share of a value `x`, and what follows them.
fn with_erf(share: &str, rest: &[&str]) -> Parts {
    let number = |value: f32| ArrayD::from_elem(vec![], value);
    let parts = Parts::new(13)
        .input("x", "n 7")
        .constant("root", &number(std::f32::consts::SQRT_2))
        .constant("inverse", &number(std::f32::consts::FRAC_1_SQRT_2))
        .constant("one", &number(1.0))
        .constant("half", &number(0.5))
        .constant("third", &number(0.3))
        .constant("axes", &ArrayD::from_elem(vec![1, 1, 1], 1.0))
        .node(share, vec![])
        .node("Erf s -> e", vec![]);
    rest.iter().fold(parts, |parts, node| parts.node(node, vec![])).output("y")
}

#[test]
fn an_error_function_with_what_stands_around_it_is_one_function() {
    let (div, mul) = ("Div x root -> s", "Mul inverse x -> s");
    for (share, rest) in [
        (div, ["Add e one -> a", "Mul x a -> p", "Mul p half -> y"]),
        (div, ["Add one e -> a", "Mul x half -> p", "Mul p a -> y"]),
        (mul, ["Add one e -> a", "Mul half a -> p", "Mul x p -> y"]),
    ] {
        check(&with_erf(share, &rest), &["unary"]);
    }
    let third = with_erf(div, &["Add e one -> a", "Mul x a -> p", "Mul p third -> y"]);
    check(&third, &["binary+erf+add+mul+mul"]);
    let turned = with_erf("Div root x -> s", &["Add e one -> a", "Mul x a -> p", "Mul p half -> y"]);
    check(&turned, &["binary+erf+add+mul+mul"]);
    let more = with_erf(div, &["Add e axes -> a", "Mul x a -> p", "Mul p half -> y"]);
    assert_eq!(more.kernels(), ["binary+erf+add+mul+mul"], "it has an axis more");
    let seen = with_erf(div, &["Add e one -> a", "Mul x a -> p", "Mul p half -> y"]).output("a");
    check(&seen, &["binary+erf+add", "binary+mul"]);
}

#[test]
fn a_residual_is_added_before_the_activation() {
    let residual =
        convolution().input("z", "n 6 6 5").node("Add z c -> d", vec![]).node("Relu d -> y", vec![]);
    check(&residual.output("y"), &["conv2d+add+relu"]);
}

#[test]
fn of_two_convolutions_the_later_one_adds_the_other() {
    let both = convolution()
        .constant("w2", &values(&[6, 4, 1, 1], 9))
        .node("Conv x w2 -> side", vec![])
        .node("Add c side -> d", vec![])
        .node("Relu d -> y", vec![]);
    check(&both.output("y"), &["conv2d", "conv2d+add+relu"]);
}

#[test]
fn a_residual_that_is_repeated_is_added_in_the_same_pass() {
    let repeated =
        convolution().input("z", "n 6 1 1").node("Add c z -> d", vec![]).node("Relu d -> y", vec![]);
    check(&repeated.output("y"), &["conv2d+add+relu"]);
}

#[test]
fn a_value_that_is_read_twice_is_done_once_and_an_output_stays() {
    let twice = convolution().node("Relu c -> r", vec![]).node("Add r c -> y", vec![]);
    check(&twice.output("y"), &["conv2d+relu+add"]);
    let double = convolution().node("Add c c -> y", vec![]);
    check(&double.output("y"), &["conv2d+add"]);
    let output = convolution().node("Relu c -> y", vec![]).output("y").output("c");
    check(&output, &["conv2d", "unary"]);
}

#[test]
fn the_bias_of_a_product_is_added_by_it() {
    let product = Parts::new(13)
        .input("x", "n 3 7")
        .constant("w", &values(&[7, 5], 7))
        .constant("b", &values(&[5], 8))
        .node("MatMul x w -> c", vec![])
        .node("Add b c -> d", vec![])
        .node("Tanh d -> y", vec![]);
    check(&product.output("y"), &["mat_mul+tanh"]);
    let of_rows = Parts::new(13)
        .input("x", "n 3 7")
        .constant("w", &values(&[7, 5], 7))
        .constant("b", &values(&[3, 1], 8))
        .node("MatMul x w -> c", vec![])
        .node("Add c b -> y", vec![]);
    check(&of_rows.output("y"), &["mat_mul+add"]);
}

#[test]
fn a_residual_is_added_by_a_product() {
    let summed = |parts: Parts, added: &str| {
        let add = format!("Add {added} -> d");
        parts.node(&add, vec![]).node("Relu d -> y", vec![]).output("y")
    };
    let product = Parts::new(13)
        .input("x", "n 3 7")
        .input("z", "n 3 5")
        .constant("w", &values(&[7, 5], 7))
        .constant("b", &values(&[5], 8))
        .node("MatMul x w -> c", vec![])
        .node("Add c b -> e", vec![]);
    check(&summed(product, "e z"), &["mat_mul+add+relu"]);
    let gemm = |z: &str, given: Vec<_>| {
        let parts = Parts::new(13).input("x", "n 7").input("z", z).constant("w", &values(&[7, 5], 7));
        parts.constant("b", &values(&[5], 8)).node("Gemm x w b -> c", given)
    };
    check(&summed(gemm("n 5", vec![]), "z c"), &["mat_mul+add+relu"]);
    check(&summed(gemm("n 1", vec![]), "z c"), &["mat_mul+add+relu"]);
    let vector = Parts::new(13).input("x", "n 3 7").input("z", "n 3").constant("w", &values(&[7], 7));
    check(&summed(vector.node("MatMul x w -> c", vec![]), "c z"), &["mat_mul+add+relu"]);
}

#[test]
fn what_cannot_be_in_the_product_comes_after_it() {
    let scaled = Parts::new(13)
        .input("x", "n 7")
        .input("v", "1 7")
        .input("z", "n 1")
        .node("Gemm x v -> c", vec![int("transB", 1), float("alpha", 0.5)])
        .node("Add c z -> d", vec![])
        .node("Relu d -> y", vec![]);
    check(&scaled.output("y"), &["mat_mul+mul+add+relu"]);
}

#[test]
fn a_product_of_constants_is_one_before_a_residual_is_added() {
    let known = Parts::new(13)
        .input("x", "n 3 5")
        .constant("v", &values(&[3, 7], 7))
        .constant("w", &values(&[7, 5], 8))
        .node("MatMul v w -> c", vec![])
        .node("Add x c -> d", vec![])
        .node("Relu d -> y", vec![]);
    check(&known.output("y"), &["binary+relu"]);
}

#[test]
fn weights_that_would_not_be_finite_stay_as_they_are() {
    let none = with_statistics(convolution(), 6)
        .constant("zero", &ArrayD::from_elem(vec![6, 1, 1], 0.0))
        .node("Div c zero -> y", vec![]);
    assert_eq!(none.output("y").kernels(), ["conv2d+div"]);
}

/// Attention scores with a mask added, and rows that it leaves nothing of at 0.
fn masked(mask: Vec<f32>) -> Parts {
    Parts::new(17)
        .input("x", "n 2 2")
        .input("m", "n 2 2")
        .constant("w", &values(&[2, 2], 1))
        .constant("mask", &ArrayD::from_shape_vec(vec![2, 2], mask).expect("two rows"))
        .constant("zero", &ArrayD::from_elem(vec![], 0.0))
        .node("MatMul x w -> scores", vec![])
        .node("Add scores mask -> s", vec![])
        .node("Softmax s -> p", vec![int("axis", -1)])
        .node("IsNaN p -> empty", vec![])
        .node("Where empty zero p -> y", vec![])
        .output("y")
}

#[test]
fn rows_that_a_mask_cannot_empty_are_not_asked_about() {
    let none = f32::NEG_INFINITY;
    let causal = masked(vec![0.0, none, 0.0, 0.0]);
    assert_eq!(causal.kernels(), ["mat_mul+add", "softmax"]);
    let emptied = masked(vec![none, none, 0.0, 0.0]);
    assert_eq!(emptied.kernels(), ["mat_mul+add", "softmax", "unary", "select"]);
    let items = [values(&[2, 2], 3), values(&[2, 2], 4)];
    assert_eq!(emptied.run(&items)["y"].iter().take(2).copied().collect::<Vec<_>>(), [0.0, 0.0]);
    let mut per_item = masked(vec![0.0; 4]);
    per_item.nodes[1] = crate::make::node("Add scores m -> s");
    assert_eq!(
        per_item.kernels(),
        ["mat_mul+add", "softmax", "unary", "select"],
        "a mask that comes with every item"
    );
}

/// `x` without its mean, then its square, by a power or a product.
fn away(by_power: bool) -> Parts {
    let parts = Parts::new(13)
        .input("x", "n 5 12")
        .constant("two", &ndarray::arr0(2.0).into_dyn())
        .constant("epsilon", &ndarray::arr0(1e-5).into_dyn())
        .constant("one", &ndarray::arr0(1.0).into_dyn())
        .constant("s", &values(&[12], 11))
        .constant("t", &values(&[12], 12))
        .node("ReduceMean x -> m", vec![list("axes", &[-1])])
        .node("Sub x m -> d", vec![]);
    if by_power { parts.node("Pow d two -> q", vec![]) } else { parts.node("Mul d d -> q", vec![]) }
}

/// One over the root of the mean of `q`, multiplied with `d`, as exporters write it.
fn divided(parts: Parts, way: usize) -> Parts {
    let root = parts
        .node("ReduceMean q -> v", vec![list("axes", &[-1])])
        .node(["Add v epsilon -> e", "Add epsilon v -> e"][way % 2], vec![])
        .node("Sqrt e -> r", vec![]);
    match way {
        0 => root.node("Div d r -> n", vec![]),
        1 => root.node("Reciprocal r -> i", vec![]).node("Mul d i -> n", vec![]),
        _ => root.node("Div one r -> i", vec![]).node("Mul i d -> n", vec![]),
    }
}

#[test]
fn a_layer_normalisation_that_is_written_out_is_one_kernel() {
    for (by_power, way) in [(true, 0), (false, 0), (true, 1), (false, 2)] {
        let layer = divided(away(by_power), way).node("Mul n s -> a", vec![]).node("Add a t -> y", vec![]);
        check(&layer.output("y"), &["layer_norm"]);
    }
}

#[test]
fn a_root_mean_square_that_is_written_out_is_one_kernel() {
    for way in 0..3 {
        let parts = Parts::new(13)
            .input("d", "n 5 12")
            .constant("two", &ndarray::arr0(2.0).into_dyn())
            .constant("epsilon", &ndarray::arr0(1e-5).into_dyn())
            .constant("one", &ndarray::arr0(1.0).into_dyn())
            .constant("s", &values(&[12], 11))
            .node("Pow d two -> q", vec![]);
        check(&divided(parts, way).node("Mul s n -> y", vec![]).output("y"), &["layer_norm"]);
    }
}

#[test]
fn what_is_read_elsewhere_is_no_part_of_a_normalisation() {
    let layer = divided(away(true), 0).node("Mul n s -> a", vec![]).node("Add a t -> y", vec![]);
    let kernels = layer.output("y").output("d").kernels();
    assert_eq!(kernels, ["reduce", "binary", "layer_norm+add"], "what is left is a root mean square");
}
