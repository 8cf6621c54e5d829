//! What depends on constants only is computed when the model is read.

use gapless::onnx::proto::{AttributeProto, TensorProto};
use ndarray::{Array1, ArrayD, IxDyn, array};

use crate::make::{Parts, float, int, ints, list, values};

fn tensor(name: &str, t: TensorProto) -> AttributeProto {
    AttributeProto { name: Some(name.into()), t: Some(t), kind: Some(4), ..AttributeProto::default() }
}

/// The whole numbers that a chain of nodes makes, which end in `y`.
fn folded(parts: Parts) -> Vec<f32> {
    let parts = Parts { opset: 13, ..parts }
        .input("x", "n 1")
        .node("Cast y -> f", vec![int("to", 1)])
        .node("Add x f -> z", vec![])
        .output("z");
    assert_eq!(parts.kernels(), ["binary"], "all but the sum is computed before");
    parts.run(&[ArrayD::zeros(IxDyn(&[1]))])["z"].iter().copied().collect()
}

fn parts() -> Parts {
    Parts::new(13).ints("i", &[5, -7, 9]).ints("one", &[1]).ints("two", &[2]).ints("zero", &[0])
}

#[test]
fn whole_numbers_are_computed_as_whole_numbers() {
    for (text, wanted) in [
        ("Add i two -> y", [7.0, -5.0, 11.0]),
        ("Sub i two -> y", [3.0, -9.0, 7.0]),
        ("Mul i two -> y", [10.0, -14.0, 18.0]),
        ("Div i two -> y", [2.0, -3.0, 4.0]),
        ("Mod i two -> y", [1.0, 1.0, 1.0]),
        ("Neg i -> y", [-5.0, 7.0, -9.0]),
        ("Abs i -> y", [5.0, 7.0, 9.0]),
        ("Min i zero -> y", [0.0, -7.0, 0.0]),
        ("Max i zero -> y", [5.0, 0.0, 9.0]),
        ("Greater i zero -> y", [1.0, 0.0, 1.0]),
        ("Equal i i -> y", [1.0, 1.0, 1.0]),
        ("Identity i -> y", [5.0, -7.0, 9.0]),
    ] {
        assert_eq!(folded(parts().node(text, vec![])), wanted, "{text}");
    }
}

#[test]
fn shapes_go_the_way_that_exporters_write_them() {
    // x.view(x.size(0), -1), as it was written for years.
    let flat = Parts::new(11)
        .input("x", "n 2 3 4")
        .node("Shape x -> s", vec![])
        .node("Constant -> k", vec![tensor("value", TensorProto { dims: vec![], ..ints("", &[0]) })])
        .node("Gather s k -> first", vec![int("axis", 0)])
        .node("Unsqueeze first -> u", vec![list("axes", &[0])])
        .node("Constant -> rest", vec![list("value_ints", &[-1])])
        .node("Concat u rest -> to", vec![int("axis", 0)])
        .node("Reshape x to -> r", vec![])
        .node("Relu r -> y", vec![])
        .output("y");
    assert_eq!(flat.kernels(), ["unary"]);
    assert_eq!(flat.run(&[values(&[2, 3, 4], 1)])["y"].shape(), [1, 24]);
}

#[test]
fn values_are_made_moved_and_chosen() {
    let of_shape = parts()
        .node("ConstantOfShape two -> c", vec![tensor("value", ints("", &[4]))])
        .node("Concat c i -> y", vec![int("axis", 0)]);
    assert_eq!(folded(of_shape), [4.0, 4.0, 5.0, -7.0, 9.0]);
    let sliced = parts().ints("end", &[i64::MAX]).node("Slice i one end _ two -> y", vec![]);
    assert_eq!(folded(sliced), [-7.0]);
    let chosen = parts().node("Less i zero -> c", vec![]).node("Where c two i -> y", vec![]);
    assert_eq!(folded(chosen), [5.0, 2.0, 9.0]);
    let product =
        parts().node("ReduceProd i -> p", vec![int("keepdims", 0)]).node("Reshape p one -> y", vec![]);
    assert_eq!(folded(product), [-315.0]);
    let wide = parts().ints("two_two", &[2, 3]).node("Expand i two_two -> w", vec![]);
    let wide = wide.node("ReduceSum w zero -> y", vec![int("keepdims", 0)]);
    assert_eq!(folded(wide), [10.0, -14.0, 18.0]);
}

#[test]
fn a_range_has_its_numbers() {
    let scalar = |name: &str, value| TensorProto { dims: vec![], ..ints(name, &[value]) };
    let mut range = parts().node("Range a b c -> y", vec![]);
    range.constants.extend([scalar("a", 7), scalar("b", 0), scalar("c", -3)]);
    assert_eq!(folded(range), [7.0, 4.0, 1.0]);
}

