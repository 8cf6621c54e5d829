//! Shaders that compute what another kernel gives where they read it.

use crate::kernel::{
    Before, Computed, Concat, Conv2d, Dispatch, Epilogue, Kernel, Lying, Normalize, Spec, Unary,
};

/// Every way, of planes whose rows are a multiple of four wide and of others, with what follows either kernel.
pub fn joined() -> Vec<Dispatch> {
    let planes = [([8, 9, 8], [1, 1]), ([8, 8, 14], [1, 2]), ([8, 8, 28], [2, 2])];
    let windows = planes.into_iter().flat_map(|(shape, stride)| windows(&Spec::floats(&shape), stride));
    let parts = [[3, 5, 4], [3, 5, 3]].into_iter().flat_map(|shape| parts(&Spec::floats(&shape)));
    windows.chain(parts).chain(pixels()).collect()
}

/// Behind a convolution with one channel a group.
fn windows(x: &Spec, stride: [usize; 2]) -> Vec<Dispatch> {
    let conv = Conv2d::new().groups(8).pads([1; 4]).stride(stride);
    let (weight, bias) = (Spec::constant(&[8, 1, 3, 3]), Spec::constant(&[8]));
    let read = [x, &weight, &bias];
    let between = conv.output(&read).expect("it is accepted");
    let computed = conv.computed(&read, &between).expect("it has one channel a group");
    ways(&computed, &read, &between, 1)
}

/// Behind three tensors one after the other.
fn parts(x: &Spec) -> Vec<Dispatch> {
    let concat = Concat::new(0);
    let between = concat.output(&[x; 3]).expect("it is accepted");
    let computed = concat.computed(&[x; 3], &between).expect("they are floats");
    [1, 3].into_iter().flat_map(|size| ways(&computed, &[x; 3], &between, size)).collect()
}

/// Behind pixels that are normalised.
fn pixels() -> Vec<Dispatch> {
    let (normalize, read) = (Normalize::new([127.0; 3], [128.0; 3]), Spec::bytes(&[7, 5, 3]));
    let between = normalize.output(&[&read]).expect("it is accepted");
    ways(&normalize.computed(&[&read], &between), &[&read], &between, 3)
}

/// A convolution of such a size that computes what is between.
fn ways(computed: &Computed, read: &[&Spec], between: &Spec, size: usize) -> Vec<Dispatch> {
    let clip = |spec: &Spec| {
        let clip = Unary::clip(0.0, 6.0).each().expect("it is of each value");
        Epilogue::default().with(clip, &[spec], &[Some(0)], spec).expect("it is of floats")
    };
    let conv = Conv2d::new().pads([size / 2; 4]);
    let factor = Spec::constant_f16(&[20, between.shape[0], size, size]);
    let inputs = [between, &factor];
    let output = conv.output(&inputs).expect("it is accepted");
    let (given, then) = (read.iter().map(|spec| Lying::whole(spec)).collect::<Vec<_>>(), clip(between));
    let before = Some(Before { computed, inputs: &given, then: &then });
    let lying = [Lying { before, ..Lying::whole(between) }, Lying::whole(&factor)];
    let ways = conv.over_computed(&inputs, &conv.variants(&inputs, &output), computed);
    ways.into_iter().map(|way| way.written_for(&lying, &output, &clip(&output))).collect()
}
