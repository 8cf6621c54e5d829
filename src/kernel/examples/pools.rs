//! Pools and the kernels that change the size of planes.

use super::{Example, example};
use crate::kernel::conv_transpose::ConvTransposeParams;
use crate::kernel::pool::PoolParams;
use crate::kernel::resize::ResizeParams;
use crate::kernel::{
    AveragePool2d, AveragePool3d, ConvTranspose2d, ConvTranspose3d, Interpolation, MaxPool1d, MaxPool2d,
    Resize, Spec,
};

/// Every pool, and every number of axes once.
pub(super) fn all() -> Vec<Example> {
    let planes = Spec::floats(&[8, 9, 7]);
    let resize = Resize::new([8, 18, 5], Interpolation::Cubic(-0.75));
    let table = resize.table(&planes.shape).expect("an example is accepted");
    let solid = Spec::floats(&[2, 5, 6, 7]);
    vec![
        example(MaxPool1d::new([2]), &[Spec::floats(&[3, 9])], PoolParams::LAYOUT),
        example(MaxPool2d::new([3, 3]).pads([0, 0, 1, 1]), std::slice::from_ref(&planes), PoolParams::LAYOUT),
        example(
            AveragePool2d::new([3, 3]).pads([0, 0, 1, 1]),
            std::slice::from_ref(&planes),
            PoolParams::LAYOUT,
        ),
        example(
            AveragePool3d::new([2, 3, 2]).dilation([1, 2, 1]),
            std::slice::from_ref(&solid),
            PoolParams::LAYOUT,
        ),
        Example {
            values: Some((1, table.clone().into_dyn())),
            ..example(resize, &[planes.clone(), Spec::constant(table.shape())], ResizeParams::LAYOUT)
        },
        example(
            ConvTranspose2d::new().groups(2).stride([2, 1]),
            &[planes, Spec::constant(&[8, 3, 2, 2]), Spec::constant(&[6])],
            ConvTransposeParams::LAYOUT,
        ),
        example(
            ConvTranspose3d::new().stride([1, 2, 2]),
            &[solid, Spec::constant(&[2, 1, 3, 3, 3])],
            ConvTransposeParams::LAYOUT,
        ),
    ]
}
