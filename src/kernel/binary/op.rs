//! Which functions of two values there are.

use crate::kernel::ints::{NONE, checked};

/// A function of two values, as the ONNX operator of the same name defines it.
///
/// A comparison gives 1 where it holds, else 0. A comparison with NaN does not hold, as in IEEE 754:
/// here alone NaN does not stay NaN.
///
/// ```
/// use gapless::kernel::BinaryOp;
/// assert_eq!(BinaryOp::Pow.apply(-2.0, 3.0), -8.0);
/// assert_eq!([BinaryOp::Mod.apply(-7.0, 3.0), BinaryOp::Fmod.apply(-7.0, 3.0)], [2.0, -1.0]);
/// assert!(BinaryOp::Max.apply(f32::NAN, 1.0).is_nan());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BinaryOp {
    /// `a + b`.
    Add,
    /// `a - b`.
    Sub,
    /// `a · b`.
    Mul,
    /// `a / b`.
    Div,
    /// `a` to the power of `b`, as `pow` of C: whole powers of negative numbers are right, other ones NaN.
    Pow,
    /// The smaller one.
    Min,
    /// The larger one.
    Max,
    /// `a` where it is not negative, else `a · b`.
    PRelu,
    /// The rest of a division, with the sign of `b`; right for whole numbers below 2²⁴.
    Mod,
    /// The rest of a division, with the sign of `a`; right for whole numbers below 2²⁴.
    Fmod,
    /// Whether `a = b`.
    Equal,
    /// Whether `a > b`.
    Greater,
    /// Whether `a >= b`.
    GreaterOrEqual,
    /// Whether `a < b`.
    Less,
    /// Whether `a <= b`.
    LessOrEqual,
    /// Whether neither of two flags is 0.
    And,
    /// Whether one of two flags is not 0.
    Or,
    /// Whether one of two flags is 0 and the other is not.
    Xor,
}

impl BinaryOp {
    /// The function's value.
    pub fn apply(self, a: f32, b: f32) -> f32 {
        let nan = a.is_nan() || b.is_nan();
        match self {
            Self::Add => a + b,
            Self::Sub => a - b,
            Self::Mul => a * b,
            Self::Div => a / b,
            Self::Pow => a.powf(b),
            Self::Min if nan => f32::NAN,
            Self::Min => a.min(b),
            Self::Max if nan => f32::NAN,
            Self::Max => a.max(b),
            Self::PRelu if nan => f32::NAN,
            Self::PRelu => {
                if a < 0.0 {
                    a * b
                } else {
                    a
                }
            }
            Self::Mod => modulo(a, b),
            Self::Fmod => a % b,
            other => f32::from(u8::from(!nan && other.holds(a, b))),
        }
    }

    /// The function of each value and another one, which is the first of the pair where that is said. What is chosen
    /// once for all of them becomes a loop of its own.
    pub(in crate::kernel) fn apply_to_all(
        self,
        values: &mut [f32],
        others: impl Iterator<Item = f32>,
        other_first: bool,
    ) {
        let each = values.iter_mut().zip(others);
        match (self, other_first) {
            (Self::Add, _) => each.for_each(|(value, other)| *value += other),
            (Self::Mul, _) => each.for_each(|(value, other)| *value *= other),
            (Self::Sub, false) => each.for_each(|(value, other)| *value -= other),
            (op, false) => each.for_each(|(value, other)| *value = op.apply(*value, other)),
            (op, true) => each.for_each(|(value, other)| *value = op.apply(other, *value)),
        }
    }

    /// The same of whole numbers; [`NONE`] where one of them is none, or 32 bits do not hold the result. A quotient
    /// is cut off towards 0.
    pub(super) fn apply_to_ints(self, a: i32, b: i32) -> i32 {
        checked(a, b, |a, b| match self {
            Self::Add => a.checked_add(b),
            Self::Sub => a.checked_sub(b),
            Self::Mul => a.checked_mul(b),
            Self::Div => a.checked_div(b),
            Self::Pow => power(a, b),
            Self::Min => Some(a.min(b)),
            Self::Max => Some(a.max(b)),
            Self::Mod => {
                a.checked_rem(b).map(|rest| if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest })
            }
            _ => a.checked_rem(b),
        })
    }

    /// 1 where whole numbers compare so, else 0; NaN where one of them is none.
    pub(super) fn compare_ints(self, a: i32, b: i32) -> f32 {
        if a == NONE || b == NONE {
            return f32::NAN;
        }
        f32::from(u8::from(match self {
            Self::Greater => a > b,
            Self::GreaterOrEqual => a >= b,
            Self::Less => a < b,
            Self::LessOrEqual => a <= b,
            _ => a == b,
        }))
    }

    /// Whether it gives flags.
    pub(crate) fn compares(self) -> bool {
        matches!(
            self,
            Self::Equal
                | Self::Greater
                | Self::GreaterOrEqual
                | Self::Less
                | Self::LessOrEqual
                | Self::And
                | Self::Or
                | Self::Xor
        )
    }

    /// Whether it is a function of whole numbers too.
    pub(super) fn takes_ints(self) -> bool {
        !matches!(self, Self::PRelu | Self::And | Self::Or | Self::Xor)
    }

    fn holds(self, a: f32, b: f32) -> bool {
        let (one, other) = (a != 0.0, b != 0.0);
        match self {
            Self::Greater => a > b,
            Self::GreaterOrEqual => a >= b,
            Self::Less => a < b,
            Self::LessOrEqual => a <= b,
            Self::And => one && other,
            Self::Or => one || other,
            Self::Xor => one != other,
            _ => a == b,
        }
    }

    /// The number that `override op` of `shaders/shared/binary_ints.wgsl` and `binary_flags.wgsl` knows it by: its place
    /// in the list.
    pub(super) fn number(self) -> f64 {
        f64::from(self as u8)
    }
}

/// A power whose exponent is negative is less than 1 unless its base is 1 or -1, and there is none of 0.
fn power(base: i32, exponent: i32) -> Option<i32> {
    match (u32::try_from(exponent), base) {
        (Ok(exponent), _) => base.checked_pow(exponent),
        (Err(_), 0) => None,
        (Err(_), 1 | -1) => Some(if exponent & 1 == 1 { base } else { 1 }),
        (Err(_), _) => Some(0),
    }
}

fn modulo(a: f32, b: f32) -> f32 {
    let rest = a % b;
    if rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest }
}
