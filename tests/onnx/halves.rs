//! Weights of f16 stay f16 where a kernel reads them so, and are widened for all others.

use gapless::onnx::proto::TensorProto;
use ndarray::{ArrayD, IxDyn};

use crate::make::{Parts, floats, int, values};

/// Some halves by their bits, and the same as floats: from two to four by steps of 1 / 64.
fn halves(shape: &[usize]) -> (ArrayD<u16>, ArrayD<f32>) {
    // From two to four, neighbouring halves are 1 / 512 apart.
    let bits = values(shape, 5).mapv(|value| 0x4000 + (value.abs() * 64.0) as u16 * 8);
    let floats = bits.mapv(|bits| 2.0 + f32::from(bits - 0x4000) / 512.0);
    (bits, floats)
}

fn tensor(name: &str, bits: &ArrayD<u16>) -> TensorProto {
    let raw_data = Some(bits.iter().flat_map(|bits| bits.to_le_bytes()).collect());
    TensorProto { data_type: Some(10), raw_data, ..floats(name, &bits.mapv(f32::from)) }
}

/// A model with a constant `w` behind a cast, once as halves and once as floats.
fn both(shape: &[usize], rest: impl Fn(Parts) -> Parts) -> [Parts; 2] {
    let (bits, wide) = halves(shape);
    let mut narrow = Parts::new(13);
    narrow.constants.push(tensor("h", &bits));
    let narrow = narrow.node("Cast h -> w", vec![int("to", 1)]);
    [narrow, Parts::new(13).constant("w", &wide)].map(rest)
}

/// Both give the same bit by bit; the text of the plan of the first.
fn plan([narrow, wide]: [Parts; 2], item: &[usize]) -> String {
    let item = [values(item, 1)];
    assert_eq!(narrow.run(&item)["y"], wide.run(&item)["y"]);
    narrow.program().plan(1).unwrap().to_string()
}

#[test]
fn the_weight_of_a_convolution_stays_f16_and_its_bias_does_not() {
    let (bias, _) = halves(&[5]);
    let models = both(&[5, 3, 1, 1], |mut parts| {
        parts.constants.push(tensor("b", &bias));
        parts
            .input("x", "n 3 4 4")
            .node("Cast b -> c", vec![int("to", 1)])
            .node("Conv x w c -> y", vec![])
            .output("y")
    });
    let text = plan(models, &[3, 4, 4]);
    assert!(text.contains("f16[5,3,1,1] f32[5]") && text.contains("bytes: 52 constants"), "{text}");
}

#[test]
fn the_factors_of_a_product_stay_f16_on_either_side() {
    let first = both(&[3, 4], |parts| parts.input("x", "n 4 6").node("MatMul w x -> y", vec![]).output("y"));
    assert!(plan(first, &[4, 6]).contains("f16[3,4]"));
    let second = both(&[4, 3], |parts| parts.input("x", "n 6 4").node("MatMul x w -> y", vec![]).output("y"));
    assert!(plan(second, &[6, 4]).contains("f16[4,3]"));
    let turned = both(&[3, 4], |parts| {
        parts.input("x", "n 4").node("Gemm x w -> y", vec![int("transB", 1)]).output("y")
    });
    assert!(plan(turned, &[4]).contains("f16[3,4]"));
}

#[test]
fn what_other_kernels_read_is_widened() {
    let sum = both(&[3, 4], |parts| parts.input("x", "n 3 4").node("Add x w -> y", vec![]).output("y"));
    let text = plan(sum, &[3, 4]);
    assert!(text.contains("f32[3,4]") && !text.contains("f16"), "{text}");
    let turned = both(&[3, 5, 1, 1], |parts| {
        parts.input("x", "n 3 4 4").node("ConvTranspose x w -> y", vec![]).output("y")
    });
    assert!(!plan(turned, &[3, 4, 4]).contains("f16"));
}

#[test]
fn what_two_kinds_of_kernels_read_is_there_for_each() {
    let models = both(&[4, 4], |parts| {
        parts
            .input("x", "n 4 4")
            .node("MatMul x w -> p", vec![])
            .node("Relu p -> q", vec![])
            .node("MatMul q w -> r", vec![])
            .node("Max r w -> y", vec![])
            .output("y")
    });
    let text = plan(models, &[4, 4]);
    assert_eq!(text.matches("f16[4,4]").count(), 2, "{text}");
    assert!(text.contains(&format!("bytes: {} constants", 4 * 4 * (2 + 4))), "{text}");
}

#[test]
fn weights_that_a_factor_goes_into_are_widened() {
    let models = both(&[5, 3, 1, 1], |parts| {
        parts
            .input("x", "n 3 4 4")
            .constant("s", &ArrayD::from_elem(IxDyn(&[5, 1, 1]), 0.3))
            .node("Conv x w -> c", vec![])
            .node("Mul c s -> y", vec![])
            .output("y")
    });
    let text = plan(models, &[3, 4, 4]);
    assert!(text.contains("f32[5,3,1,1]") && !text.contains("f16"), "{text}");
}
