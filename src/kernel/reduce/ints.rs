//! Reductions of whole numbers: one invocation a number, since where 32 bits do not hold a sum depends on its order.

use ndarray::{ArrayViewD, ArrayViewMutD};

use super::{Reduce, ReduceOp, ReduceParams};
use crate::kernel::ints::{NONE, checked};
use crate::kernel::params::wgsl;
use crate::kernel::{Access, Dispatch, Needs, Spec, grid, rounds};

impl Reduce {
    pub(super) fn of_ints(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        let [kept, reduced] = self.loops(&inputs[0].shape);
        let walk = rounds::nested(&[reduced.len(), reduced.count() - 1]);
        Dispatch {
            kernel: "reduce_ints".into(),
            source: wgsl!("reduce_ints", "shared/reduced", "shared/ints", "shared/linear").into(),
            access: Access::ours(&["x"]),
            constants: vec![("op".into(), self.op.number())],
            workgroups: grid::cover(output.len(), 64),
            params: bytemuck::bytes_of(&ReduceParams::new(&kept, &reduced)).to_vec(),
            needs: Needs::rounds(rounds::all(&[
                rounds::nested(&[kept.count()]),
                walk,
                rounds::nested(&[reduced.count()]),
            ])),
        }
    }
}

/// The twin.
pub(super) fn run(reduce: &Reduce, x: &ArrayViewD<'_, i32>, output: &mut ArrayViewMutD<'_, i32>) {
    let count = (x.len() / output.len()) as i32;
    // Axes that stay, then those that are reduced, so that each row is in the order of the shader.
    let reduced = |axis: &usize| reduce.axes.contains(axis);
    let (mut order, behind): (Vec<usize>, Vec<usize>) = (0..x.ndim()).partition(|axis| !reduced(axis));
    order.extend(behind);
    let turned = x.view().permuted_axes(order);
    let mut values = turned.iter().map(|&value| share(reduce.op, value));
    for target in output.iter_mut() {
        let row = values.by_ref().take(count as usize);
        let whole = row.reduce(|one, other| join(reduce.op, one, other)).unwrap_or(NONE);
        *target = if reduce.op == ReduceOp::Mean && whole != NONE { whole / count } else { whole };
    }
}

fn share(op: ReduceOp, value: i32) -> i32 {
    match op {
        _ if value == NONE => NONE,
        ReduceOp::L1 => value.abs(),
        ReduceOp::SumSquare => checked(value, value, i32::checked_mul),
        _ => value,
    }
}

fn join(op: ReduceOp, one: i32, other: i32) -> i32 {
    checked(one, other, |one, other| match op {
        ReduceOp::Max => Some(one.max(other)),
        ReduceOp::Min => Some(one.min(other)),
        ReduceOp::Prod => one.checked_mul(other),
        _ => one.checked_add(other),
    })
}
