//! A network as a part of a program: kernels before and behind it, several in one program, and outputs to choose.

use gapless::kernel::{Binary, BinaryOp, Normalize, Reduce, ReduceOp, Spec};
use gapless::onnx::Model;
use gapless::{Gpu, GpuStage, Program, Tensors};
use ndarray::{Array3, ArrayD};

use crate::common::device;
use crate::make::{Parts, assert_near, int, text, values};

const MEAN: [f32; 3] = [100.0, 110.0, 120.0];
const STD: [f32; 3] = [50.0, 60.0, 70.0];

/// Planes of three channels; the whole answer, and what stands before it.
fn classifier(seed: u32) -> Parts {
    Parts::new(13)
        .input("x", "n 3 h w")
        .constant("w", &values(&[5, 3, 3, 3], seed))
        .constant("v", &values(&[5, 7], seed + 1))
        .node("Conv x w -> c", vec![text("auto_pad", "SAME_UPPER")])
        .node("GlobalAveragePool c -> p", vec![])
        .node("Flatten p -> features", vec![])
        .node("Gemm features v -> l", vec![])
        .node("Softmax l -> y", vec![int("axis", -1)])
        .output("y")
        .output("features")
}

/// `y = a - b` of rows of 7.
fn difference() -> Parts {
    Parts::new(13).input("a", "n 7").input("b", "n 7").node("Sub a b -> y", vec![]).output("y")
}

fn photo() -> Array3<u8> {
    Array3::from_shape_fn((8, 6, 3), |(y, x, c)| (y * 31 + x * 17 + c * 71) as u8)
}

/// A network alone, with photos as they were decoded.
fn alone(gpu: &Gpu, parts: &Parts) -> Program {
    let model = parts.model().input_shape("x", &[1, 3, 8, 6]);
    model.program(gpu).unwrap().normalize(MEAN, STD)
}

fn once(net: &Program) -> Tensors {
    net.run_once(&photo()).unwrap()
}

fn kernels(net: &Program) -> Vec<String> {
    net.plan(1).unwrap().kernels().map(|kernel| kernel.name.to_owned()).collect()
}

#[test]
fn a_kernel_before_a_network_gives_what_normalize_gives() {
    let Some(gpu) = device() else { return };
    let mut net = Program::new(&gpu);
    let pixels = net.input("pixels", Spec::bytes(&[8, 6, 3])).unwrap();
    let planes = net.add(Normalize::new(MEAN, STD), &[pixels]).unwrap();
    let given = net.add_onnx(&classifier(1).model(), &[("x", planes)]).unwrap();
    assert_eq!(given.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["y", "features"]);
    net.output("y", given["y"]).unwrap();
    net.output("features", given.get("features").unwrap()).unwrap();
    let (one, other) = (once(&net), once(&alone(&gpu, &classifier(1))));
    assert_eq!((&one["y"], &one["features"]), (&other["y"], &other["features"]));
    assert_eq!(one["y"].shape(), [1, 7]);
}

#[test]
fn a_kernel_behind_a_network_reads_what_it_gives() {
    let Some(gpu) = device() else { return };
    let mut net = alone(&gpu, &classifier(1));
    let y = net.tensor("y").unwrap();
    assert_eq!(net.spec(y), Some(&Spec::floats(&[7])));
    assert_eq!(net.spec(net.tensor("x").unwrap()), Some(&Spec::bytes(&[8, 6, 3])));
    assert_eq!(net.tensor("z"), None);
    let sum = net.add(Reduce::new(ReduceOp::Sum, [0]), &[y]).unwrap();
    net.output("sum", sum).unwrap();
    let given = once(&net.only_outputs(["sum"]));
    assert_eq!(given.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["sum"]);
    assert!((given["sum"].iter().sum::<f32>() - 1.0).abs() < 1e-5, "probabilities: {given:?}");
}

#[test]
fn two_networks_with_the_same_names_stand_in_one_program() {
    let Some(gpu) = device() else { return };
    let mut net = Program::new(&gpu);
    let pixels = net.input("x", Spec::bytes(&[8, 6, 3])).unwrap();
    let planes = net.add(Normalize::new(MEAN, STD), &[pixels]).unwrap();
    let one = net.add_onnx(&classifier(1).model(), &[("x", planes)]).unwrap();
    let other = net.add_onnx(&classifier(2).model(), &[("x", planes)]).unwrap();
    let last = net.add_onnx(&difference().model(), &[("b", other["y"]), ("a", one["y"])]).unwrap();
    for (name, id) in [("one", one["y"]), ("other", other["y"]), ("difference", last["y"])] {
        net.output(name, id).unwrap();
    }
    let together = once(&net);
    for (name, seed) in [("one", 1), ("other", 2)] {
        assert_eq!(together[name], once(&alone(&gpu, &classifier(seed)))["y"], "{name}");
    }
    assert_near(&together["difference"], &(&together["one"] - &together["other"]), "difference");
}

