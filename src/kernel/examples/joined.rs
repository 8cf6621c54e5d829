//! Shaders that compute what another kernel gives where they read it.

use crate::kernel::{Before, Conv2d, Dispatch, Epilogue, Kernel, Lying, Spec, Unary};

/// Every way, of planes whose rows are a multiple of four wide and of others, with what follows either kernel.
pub fn joined() -> Vec<Dispatch> {
    let planes = [([8, 9, 8], [1, 1]), ([8, 8, 14], [1, 2]), ([8, 8, 28], [2, 2])];
    planes.into_iter().flat_map(|(shape, stride)| pairs(&Spec::floats(&shape), stride)).collect()
}

fn pairs(x: &Spec, stride: [usize; 2]) -> Vec<Dispatch> {
    let (first, second) = (Conv2d::new().groups(8).pads([1; 4]).stride(stride), Conv2d::new());
    let (weight, bias) = (Spec::constant(&[8, 1, 3, 3]), Spec::constant(&[8]));
    let read = [x, &weight, &bias];
    let between = first.output(&read).expect("a pair is accepted");
    let factor = Spec::constant_f16(&[20, 8, 1, 1]);
    let inputs = [&between, &factor];
    let output = second.output(&inputs).expect("a pair is accepted");

    let clip = |spec: &Spec| {
        let clip = Unary::clip(0.0, 6.0).each().expect("it is of each value");
        Epilogue::default().with(clip, &[spec], &[Some(0)], spec).expect("it is of floats")
    };
    let computed = first.computed(&read, &between).expect("it has one channel a group");
    let (given, then) = (read.map(Lying::whole), clip(&between));
    let before = Some(Before { computed: &computed, inputs: &given, then: &then });
    let lying = [Lying { before, ..Lying::whole(&between) }, Lying::whole(&factor)];
    let ways = second.over_computed(&inputs, &second.variants(&inputs, &output));
    ways.into_iter().map(|way| way.written_for(&lying, &output, &clip(&output))).collect()
}
