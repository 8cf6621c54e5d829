//! Whatever stands in a file, reading it gives a program or an error: no panic, no hang.

use gapless::Gpu;
use gapless::onnx::Model;
use gapless::onnx::proto::{AttributeProto, TensorProto};
use prost::Message;

use crate::make::{Parts, floats, int, ints, list, text, values};

fn read(bytes: &[u8]) {
    if let Ok(model) = Model::from_bytes(bytes) {
        let _ = model.program(&Gpu::cpu());
    }
}

/// A small model with a bit of everything.
fn victim() -> Vec<u8> {
    let value = TensorProto { dims: vec![1], ..ints("", &[2]) };
    let value =
        AttributeProto { name: Some("value".into()), t: Some(value), kind: Some(4), ..Default::default() };
    Parts::new(13)
        .input("x", "n 2 5 5")
        .constant("w", &values(&[2, 2, 3, 3], 1))
        .constant("s", &values(&[2], 2))
        .ints("starts", &[0, 1])
        .ints("ends", &[9, 4])
        .ints("axes", &[2, 3])
        .node("Conv x w -> c", vec![text("auto_pad", "SAME_LOWER"), int("group", 1)])
        .node("BatchNormalization c s s s s -> b", vec![])
        .node("Relu b -> r", vec![])
        .node("Slice r starts ends axes -> cut", vec![])
        .node("MaxPool cut -> m", vec![list("kernel_shape", &[2, 2]), list("strides", &[1, 2])])
        .node("Shape m -> shape", vec![])
        .node("Constant -> at", vec![value])
        .node("Gather shape at -> h", vec![int("axis", 0)])
        .node("Concat h h -> to", vec![int("axis", 0)])
        .node("Expand h to -> wide", vec![])
        .node("ReduceMean m -> y", vec![list("axes", &[2, 3])])
        .node("Split x -> a z", vec![int("axis", 1)])
        .output("y")
        .output("wide")
        .output("z")
        .bytes()
}

#[test]
fn the_victim_itself_is_a_model() {
    assert!(Model::from_bytes(&victim()).unwrap().program(&Gpu::cpu()).is_ok());
}

#[test]
fn a_file_that_ends_anywhere_gives_no_panic() {
    let bytes = victim();
    (0..bytes.len()).for_each(|end| read(&bytes[..end]));
}

#[test]
fn every_single_byte_may_be_wrong() {
    let bytes = victim();
    for place in 0..bytes.len() {
        for wrong in [0, 1, 0x7f, 0x80, 0xff, bytes[place] ^ 1, bytes[place] ^ 0x10] {
            let mut bytes = bytes.clone();
            bytes[place] = wrong;
            read(&bytes);
        }
    }
}

#[test]
fn many_bytes_may_be_wrong() {
    let bytes = victim();
    let mut state = 1_u32;
    let mut random = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    for _ in 0..3_000 {
        let mut bytes = bytes.clone();
        for _ in 0..=random(6) {
            let (place, value) = (random(bytes.len()), random(256));
            match random(3) {
                0 => bytes[place] = value as u8,
                1 => drop(bytes.remove(place)),
                _ => bytes.insert(place, value as u8),
            }
        }
        read(&bytes);
    }
}

/// Attributes and constants of any number, whole words at a time.
#[test]
fn numbers_may_be_as_large_as_they_like() {
    let extremes = [i64::MIN, -(1 << 31), -2, -1, 0, 2, 3, 1 << 20, 1 << 31, 1 << 40, i64::MAX];
    for one in extremes {
        for other in extremes {
            for parts in with_numbers(one, other) {
                read(&parts.bytes());
            }
        }
    }
}