#[test]
fn what_no_output_needs_is_neither_computed_nor_read_back() {
    let Some(gpu) = device() else { return };
    let all = alone(&gpu, &classifier(1));
    let whole = kernels(&all);
    let features = all.clone().only_outputs(["features"]);
    let kept = kernels(&features);
    assert!(kept.len() < whole.len() && whole.starts_with(&kept), "{kept:?} of {whole:?}");
    let (part, before) = (once(&features), once(&all));
    assert_eq!((part.get("y"), &part["features"]), (None, &before["features"]));
    let turned = once(&all.clone().only_outputs(["features", "y"]));
    assert_eq!(turned.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["features", "y"]);
    assert_eq!(turned["y"], before["y"]);
}

#[test]
fn an_output_that_is_not_there_is_an_error_when_the_program_is_planned() {
    let net = alone(&Gpu::cpu(), &classifier(1));
    for (names, reason) in [
        (&["z"][..], "Program::only_outputs: there is no output called z; there is y, features"),
        (&["y", "y"], "Program::only_outputs: y is named twice"),
        (&[], "Program::only_outputs: none is named, so there is nothing to compute"),
    ] {
        let refused = net.clone().only_outputs(names.iter().copied());
        assert_eq!(refused.plan(1).unwrap_err().to_string(), reason);
        assert_eq!(refused.run_once(&photo()).unwrap_err().to_string(), reason);
    }
}

#[test]
fn a_network_takes_the_shape_of_the_tensor_where_it_leaves_it_open() {
    let model = classifier(1).model();
    let mut net = Program::new(&Gpu::cpu());
    let small = net.input("small", Spec::floats(&[3, 4, 5])).unwrap();
    let whole = net.input("whole", Spec::floats(&[1, 3, 9, 2])).unwrap();
    for planes in [small, whole] {
        let given = net.add_onnx(&model, &[("x", planes)]).unwrap();
        assert_eq!(net.spec(given["y"]), Some(&Spec::floats(&[7])));
    }
}

/// Why a network does not become a part of a program with these tensors, which is then what it was.
fn refused(net: &mut Program, model: &Model, inputs: &[(&str, gapless::gpu::TensorId)]) -> String {
    let before = (net.inputs().count(), net.tensor("x"));
    let error = net.add_onnx(model, inputs).unwrap_err().to_string();
    assert_eq!((net.inputs().count(), net.tensor("x")), before);
    error.strip_prefix("Program::add_onnx: ").unwrap().to_owned()
}

#[test]
fn a_tensor_that_does_not_fit_is_named_and_changes_nothing() {
    let model = classifier(1).model();
    let mut net = Program::new(&Gpu::cpu());
    let pixels = net.input("pixels", Spec::bytes(&[8, 6, 3])).unwrap();
    let planes = net.input("planes", Spec::floats(&[3, 8, 6])).unwrap();
    let gray = net.input("gray", Spec::floats(&[1, 8, 6])).unwrap();
    let weight = net.constant("weight", ArrayD::zeros(ndarray::IxDyn(&[3, 8, 6]))).unwrap();
    let foreign = Program::new(&Gpu::cpu()).input("x", Spec::floats(&[3, 8, 6])).unwrap();
    let mut says = |inputs: &[(&str, gapless::gpu::TensorId)], reason: &str| {
        assert_eq!(refused(&mut net, &model, inputs), reason);
    };
    says(&[], r#"no tensor is given for its input "x""#);
    says(&[("image", planes)], r#"it has no input called "image"; it has ["x"]"#);
    says(&[("x", planes), ("x", planes)], r#"its input "x" is given twice"#);
    says(&[("x", gray)], r#"its input "x" takes [n, 3, h, w], and [1, 8, 6] is given"#);
    says(&[("x", pixels)], r#"input "x": bytes are given: kernel::Normalize makes floats of pixels"#);
    says(&[("x", weight)], r#"input "x": a constant is given: onnx::Model::bind makes the input one"#);
    says(&[("x", foreign)], r#"input "x": a tensor of another program is given"#);
}

#[test]
fn the_same_network_twice_reads_its_own_weights() {
    let Some(gpu) = device() else { return };
    let model = difference().model();
    let mut net = Program::new(&gpu);
    let (a, b) = (net.input("a", Spec::floats(&[7])).unwrap(), net.input("b", Spec::floats(&[7])).unwrap());
    let first = net.add_onnx(&model, &[("a", a), ("b", b)]).unwrap();
    let second = net.add_onnx(&model, &[("a", first["y"]), ("b", b)]).unwrap();
    let doubled = net.add(Binary::new(BinaryOp::Add), &[second["y"], second["y"]]).unwrap();
    net.output("y", doubled).unwrap();
    let (a, b) = (values(&[7], 3), values(&[7], 4));
    let given = net.run_once(&vec![a.clone(), b.clone()]).unwrap();
    let expected = ((&a - &b) - &b) * 2.0;
    assert_near(&given["y"].index_axis(ndarray::Axis(0), 0).to_owned(), &expected, "y");
    GpuStage::<Vec<ArrayD<f32>>>::open(&mut net.clone(), 4).unwrap();
}