#[test]
fn a_function_that_is_no_rule_of_folding_is_computed_by_the_twins() {
    let x = array![-1.0_f32, 0.0, 2.0].into_dyn();
    let function = Parts::new(13)
        .input("x", "n 2")
        .constant("k", &x)
        .ints("two", &[2])
        .node("Softmax k -> s", vec![])
        .node("TopK s two -> t places", vec![])
        .node("Cast places -> p", vec![int("to", 1)])
        .node("Mul x p -> y", vec![])
        .output("y");
    assert_eq!(function.kernels(), ["binary"]);
    let given = &function.run(&[Array1::from_elem(2, 1.0).into_dyn()])["y"];
    assert_eq!(given.iter().copied().collect::<Vec<_>>(), [2.0, 1.0]);
}

#[test]
fn a_node_that_does_nothing_to_a_constant_gives_it() {
    let parts = Parts::new(13)
        .input("x", "n 2")
        .constant("k", &array![[3.0_f32, -4.0]].into_dyn())
        .ints("pads", &[0; 4])
        .node("Dropout k -> d mask", vec![])
        .node("Pad d pads -> p", vec![])
        .node("Max p -> m", vec![])
        .node("Mul x m -> y", vec![])
        .output("y");
    assert_eq!(parts.kernels(), ["binary"]);
    let given = &parts.run(&[Array1::from_elem(2, 1.0).into_dyn()])["y"];
    assert_eq!(given.iter().copied().collect::<Vec<_>>(), [3.0, -4.0]);
}

#[test]
fn halves_are_widened_exactly() {
    let halves = TensorProto {
        name: Some("h".into()),
        dims: vec![2],
        data_type: Some(10),
        raw_data: Some([0x00, 0x3c, 0x00, 0xc1].to_vec()),
        ..TensorProto::default()
    };
    let mut parts = Parts::new(13).input("x", "n 2").node("Cast h -> w", vec![int("to", 1)]);
    parts.constants.push(halves);
    let parts = parts.node("Mul x w -> y", vec![]).output("y");
    let given = &parts.run(&[ArrayD::from_elem(IxDyn(&[2]), 2.0)])["y"];
    assert_eq!(given.iter().copied().collect::<Vec<_>>(), [2.0, -5.0]);
}

#[test]
fn a_small_file_cannot_ask_for_all_memory() {
    let huge = Parts::new(13)
        .input("x", "n 1")
        .ints("s", &[1 << 29])
        .node("ConstantOfShape s -> y", vec![])
        .node("Add x y -> z", vec![])
        .output("z");
    assert!(huge.refused().contains("its constants grow by [536870912]"), "{}", huge.refused());
    let range = Parts::new(13)
        .input("x", "n 1")
        .constant("a", &ArrayD::zeros(IxDyn(&[])))
        .constant("b", &ArrayD::from_elem(IxDyn(&[]), f32::MAX))
        .constant("c", &ArrayD::from_elem(IxDyn(&[]), 1e-30))
        .node("Range a b c -> y", vec![])
        .node("Add x y -> z", vec![])
        .output("z");
    assert!(range.refused().contains("the range has no end"), "{}", range.refused());
    // A long chain of copies of a large constant.
    let mut chain = Parts::new(13).input("x", "n 1").ints("s", &[1 << 22]);
    chain = chain.node("ConstantOfShape s -> c0", vec![]);
    for link in 0..40 {
        chain = chain.node(&format!("Neg c{link} -> c{}", link + 1), vec![]);
    }
    let chain = chain.node("Add x c40 -> z", vec![]).output("z");
    assert!(chain.refused().contains("its constants grow"), "{}", chain.refused());
}

#[test]
fn constants_that_cannot_be_computed_are_errors_that_name_the_node() {
    let refused = |text: &str| {
        parts()
            .input("x", "n 1")
            .node(text, vec![])
            .node("Cast y -> f", vec![int("to", 1)])
            .node("Add x f -> z", vec![])
            .output("z")
            .refused()
    };
    assert_eq!(
        refused("Div i zero -> y"),
        r#"Div "y" (opset 13): whole numbers overflow, or are divided by 0"#
    );
    assert!(refused("Gather i i -> y").contains("an index: the axis 5 is not one of 3 axes"));
    assert!(refused("Reshape i two -> y").contains("[3] cannot be seen as [2]"));
    assert!(refused("Slice i one -> y").contains("starts or ends are missing"));
    assert!(refused("Add i _ -> y").contains("input 1 is missing"));
}

#[test]
fn floats_are_folded_too() {
    let floats_only = Parts::new(13)
        .input("x", "n 2")
        .constant("a", &array![4.0_f32, 9.0].into_dyn())
        .node("Sqrt a -> r", vec![])
        .node("Constant -> h", vec![float("value_float", 0.5)])
        .node("Mul r h -> m", vec![])
        .node("Mul x m -> y", vec![])
        .output("y");
    assert_eq!(floats_only.kernels(), ["binary"]);
    let given = &floats_only.run(&[array![1.0_f32, 2.0].into_dyn()])["y"];
    assert_eq!(given.iter().copied().collect::<Vec<_>>(), [1.0, 3.0]);
}
