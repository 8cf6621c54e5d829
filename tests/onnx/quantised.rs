//! Whole numbers of 8 bits: weights that stay such, and values that are rounded to them and back.

use gapless::onnx::proto::TensorProto;
use ndarray::{ArrayD, IxDyn};

use crate::make::{Parts, as_floats, assert_near, floats, input, int, values};

/// A tensor of bytes, with a sign or without.
fn bytes(name: &str, signed: bool, values: &ArrayD<f32>) -> TensorProto {
    let raw_data = Some(values.iter().map(|&value| value as i32 as u8).collect());
    TensorProto { data_type: Some(if signed { 3 } else { 2 }), raw_data, ..floats(name, values) }
}

/// Whole numbers, the highest among them.
fn some_bytes(shape: &[usize], low: f32, high: f32) -> ArrayD<f32> {
    let mut bytes = values(shape, 7).mapv(|value| ((value + 2.0) / 4.0 * (high - low) + low).floor());
    bytes.iter_mut().take(1).for_each(|first| *first = high);
    bytes
}

fn along(values: &[f32]) -> ArrayD<f32> {
    ArrayD::from_shape_vec(IxDyn(&[values.len()]), values.to_vec()).unwrap()
}

/// The same weight as bytes behind a `DequantizeLinear` of this axis, and as floats.
fn both((shape, axis): (&[usize], usize), scale: &ArrayD<f32>, rest: impl Fn(Parts) -> Parts) -> [Parts; 2] {
    let whole = some_bytes(shape, -128.0, 127.0);
    let wide = ArrayD::from_shape_fn(IxDyn(shape), |at| {
        whole[at.clone()] * scale.iter().nth(at[axis] % scale.len()).unwrap()
    });
    let mut narrow = Parts::new(13).constant("s", scale);
    narrow.constants.push(bytes("q", true, &whole));
    let narrow = narrow.node("DequantizeLinear q s -> w", vec![int("axis", axis as i64)]);
    [narrow, Parts::new(13).constant("w", &wide)].map(rest)
}

/// Both give nearly the same; the text of the plan of the first.
fn plan([narrow, wide]: [Parts; 2], item: &[usize]) -> String {
    let item = [values(item, 1)];
    assert_near(&narrow.run(&item)["y"], &wide.run(&item)["y"], "y");
    narrow.program().plan(1).unwrap().to_string()
}

#[test]
fn the_weight_of_a_convolution_stays_bytes_and_its_scale_follows_in_the_same_pass() {
    let scale = along(&[0.01, 0.02, 0.005, 0.03, 0.01]);
    for bias in ["", " b"] {
        let models = both((&[5, 3, 2, 2], 0), &scale, |parts| {
            let node = format!("Conv x w{bias} -> c");
            let parts = parts.constant("b", &values(&[5], 3)).input("x", "n 3 4 4").node(&node, vec![]);
            parts.node("Relu c -> y", vec![]).output("y")
        });
        let kernels = models[0].kernels();
        assert_eq!(kernels.len(), 1, "{kernels:?}");
        let text = plan(models, &[3, 4, 4]);
        assert!(text.contains("i8[5,3,2,2]"), "{text}");
    }
}

#[test]
fn weights_of_one_axis_and_of_three_stay_bytes_too() {
    let line = both((&[4, 3, 3], 0), &along(&[0.5]), |parts| {
        parts.input("x", "n 3 8").node("Conv x w -> y", vec![]).output("y")
    });
    assert!(plan(line, &[3, 8]).contains("i8["));
}

#[test]
fn the_second_factor_of_a_product_stays_bytes_with_a_scale_a_column() {
    let scale = along(&[0.01, 0.02, 0.03]);
    let product = both((&[4, 3], 1), &scale, |parts| {
        parts.input("x", "n 6 4").node("MatMul x w -> y", vec![]).output("y")
    });
    assert!(plan(product, &[6, 4]).contains("i8[4,3]"));
    let turned = both((&[3, 4], 0), &scale, |parts| {
        let parts = parts.constant("b", &values(&[3], 3)).input("x", "n 4");
        parts.node("Gemm x w b -> y", vec![int("transB", 1)]).output("y")
    });
    assert!(plan(turned, &[4]).contains("i8[3,4]"));
}

