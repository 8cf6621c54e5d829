//! The function that may follow a convolution or a matrix product without a pass of its own.

use ndarray::{ArrayViewMut, Dimension};

use super::Clip;
use crate::error::Cause;

/// What is done to every value of an output before it is written. NaN stays NaN.
///
/// ```
/// use gapless::kernel::Activation;
/// assert_eq!(Activation::Clip(0.0, 6.0).apply(7.5), 6.0);
/// assert_eq!(Activation::LeakyRelu(0.5).apply(-3.0), -1.5);
/// assert!(Activation::Relu.apply(f32::NAN).is_nan());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Activation {
    /// Nothing.
    #[default]
    None,
    /// Kept between a low and a high end; ReLU6 is `Clip(0.0, 6.0)`.
    Clip(f32, f32),
    /// `max(x, 0)`.
    Relu,
    /// `x` where it is not negative, else `alpha · x`.
    LeakyRelu(f32),
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `alpha · x + beta`, kept between 0 and 1.
    HardSigmoid(f32, f32),
    /// `x · HardSigmoid(1/6, 1/2)`.
    HardSwish,
    /// `x · sigmoid(x)`, also called Swish.
    Silu,
    /// The hyperbolic tangent.
    Tanh,
}

impl Activation {
    /// The value after it.
    pub fn apply(self, x: f32) -> f32 {
        match self {
            Self::None => x,
            Self::Clip(low, high) => Clip::new(low, high).apply(x),
            Self::Relu => relu(x),
            Self::LeakyRelu(alpha) => leaky_relu(x, alpha),
            Self::Sigmoid => sigmoid(x),
            Self::HardSigmoid(alpha, beta) => hard_sigmoid(x, alpha, beta),
            Self::HardSwish => x * hard_sigmoid(x, 1.0 / 6.0, 0.5),
            Self::Silu => x * sigmoid(x),
            Self::Tanh => x.tanh(),
        }
    }

    /// The same for many values; what is chosen is chosen once.
    pub(super) fn apply_all(self, values: &mut [f32]) {
        match self {
            Self::None => {}
            Self::Clip(low, high) => {
                let clip = Clip::new(low, high);
                values.iter_mut().for_each(|value| *value = clip.apply(*value));
            }
            Self::Relu => values.iter_mut().for_each(|value| *value = relu(*value)),
            other => values.iter_mut().for_each(|value| *value = other.apply(*value)),
        }
    }

    /// The same for a view, which need not lie in one piece.
    pub(super) fn apply_to<D: Dimension>(self, mut values: ArrayViewMut<'_, f32, D>) {
        match values.as_slice_memory_order_mut() {
            Some(values) => self.apply_all(values),
            None => values.mapv_inplace(|value| self.apply(value)),
        }
    }

    pub(super) fn check(self) -> Result<(), Cause> {
        match self {
            Self::Clip(low, high) => Clip::new(low, high).check(),
            _ => Ok(()),
        }
    }

    /// The number that `override activation` of `shaders/shared/activation.wgsl` knows it by.
    pub(super) fn number(self) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Clip(..) => 1.0,
            Self::Relu => 2.0,
            Self::LeakyRelu(_) => 3.0,
            Self::Sigmoid => 4.0,
            Self::HardSigmoid(..) => 5.0,
            Self::HardSwish => 6.0,
            Self::Silu => 7.0,
            Self::Tanh => 8.0,
        }
    }

    /// `params.alpha` and `params.beta` of a shader that uses it.
    pub(super) fn parameters(self) -> [f32; 2] {
        match self {
            Self::Clip(low, high) => [low, high],
            Self::LeakyRelu(alpha) => [alpha, 0.0],
            Self::HardSigmoid(alpha, beta) => [alpha, beta],
            Self::HardSwish => [1.0 / 6.0, 0.5],
            _ => [0.0; 2],
        }
    }
}

// Comparisons that are false for NaN leave it as it is.

fn relu(x: f32) -> f32 {
    if x < 0.0 { 0.0 } else { x }
}

fn leaky_relu(x: f32, alpha: f32) -> f32 {
    if x < 0.0 { alpha * x } else { x }
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

fn hard_sigmoid(x: f32, alpha: f32, beta: f32) -> f32 {
    Clip::new(0.0, 1.0).apply(alpha * x + beta)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Activation; 9] = [
        Activation::None,
        Activation::Clip(-1.0, 0.5),
        Activation::Relu,
        Activation::LeakyRelu(0.25),
        Activation::Sigmoid,
        Activation::HardSigmoid(0.2, 0.5),
        Activation::HardSwish,
        Activation::Silu,
        Activation::Tanh,
    ];

    #[test]
    fn known_values_come_out() {
        let values = |x: f32| ALL.map(|activation| activation.apply(x));
        assert_eq!(values(0.0), [0.0, 0.0, 0.0, 0.0, 0.5, 0.5, 0.0, 0.0, 0.0]);
        let [none, clip, relu, leaky, _, hard, swish, ..] = values(-4.0);
        assert_eq!([none, clip, relu, leaky, hard, swish], [-4.0, -1.0, 0.0, -1.0, 0.0, 0.0]);
        assert!((Activation::Silu.apply(1.0) - 0.731_058_6).abs() < 1e-6);
    }

    #[test]
    fn many_values_are_treated_as_one_is_and_nan_stays() {
        for activation in ALL {
            let mut values = [-7.0, -0.5, 0.25, 9.0, f32::INFINITY, f32::NAN];
            let wanted = values.map(|value| activation.apply(value));
            activation.apply_all(&mut values);
            assert_eq!(values[..5], wanted[..5], "{activation:?}");
            assert!(values[5].is_nan(), "{activation:?}");
        }
    }
}
