//! A few rows times a matrix: the classifier of a network for one item. There are too few sums for an
//! invocation each to keep a device busy, so many invocations share the terms of one.

use super::{MatMul, Shapes};
use crate::kernel::lanes::Join;
use crate::kernel::params::wgsl;
use crate::kernel::{Dispatch, Spec, grid, product};

/// Rows of a tile, and the most that are few.
const ROWS: usize = 4;
/// Columns of a tile where neighbouring columns lie side by side.
const COLUMNS: usize = 16;

/// Both joins where the terms of a column lie side by side, so that a workgroup reads along one column;
/// else the one through memory, for several columns.
pub(super) fn variants(product: &MatMul, inputs: &[&Spec], output: &Spec) -> Vec<Dispatch> {
    let Shapes { m, n, k, .. } = product.flattened(inputs);
    let is_few = m <= ROWS && k >= product::TERMS_TO_SHARE;
    if !is_few && k < product::TERMS_THAT_MUST_BE_SHARED {
        return Vec::new();
    }
    if product.transpose_b || n == 1 {
        return Join::ALL.map(|join| joined(product, inputs, output, 1, join)).into();
    }
    vec![joined(product, inputs, output, COLUMNS, Join::Memory)]
}

fn joined(product: &MatMul, inputs: &[&Spec], output: &Spec, columns: usize, join: Join) -> Dispatch {
    let params = product.params(inputs, output, [ROWS, columns]);
    let parts = [wgsl!("mat_mul_few", "shared/matrices", "shared/finish4"), product::sum_of_column(join)];
    Dispatch {
        kernel: "mat_mul_few".into(),
        source: product::source(&parts),
        access: product.access(inputs),
        constants: vec![("columns".into(), columns as f64)],
        workgroups: grid::fold(params.work),
        params: bytemuck::bytes_of(&params).to_vec(),
        needs: product::needs_of_column(join, (params.k as usize).div_ceil(64 / columns)),
    }
}