#[test]
fn a_scale_of_what_is_summed_goes_into_the_weight() {
    let scale = along(&[0.01, 0.02, 0.03, 0.01]);
    let product = both((&[4, 3], 0), &scale, |parts| {
        parts.input("x", "n 6 4").node("MatMul x w -> y", vec![]).output("y")
    });
    assert!(!plan(product, &[6, 4]).contains("i8"));
}

#[test]
fn bytes_without_a_sign_stay_bytes_where_their_zero_point_makes_them_fit() {
    for (zero, fits) in [(128.0, true), (90.0, false)] {
        let whole = some_bytes(&[4, 3], 0.0, 255.0);
        let wide = whole.mapv(|value| (value - zero) * 0.25);
        let mut narrow = Parts::new(13).constant("s", &along(&[0.25]));
        narrow.constants.extend([bytes("q", false, &whole), bytes("z", false, &along(&[zero]))]);
        let narrow = narrow.node("DequantizeLinear q s z -> w", vec![]);
        let models = [narrow, Parts::new(13).constant("w", &wide)]
            .map(|parts| parts.input("x", "n 6 4").node("MatMul x w -> y", vec![]).output("y"));
        assert_eq!(plan(models, &[6, 4]).contains("i8[4,3]"), fits, "{zero}");
    }
}

#[test]
fn names_that_a_file_has_already_are_not_taken() {
    let models = both((&[4, 3], 1), &along(&[0.5]), |parts| {
        let parts = parts.constant("y.bytes.whole", &values(&[3], 9)).constant("w.bytes", &values(&[3], 8));
        let parts = parts.input("x", "n 6 4").node("MatMul x w -> p", vec![]);
        parts.node("Add p y.bytes.whole -> q2", vec![]).node("Add q2 w.bytes -> y", vec![]).output("y")
    });
    assert!(plan(models, &[6, 4]).contains("i8[4,3]"));
}

/// A `QuantizeLinear` of these scales and zero points along axis 1.
fn rounded(scale: &[f32], zero: &[f32], signed: bool) -> Parts {
    let mut parts = Parts::new(13).constant("s", &along(scale)).input("x", "n 3 4");
    parts.constants.push(bytes("z", signed, &along(zero)));
    parts.node("QuantizeLinear x s z -> q", vec![])
}

#[test]
fn values_are_rounded_to_bytes_cut_off_and_back() {
    let item = values(&[3, 4], 5);
    for (scale, zero, signed) in
        [(vec![0.1], vec![3.0], true), (vec![0.01, 0.5, 0.02], vec![128.0, 0.0, 7.0], false)]
    {
        let (low, high) = if signed { (-128.0, 127.0) } else { (0.0, 255.0) };
        let parts = rounded(&scale, &zero, signed);
        let parts = parts.node("DequantizeLinear q s z -> y", vec![]).output("q").output("y");
        let tensors = parts.run(std::slice::from_ref(&item));
        let (whole, back) = (as_floats(&tensors, "q"), &tensors["y"]);
        for (at, x) in item.indexed_iter() {
            let (scale, zero) = (scale[at[0] % scale.len()], zero[at[0] % zero.len()]);
            let wanted = ((x / scale).round_ties_even() + zero).clamp(low, high);
            assert_eq!(whole[[0, at[0], at[1]]], wanted);
            assert_eq!(back[[0, at[0], at[1]]], (wanted - zero) * scale);
        }
    }
}

#[test]
fn rounding_to_bytes_and_back_needs_no_pass_of_its_own() {
    let parts = Parts::new(13).constant("s", &along(&[0.1])).constant("w", &values(&[5, 3, 1, 1], 2));
    let mut parts = parts.input("x", "n 3 4 4").node("Conv x w -> c", vec![]);
    parts.constants.push(bytes("z", false, &along(&[9.0])));
    let parts = parts.node("QuantizeLinear c s z -> q", vec![]).node("DequantizeLinear q s z -> d", vec![]);
    let parts = parts.node("Relu d -> y", vec![]).output("y");
    assert_eq!(parts.kernels(), ["conv2d+div+round+add+clip+sub+mul+relu"]);
}

