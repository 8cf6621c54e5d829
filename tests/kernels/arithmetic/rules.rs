//! Shape rules of this folder's kernels.

use gapless::kernel::{
    ArgReduce, Binary, BinaryOp, GroupNorm, InstanceNorm, Kernel, LayerNorm, LogSoftmax, Lrn, Reduce,
    ReduceOp, Select, Softmax, Spec, TopK, Unary, UnaryOp,
};
use proptest::prelude::*;

fn number() -> impl Strategy<Value = usize> {
    prop_oneof![6 => 0_usize..5, 1 => Just(1 << 31), 1 => Just(usize::MAX)]
}

fn shape() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(number(), 0..10)
}

proptest! {
    #[test]
    fn no_setting_makes_a_shape_rule_or_a_dispatch_panic(
        one in shape(), other in shape(), axis in number(), k in number(), real: f32, count in 0_usize..4,
    ) {
        let (a, b, c) = (Spec::floats(&one), Spec::constant(&other), Spec::constant(&one));
        let kernels: [&dyn Kernel; 13] = [
            &Unary::new(UnaryOp::Celu { alpha: real }),
            &Binary::new(BinaryOp::Pow),
            &Select::new(),
            &Reduce::new(ReduceOp::Mean, [axis, k]),
            &Reduce::new(ReduceOp::Mean, (0..one.len()).step_by(2).collect::<Vec<_>>()),
            &Softmax::new().axis(axis),
            &LogSoftmax::new(),
            &ArgReduce::max(axis),
            &TopK::indices(axis, k),
            &LayerNorm::new(axis, real),
            &GroupNorm::new(k, real),
            &InstanceNorm::new(1e-5),
            &Lrn::new(k, real, 0.75, 1.0),
        ];
        for inputs in [[&a, &b, &b], [&b, &a, &c], [&a, &c, &a]] {
            let inputs = &inputs[..count];
            for kernel in kernels {
                if let Ok(output) = kernel.output(inputs) {
                    let [x, y] = kernel.dispatch(inputs, &output).workgroups;
                    prop_assert!(x > 0 && y > 0);
                }
            }
        }
    }
}
