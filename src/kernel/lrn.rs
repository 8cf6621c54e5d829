//! Channels damp their neighbours.

use ndarray::{Axis, Slice, Zip};

use super::params::{params, wgsl};
use super::{Access, Dispatch, Kernel, Needs, Spec, Values, ValuesMut, grid, rounds, rule};
use crate::error::Cause;

/// Local response normalisation: `x / (bias + alpha / size · sum)^beta` of x `[channels, ..]`.
///
/// The sum is that of the squares at the same place in the `size` channels around: `(size - 1) / 2`
/// before, rounded down, and as many after, rounded up (Krizhevsky, Sutskever and Hinton, "ImageNet
/// classification with deep convolutional neural networks", 2012, 3.3; ONNX divides alpha by the size).
///
/// ```
/// use gapless::kernel::{Kernel, Lrn, Spec};
/// let x = Spec::floats(&[96, 27, 27]);
/// assert_eq!(Lrn::new(5, 1e-4, 0.75, 1.0).output(&[&x])?, x);
/// assert!(Lrn::new(0, 1e-4, 0.75, 1.0).output(&[&x]).is_err());
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct Lrn {
    size: usize,
    alpha: f32,
    beta: f32,
    bias: f32,
}

params! {
    /// Mirrors `Params` of `shaders/lrn.wgsl`.
    struct LrnParams {
        channels: u32,
        plane: u32,
        before: u32,
        after: u32,
        factor: f32,
        beta: f32,
        bias: f32,
    }
}

impl Lrn {
    /// Channels that count, and the numbers of the formula; ONNX has 1e-4, 0.75 and 1 where none are given.
    pub fn new(size: usize, alpha: f32, beta: f32, bias: f32) -> Self {
        Self { size, alpha, beta, bias }
    }

    /// Channels before and after that count, of so many.
    fn around(&self, channels: usize) -> [usize; 2] {
        let before = (self.size - 1) / 2;
        [before.min(channels), (self.size - 1 - before).min(channels)]
    }

    fn factor(&self) -> f32 {
        self.alpha / self.size as f32
    }
}

impl Kernel for Lrn {
    fn name(&self) -> &str {
        "lrn"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        let x = rule::only_activation_with_axis(inputs, None)?;
        if self.size == 0 {
            return Err(Cause::msg("size is 0; 1 or more would fit"));
        }
        if ![self.alpha, self.beta, self.bias].iter().all(|number| number.is_finite()) {
            return Err(Cause::msg(format!("the formula is {self:?}; finite numbers would fit")));
        }
        Ok(x.clone())
    }

    fn dispatch(&self, _inputs: &[&Spec], output: &Spec) -> Dispatch {
        let channels = output.shape[0];
        let [before, after] = self.around(channels);
        let params = LrnParams {
            channels: channels as u32,
            plane: (output.len() / channels) as u32,
            before: before as u32,
            after: after as u32,
            factor: self.factor(),
            beta: self.beta,
            bias: self.bias,
        };
        Dispatch {
            kernel: "lrn".into(),
            source: wgsl!("lrn", "shared/linear", "shared/nan", "shared/nan_made", "shared/power").into(),
            access: Access::ours(&["x"]),
            constants: Vec::new(),
            workgroups: grid::cover(output.len(), 256),
            params: bytemuck::bytes_of(&params).to_vec(),
            needs: Needs::rounds(rounds::all(&[rounds::nested(&[before + 1 + after]), rounds::POWER])),
        }
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        let mut output = output.floats();
        let x = inputs[0].floats();
        let channels = output.shape()[0];
        let [before, after] = self.around(channels);
        for (channel, mut y) in output.outer_iter_mut().enumerate() {
            let near = channel.saturating_sub(before)..(channel + after + 1).min(channels);
            let squares =
                x.slice_axis(Axis(0), Slice::from(near)).mapv(|value| f64::from(value) * f64::from(value));
            let sums = squares.sum_axis(Axis(0));
            let damped = |x: f32, sum: f64| match sum.is_nan() {
                true => f32::NAN,
                false => x / (self.bias + self.factor() * sum as f32).powf(self.beta),
            };
            let own = x.index_axis(Axis(0), channel);
            Zip::from(&mut y).and(own).and(&sums).for_each(|y, &x, &sum| *y = damped(x, sum));
        }
    }
}