fn with_numbers(one: i64, other: i64) -> Vec<Parts> {
    let pair = || vec![one, other];
    let start = || {
        Parts::new(13)
            .input("x", "n 2 5 5")
            .constant("w", &values(&[2, 2, 3, 3], 1))
            .ints("p", &pair())
            .ints("q", &[one])
            .ints("four", &[one, other, one, other])
            .ints("eight", &[one, other, one, other, 0, 0, one, other])
            .output("y")
    };
    let window = |name: &str| vec![list("kernel_shape", &[3, 3]), list(name, &pair())];
    vec![
        start().node("Conv x w -> y", vec![list("strides", &pair())]),
        start().node("Conv x w -> y", vec![list("dilations", &pair())]),
        start().node("Conv x w -> y", vec![list("pads", &[one, other, 0, one])]),
        start().node(
            "Conv x w -> y",
            vec![int("group", one), list("dilations", &pair()), text("auto_pad", "SAME_UPPER")],
        ),
        start().node("ConvTranspose x w -> y", vec![list("strides", &pair()), list("output_shape", &pair())]),
        start().node(
            "ConvTranspose x w -> y",
            vec![list("output_padding", &pair()), list("pads", &[one, 0, other, 1])],
        ),
        start().node("ConvTranspose x w -> y", vec![int("group", one), list("dilations", &pair())]),
        start().node("MaxPool x -> y", vec![list("kernel_shape", &pair()), int("ceil_mode", 1)]),
        start().node("MaxPool x -> y", window("strides")),
        start().node("AveragePool x -> y", window("dilations")),
        start().node("Slice x p p -> y", vec![]),
        start().node("Slice x q q q q -> y", vec![]),
        start().node("Slice p q q q q -> y", vec![]),
        start().node("Reshape x p -> y", vec![]),
        start().node("Reshape x four -> y", vec![]),
        start().node("Reshape p p -> y", vec![]),
        start().node("Expand x four -> y", vec![]),
        start().node("Expand q p -> y", vec![]),
        start().node("Tile x four -> y", vec![]),
        start().node("Pad x eight -> y", vec![]),
        start().node("Split x -> y z", vec![int("axis", one), list("split", &pair())]),
        start().node("Split x p -> y z", vec![int("axis", other)]),
        start().node("TopK x q -> y", vec![int("axis", other)]),
        start().node("Gather x q -> y", vec![int("axis", other)]),
        start().node("Gather p q -> y", vec![int("axis", other)]),
        start().node("Unsqueeze x p -> y", vec![]),
        start().node("Squeeze x p -> y", vec![]),
        start().node("Transpose x -> y", vec![list("perm", &[one, other, 0, 1])]),
        start().node("ReduceSum x p -> y", vec![]),
        start().node("Softmax x -> y", vec![int("axis", one)]),
        start().node("Flatten x -> y", vec![int("axis", one)]),
        start().node("LRN x -> y", vec![int("size", one)]),
        start().node("LayerNormalization x w -> y", vec![int("axis", one)]),
        start().node("DepthToSpace x -> y", vec![int("blocksize", one)]),
        start().node("SpaceToDepth x -> y", vec![int("blocksize", one)]),
        start().node("ConstantOfShape p -> c", vec![]).node("Add x c -> y", vec![]),
        start().node("Mod p q -> c", vec![]).node("Pow c p -> d", vec![]).node("Expand x d -> y", vec![]),
        start().node("Div p q -> c", vec![]).node("Expand x c -> y", vec![]),
        start().node("Range q p q -> y", vec![]),
        start().node("Resize x _ _ four -> y", vec![]),
        start()
            .node("Shape x -> s", vec![int("start", one), int("end", other)])
            .node("Expand x s -> y", vec![]),
        start().node("Cast x -> y", vec![int("to", one)]),
        start().node("Concat x x -> y", vec![int("axis", one)]),
        Parts::new(13).input("x", &format!("{one} {other}")).node("Relu x -> y", vec![]).output("y"),
    ]
}

#[test]
fn scales_may_be_any_float() {
    for scale in [f32::NAN, f32::INFINITY, -1.0, 0.0, 1e-30, 1e-3, 1e9, f32::MAX] {
        let scales = ndarray::arr1(&[1.0, 1.0, scale, scale]).into_dyn();
        for operator in ["Upsample x s -> y", "Resize x _ s -> y"] {
            let parts = Parts::new(if operator.starts_with('U') { 9 } else { 13 });
            let parts = parts.input("x", "n 2 5 5").constant("s", &scales).node(operator, vec![]).output("y");
            read(&parts.bytes());
        }
    }
}

#[test]
fn a_tensor_that_claims_to_be_huge_takes_no_memory() {
    let mut parts = Parts::new(13).input("x", "n 2").node("Add x huge -> y", vec![]).output("y");
    let huge =
        TensorProto { dims: vec![1 << 29], raw_data: Some(vec![0; 4]), ..floats("huge", &values(&[1], 1)) };
    parts.constants.push(huge);
    let error = Model::from_bytes(&parts.bytes()).unwrap_err().to_string();
    assert!(error.contains(r#"tensor "huge": it has 4 bytes"#), "{error}");
}

#[test]
fn an_input_that_claims_to_be_huge_is_refused() {
    let parts = Parts::new(13).input("x", "1 65536 65536").node("Relu x -> y", vec![]).output("y");
    assert!(parts.refused().contains("more than 2^30 elements"), "{}", parts.refused());
}

#[test]
fn values_of_other_files_are_not_read_from_memory() {
    let mut parts = Parts::new(13).input("x", "n 2").node("Add x w -> y", vec![]).output("y");
    let far = TensorProto { data_location: Some(1), raw_data: None, ..floats("w", &values(&[2], 1)) };
    parts.constants.push(far);
    let error = Model::from_bytes(&parts.bytes()).unwrap_err().to_string();
    assert!(error.contains(r#"tensor "w": its values stand in another file"#), "{error}");
}

#[test]
fn messages_inside_messages_end_somewhere() {
    // A graph inside a tensor attribute inside a node, again and again, as the tags allow it.
    let mut bytes = Vec::new();
    for _ in 0..100_000 {
        let mut outer = vec![0x3a];
        prost::encoding::encode_varint(bytes.len() as u64, &mut outer);
        if bytes.len() > 1 << 20 {
            break;
        }
        outer.extend_from_slice(&bytes);
        bytes = outer;
    }
    read(&bytes);
    let many = Parts::new(13).proto().encode_to_vec().repeat(10_000);
    read(&many);
}

#[test]
fn a_long_chain_of_nodes_is_read_without_recursion() {
    let chain = (0..20_000).fold(Parts::new(13).input("x", "n 2"), |parts, link| {
        parts.node(&format!("Identity v{link} -> v{}", link + 1), vec![])
    });
    let mut chain = chain.output("v20000");
    chain.nodes.insert(0, crate::make::node("Relu x -> v0"));
    assert_eq!(chain.kernels(), ["unary"]);
}
