//! A matrix times a vector.

use ndarray::{ArrayView1, Axis, Ix1, Ix2};

use super::lanes::Join;
use super::params::{params, wgsl};
use super::{Access, Dispatch, Kernel, Needs, Spec, Values, ValuesMut, grid, rounds, rule};
use crate::error::Cause;

/// `weight * x + bias`: x `[k]`, the constants weight `[m, k]` and bias `[m]`, to `[m]`.
///
/// ```
/// use gapless::kernel::{FullyConnected, Kernel, Spec};
/// let (x, weight, bias) = (Spec::floats(&[1280]), Spec::constant(&[1000, 1280]), Spec::constant(&[1000]));
/// assert_eq!(FullyConnected::new().output(&[&x, &weight, &bias])?, Spec::floats(&[1000]));
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[must_use]
pub struct FullyConnected;

params! {
    /// Mirrors `Params` of `shaders/fully_connected.wgsl`.
    struct FullyConnectedParams {
        k: u32,
        m: u32,
    }
}

impl FullyConnected {
    /// A fully connected layer; its sizes are those of its inputs.
    pub fn new() -> Self {
        Self
    }

    fn joined(inputs: &[&Spec], output: &Spec, join: Join) -> Dispatch {
        let params = FullyConnectedParams { k: inputs[0].len() as u32, m: output.len() as u32 };
        let (walk, needs) = (rounds::nested(&[inputs[0].len().div_ceil(64)]), join.needs());
        Dispatch {
            kernel: "fully_connected".into(),
            source: [wgsl!("fully_connected", "shared/linear"), join.sum()].concat().into(),
            access: Access::ours(&["x", "weight", "bias"]),
            constants: Vec::new(),
            workgroups: grid::fold(params.m),
            params: bytemuck::bytes_of(&params).to_vec(),
            needs: Needs { rounds: rounds::all(&[walk, needs.rounds]), ..needs },
        }
    }
}

/// The sum of products, of which a few are added up in f32.
fn dot(row: ArrayView1<'_, f32>, x: ArrayView1<'_, f32>) -> f64 {
    const FEW: usize = 64;
    let parts = row.axis_chunks_iter(Axis(0), FEW).zip(x.axis_chunks_iter(Axis(0), FEW));
    parts.map(|(row, x)| f64::from(row.dot(&x))).sum()
}

impl Kernel for FullyConnected {
    fn name(&self) -> &'static str {
        "fully_connected"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        let [x, weight, bias] = rule::take(inputs, ["x", "weight", "bias"])?;
        let [k] = rule::activation("x", x, "[k]")?;
        let wanted = format!("[m, {k}]");
        let [m, columns] = rule::constant("weight", weight, &wanted)?;
        if columns != k {
            return Err(rule::misfit("weight", weight, format!("an f32 constant {wanted} would fit")));
        }
        let wanted = format!("[{m}]");
        if rule::constant("bias", bias, &wanted)? != [m] {
            return Err(rule::misfit("bias", bias, format!("an f32 constant {wanted} would fit")));
        }
        rule::output(&[m])
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        Self::joined(inputs, output, Join::Memory)
    }

    fn variants(&self, inputs: &[&Spec], output: &Spec) -> Vec<Dispatch> {
        Join::ALL.map(|join| Self::joined(inputs, output, join)).into()
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        let output = output.floats();
        let x = inputs[0].floats().into_dimensionality::<Ix1>().expect("the shape rule takes one axis");
        let weight = inputs[1].floats().into_dimensionality::<Ix2>().expect("the shape rule takes two axes");
        for ((value, row), bias) in output.into_iter().zip(weight.outer_iter()).zip(inputs[2].floats()) {
            *value = (dot(row, x.view()) + f64::from(*bias)) as f32;
        }
    }

    fn multiply_adds(&self, inputs: &[&Spec], output: &Spec) -> u64 {
        inputs[0].len() as u64 * output.len() as u64
    }
}
