//! Kernels that move values.

use super::{Example, example};
use crate::kernel::{Concat, Gather, Pad, PadMode, Rearrange, Spec, concat, gather, pad, rearrange};

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
    ];
    let inputs = [planes(), Spec::constant(&[8, 1, 7]), planes(), Spec::floats(&[8, 2, 7])];
    let concat = |count: usize| example(Concat::new(1), &inputs[..count], concat::ConcatParams::LAYOUT);
    examples.extend((1..=4).map(concat));
    examples
}
