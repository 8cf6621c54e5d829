//! Values that are the same for all items: rows that may be taken from any, and sizes that grow with them.

use gapless::onnx::proto::AttributeProto;

use crate::batch::whole_and_apart;
use crate::make::{Parts, int, text, values};

/// A token stands before each of four frames of an item, and as many rows as there are items are taken from the front.
fn frames() -> Parts {
    Parts::new(17)
        .input("x", "n 4 6")
        .constant("token", &values(&[1, 1, 6], 1))
        .constant("places", &values(&[1, 2, 6], 2))
        .ints("zero", &[0])
        .ints("one", &[1])
        .ints("two", &[2])
        .ints("four", &[4])
        .ints("six", &[6])
        .ints("end", &[i64::MAX])
        .node("Shape x -> s", vec![])
        .node("Gather s zero -> n", vec![int("axis", 0)])
        .node("Mul n four -> frames", vec![])
        .node("Concat frames one six -> many", vec![int("axis", 0)])
        .node("Expand token many -> tokens", vec![])
        .node("Reshape x many -> rows", vec![])
        .node("Concat tokens rows -> both", vec![int("axis", 1)])
        .node("Add both places -> placed", vec![])
        .node("Slice placed zero n zero -> front", vec![])
        .output("y")
}

#[test]
fn rows_of_the_first_item_stand_for_all_where_they_are_alike() {
    let picked = frames().node("Gather front zero -> taken", vec![int("axis", 1)]);
    whole_and_apart(&beside_items(picked), "the token is picked");
    let sliced = frames().node("Slice front zero one one -> taken", vec![]);
    whole_and_apart(&beside_items(sliced), "the token is cut out");
    let tokens = frames()
        .node("Slice placed zero one one -> only", vec![])
        .node("Mul n two -> twice", vec![])
        .node("Slice only zero twice zero -> taken", vec![]);
    whole_and_apart(&beside_items(tokens), "two rows an item of tokens alone");
}

/// What was taken for each item comes before its own rows.
fn beside_items(parts: Parts) -> Parts {
    parts
        .ints("all", &[-1])
        .node("Concat n all six -> each", vec![int("axis", 0)])
        .node("Reshape taken each -> first", vec![])
        .node("Concat first x -> y", vec![int("axis", 1)])
}

#[test]
fn what_is_not_alike_in_rows_of_the_first_item_is_not_read_for_others() {
    let unlike: [(&str, Vec<AttributeProto>); 6] = [
        ("Gather front one -> y", vec![int("axis", 1)]),
        ("Gather front zero -> y", vec![int("axis", 2)]),
        ("Slice front zero end one -> y", vec![]),
        ("Slice front one two one -> y", vec![]),
        ("Relu front -> y", vec![]),
        ("Identity front -> y", vec![]),
    ];
    for (node, attributes) in unlike {
        let reason = frames().node(node, attributes).refused();
        assert!(reason.contains(r#"dim("n", …)"#), "{node}: {reason}");
    }
    let own = frames().node("Slice rows zero n zero -> y", vec![]);
    assert!(own.refused().contains("it takes some of the items"), "rows of the items");
}

/// Sizes that are computed from a shape whose first axis has the items.
fn resized(node: &str) -> Parts {
    Parts::new(17)
        .input("x", "n 4 6")
        .ints("zero", &[0])
        .ints("one", &[1])
        .ints("last", &[2, 6])
        .node("Shape x -> s", vec![])
        .node("Gather s zero -> n", vec![int("axis", 0)])
        .node("ConstantOfShape s -> zeros", vec![])
        .node("Cos zeros -> ones", vec![])
        .node("Unsqueeze ones zero -> mask", vec![])
        .node("Unsqueeze x zero -> whole", vec![])
        .node("Concat one n last -> same", vec![int("axis", 0)])
        .node("Concat n one last -> turned", vec![int("axis", 0)])
        .node("Concat n n last -> square", vec![int("axis", 0)])
        .node(node, vec![text("mode", "nearest"), text("coordinate_transformation_mode", "asymmetric")])
        .node("Squeeze small zero -> each", vec![])
        .node("Concat each x -> y", vec![int("axis", 1)])
        .output("y")
}

#[test]
fn sizes_may_have_the_number_of_items_in_their_axis_and_nowhere_else() {
    whole_and_apart(&resized("Resize mask _ _ same -> small"), "a constant for each item");
    whole_and_apart(&resized("Resize whole _ _ same -> small"), "items");
    for sizes in ["turned", "square"] {
        for value in ["mask", "whole"] {
            let reason = resized(&format!("Resize {value} _ _ {sizes} -> small")).refused();
            assert!(reason.contains(r#"dim("n", …)"#), "{value} {sizes}: {reason}");
        }
    }
}
