//! ONNX Runtime's own operators are what they stand for.

use gapless::onnx::proto::{AttributeProto, NodeProto};

use crate::make::{Parts, assert_near, float, int, list, node, text, values};

/// A model with this node of ONNX Runtime's, or with these of ONNX in its place.
struct Case {
    own: (&'static str, Vec<AttributeProto>),
    plain: Vec<(&'static str, Vec<AttributeProto>)>,
}

fn parts() -> Parts {
    Parts::new(20)
        .input("x", "n 4 6")
        .constant("row", &values(&[6], 2))
        .constant("shift", &values(&[6], 3))
        .constant("w", &values(&[6, 6], 4))
        .constant("kernel", &values(&[4, 4, 3], 5))
        .constant("all", &values(&[6, 18], 6))
        .constant("biases", &values(&[18], 7))
        .ints("six", &[6, 6, 6])
}

fn cases() -> Vec<Case> {
    let case = |own, attributes, plain| Case { own: (own, attributes), plain };
    let epsilon = || vec![float("epsilon", 0.01)];
    vec![
        case("Gelu x -> y", vec![], vec![("Gelu x -> y", vec![])]),
        case("BiasGelu x row -> y", vec![], vec![("Add x row -> s", vec![]), ("Gelu s -> y", vec![])]),
        case("FastGelu x -> y", vec![], vec![("Gelu x -> y", vec![text("approximate", "tanh")])]),
        case(
            "QuickGelu x -> y",
            vec![float("alpha", 1.5)],
            vec![("Swish x -> y", vec![float("alpha", 1.5)])],
        ),
        case(
            "FusedConv x kernel _ x -> y",
            vec![text("activation", "Relu"), list("pads", &[1, 1])],
            vec![
                ("Conv x kernel -> c", vec![list("pads", &[1, 1])]),
                ("Add c x -> s", vec![]),
                ("Relu s -> y", vec![]),
            ],
        ),
        case(
            "FusedMatMul x w -> y",
            vec![int("transB", 1), float("alpha", 0.5)],
            vec![
                ("Transpose w -> t", vec![]),
                ("MatMul x t -> p", vec![]),
                ("Constant -> half", vec![float("value_float", 0.5)]),
                ("Mul p half -> y", vec![]),
            ],
        ),
        case(
            "SkipLayerNormalization x x row shift -> y",
            epsilon(),
            vec![("Add x x -> s", vec![]), ("LayerNormalization s row shift -> y", epsilon())],
        ),
        case(
            "SkipSimplifiedLayerNormalization x x row -> y",
            epsilon(),
            vec![("Add x x -> s", vec![]), ("RMSNormalization s row -> y", epsilon())],
        ),
        case(
            "Attention x all biases -> y",
            vec![int("num_heads", 2), int("unidirectional", 1)],
            vec![
                ("MatMul x all -> m", vec![]),
                ("Add m biases -> s", vec![]),
                ("Split s six -> q k v", vec![int("axis", 2)]),
                (
                    "Attention q k v -> y",
                    vec![int("q_num_heads", 2), int("kv_num_heads", 2), int("is_causal", 1)],
                ),
            ],
        ),
        case(
            "MultiHeadAttention x x x biases -> y",
            vec![int("num_heads", 3), float("scale", 0.3)],
            vec![
                ("Split biases six -> bq bk bv", vec![int("axis", 0)]),
                ("Add x bq -> q", vec![]),
                ("Add x bk -> k", vec![]),
                ("Add x bv -> v", vec![]),
                (
                    "Attention q k v -> y",
                    vec![int("q_num_heads", 3), int("kv_num_heads", 3), float("scale", 0.3)],
                ),
            ],
        ),
    ]
}

fn own((text, attribute): &(&str, Vec<AttributeProto>)) -> NodeProto {
    NodeProto { domain: Some("com.microsoft".into()), attribute: attribute.clone(), ..node(text) }
}

#[test]
fn an_operator_of_onnx_runtime_gives_what_those_give_that_it_stands_for() {
    let item = [values(&[4, 6], 9)];
    for case in cases() {
        let mut fused = parts();
        fused.nodes.push(own(&case.own));
        let plain =
            case.plain.iter().fold(parts(), |parts, (text, attributes)| parts.node(text, attributes.clone()));
        let [fused, plain] = [fused, plain].map(|parts| parts.output("y").run(&item)["y"].clone());
        assert_near(&fused, &plain, case.own.0);
    }
}

#[test]
fn the_sum_that_is_normalised_is_an_output_too() {
    let mut fused = parts();
    fused.nodes.push(own(&("SkipLayerNormalization x x row _ -> y _ _ s", vec![])));
    fused.nodes[0].output = ["y", "", "", "s"].map(String::from).to_vec();
    let item = values(&[4, 6], 9);
    let tensors = fused.output("s").run(std::slice::from_ref(&item));
    assert_near(&tensors["s"].index_axis(ndarray::Axis(0), 0).to_owned(), &(&item * 2.0), "s");
}

#[test]
fn what_an_operator_says_that_is_not_known_is_refused_by_its_name() {
    for text in
        ["MultiHeadAttention x x x _ row -> y", "GroupQueryAttention x x x -> y", "FusedConv x kernel -> y"]
    {
        let mut fused = parts();
        fused.nodes.push(own(&(text, vec![int("num_heads", 2)])));
        let name = text.split(' ').next().unwrap();
        let reason = fused.output("y").refused();
        assert!(reason.contains(&format!("com.microsoft {name}")), "{reason}");
    }
}
