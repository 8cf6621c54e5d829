//! Kernels that move values.

use super::{Example, example};
use crate::kernel::{
    Concat, CumSum, Gather, GatherNd, GridSample, Pad, PadMode, Rearrange, Spec, concat, cum_sum, gather,
    gather_nd, grid_sample, pad, rearrange,
};

/// Every kernel that moves values, and every shader of those that have several.
pub(super) fn all() -> Vec<Example> {
    let planes = || Spec::floats(&[8, 9, 7]);
    let layout = rearrange::RearrangeParams::LAYOUT;
    let mut examples = vec![
        example(Rearrange::transpose([2, 0, 1]), &[planes()], layout),
        example(Rearrange::slice([7, 0, 6], [-1, 9, 0], [-2, 1, -3]), &[planes()], layout),
        example(Rearrange::expand([2, 8, 9, 7]), &[planes()], layout),
        example(Pad::new([0, 1, -2], [0, -3, 4], PadMode::Reflect), &[planes()], pad::PadParams::LAYOUT),
        example(Gather::new(1), &[planes(), Spec::constant(&[2, 5])], gather::GatherParams::LAYOUT),
        example(
            GatherNd::new(1),
            &[Spec::floats(&[2, 5, 3]), Spec::constant(&[2, 7, 2])],
            gather_nd::GatherNdParams::LAYOUT,
        ),
        example(CumSum::new(1), &[planes()], cum_sum::CumSumParams::LAYOUT),
        example(
            GridSample::linear(),
            &[planes(), Spec::floats(&[3, 4, 2])],
            grid_sample::GridSampleParams::LAYOUT,
        ),
    ];
    let inputs = [planes(), Spec::constant(&[8, 1, 7]), planes(), Spec::floats(&[8, 2, 7])];
    let concat = |count: usize| example(Concat::new(1), &inputs[..count], concat::ConcatParams::LAYOUT);
    examples.extend((1..=4).map(concat));
    examples
}
