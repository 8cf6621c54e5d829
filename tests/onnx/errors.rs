//! What is not supported or not right is said when the model is read, with the name of what it is.

use gapless::Gpu;
use gapless::onnx::Model;
use gapless::onnx::proto::{NodeProto, ValueInfoProto};
use ndarray::{Array1, ArrayD, IxDyn};

use crate::make::{Parts, int, list, node, text, values};

fn parts() -> Parts {
    Parts::new(13).input("x", "n 4 6 5").constant("w", &values(&[6, 4, 3, 3], 1)).output("y")
}

#[test]
fn all_operators_that_are_not_supported_are_named_at_once() {
    let mut parts = parts().node("NonMaxSuppression x -> a", vec![]).node("Relu a -> b", vec![]);
    parts.nodes.push(NodeProto { name: Some("third".into()), ..node("Loop b -> c") });
    parts.nodes.push(NodeProto { domain: Some("com.microsoft".into()), ..node("FusedConv c -> y") });
    let wanted = r#"these operators are not supported: 1 × Loop, 1 × NonMaxSuppression, 1 × com.microsoft FusedConv; the first: NonMaxSuppression "a" (opset 13), Loop "third" (opset 13), com.microsoft FusedConv "y""#;
    assert_eq!(parts.refused(), wanted);
}

#[test]
fn operators_that_no_output_depends_on_do_not_matter() {
    let parts = parts().node("Loop x -> unread", vec![]).node("Relu x -> y", vec![]);
    assert_eq!(parts.kernels(), ["unary"]);
}

