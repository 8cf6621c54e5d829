//! What an item is, and that items do not know of each other.

use std::slice::from_ref;

use gapless::onnx::Model;
use gapless::{Gpu, Rows as _};
use ndarray::{ArrayD, Axis, IxDyn};

use crate::make::{Parts, assert_near, int, list, run, text, values};

fn classifier() -> Parts {
    Parts::new(13)
        .input("x", "n 3 8 8")
        .constant("w", &values(&[5, 3, 3, 3], 1))
        .constant("v", &values(&[5, 7], 2))
        .node("Conv x w -> c", vec![text("auto_pad", "SAME_UPPER"), list("strides", &[2, 2])])
        .node("Relu c -> r", vec![])
        .node("GlobalAveragePool r -> p", vec![])
        .node("Flatten p -> f", vec![])
        .node("Gemm f v -> l", vec![])
        .node("Softmax l -> y", vec![int("axis", -1)])
        .output("y")
}

#[test]
fn every_item_of_a_batch_is_computed_as_if_it_were_alone() {
    let items: Vec<ArrayD<f32>> = (0..5).map(|seed| values(&[3, 8, 8], seed)).collect();
    let batch: Vec<_> = items.iter().map(|item| vec![item.clone()]).collect();
    let together = run(&mut classifier().program(), &batch);
    assert_eq!(together["y"].shape(), [5, 7]);
    for (place, item) in items.into_iter().enumerate() {
        let alone = run(&mut classifier().program(), &[vec![item]]);
        assert_eq!(together["y"].index_axis(Axis(0), place), alone["y"].index_axis(Axis(0), 0));
    }
}

#[test]
fn a_batch_axis_of_1_is_the_same_as_a_symbolic_one() {
    let fixed = Parts { inputs: vec![crate::make::input("x", "1 3 8 8", 1)], ..classifier() };
    let item = values(&[3, 8, 8], 1);
    assert_eq!(fixed.run(from_ref(&item))["y"], classifier().run(&[item])["y"]);
}

#[test]
fn where_the_first_axis_is_fixed_an_item_is_a_whole_tensor() {
    let fixed = Parts { inputs: vec![crate::make::input("x", "2 3 8 8", 1)], ..classifier() };
    let whole = values(&[2, 3, 8, 8], 1);
    let given = fixed.run(from_ref(&whole));
    assert_eq!(given["y"].shape(), [1, 2, 7]);
    let batch: Vec<_> = whole.outer_iter().map(|item| vec![item.to_owned()]).collect();
    let apart = run(&mut classifier().program(), &batch);
    assert_near(&given["y"].index_axis(Axis(0), 0).to_owned(), &apart["y"], "y");
    let set = classifier().model().dim("n", 2).program(&Gpu::cpu());
    assert_eq!(run(&mut set.unwrap(), &[vec![whole]])["y"], given["y"]);
}

#[test]
fn axes_that_are_open_get_their_length() {
    let open = Parts::new(13).input("x", "n c h w").node("GlobalAveragePool x -> y", vec![]).output("y");
    assert!(open.refused().contains(r#"input "x": axis 1 is "c": give its length with dim("c", …)"#));
    let set = open.model().dim("c", 2).dim("h", 3).dim("w", 4).program(&Gpu::cpu()).unwrap();
    let shaped = open.model().input_shape("x", &[1, 2, 3, 4]).program(&Gpu::cpu()).unwrap();
    for mut program in [set, shaped] {
        let given = run(&mut program, &[vec![ArrayD::from_elem(IxDyn(&[2, 3, 4]), 5.0)]]);
        assert_eq!(given["y"], ArrayD::from_elem(IxDyn(&[1, 2, 1, 1]), 5.0));
    }
}

#[test]
fn several_inputs_come_in_the_order_of_the_file() {
    let both = Parts::new(13).input("a", "n 3").input("b", "n 3").node("Sub a b -> y", vec![]).output("y");
    let (a, b) = (values(&[3], 1), values(&[3], 2));
    assert_eq!(both.run(&[a.clone(), b.clone()])["y"].index_axis(Axis(0), 0), &a - &b);
    let bound = both.model().bind("b", b.clone().insert_axis(Axis(0))).program(&Gpu::cpu());
    assert_eq!(run(&mut bound.unwrap(), &[vec![a.clone()]])["y"].index_axis(Axis(0), 0), a - b);
}

#[test]
fn an_output_that_no_kernel_gives_is_copied() {
    let parts = Parts::new(13)
        .input("x", "1 2 3")
        .ints("i", &[4, 5])
        .node("Identity x -> same", vec![])
        .node("Flatten x -> flat", vec![])
        .node("Shape x -> shape", vec![])
        .node("Identity i -> fixed", vec![])
        .node("Relu x -> r", vec![])
        .node("Identity r -> again", vec![]);
    let parts = ["same", "flat", "shape", "fixed", "r", "again", "x"].into_iter().fold(parts, Parts::output);
    let x = values(&[2, 3], 1);
    let given = parts.run(from_ref(&x));
    assert_eq!(given["same"].index_axis(Axis(0), 0), x);
    assert_eq!(given["x"].index_axis(Axis(0), 0), x);
    assert_eq!(given["flat"].shape(), [1, 6]);
    let row = |name: &str| given.row(0).ints(name).unwrap().iter().copied().collect::<Vec<_>>();
    assert_eq!((row("shape"), row("fixed")), (vec![1, 2, 3], vec![4, 5]));
    assert_eq!(given["r"], given["again"]);
}

#[test]
fn inputs_and_outputs_are_told() {
    let model: Model = classifier().model();
    assert_eq!(model.inputs().map(ToString::to_string).collect::<Vec<_>>(), ["x [n, 3, 8, 8]"]);
    assert_eq!(model.outputs().collect::<Vec<_>>(), ["y"]);
    let bound = model.bind("x", values(&[1, 3, 8, 8], 1));
    assert_eq!(bound.inputs().count(), 0);
}
