//! Groups of channels get a mean of zero and a variance of one.

use super::lanes::{Join, Rows};
use super::params::{params, wgsl};
use super::{Dispatch, Kernel, Spec, Values, ValuesMut, moments, rule};
use crate::error::Cause;

/// `(x - mean) / √(variance + epsilon) · scale + bias` over the channels of each group.
///
/// Inputs are x `[channels, ..]`, a scale `[channels]`, and a bias `[channels]`, which may be left out.
/// NaN or infinity makes its group NaN as a whole.
///
/// ```
/// use gapless::kernel::{GroupNorm, Kernel, Spec};
/// let (x, scale) = (Spec::floats(&[32, 14, 14]), Spec::constant(&[32]));
/// assert_eq!(GroupNorm::new(8, 1e-5).output(&[&x, &scale, &scale])?, x);
/// assert!(GroupNorm::new(5, 1e-5).output(&[&x, &scale]).is_err());
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct GroupNorm {
    /// `None`: every channel is a group.
    groups: Option<usize>,
    epsilon: f32,
}

/// [`GroupNorm`] with a group for each channel.
///
/// ```
/// use gapless::kernel::{InstanceNorm, Kernel, Spec};
/// let (x, scale) = (Spec::floats(&[32, 14, 14]), Spec::constant(&[32]));
/// assert_eq!(InstanceNorm::new(1e-5).output(&[&x, &scale, &scale])?, x);
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct InstanceNorm;

params! {
    /// Mirrors `Params` of `shaders/group_norm.wgsl`. A step is the way from one item to the next: 0 for a constant.
    struct GroupNormParams {
        rows: u32,
        len: u32,
        plane: u32,
        x_step: u32,
        scale_step: u32,
        bias_step: u32,
        epsilon: f32,
    }
}

impl GroupNorm {
    /// How many groups the channels are in, and what keeps the divisor from zero.
    pub fn new(groups: usize, epsilon: f32) -> Self {
        Self { groups: Some(groups), epsilon }
    }

    fn rows(&self, output: &Spec) -> Rows {
        let groups = self.groups.unwrap_or(output.shape[0]);
        Rows { outer: groups, len: output.len() / groups, inner: 1 }
    }

    fn joined(&self, inputs: &[&Spec], output: &Spec, join: Join) -> Dispatch {
        let rows = self.rows(output);
        let params = GroupNormParams {
            rows: rows.count() as u32,
            len: rows.len as u32,
            plane: (output.len() / output.shape[0]) as u32,
            x_step: rule::step(inputs[0]),
            scale_step: rule::step(inputs[1]),
            bias_step: inputs.get(2).map_or(0, |bias| rule::step(bias)),
            epsilon: self.epsilon,
        };
        let own = wgsl!("group_norm", "shared/moments", "shared/four_of");
        rows.dispatch("group_norm", (own, moments::access(inputs)), &params, join, &moments::walks(&rows))
    }
}

impl InstanceNorm {
    /// What keeps the divisor from zero.
    #[expect(clippy::new_ret_no_self, reason = "it is one kernel with two names, as ONNX has it")]
    pub fn new(epsilon: f32) -> GroupNorm {
        GroupNorm { groups: None, epsilon }
    }
}

impl Kernel for GroupNorm {
    fn name(&self) -> &str {
        "group_norm"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        moments::check_epsilon(self.epsilon)?;
        let (x, scale, bias) = moments::take(inputs)?;
        let Some(&channels) = x.shape.first() else {
            return Err(rule::misfit("x", x, "[channels, ..] would fit"));
        };
        let groups = self.groups.unwrap_or(channels);
        if groups == 0 || !channels.is_multiple_of(groups) {
            return Err(rule::misfit("x", x, format!("a multiple of {groups} channels would fit")));
        }
        moments::check_factors(scale, bias, &[channels])?;
        rule::output(&x.shape)
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        self.joined(inputs, output, Join::Memory)
    }

    fn variants(&self, inputs: &[&Spec], output: &Spec) -> Vec<Dispatch> {
        self.rows(output).joins().map(|join| self.joined(inputs, output, join)).collect()
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        let mut output = output.floats();
        let factors = moments::factors(inputs);
        let plane = output.len() / factors.len();
        let share = factors.len() / self.groups.unwrap_or(factors.len());
        output.assign(&inputs[0].floats());
        let values = output.as_slice_mut().expect("an output lies in row-major order");
        for (group, factors) in values.chunks_exact_mut(share * plane).zip(factors.chunks_exact(share)) {
            let own = moments::moments(group, self.epsilon, true);
            for (channel, [scale, bias]) in group.chunks_exact_mut(plane).zip(factors) {
                channel.iter_mut().for_each(|value| *value = moments::normal(*value, own) * scale + bias);
            }
        }
    }
}
