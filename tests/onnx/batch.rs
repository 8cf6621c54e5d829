//! No item sees another: what lets items meet is refused, wherever the batch stands.

use gapless::Gpu;
use gapless::onnx::proto::AttributeProto;
use ndarray::{ArrayD, Axis};

use crate::make::{Parts, as_floats, assert_near, int, list, run, text, values};

/// A model of one node over `x [n, 4, 6]` and what it reads.
fn over(node: &str, attributes: Vec<AttributeProto>) -> Parts {
    Parts::new(17)
        .input("x", "n 4 6")
        .constant("w", &values(&[6, 5], 1))
        .constant("row", &values(&[6], 2))
        .constant("rows", &values(&[7, 1, 6], 3))
        .constant("scale", &values(&[4], 4))
        .constant("kernel", &values(&[4, 4, 3], 5))
        .ints("zero", &[0])
        .ints("one", &[1])
        .ints("two", &[2])
        .ints("end", &[i64::MAX])
        .ints("billion", &[1_000_000_000])
        .ints("turned", &[4, -1, 6])
        .ints("merged", &[-1, 6])
        .ints("flat", &[1, -1])
        .ints("kept", &[0, 2, 2, -1])
        .node(node, attributes)
        .output("y")
}

#[test]
fn a_node_that_lets_items_meet_is_refused_with_what_to_do() {
    let meets = [
        ("Softmax x -> y", vec![int("axis", 0)]),
        ("LogSoftmax x -> y", vec![int("axis", -3)]),
        ("ReduceMean x -> y", vec![list("axes", &[0, 2])]),
        ("ReduceMax x -> y", vec![]),
        ("ArgMax x -> y", vec![int("axis", 0)]),
        ("TopK x one -> y", vec![int("axis", 0)]),
        ("Gather x zero -> y", vec![int("axis", 0)]),
        ("Slice x zero one zero -> y", vec![]),
        ("Slice x zero end zero two -> y", vec![]),
        ("Concat x x -> y", vec![int("axis", 0)]),
        ("Add x rows -> y", vec![]),
        ("Reshape x turned -> y", vec![]),
        ("Shape x -> y", vec![]),
        ("Size x -> y", vec![]),
        ("CumSum x zero -> y", vec![]),
        ("Einsum x w -> y", vec![text("equation", "nij,jk->ik")]),
        ("Einsum x x -> y", vec![text("equation", "nij,mij->nm")]),
    ];
    for (node, attributes) in meets {
        let reason = over(node, attributes).refused();
        assert!(reason.contains(r#"dim("n", …)"#) && reason.contains("batch_axis"), "{node}: {reason}");
    }
}

#[test]
fn what_works_beside_the_items_keeps_them() {
    let fine = [
        ("Softmax x -> y", vec![int("axis", 1)]),
        ("ReduceMean x -> y", vec![list("axes", &[1]), int("keepdims", 0)]),
        ("ArgMax x -> y", vec![int("axis", 2)]),
        ("Gather x one -> y", vec![int("axis", 2)]),
        ("Slice x zero end zero -> y", vec![]),
        ("Slice x zero billion zero -> y", vec![]),
        ("Slice x zero one two -> y", vec![]),
        ("Concat x x -> y", vec![int("axis", 1)]),
        ("Add x row -> y", vec![]),
        ("MatMul x w -> y", vec![]),
        ("Conv x kernel -> y", vec![]),
        ("Transpose x -> y", vec![list("perm", &[1, 0, 2])]),
        ("Transpose x -> y", vec![list("perm", &[2, 1, 0])]),
        ("Reshape x merged -> y", vec![]),
        ("Reshape x kept -> y", vec![]),
        ("Flatten x -> y", vec![int("axis", 2)]),
        ("Unsqueeze x one -> y", vec![]),
        ("LayerNormalization x row -> y", vec![]),
        ("CumSum x two -> y", vec![int("reverse", 1)]),
        ("Trilu x one -> y", vec![int("upper", 0)]),
        ("Einsum x w -> y", vec![text("equation", "nij,jk->kni")]),
        ("Einsum x x -> y", vec![text("equation", "...ij,...kj->...ik")]),
        ("Einsum x -> y", vec![text("equation", "nij->jn")]),
    ];
    for (node, attributes) in fine {
        whole_and_apart(&over(node, attributes), node);
    }
}

/// A batch of three items is computed as the file says it for a batch of three, in the file's layout.
pub(crate) fn whole_and_apart(parts: &Parts, what: &str) {
    let array = values(&[3, 4, 6], 9);
    let mut whole = parts.model().dim("n", 3).program(&Gpu::cpu()).expect(what);
    let wanted = as_floats(&run(&mut whole, &[vec![array.clone()]]), "y").index_axis_move(Axis(0), 0);
    let (mut program, layout) = parts.model().program_with_layout(&Gpu::cpu()).expect(what);
    let items: Vec<Vec<ArrayD<f32>>> =
        layout.split("x", &array).expect(what).into_iter().map(|item| vec![item]).collect();
    let given = as_floats(&run(&mut program, &items), "y");
    let rows: Vec<_> = given.outer_iter().collect();
    assert_near(&layout.join("y", &rows).expect(what), &wanted, what);
}

#[test]
fn what_is_taken_of_later_items_is_refused_though_one_item_has_nothing_of_it() {
    let parts =
        over("Slice x one two zero -> s", vec![]).node("Concat s planes -> joined", vec![int("axis", 0)]);
    let parts = Parts { outputs: vec!["joined".into()], ..parts };
    let parts = parts.constant("planes", &values(&[2, 4, 6], 8));
    assert!(parts.refused().contains("it takes some of the items"), "{}", parts.refused());
}

#[test]
fn a_shape_that_a_model_computes_carries_the_items() {
    let heads = Parts::new(17)
        .input("x", "n 4 6")
        .ints("zero", &[0])
        .ints("heads", &[2])
        .ints("rest", &[-1])
        .ints("six", &[6])
        .node("Shape x -> s", vec![])
        .node("Gather s zero -> n", vec![])
        .node("Concat n heads rest six -> split", vec![int("axis", 0)])
        .node("Reshape x split -> h", vec![])
        .node("Mul n heads -> both", vec![])
        .node("Concat both rest six -> merged", vec![int("axis", 0)])
        .node("Reshape h merged -> m", vec![])
        .node("Softmax m -> p", vec![int("axis", 1)])
        .node("Concat n rest six -> back", vec![int("axis", 0)])
        .node("Reshape p back -> y", vec![])
        .output("y");
    whole_and_apart(&heads, "heads beside the items, in one axis with them");
    let over_heads =
        Parts { outputs: vec!["z".into()], ..heads }.node("Softmax m -> z", vec![int("axis", 0)]);
    assert!(over_heads.refused().contains("it works along the items"));
}

#[test]
fn a_constant_of_as_many_rows_as_items_is_the_same_for_each() {
    let token = Parts::new(17)
        .input("x", "n 4 6")
        .constant("token", &values(&[1, 1, 6], 1))
        .ints("zero", &[0])
        .ints("one", &[1])
        .ints("six", &[6])
        .node("Shape x -> s", vec![])
        .node("Gather s zero -> n", vec![])
        .node("Concat n one six -> many", vec![int("axis", 0)])
        .node("Expand token many -> tokens", vec![])
        .node("Concat tokens x -> y", vec![int("axis", 1)])
        .output("y");
    whole_and_apart(&token, "a token before each item");
}

#[test]
fn the_number_of_items_is_no_number_to_compute_with() {
    let mean = Parts::new(17)
        .input("x", "n 4 6")
        .ints("zero", &[0])
        .node("Shape x -> s", vec![])
        .node("Gather s zero -> n", vec![])
        .node("Cast n -> f", vec![int("to", 1)])
        .node("Div x f -> y", vec![])
        .output("y");
    assert!(mean.refused().contains("it computes with the number of items"));
}

#[test]
fn what_a_file_allows_for_one_item_alone_is_right_for_each() {
    let flat = over("Reshape x flat -> f", vec![])
        .constant("columns", &values(&[24, 5], 1))
        .node("Gemm f columns -> y", vec![]);
    let item = values(&[4, 6], 3);
    let given = flat.run(std::slice::from_ref(&item));
    let wanted = over("Flatten x -> f", vec![])
        .constant("columns", &values(&[24, 5], 1))
        .node("Gemm f columns -> y", vec![])
        .run(&[item]);
    assert_eq!(given["y"], wanted["y"]);
}

#[test]
fn a_squeeze_that_names_no_axis_leaves_that_of_the_items() {
    let squeezed = Parts::new(17)
        .input("x", "n 4 6")
        .node("ReduceMean x -> m", vec![list("axes", &[1])])
        .node("Squeeze m -> y", vec![])
        .output("y");
    whole_and_apart(&squeezed, "squeezed");
}

#[test]
fn the_caller_can_say_which_axis_is_the_batch() {
    let time_first = || {
        Parts::new(17)
            .input("x", "t clips 6")
            .constant("w", &values(&[6, 5], 1))
            .node("MatMul x w -> m", vec![])
            .node("Softmax m -> y", vec![int("axis", 0)])
            .output("y")
            .model()
            .dim("clips", 2)
    };
    assert!(time_first().program(&Gpu::cpu()).is_err(), "a softmax over the first axis");
    let time_first = || {
        let parts = Parts::new(17).input("x", "t clips 6");
        parts.node("Softmax x -> y", vec![int("axis", 0)]).output("y").model().dim("t", 4)
    };
    let array = values(&[4, 3, 6], 1);
    for model in [time_first().batch("clips"), time_first().batch_axis("x", 1)] {
        let (mut program, layout) = model.program_with_layout(&Gpu::cpu()).unwrap();
        assert_eq!(layout.batch_axis("x"), Some(1));
        let items: Vec<_> = layout.split("x", &array).unwrap().into_iter().map(|item| vec![item]).collect();
        assert_eq!((items.len(), items[0][0].shape()), (3, &[4, 6][..]));
        let given = run(&mut program, &items);
        let rows: Vec<_> = given["y"].outer_iter().collect();
        let whole = layout.join("y", &rows).unwrap();
        assert_eq!(whole.shape(), [4, 3, 6]);
        assert!((whole.sum_axis(Axis(0)) - 1.0).iter().all(|rest| rest.abs() < 1e-5));
    }
    assert!(time_first().batch("speakers").program(&Gpu::cpu()).is_err(), "no input has such an axis");
}

/// A mask that is the same for all items, of which each place is looked up by the number of its item and its own, in this
/// order: so PyTorch's newer exporter writes masks of attention.
fn looked_up(coordinates: &str) -> Parts {
    Parts::new(18)
        .input("x", "n 4 6")
        .constant("row", &values(&[1, 4], 1))
        .constant("places", &ArrayD::from_shape_fn(vec![1, 4, 1], |at| at[1] as f32))
        .ints("one", &[1])
        .ints("lines", &[4])
        .ints("behind", &[1, 2])
        .node("Constant -> zero", vec![scalar(0)])
        .node("Constant -> step", vec![scalar(1)])
        .node("Shape x -> n", vec![int("start", 0), int("end", 1)])
        .node("Squeeze n -> count", vec![])
        .node("Concat n lines -> flat", vec![int("axis", 0)])
        .node("Expand row flat -> mask", vec![])
        .node("Range zero count step -> item", vec![])
        .node("Unsqueeze item behind -> column", vec![])
        .node("Concat n lines one -> all", vec![int("axis", 0)])
        .node("Expand column all -> numbers", vec![])
        .node("Cast places -> own", vec![int("to", 7)])
        .node("Expand own all -> owns", vec![])
        .node(&format!("Concat {coordinates} -> picks"), vec![int("axis", -1)])
        .node("GatherND mask picks -> seen", vec![])
        .node("Unsqueeze seen two -> factors", vec![])
        .ints("two", &[2])
        .node("Mul x factors -> y", vec![])
        .output("y")
}

#[test]
fn a_mask_is_looked_up_by_the_number_of_its_item_and_by_no_other() {
    whole_and_apart(&looked_up("numbers owns"), "each in its own row");
    let refused = looked_up("numbers numbers").refused();
    assert!(refused.contains("it computes with the number of items"), "{refused}");
    // A batch of one has no other row.
    assert!(looked_up("owns owns").refused().contains("GatherND"));
}

/// Rows of a flattened batch are picked by `item · length + place`, as exporters write `mask[item, place]`.
fn picked(length: i64) -> Parts {
    Parts::new(17)
        .input("x", "n 4 6")
        .ints("none", &[0])
        .ints("length", &[length])
        .ints("places", &[3, 0])
        .ints("six", &[-1, 6])
        .constant("fifth", &values(&[5], 1))
        .node("Constant -> zero", vec![scalar(0)])
        .node("Constant -> one", vec![scalar(1)])
        .node("Shape x -> s", vec![])
        .node("Gather s zero -> n", vec![int("axis", 0)])
        .node("Range zero n one -> item", vec![])
        .node("Unsqueeze item one -> column", vec![])
        .node("Mul column length -> first", vec![])
        .node("Add first places -> picks", vec![])
        .node("Reshape x six -> rows", vec![])
        .node("Gather rows picks -> y", vec![int("axis", 0)])
        .output("y")
}

fn scalar(value: i64) -> AttributeProto {
    int("value_int", value)
}

#[test]
fn rows_are_picked_of_each_item_where_no_pick_leaves_it() {
    whole_and_apart(&picked(4), "four rows an item");
    for length in [3, 5] {
        assert!(
            picked(length).refused().contains("it looks up by the places of items"),
            "{length} rows an item"
        );
    }
}

/// A mask as DETR is exported with: ones, picked by `item · length + place` where the item's number is one, and added.
fn masked(number: &str) -> Parts {
    picked(4)
        .node("ConstantOfShape s -> ones", vec![])
        .node("Reshape ones six -> flat", vec![])
        .node("Gather flat picks -> own", vec![int("axis", 0)])
        .node(number, vec![])
        .node("Cast there -> number", vec![int("to", 1)])
        .node("Unsqueeze number one -> numbers", vec![])
        .node("Unsqueeze numbers one -> planes", vec![])
        .node("Mul own planes -> mask", vec![])
        .node("Add y mask -> masked", vec![])
        .output("masked")
}

#[test]
fn what_holds_for_the_number_of_every_item_and_what_is_picked_of_a_constant_is_no_number() {
    whole_and_apart(&masked("GreaterOrEqual item zero -> there"), "it holds for all");
    let refused = masked("Less item one -> there").refused();
    assert!(refused.contains("it computes with the number of items"), "{refused}");
}

#[test]
fn a_shape_that_a_constant_is_seen_in_may_have_the_number_of_items() {
    let places = Parts::new(17)
        .input("x", "n 4 6")
        .constant("places", &values(&[1, 24], 1))
        .ints("zero", &[0])
        .ints("one", &[1])
        .ints("last", &[4, 6])
        .node("Shape x -> s", vec![])
        .node("Gather s zero -> n", vec![])
        .node("Concat n one -> times", vec![int("axis", 0)])
        .node("Tile places times -> all", vec![])
        .node("Concat n last -> shape", vec![int("axis", 0)])
        .node("Reshape all shape -> p", vec![])
        .node("Add x p -> y", vec![])
        .output("y");
    whole_and_apart(&places, "places beside every item");
}
