//! Operators that ONNX's cases leave out: groups, one axis, and the ways of old opsets.

use std::slice::from_ref;

use ndarray::{Array4, ArrayD, Axis, IxDyn, array};

use crate::make::{Parts, assert_near, float, int, list, text, values};

/// The plain definition of a convolution in groups, with stride, dilation and pads.
fn plain_conv(
    x: &ArrayD<f32>,
    w: &ArrayD<f32>,
    groups: usize,
    stride: [usize; 2],
    dilation: [usize; 2],
    pads: [usize; 4],
) -> ArrayD<f32> {
    let ([c, h, width], [m, share, kh, kw]) = (axes::<3>(x), axes::<4>(w));
    assert_eq!(c, share * groups);
    let out = |length: usize, axis: usize, kernel: usize| {
        (length + pads[axis] + pads[axis + 2] - dilation[axis] * (kernel - 1) - 1) / stride[axis] + 1
    };
    ArrayD::from_shape_fn(IxDyn(&[1, m, out(h, 0, kh), out(width, 1, kw)]), |place| {
        let (output, top, left) = (place[1], place[2] * stride[0], place[3] * stride[1]);
        let mut sum = 0.0;
        for (i, dy, dx) in ndarray::indices((share, kh, kw)) {
            let (y, x_place) = (top + dy * dilation[0], left + dx * dilation[1]);
            if (pads[0]..h + pads[0]).contains(&y) && (pads[1]..width + pads[1]).contains(&x_place) {
                let channel = output / (m / groups) * share + i;
                sum += x[[channel, y - pads[0], x_place - pads[1]]] * w[[output, i, dy, dx]];
            }
        }
        sum
    })
}

fn axes<const N: usize>(array: &ArrayD<f32>) -> [usize; N] {
    array.shape().try_into().unwrap()
}

#[test]
fn convolutions_in_groups_give_their_plain_definition() {
    for (channels, outputs, groups, kernel) in
        [(4, 6, 2, [3, 3]), (6, 6, 6, [3, 3]), (6, 6, 6, [5, 5]), (3, 9, 3, [3, 2]), (8, 4, 4, [1, 1])]
    {
        let (stride, dilation, pads) = ([2, 1], [1, 2], [1, 0, 2, 3]);
        let w = values(&[outputs, channels / groups, kernel[0], kernel[1]], 3);
        let conv = Parts::new(13)
            .input("x", &format!("n {channels} 9 11"))
            .constant("w", &w)
            .node(
                "Conv x w -> y",
                vec![
                    int("group", groups as i64),
                    list("strides", &[2, 1]),
                    list("dilations", &[1, 2]),
                    list("pads", &[1, 0, 2, 3]),
                ],
            )
            .output("y");
        let x = values(&[channels, 9, 11], 4);
        let wanted = plain_conv(&x, &w, groups, stride, dilation, pads);
        assert_near(&conv.run(&[x])["y"], &wanted, &format!("{groups} groups of {channels}"));
    }
}

#[test]
fn the_odd_pad_of_same_comes_after_or_before() {
    let conv = |auto: &str| {
        Parts::new(13)
            .input("x", "n 1 5 6")
            .constant("w", &values(&[1, 1, 2, 4], 3))
            .node("Conv x w -> y", vec![text("auto_pad", auto)])
            .output("y")
    };
    let x = values(&[1, 5, 6], 4);
    let plain = |pads| plain_conv(&x, &values(&[1, 1, 2, 4], 3), 1, [1, 1], [1, 1], pads);
    assert_near(&conv("SAME_UPPER").run(from_ref(&x))["y"], &plain([0, 1, 1, 2]), "upper");
    assert_near(&conv("SAME_LOWER").run(from_ref(&x))["y"], &plain([1, 2, 0, 1]), "lower");
    assert_near(&conv("VALID").run(from_ref(&x))["y"], &plain([0; 4]), "valid");
}

#[test]
fn a_convolution_of_one_axis_is_one_of_a_single_row() {
    let w = values(&[4, 3, 3], 1);
    let conv = Parts::new(13)
        .input("x", "n 3 10")
        .constant("w", &w)
        .constant("b", &values(&[4], 2))
        .node("Conv x w b -> c", vec![list("pads", &[2, 1]), list("strides", &[2])])
        .node("Relu c -> y", vec![])
        .output("y");
    let x = values(&[3, 10], 3);
    let (row, kernel) = (x.clone().insert_axis(Axis(1)), w.insert_axis(Axis(2)));
    let mut wanted = plain_conv(&row, &kernel, 1, [1, 2], [1, 1], [0, 2, 0, 1]).index_axis_move(Axis(2), 0);
    for (mut channel, bias) in wanted.axis_iter_mut(Axis(1)).zip(values(&[4], 2)) {
        channel.mapv_inplace(|value| (value + bias).max(0.0));
    }
    assert_near(&conv.run(&[x])["y"], &wanted, "y");
    assert_eq!(conv.kernels(), ["conv2d+relu"]);
}