#[test]
fn an_error_names_the_node_its_operator_and_opset() {
    for (text_of_node, attributes, reason) in [
        ("Conv x w -> y", vec![text("auto_pad", "ROUND")], r#"auto_pad "ROUND" is not known"#),
        ("Conv x w -> y", vec![list("strides", &[0, 1])], "a stride or dilation is 0"),
        ("Conv x w -> y", vec![list("strides", &[1])], "strides are [1]"),
        ("Conv x w -> y", vec![list("pads", &[-1, 0, 0, 0])], "pads are [-1, 0, 0, 0]"),
        ("Conv x w -> y", vec![list("kernel_shape", &[5, 5])], "kernel_shape [5, 5]"),
        ("Conv x w -> y", vec![int("strides", 1)], "the attribute strides is not whole numbers"),
        ("Conv x w -> y", vec![int("group", 3)], "groups"),
        ("Conv x x -> y", vec![], r#"its input 1 ("x") comes with every item"#),
        ("Conv x -> y", vec![], ""),
        ("Softmax x -> y", vec![int("axis", 4)], "the axis 4 is not one of 4 axes"),
        ("Transpose x -> y", vec![list("perm", &[0, 1])], "[0, 1] does not order 4 axes"),
        ("Reshape x -> y", vec![], "its shape is missing"),
        ("MatMul x x -> y", vec![], ""),
        ("Range x x x -> y", vec![], "it is supported for constants only"),
        ("Gelu x -> y", vec![text("approximate", "cubic")], r#"the approximation "cubic" is not known"#),
        ("BatchNormalization x w w w w -> y", vec![int("training_mode", 1)], "it is in training mode"),
        ("BatchNormalization x w w w w -> y", vec![], "and there are 4 channels"),
        ("LeakyRelu x -> y", vec![int("alpha", 1)], "the attribute alpha is not a float"),
        ("Relu -> y", vec![], "its input 0 is missing"),
        ("TopK x -> y", vec![], "k is missing"),
    ] {
        let refused = parts().node(text_of_node, attributes).refused();
        let operator = text_of_node.split(' ').next().unwrap();
        assert!(refused.starts_with(&format!(r#"{operator} "y" (opset 13): "#)), "{refused}");
        assert!(refused.contains(reason), "{text_of_node}: {refused}");
    }
}

#[test]
fn a_shape_that_comes_with_every_item_is_to_be_bound() {
    let reshape = Parts::new(13).input("x", "2 6").node("Reshape x to -> y", vec![]).output("y");
    let mut reshape = reshape;
    reshape.inputs.push(crate::make::input("to", "2", 7));
    assert!(
        reshape.refused().contains(r#"its input 1 ("to") comes with every item"#),
        "{}",
        reshape.refused()
    );
    let bound = reshape.model().bind("to", Array1::from(vec![3_i64, 4])).program(&Gpu::cpu()).unwrap();
    assert_eq!(
        bound.plan(1).unwrap().to_string().lines().filter(|line| line.contains("f32[3,4]")).count(),
        1
    );
}

#[test]
fn settings_that_name_nothing_of_the_model_are_errors() {
    let model = || parts().node("Relu x -> y", vec![]).model();
    let refused = |model: Model| model.program(&Gpu::cpu()).unwrap_err().to_string();
    let values = ArrayD::<f32>::zeros(IxDyn(&[2]));
    assert_eq!(refused(model().bind("z", values)), r#"onnx::Model::program: there is no input called "z""#);
    assert!(refused(model().input_shape("z", &[1])).contains(r#"there is no input called "z""#));
    assert!(refused(model().dim("h", 3)).contains(r#"no input has an axis called "h""#));
    let ints = ArrayD::<i64>::zeros(IxDyn(&[1, 4, 6, 5]));
    assert!(
        refused(model().bind("x", ints))
            .contains(r#"the input "x" takes floats, and whole numbers were bound"#)
    );
}

#[test]
fn a_graph_that_is_none_is_refused() {
    let refused = |parts: Parts| Model::from_bytes(&parts.bytes()).unwrap_err().to_string();
    let missing = refused(parts().node("Relu z -> y", vec![]));
    assert!(
        missing.ends_with(r#"Relu "y" (opset 13) reads "z", which nothing before it gives"#),
        "{missing}"
    );
    let later = refused(parts().node("Relu b -> y", vec![]).node("Relu x -> b", vec![]));
    assert!(later.contains(r#"reads "b", which nothing before it gives"#), "{later}");
    let itself = refused(parts().node("Relu y -> y", vec![]));
    assert!(itself.contains(r#"reads "y", which nothing before it gives"#), "{itself}");
    let twice = refused(parts().node("Relu x -> y", vec![]).node("Tanh x -> y", vec![]));
    assert!(twice.contains(r#"Tanh "y" (opset 13) gives "y", which is given before"#), "{twice}");
    assert!(refused(parts()).contains(r#"nothing gives the output "y""#));
    let none = Parts { outputs: Vec::new(), ..parts() };
    assert!(refused(none).contains("the graph has no output"));
    assert!(refused(parts().input("x", "n 2")).contains(r#"there are two inputs called "x""#));
    assert!(refused(parts().constant("w", &values(&[1], 1))).contains(r#"there are two tensors called "w""#));
    let mut untyped = parts().node("Relu x -> y", vec![]);
    untyped.inputs.push(ValueInfoProto { name: Some("seq".into()), r#type: None });
    assert!(refused(untyped).contains(r#"input "seq": it is no tensor"#));
}

#[test]
fn a_tensor_that_is_not_right_is_named() {
    let mut parts = parts().node("Relu x -> y", vec![]);
    parts.constants[0].raw_data = Some(vec![0; 12]);
    let error = Model::from_bytes(&parts.bytes()).unwrap_err().to_string();
    assert!(
        error.contains(r#"tensor "w": it has 12 bytes, and its shape [6, 4, 3, 3] wants 864"#),
        "{error}"
    );
}

#[test]
fn a_missing_file_is_named() {
    let error = gapless::Program::onnx(&Gpu::cpu(), "no/such/model.onnx").unwrap_err().to_string();
    assert!(error.contains("no/such/model.onnx"), "{error}");
}

#[test]
fn a_model_without_inputs_gives_no_program() {
    let none = Parts::new(13).ints("i", &[1]).node("Identity i -> y", vec![]).output("y");
    assert_eq!(none.refused(), r#"output "y": it depends on no input, and there is none"#);
}

#[test]
fn opsets_that_are_not_known_are_refused() {
    let future = Parts { opset: 99, ..parts().node("Relu x -> y", vec![]) };
    assert!(future.refused().contains("its opset is 99"), "{}", future.refused());
    let none = Parts { opset: 0, ..parts().node("Relu x -> y", vec![]) };
    assert!(Model::from_bytes(&none.bytes()).unwrap_err().to_string().contains("its opset is 0"));
}
