//! The last axes of a tensor get a mean of zero and a variance of one, or a mean square of one.

use super::lanes::{Join, Rows};
use super::params::{params, wgsl};
use super::{Dispatch, Kernel, Spec, Values, ValuesMut, moments, rule};
use crate::error::Cause;

/// `(x - mean) / √(variance + epsilon) · scale + bias` over all axes from one on; by the root mean square alone,
/// `x / √(mean of x² + epsilon) · scale + bias`.
///
/// Inputs are x, a scale with the shape of those axes, and a bias of the same shape, which may be left out.
/// NaN or infinity makes its row NaN as a whole.
///
/// ```
/// use gapless::kernel::{Kernel, LayerNorm, Spec};
/// let (x, scale) = (Spec::floats(&[197, 768]), Spec::constant(&[768]));
/// assert_eq!(LayerNorm::new(1, 1e-5).output(&[&x, &scale, &scale])?, x);
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct LayerNorm {
    axis: usize,
    epsilon: f32,
    centred: bool,
}

params! {
    /// Mirrors `Params` of `shaders/layer_norm.wgsl`. A step is the way from one item to the next: 0 for a constant.
    struct LayerNormParams {
        rows: u32,
        len: u32,
        x_step: u32,
        scale_step: u32,
        bias_step: u32,
        epsilon: f32,
    }
}

impl LayerNorm {
    /// The first axis of a row, and what keeps the divisor from zero.
    pub fn new(axis: usize, epsilon: f32) -> Self {
        Self { axis, epsilon, centred: true }
    }

    /// The same without a mean: RMSNorm.
    ///
    /// Source: Zhang & Sennrich 2019, *Root Mean Square Layer Normalization*.
    pub fn root_mean_square(axis: usize, epsilon: f32) -> Self {
        Self { axis, epsilon, centred: false }
    }

    fn rows(&self, output: &Spec) -> Rows {
        let len = output.shape[self.axis..].iter().product();
        Rows { outer: output.len() / len, len, inner: 1 }
    }

    fn joined(&self, inputs: &[&Spec], output: &Spec, join: Join) -> Dispatch {
        let rows = self.rows(output);
        let params = LayerNormParams {
            rows: rows.count() as u32,
            len: rows.len as u32,
            x_step: rule::step(inputs[0]),
            scale_step: rule::step(inputs[1]),
            bias_step: inputs.get(2).map_or(0, |bias| rule::step(bias)),
            epsilon: self.epsilon,
        };
        let own = wgsl!("layer_norm", "shared/moments", "shared/four_of");
        let (access, walks) = (moments::access(inputs), moments::walks(&rows));
        let mut dispatch = rows.dispatch("layer_norm", (own, access), &params, join, &walks);
        dispatch.constants.push(("centred".into(), f64::from(u8::from(self.centred))));
        dispatch
    }
}

impl Kernel for LayerNorm {
    fn name(&self) -> &str {
        "layer_norm"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        moments::check_epsilon(self.epsilon)?;
        let (x, scale, bias) = moments::take(inputs)?;
        let Some(shape) = x.shape.get(self.axis..).filter(|shape| !shape.is_empty()) else {
            return Err(rule::misfit("x", x, format!("an axis {} would fit", self.axis)));
        };
        moments::check_factors(scale, bias, shape)?;
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
        output.assign(&inputs[0].floats());
        let values = output.as_slice_mut().expect("an output lies in row-major order");
        for row in values.chunks_exact_mut(factors.len()) {
            let own = moments::moments(row, self.epsilon, self.centred);
            for (value, [scale, bias]) in row.iter_mut().zip(&factors) {
                *value = moments::normal(*value, own) * scale + bias;
            }
        }
    }
}