#[test]
fn softmax_of_old_opsets_is_over_all_axes_from_one_on() {
    let softmax = |opset| {
        let parts = Parts::new(opset).input("x", "n 2 3 4").node("Softmax x -> y", vec![int("axis", 1)]);
        parts.output("y").run(&[values(&[2, 3, 4], 1)])["y"].clone()
    };
    let (old, new) = (softmax(11), softmax(13));
    assert!((old.sum() - 1.0).abs() < 1e-5, "all 24 values share 1");
    assert!(new.sum_axis(Axis(1)).iter().all(|sum| (sum - 1.0).abs() < 1e-5), "along axis 1 they share 1");
}

fn one(parts: Parts, item: ArrayD<f32>) -> Vec<f32> {
    parts.output("y").run(&[item])["y"].iter().copied().collect()
}

#[test]
fn parameters_that_were_attributes_once_are_read() {
    let row = || array![-3.0_f32, 1.0, 9.0].into_dyn();
    let parts = |opset| Parts::new(opset).input("x", "n 3");
    let clip = parts(6).node("Clip x -> y", vec![float("min", -1.0), float("max", 6.0)]);
    assert_eq!(one(clip, row()), [-1.0, 1.0, 6.0]);
    let slice =
        parts(9).node("Slice x -> y", vec![list("starts", &[1]), list("ends", &[9]), list("axes", &[1])]);
    assert_eq!(one(slice, row()), [1.0, 9.0]);
    let pad = parts(10).node("Pad x -> y", vec![list("pads", &[0, 1, 0, 0]), float("value", 7.0)]);
    assert_eq!(one(pad, row()), [7.0, -3.0, 1.0, 9.0]);
    let unsqueeze = parts(11).node("Unsqueeze x -> u", vec![list("axes", &[1])]);
    let squeeze = unsqueeze.node("Relu u -> r", vec![]).node("Squeeze r -> y", vec![list("axes", &[1])]);
    assert_eq!(one(squeeze, row()), [0.0, 1.0, 9.0]);
    let split = parts(11).node("Split x -> z y", vec![int("axis", 1), list("split", &[1, 2])]);
    assert_eq!(one(split, row()), [1.0, 9.0]);
    let top = parts(1).node("TopK x -> y", vec![int("k", 2)]);
    assert_eq!(one(top, row()), [9.0, 1.0]);
    let sum = parts(11).node("ReduceSum x -> y", vec![list("axes", &[-1]), int("keepdims", 0)]);
    assert_eq!(one(sum, row()), [7.0]);
    let reshape = parts(1).node("Reshape x -> y", vec![list("shape", &[3, 1])]);
    assert_eq!(one(reshape, row()), [-3.0, 1.0, 9.0]);
}

#[test]
fn an_old_sum_is_aligned_at_an_axis() {
    let old = Parts::new(6)
        .input("x", "n 2 2")
        .constant("b", &array![10.0_f32, 20.0].into_dyn())
        .node("Add x b -> y", vec![int("broadcast", 1), int("axis", 1)]);
    assert_eq!(one(old, array![[1.0_f32, 2.0], [3.0, 4.0]].into_dyn()), [11.0, 12.0, 23.0, 24.0]);
    let slopes = Parts::new(6)
        .input("x", "n 2 1")
        .constant("s", &array![2.0_f32, 3.0].into_dyn())
        .node("PRelu x s -> y", vec![]);
    assert_eq!(one(slopes, array![[-1.0_f32], [-1.0]].into_dyn()), [-2.0, -3.0]);
}

