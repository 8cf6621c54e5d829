//! The mean of each channel.

use super::lanes::{Join, Rows};
use super::params::{params, wgsl};
use super::{Access, Dispatch, Kernel, Spec, Values, ValuesMut, rule};
use crate::error::Cause;

/// The mean of each channel: `[channels, height, width]` to `[channels]`.
///
/// ```
/// use gapless::kernel::{GlobalAveragePool, Kernel, Spec};
/// let mean = GlobalAveragePool::new().output(&[&Spec::floats(&[1280, 7, 7])])?;
/// assert_eq!(mean, Spec::floats(&[1280]));
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[must_use]
pub struct GlobalAveragePool;

params! {
    /// Mirrors `Params` of `shaders/global_average_pool.wgsl`.
    struct GlobalAveragePoolParams {
        channels: u32,
        pixels: u32,
    }
}

impl GlobalAveragePool {
    /// The mean of each channel; it has no parameter.
    pub fn new() -> Self {
        Self
    }

    fn rows(inputs: &[&Spec], output: &Spec) -> Rows {
        Rows { outer: output.len(), len: inputs[0].len() / output.len(), inner: 1 }
    }

    fn joined(inputs: &[&Spec], output: &Spec, join: Join) -> Dispatch {
        let rows = Self::rows(inputs, output);
        let params = GlobalAveragePoolParams { channels: rows.outer as u32, pixels: rows.len as u32 };
        rows.dispatch(
            "global_average_pool",
            (wgsl!("global_average_pool", "shared/four_of"), Access::ours(&["x"])),
            &params,
            join,
            &[rows.walk(4, &[])],
        )
    }
}

impl Kernel for GlobalAveragePool {
    fn name(&self) -> &'static str {
        "global_average_pool"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        let [x] = rule::take(inputs, ["x"])?;
        let [channels, _, _] = rule::activation("x", x, "[channels, height, width]")?;
        rule::output(&[channels])
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        Self::joined(inputs, output, Join::Memory)
    }

    fn variants(&self, inputs: &[&Spec], output: &Spec) -> Vec<Dispatch> {
        Self::rows(inputs, output).joins().map(|join| Self::joined(inputs, output, join)).collect()
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        let output = output.floats();
        let x = inputs[0].floats();
        for (mean, plane) in output.into_iter().zip(x.outer_iter()) {
            let sum: f64 = plane.iter().copied().map(f64::from).sum();
            *mean = (sum / plane.len() as f64) as f32;
        }
    }
}