#[test]
fn bytes_that_are_known_are_computed_with_as_bytes() {
    let mut parts = Parts::new(14).input("x", "n 2");
    let (a, b) = (along(&[200.0, 3.0]), along(&[100.0, 5.0]));
    parts.constants.extend([bytes("a", false, &a), bytes("b", false, &b)]);
    let parts = parts.node("Add a b -> c", vec![]).node("Cast c -> f", vec![int("to", 1)]);
    let parts = parts.node("Add x f -> y", vec![]).output("y");
    assert_eq!(parts.run(&[along(&[0.0, 0.0])])["y"].as_slice().unwrap(), [44.0, 8.0]);
}

/// An item of bytes, and what a node with constant bytes `w` of this shape and `node` makes of it.
fn of_bytes(item: &[usize], w: &ArrayD<f32>, node: &str) -> (ArrayD<f32>, Vec<String>, ArrayD<f32>) {
    let axes = item.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let mut parts = Parts::new(13);
    parts.inputs.push(input("x", &format!("n {axes}"), 2));
    parts.constants.extend([bytes("w", true, w), bytes("zx", false, &along(&[3.0]))]);
    parts.constants.push(bytes("zw", true, &along(&[-2.0])));
    let parts = parts.constant("s", &along(&[0.5])).node(node, vec![]).output("y");
    let x = some_bytes(item, 0.0, 255.0);
    let given = as_floats(&parts.run(std::slice::from_ref(&x)), "y");
    (x, parts.kernels(), given)
}

#[test]
fn products_of_bytes_are_exact_however_long_their_sums_are() {
    let w = some_bytes(&[2000, 3], 90.0, 127.0);
    let (x, _, y) = of_bytes(&[2, 2000], &w, "MatMulInteger x w zx zw -> y");
    for row in 0..2 {
        for column in 0..3 {
            let product = |term: usize| (x[[row, term]] as i64 - 3) * (w[[term, column]] as i64 + 2);
            let sum: i64 = (0..2000).map(product).sum();
            assert!(sum > 1 << 24, "floats have {sum}");
            assert_eq!(y[[0, row, column]], sum as f32);
        }
    }
}

#[test]
fn convolutions_of_bytes_are_exact_over_any_number_of_channels() {
    let w = some_bytes(&[2, 300, 2], -128.0, 127.0);
    let (x, _, y) = of_bytes(&[300, 4], &w, "ConvInteger x w zx zw -> y");
    for channel in 0..2 {
        for at in 0..3 {
            let product = |term: usize, tap: usize| {
                (x[[term, at + tap]] as i64 - 3) * (w[[channel, term, tap]] as i64 + 2)
            };
            let sum: i64 = (0..300).map(|term| product(term, 0) + product(term, 1)).sum();
            assert_eq!(y[[0, channel, at]], sum as f32);
        }
    }
}

#[test]
fn a_product_that_is_written_as_bytes_again_is_one_pass() {
    let w = some_bytes(&[6, 3], -128.0, 127.0);
    let (x, kernels, y) = of_bytes(&[2, 6], &w, "QLinearMatMul x s zx w s zw s zx -> y");
    assert_eq!(kernels.iter().filter(|name| name.starts_with("mat_mul")).count(), 1, "{kernels:?}");
    assert!(kernels.len() <= 4, "{kernels:?}");
    for row in 0..2 {
        for column in 0..3 {
            let product = |term: usize| (x[[row, term]] as i64 - 3) * (w[[term, column]] as i64 + 2);
            let sum = (0..6).map(product).sum::<i64>() as f32;
            assert_eq!(y[[0, row, column]], ((sum * 0.5).round_ties_even() + 3.0).clamp(0.0, 255.0));
        }
    }
}