#[test]
fn upsample_repeats_and_old_resize_takes_the_place_behind() {
    let plane = || array![[[1.0_f32, 2.0], [3.0, 4.0]]].into_dyn();
    let scales = array![1.0_f32, 1.0, 1.0, 2.0].into_dyn();
    let upsample = |opset, name: &str| {
        Parts::new(opset)
            .input("x", "n 1 2 2")
            .constant("s", &scales)
            .node(&format!("{name} x s -> y"), vec![])
    };
    for parts in [upsample(9, "Upsample"), upsample(10, "Resize")] {
        assert_eq!(one(parts, plane()), [1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0]);
    }
    // The case resize_downsample_nearest of opset 10.
    let down = Parts::new(10)
        .input("x", "n 1 2 4")
        .constant("s", &array![1.0_f32, 1.0, 0.6, 0.6].into_dyn())
        .node("Resize x s -> y", vec![]);
    assert_eq!(one(down, array![[[1.0_f32, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]].into_dyn()), [1.0, 3.0]);
}

#[test]
fn batch_normalisation_alone_gives_its_formula() {
    let [s, t, m, v] = [1, 2, 3, 4].map(|seed| values(&[3], seed).mapv_into(f32::abs));
    let normal = Parts::new(9)
        .input("x", "n 3 2 2")
        .constant("s", &s)
        .constant("t", &t)
        .constant("m", &m)
        .constant("v", &v)
        .node("BatchNormalization x s t m v -> y", vec![float("epsilon", 0.1)])
        .output("y");
    let x = values(&[3, 2, 2], 5);
    let wanted = Array4::from_shape_fn((1, 3, 2, 2), |(_, c, i, j)| {
        (x[[c, i, j]] - m[c]) / (v[c] + 0.1).sqrt() * s[c] + t[c]
    });
    assert_near(&normal.run(&[x])["y"], &wanted.into_dyn(), "y");
}

#[test]
fn many_tensors_and_constants_are_joined_in_order() {
    let mut parts = Parts::new(13).input("x", "n 1");
    let mut names = String::new();
    for index in 0..11 {
        let name = format!("c{index}");
        parts = parts.constant(&name, &ArrayD::from_elem(IxDyn(&[1, 1]), index as f32));
        names += &format!(" {name}");
    }
    let joined = parts.node(&format!("Concat{names} x x x{names} -> y"), vec![int("axis", 1)]);
    let given = one(joined, ArrayD::from_elem(IxDyn(&[1]), 100.0));
    let numbers = || (0..11).map(|index| index as f32);
    let wanted: Vec<f32> = numbers().chain([100.0; 3]).chain(numbers()).collect();
    assert_eq!(given, wanted);
}

#[test]
fn places_are_gathered_and_repeated() {
    let x = || array![[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]].into_dyn();
    let parts = || {
        Parts::new(13)
            .input("x", "n 2 3")
            .ints("last", &[-1])
            .ints("three", &[2, -3, 1])
            .ints("r", &[1, 2, 1])
    };
    assert_eq!(one(parts().node("Gather x last -> y", vec![int("axis", 2)]), x()), [3.0, 6.0]);
    let three = parts().node("Gather x three -> y", vec![int("axis", 2)]);
    assert_eq!(one(three, x()), [3.0, 1.0, 2.0, 6.0, 4.0, 5.0]);
    let tiled = parts().node("Tile x r -> y", vec![]);
    assert_eq!(one(tiled, x()), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
}

#[test]
fn a_cast_to_whole_numbers_cuts_off() {
    let cast = Parts::new(13)
        .input("x", "n 5")
        .node("Cast x -> i", vec![int("to", 7)])
        .node("Cast i -> y", vec![int("to", 1)]);
    assert_eq!(one(cast, array![-1.7_f32, -0.5, 0.0, 0.9, 2.9].into_dyn()), [-1.0, 0.0, 0.0, 0.0, 2.0]);
    let flags = Parts::new(13).input("x", "n 3").node("Cast x -> y", vec![int("to", 9)]);
    assert_eq!(one(flags, array![-0.5_f32, 0.0, 7.0].into_dyn()), [1.0, 0.0, 1.0]);
}

#[test]
fn a_product_of_activations_is_scaled_and_added_to() {
    let (a, b) = (values(&[2, 3], 1), values(&[4, 3], 2));
    let gemm = Parts::new(13)
        .input("a", "2 3")
        .input("b", "4 3")
        .constant("c", &array![[1.0_f32], [2.0]].into_dyn())
        .node("Gemm a b c -> g", vec![int("transB", 1), float("alpha", 0.5), float("beta", 3.0)])
        .node("Relu g -> y", vec![])
        .output("y");
    let wanted = ArrayD::from_shape_fn(IxDyn(&[1, 2, 4]), |place| {
        let sum: f32 = (0..3).map(|k| a[[place[1], k]] * b[[place[2], k]]).sum();
        (0.5 * sum + 3.0 * [1.0, 2.0][place[1]]).max(0.0)
    });
    assert_near(&gemm.run(&[a, b])["y"], &wanted, "y");
}

#[test]
fn flags_are_compared_turned_and_chosen_by() {
    let chosen = Parts::new(13)
        .input("x", "n 3")
        .constant("k", &array![1.0_f32].into_dyn())
        .node("Greater x k -> above", vec![])
        .node("Not above -> below", vec![])
        .node("Where below x k -> y", vec![]);
    assert_eq!(one(chosen, array![-3.0_f32, 1.0, 9.0].into_dyn()), [-3.0, 1.0, 1.0]);
}
