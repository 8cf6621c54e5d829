//! Which functions of two values there are.

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
    /// The quotient of whole numbers, cut off towards 0; NaN where the divisor is 0.
    Quotient,
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
            Self::Quotient => ((a - a % b) / b).round_ties_even(),
            other => f32::from(u8::from(!nan && other.holds(a, b))),
        }
    }

    /// The function of two whole numbers: NaN where floats may not have the result, or what is compared.
    pub(super) fn apply_whole(self, a: f32, b: f32) -> f32 {
        let [large_a, large_b] = [a, b].map(|value| value.abs() >= WHOLE);
        let value = self.apply(a, b);
        let none = match self {
            Self::Add | Self::Sub | Self::Mul | Self::Pow => value.abs() >= WHOLE,
            Self::Mod | Self::Fmod | Self::Quotient => large_a,
            _ => large_a && large_b,
        };
        if none || a.is_nan() || b.is_nan() { f32::NAN } else { value.trunc() }
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

    /// The number that `override op` of `shaders/binary.wgsl` knows it by: its place in the list.
    pub(super) fn number(self) -> f64 {
        f64::from(self as u8)
    }
}

/// From here on neighbouring whole numbers are one float.
const WHOLE: f32 = 16_777_216.0;

fn modulo(a: f32, b: f32) -> f32 {
    let rest = a % b;
    if rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest }
}
