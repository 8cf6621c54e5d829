//! What the functions of two values are in a shader.

use std::fmt::Write as _;

use super::BinaryOp;
use crate::kernel::each::FILES;
use crate::kernel::params::wgsl;

impl BinaryOp {
    /// `NAME(first, second, any)` of WGSL, for floats; `any` is a number that is known at run time only. The files
    /// that it takes are returned.
    pub(in crate::kernel) fn declare(self, name: &str, out: &mut String) -> Vec<&'static str> {
        let text = match self.comparison() {
            Some(holds) => format!("select(0.0, 1.0, !is_nan(first) && !is_nan(second) && ({holds}))"),
            None => self.text().into(),
        };
        let _ =
            write!(out, "\nfn {name}(first: f32, second: f32, any: u32) -> f32 {{\n    return {text};\n}}\n");
        let file = match self {
            Self::Pow => Some(wgsl!("shared/power")),
            Self::Mod | Self::Fmod => Some(wgsl!("shared/rest")),
            _ => None,
        };
        FILES.into_iter().chain(file).collect()
    }

    fn text(self) -> &'static str {
        match self {
            Self::Sub => "first - second",
            Self::Mul => "first * second",
            Self::Div => "first / second",
            Self::Pow => "power(first, second, any)",
            Self::Min => "select(min(first, second), quiet_nan(any), is_nan(first) || is_nan(second))",
            Self::Max => "select(max(first, second), quiet_nan(any), is_nan(first) || is_nan(second))",
            Self::PRelu => {
                "select(select(first, first * second, first < 0.0), quiet_nan(any), is_nan(first) || is_nan(second))"
            }
            Self::Mod => "modulo(first, second, any)",
            Self::Fmod => "rest_of(first, second, any)",
            _ => "first + second",
        }
    }

    fn comparison(self) -> Option<&'static str> {
        Some(match self {
            Self::Equal => "first == second",
            Self::Greater => "first > second",
            Self::GreaterOrEqual => "first >= second",
            Self::Less => "first < second",
            Self::LessOrEqual => "first <= second",
            Self::And => "first != 0.0 && second != 0.0",
            Self::Or => "first != 0.0 || second != 0.0",
            Self::Xor => "(first != 0.0) != (second != 0.0)",
            _ => return None,
        })
    }
}
