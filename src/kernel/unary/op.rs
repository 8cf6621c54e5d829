//! Which functions of one value there are, and the numbers that the shader knows them by.

use crate::error::Cause;
use crate::kernel::ints::NONE;

/// A function of one value, as the ONNX operator of the same name defines it.
///
/// Where a function has no value (the logarithm of a negative number) or a limit that its formula does
/// not reach (`x · sigmoid(x)` at minus infinity), the result is NaN.
///
/// ```
/// use gapless::kernel::UnaryOp;
/// assert_eq!(UnaryOp::LeakyRelu { alpha: 0.5 }.apply(-3.0), -1.5);
/// assert_eq!(UnaryOp::Round.apply(2.5), 2.0);
/// assert!(UnaryOp::Log.apply(-1.0).is_nan());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum UnaryOp {
    /// `|x|`.
    Abs,
    /// The next whole number that is not smaller.
    Ceil,
    /// `x` where it is not negative, else `alpha · (exp(x) - 1)`.
    Elu {
        /// Where the negative side tends to, with its sign turned.
        alpha: f32,
    },
    /// Kept between a low and a high end, which may be infinite; ReLU6 is `Clip { low: 0.0, high: 6.0 }`.
    Clip {
        /// The low end.
        low: f32,
        /// The high end.
        high: f32,
    },
    /// The error function; it errs by 1.5e-7 at most, beside the rounding to a float.
    Erf,
    /// `exp(x)`.
    Exp,
    /// The next whole number that is not larger.
    Floor,
    /// `x · (1 + erf(x / √2)) / 2`.
    Gelu,
    /// The approximation of `Gelu` by the hyperbolic tangent: `x · (1 + tanh(√(2/π) · (x + 0.044715 · x³))) / 2`.
    GeluTanh,
    /// `alpha · x + beta`, kept between 0 and 1.
    HardSigmoid {
        /// The slope.
        alpha: f32,
        /// The value at 0.
        beta: f32,
    },
    /// `x · HardSigmoid(x)` with a slope of 1/6 and 1/2 at 0.
    HardSwish,
    /// `x` where it is not negative, else `alpha · x`.
    LeakyRelu {
        /// The slope of the negative side.
        alpha: f32,
    },
    /// The natural logarithm: minus infinity at 0, NaN below.
    Log,
    /// `x · tanh(Softplus(x))`.
    Mish,
    /// `-x`.
    Neg,
    /// 1 where the value is 0, else 0: the negation of a flag.
    Not,
    /// `1 / x`.
    Reciprocal,
    /// `max(x, 0)`.
    Relu,
    /// To the nearest whole number, halves to the even one.
    Round,
    /// `gamma · Elu(x)`.
    Selu {
        /// The `alpha` of `Elu`.
        alpha: f32,
        /// The factor.
        gamma: f32,
    },
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// -1, 0 or 1.
    Sign,
    /// The sine of an angle in radians; digits are lost on a device as the angle grows beyond 10⁴.
    Sin,
    /// The cosine; see `Sin`.
    Cos,
    /// `log(1 + exp(x))`.
    Softplus,
    /// `x / (1 + |x|)`.
    Softsign,
    /// The square root: NaN below 0.
    Sqrt,
    /// `x · Sigmoid(alpha · x)`; `alpha` of 1 is SiLU.
    Swish {
        /// The factor inside.
        alpha: f32,
    },
    /// The hyperbolic tangent.
    Tanh,
    /// `max(x, 0) + min(alpha · (exp(x / alpha) - 1), 0)`.
    Celu {
        /// Any number but 0.
        alpha: f32,
    },
    /// `x` where it is larger than `alpha`, else 0, also for NaN.
    ThresholdedRelu {
        /// The threshold.
        alpha: f32,
    },
    /// 0 where the value is 0, else 1, also for NaN: a value as a flag.
    NonZero,
    /// 1 for NaN, else 0.
    IsNan,
    /// 1 for plus and minus infinity, else 0.
    IsInf,
    /// The whole number that is next in the direction of 0.
    Trunc,
    /// To the nearest float of 16 bits, halves to the even one; infinity beyond.
    ToF16,
    /// To the nearest bfloat16, halves to the even one.
    ToBf16,
    /// The same number, if it is less than 2²⁴ in size, up to where floats have every whole number; else NaN.
    Whole,
}

impl UnaryOp {
    /// The number that `override op` of `shaders/shared/unary_ints.wgsl` knows it by.
    pub(super) fn number_of_ints(self) -> f64 {
        match self {
            Self::Abs => 0.0,
            Self::Neg => 1.0,
            _ => 2.0,
        }
    }

    /// Its numbers, as many as it has.
    pub(super) fn parameters(self) -> [f32; 2] {
        match self {
            Self::Elu { alpha }
            | Self::LeakyRelu { alpha }
            | Self::Swish { alpha }
            | Self::Celu { alpha }
            | Self::ThresholdedRelu { alpha } => [alpha, 0.0],
            Self::HardSigmoid { alpha, beta } => [alpha, beta],
            Self::Selu { alpha, gamma } => [alpha, gamma],
            Self::Clip { low, high } => [low, high],
            _ => [0.0; 2],
        }
    }

    pub(super) fn check(self) -> Result<(), Cause> {
        match self {
            Self::Clip { low, high } if low <= high => return Ok(()),
            Self::Clip { low, high } => {
                let wanted = "a low end up to the high end would fit";
                return Err(Cause::msg(format!("the range is {low} to {high}; {wanted}")));
            }
            _ => {}
        }
        let parameters = self.parameters();
        if !parameters.iter().all(|parameter| parameter.is_finite()) {
            return Err(Cause::msg(format!("the function is {self:?}; finite parameters would fit")));
        }
        match self {
            Self::Celu { alpha: 0.0 } => {
                Err(Cause::msg("alpha of Celu is 0; a number that can be divided by would fit"))
            }
            _ => Ok(()),
        }
    }

    /// Whether it is a function of whole numbers too.
    pub(super) fn takes_ints(self) -> bool {
        matches!(self, Self::Abs | Self::Neg | Self::Sign)
    }

    /// The same of a whole number; none stays none.
    pub(super) fn apply_to_int(self, value: i32) -> i32 {
        match self {
            _ if value == NONE => NONE,
            Self::Abs => value.abs(),
            Self::Neg => -value,
            _ => value.signum(),
        }
    }

    /// Whether the function has a value for NaN.
    pub(super) fn takes_nan(self) -> bool {
        matches!(self, Self::ThresholdedRelu { .. } | Self::NonZero | Self::IsNan | Self::IsInf)
    }
}
