//! A few rows times a matrix: the classifier of a network for one item. There are too few sums for an
//! invocation each to keep a device busy, so many invocations share the terms of one.

use super::{MatMul, Shapes, factors};
use crate::kernel::lanes::Join;
use crate::kernel::params::wgsl;
use crate::kernel::{Dispatch, Needs, Spec, grid, product};

/// Rows of a tile, and the most that are few.
const ROWS: usize = 4;
/// Columns of a tile where neighbouring columns lie side by side.
const COLUMNS: usize = 16;
/// Fewer terms are not worth sharing.
const LEAST_TERMS: usize = 64;

/// Both joins where the terms of a column lie side by side, so that a workgroup reads along one column;
/// else the one through memory, for several columns.
pub(super) fn variants(product: &MatMul, inputs: &[&Spec], output: &Spec) -> Vec<Dispatch> {
    let Shapes { m, n, k, .. } = product.shapes(inputs).expect("the shape rule took them");
    if m > ROWS || k < LEAST_TERMS {
        return Vec::new();
    }
    if product.transpose_b || n == 1 {
        return Join::ALL.map(|join| joined(product, inputs, output, 1, join)).into();
    }
    vec![joined(product, inputs, output, COLUMNS, Join::Memory)]
}

fn joined(product: &MatMul, inputs: &[&Spec], output: &Spec, columns: usize, join: Join) -> Dispatch {
    let params = product.params(inputs, output, [ROWS, columns]);
    let join_columns = match join {
        Join::Memory => wgsl!("shared/few"),
        Join::Subgroups => wgsl!("shared/few_subgroups"),
    };
    let parts = [wgsl!("mat_mul_few", "shared/matrices"), join_columns, factors(inputs)];
    let activation = ("activation".into(), product.activation.number());
    Dispatch {
        kernel: "mat_mul_few".into(),
        source: product::source(&parts, inputs.len() == 3, false),
        constants: vec![activation, ("columns".into(), columns as f64)],
        workgroups: grid::fold(params.work),
        params: bytemuck::bytes_of(&params).to_vec(),
        // A vector of four an invocation.
        needs: Needs { workgroup_bytes: 64 * 16, ..join.needs() },
    }
}
