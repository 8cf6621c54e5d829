//! What the functions of one value are on the CPU; `text` says it to a device.

use super::UnaryOp;
use crate::kernel::half;

impl UnaryOp {
    /// The function's value. NaN stays NaN, but where a function says otherwise.
    pub fn apply(self, x: f32) -> f32 {
        if x.is_nan() && !self.takes_nan() {
            return x;
        }
        match self {
            Self::NonZero | Self::IsNan | Self::IsInf => f32::from(u8::from(self.is_so(x))),
            Self::Trunc | Self::ToF16 | Self::ToBf16 | Self::Whole => self.narrowed(x),
            Self::Abs => x.abs(),
            Self::Ceil => x.ceil(),
            Self::Erf => erf(f64::from(x)) as f32,
            Self::Exp => x.exp(),
            Self::Floor => x.floor(),
            Self::Log => x.ln(),
            Self::Neg => -x,
            Self::Not => f32::from(u8::from(x == 0.0)),
            Self::Reciprocal => 1.0 / x,
            Self::Round => x.round_ties_even(),
            // The sign of 0 would be 1.
            Self::Sign => {
                if x == 0.0 {
                    x
                } else {
                    x.signum()
                }
            }
            Self::Sin => x.sin(),
            Self::Cos => x.cos(),
            Self::Sqrt => x.sqrt(),
            Self::Tanh => x.tanh(),
            other => other.activate(x),
        }
    }

    /// The same for many values; what is chosen once for all of them becomes a loop of its own.
    pub(in crate::kernel) fn apply_all(self, values: &mut [f32]) {
        match self {
            Self::Relu => values.iter_mut().for_each(|value| *value = relu(*value)),
            Self::Clip { low, high } => {
                values.iter_mut().for_each(|value| *value = clipped(*value, low, high))
            }
            other => values.iter_mut().for_each(|value| *value = other.apply(*value)),
        }
    }

    fn is_so(self, x: f32) -> bool {
        match self {
            Self::NonZero => x != 0.0,
            Self::IsNan => x.is_nan(),
            _ => x.is_infinite(),
        }
    }

    /// The value as another type of numbers holds it.
    fn narrowed(self, x: f32) -> f32 {
        match self {
            Self::ToF16 => half::rounded_to_f16(x),
            Self::ToBf16 => half::rounded_to_bf16(x),
            Self::Whole if x.abs() >= 16_777_216.0 => f32::NAN,
            _ => x.trunc(),
        }
    }

    /// The functions that networks were given for what they do to a sum.
    fn activate(self, x: f32) -> f32 {
        match self {
            Self::Relu => relu(x),
            Self::Clip { low, high } => clipped(x, low, high),
            Self::Elu { alpha } => elu(x, alpha),
            Self::Selu { alpha, gamma } => gamma * elu(x, alpha),
            Self::Celu { alpha } => x.max(0.0) + (alpha * (x / alpha).exp_m1()).min(0.0),
            Self::LeakyRelu { alpha } => {
                if x < 0.0 {
                    alpha * x
                } else {
                    x
                }
            }
            Self::ThresholdedRelu { alpha } => {
                if x > alpha {
                    x
                } else {
                    0.0
                }
            }
            Self::HardSigmoid { alpha, beta } => (alpha * x + beta).clamp(0.0, 1.0),
            Self::HardSwish => x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
            Self::Sigmoid => sigmoid(x),
            Self::Swish { alpha } => x * sigmoid(alpha * x),
            Self::Softplus => softplus(x),
            Self::Softsign => x / (1.0 + x.abs()),
            Self::Mish => x * softplus(x).tanh(),
            Self::GeluTanh => 0.5 * x * (1.0 + (SQRT_2_PI * (x + 0.044_715 * x * x * x)).tanh()),
            _ => x * normal_share(f64::from(x)) as f32,
        }
    }
}

// Comparisons that are false for NaN leave it as it is.

fn relu(x: f32) -> f32 {
    if x < 0.0 { 0.0 } else { x }
}

/// `f32::clamp` panics for a range that is none.
fn clipped(x: f32, low: f32, high: f32) -> f32 {
    let x = if x > high { high } else { x };
    if x < low { low } else { x }
}

