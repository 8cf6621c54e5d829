//! What the functions of one value are in a shader.

use std::fmt::Write as _;

use super::UnaryOp;
use crate::kernel::each::FILES;
use crate::kernel::params::wgsl;

impl UnaryOp {
    /// `NAME(value, any)` of WGSL, for a float; `any` is a number that is known at run time only. The files that it
    /// takes are returned.
    pub(in crate::kernel) fn declare(self, name: &str, out: &mut String) -> Vec<&'static str> {
        let none = match (self.outside(), self.takes_nan()) {
            (None, true) => None,
            (Some(outside), true) => Some(outside.to_owned()),
            (None, false) => Some("is_nan(value)".to_owned()),
            (Some(outside), false) => Some(format!("{outside} || is_nan(value)")),
        };
        let (value, file) = self.text();
        let value = match none {
            None => value,
            Some(none) => format!("select({value}, quiet_nan(any), {none})"),
        };
        let _ = write!(out, "\nfn {name}(value: f32, any: u32) -> f32 {{\n    return {value};\n}}\n");
        FILES.into_iter().chain(file).collect()
    }

    /// Where the function has no value; WGSL leaves open what a device makes of it.
    fn outside(self) -> Option<&'static str> {
        match self {
            Self::Log | Self::Sqrt => Some("value < 0.0"),
            Self::Sin | Self::Cos => Some("is_infinite(value)"),
            Self::Whole => Some("abs(value) >= 16777216.0"),
            _ => None,
        }
    }

    /// The value, and the file that it takes.
    fn text(self) -> (String, Option<&'static str>) {
        let exponential = Some(wgsl!("shared/exponential"));
        let (text, file) = match self {
            Self::Erf => ("erf(value)", Some(wgsl!("shared/erf"))),
            Self::Gelu => ("value * normal_share(value)", Some(wgsl!("shared/erf"))),
            Self::GeluTanh => (
                "0.5 * value * (1.0 + tangent(0.7978845608 * (value + 0.044715 * value * value * value)))",
                exponential,
            ),
            Self::Mish => ("mish(value)", exponential),
            Self::Sigmoid => ("sigmoid(value)", exponential),
            Self::Softplus => ("max(value, 0.0) + log_one_plus(exp(-abs(value)))", exponential),
            Self::Tanh => ("tangent(value)", exponential),
            Self::Sin => ("sine(value, 0u)", Some(wgsl!("shared/sine"))),
            Self::Cos => ("sine(value, 1u)", Some(wgsl!("shared/sine"))),
            Self::Log => ("logarithm(abs(value), any)", Some(wgsl!("shared/logarithm"))),
            Self::ToF16 => ("rounded_to_f16(value)", Some(wgsl!("shared/rounded"))),
            Self::ToBf16 => ("rounded_to_bf16(value)", Some(wgsl!("shared/rounded"))),
            Self::Elu { .. } | Self::Selu { .. } | Self::Celu { .. } | Self::Swish { .. } => {
                return (self.with_numbers(), exponential);
            }
            Self::Clip { .. }
            | Self::HardSigmoid { .. }
            | Self::LeakyRelu { .. }
            | Self::ThresholdedRelu { .. } => {
                return (self.with_numbers(), None);
            }
            plain => (plain.plain(), None),
        };
        (text.into(), file)
    }

    /// Those that take neither numbers nor a file.
    fn plain(self) -> &'static str {
        match self {
            Self::Abs => "abs(value)",
            Self::Ceil => "ceil(value)",
            Self::Exp => "exp(value)",
            Self::Floor => "floor(value)",
            Self::HardSwish => "value * clamp(value / 6.0 + 0.5, 0.0, 1.0)",
            Self::Neg => "-value",
            Self::Reciprocal => "1.0 / value",
            Self::Relu => "max(value, 0.0)",
            Self::Softsign => "value / (1.0 + abs(value))",
            Self::Round => "round(value)",
            Self::Sqrt => "sqrt(abs(value))",
            Self::Sign => "sign(value)",
            Self::Not => "select(0.0, 1.0, value == 0.0)",
            Self::NonZero => "select(1.0, 0.0, value == 0.0 && !is_nan(value))",
            Self::IsNan => "select(0.0, 1.0, is_nan(value))",
            Self::IsInf => "select(0.0, 1.0, is_infinite(value))",
            _ => "trunc(value)",
        }
    }

    /// Those with numbers, which stand in the text, so that a device has them as constants.
    fn with_numbers(self) -> String {
        let [a, b] = self.parameters().map(|number| format!("({number:?}f)"));
        match self {
            Self::Elu { .. } => format!("select({a} * exp_minus_one(value), value, value >= 0.0)"),
            Self::Selu { .. } => format!("{b} * select({a} * exp_minus_one(value), value, value >= 0.0)"),
            Self::Celu { .. } => format!("max(value, 0.0) + min({a} * exp_minus_one(value / {a}), 0.0)"),
            Self::Swish { .. } => format!("value * sigmoid({a} * value)"),
            Self::HardSigmoid { .. } => format!("clamp({a} * value + {b}, 0.0, 1.0)"),
            Self::LeakyRelu { .. } => format!("select({a} * value, value, value >= 0.0)"),
            Self::ThresholdedRelu { .. } => format!("select(0.0, value, value > {a} && !is_nan(value))"),
            Self::Clip { low, high } => {
                let below = if high == f32::INFINITY { "value".into() } else { format!("min(value, {b})") };
                if low == f32::NEG_INFINITY { below } else { format!("max({below}, {a})") }
            }
            _ => unreachable!("it has no numbers"),
        }
    }
}
