//! Kernels of whole numbers.

use super::{Example, example};
use crate::kernel::{
    Binary, BinaryOp, Cast, Concat, CumSum, Gather, GatherNd, Pad, PadMode, Rearrange, Reduce, ReduceOp,
    Select, Spec, Unary, UnaryOp, binary, cast, concat, cum_sum, gather, gather_nd, pad, rearrange, reduce,
    select, unary,
};

/// Every shader of whole numbers, and of those that move them.
pub(super) fn all() -> Vec<Example> {
    let (x, row, floats) = (Spec::ints(&[8, 9, 7]), Spec::constant_ints(&[7]), Spec::floats(&[8, 9, 7]));
    let casts = [
        (Cast::to_bits(8, false), &floats),
        (Cast::to_bits(16, true), &x),
        (Cast::to_floats(), &x),
        (Cast::to_exact_floats(), &x),
        (Cast::to_flags(), &x),
    ];
    let casts = casts.map(|(kernel, x)| example(kernel, std::slice::from_ref(x), cast::CastParams::LAYOUT));
    let pairs = [BinaryOp::Mul, BinaryOp::Pow, BinaryOp::Mod, BinaryOp::Equal, BinaryOp::Less];
    let pairs =
        pairs.map(|op| example(Binary::new(op), &[x.clone(), row.clone()], binary::BinaryParams::LAYOUT));
    let of_one = [x.clone()];
    casts
        .into_iter()
        .chain(pairs)
        .chain([
            example(Unary::new(UnaryOp::Sign), &of_one, unary::UnaryParams::LAYOUT),
            example(Reduce::new(ReduceOp::Mean, [0, 2]), &of_one, reduce::ReduceParams::LAYOUT),
            example(Reduce::new(ReduceOp::Prod, [1]), &of_one, reduce::ReduceParams::LAYOUT),
            example(Rearrange::transpose([2, 0, 1]), &of_one, rearrange::RearrangeParams::LAYOUT),
            example(Pad::new([0, 1, 2], [0, 3, 4], PadMode::Constant(5.0)), &of_one, pad::PadParams::LAYOUT),
            example(Concat::new(2), &[x.clone(), x.clone()], concat::ConcatParams::LAYOUT),
            example(Gather::new(1), &[x.clone(), Spec::constant_ints(&[2, 5])], gather::GatherParams::LAYOUT),
            example(Gather::new(1), &[floats, Spec::ints(&[2])], gather::GatherParams::LAYOUT),
            example(
                GatherNd::new(0),
                &[x.clone(), Spec::constant_ints(&[5, 1])],
                gather_nd::GatherNdParams::LAYOUT,
            ),
            example(CumSum::new(0), &of_one, cum_sum::CumSumParams::LAYOUT),
            example(Select::new(), &[Spec::floats(&[9, 1]), x, row], select::SelectParams::LAYOUT),
        ])
        .collect()
}