/// √(2/π).
const SQRT_2_PI: f32 = 0.797_884_6;

fn elu(x: f32, alpha: f32) -> f32 {
    if x >= 0.0 { x } else { alpha * x.exp_m1() }
}

/// One exponential that does not overflow serves both sides.
fn sigmoid(x: f32) -> f32 {
    let e = (-x.abs()).exp();
    if x >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) }
}

fn softplus(x: f32) -> f32 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// The share of the normal distribution below x.
fn normal_share(x: f64) -> f64 {
    let z = x * std::f64::consts::FRAC_1_SQRT_2;
    let tail = 0.5 * erf_complement(z.abs());
    if z.abs() < 0.5 {
        0.5 + 0.5 * erf_series(z)
    } else if z < 0.0 {
        tail
    } else {
        1.0 - tail
    }
}

fn erf(x: f64) -> f64 {
    if x.abs() < 0.5 { erf_series(x) } else { (1.0 - erf_complement(x.abs())).copysign(x) }
}

/// The error function near 0: DLMF 7.6.1.
fn erf_series(x: f64) -> f64 {
    let s = x * x;
    let sum = 1.0 / 3.0 - s * (1.0 / 10.0 - s * (1.0 / 42.0 - s * (1.0 / 216.0 - s / 1320.0)));
    std::f64::consts::FRAC_2_SQRT_PI * x * (1.0 - s * sum)
}

/// `1 - erf(x)` for `x >= 0`: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26.
fn erf_complement(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let factors = [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592];
    t * factors.iter().fold(0.0, |sum, factor| sum * t + factor) * (-x * x).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The error function by its integral (Simpson's rule on 2,000 pieces).
    fn erf_integral(x: f64) -> f64 {
        let (pieces, density) = (2_000, |t: f64| (-t * t).exp());
        let step = x / f64::from(pieces);
        let weight =
            |place: i32| if place == 0 || place == pieces { 1.0 } else { f64::from(2 + 2 * (place % 2)) };
        let sum: f64 = (0..=pieces).map(|place| weight(place) * density(f64::from(place) * step)).sum();
        std::f64::consts::FRAC_2_SQRT_PI * sum * step / 3.0
    }

    #[test]
    fn the_error_function_errs_by_less_than_its_source_says() {
        for place in -600..=600 {
            let x = f64::from(place) / 100.0;
            assert!((erf(x) - erf_integral(x)).abs() <= 1.5e-7, "{x}");
        }
        assert_eq!(UnaryOp::Erf.apply(f32::INFINITY), 1.0);
        assert_eq!(UnaryOp::Erf.apply(f32::NEG_INFINITY), -1.0);
    }

    #[test]
    fn small_values_keep_their_digits() {
        let near = |op: UnaryOp, x: f32, wanted: f64| {
            let y = f64::from(op.apply(x));
            assert!((y / wanted - 1.0).abs() < 1e-6, "{op:?} of {x} is {y}, not {wanted}");
        };
        near(UnaryOp::Erf, 1e-6, 1.128_379_167e-6);
        near(UnaryOp::Softplus, -30.0, 9.357_622_97e-14);
        near(UnaryOp::Elu { alpha: 2.0 }, -1e-6, -1.999_999e-6);
        near(UnaryOp::Sigmoid, -60.0, 8.756_510_76e-27);
        near(UnaryOp::Mish, -30.0, -2.807_286_89e-12);
    }

    #[test]
    fn large_values_do_not_overflow_on_the_way() {
        for (op, low, high) in [
            (UnaryOp::Sigmoid, 0.0, 1.0),
            (UnaryOp::Softplus, 0.0, 1e4),
            (UnaryOp::Mish, 0.0, 1e4),
            (UnaryOp::Tanh, -1.0, 1.0),
            (UnaryOp::Gelu, 0.0, 1e4),
            (UnaryOp::GeluTanh, 0.0, 1e4),
            (UnaryOp::Swish { alpha: 1.0 }, 0.0, 1e4),
            (UnaryOp::Elu { alpha: 1.0 }, -1.0, 1e4),
        ] {
            assert_eq!([op.apply(-1e4), op.apply(1e4)], [low, high], "{op:?}");
        }
    }
}
