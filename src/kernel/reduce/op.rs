//! Which numbers can stand for many.

/// One number for many values, as the ONNX operator `Reduce…` of the same name defines it.
///
/// ```
/// use gapless::kernel::ReduceOp;
/// assert_ne!(ReduceOp::Sum, ReduceOp::Mean);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReduceOp {
    /// The sum.
    Sum,
    /// The mean.
    Mean,
    /// The largest value.
    Max,
    /// The smallest value.
    Min,
    /// The product.
    Prod,
    /// The sum of the magnitudes.
    L1,
    /// The square root of the sum of the squares.
    L2,
    /// The sum of the squares.
    SumSquare,
    /// The logarithm of the sum; NaN where the sum is negative.
    LogSum,
    /// The logarithm of the sum of the exponentials, which does not overflow.
    LogSumExp,
}

impl ReduceOp {
    /// Whether whole numbers have such a number that is one.
    pub(super) fn takes_ints(self) -> bool {
        !matches!(self, Self::L2 | Self::LogSum | Self::LogSumExp)
    }

    /// The number that `override op` of `shaders/reduce.wgsl` knows it by: its place in the list.
    pub(super) fn number(self) -> f64 {
        f64::from(self as u8)
    }

    /// What no values at all give.
    pub(super) fn start(self) -> f64 {
        match self {
            Self::Max => f64::NEG_INFINITY,
            Self::Min => f64::INFINITY,
            Self::Prod => 1.0,
            _ => 0.0,
        }
    }

    /// What a value brings; `shift` is what `LogSumExp` takes off first.
    pub(super) fn share(self, value: f64, shift: f64) -> f64 {
        match self {
            Self::L1 => value.abs(),
            Self::L2 | Self::SumSquare => value * value,
            Self::LogSumExp => (value - shift).exp(),
            _ => value,
        }
    }

    /// Two shares become one. NaN is larger and smaller than every number.
    pub(super) fn join(self, one: f64, other: f64) -> f64 {
        match self {
            Self::Max if one.is_nan() || one > other => one,
            Self::Min if one.is_nan() || one < other => one,
            Self::Max | Self::Min => other,
            Self::Prod => one * other,
            _ => one + other,
        }
    }

    /// The number, from all shares of `count` values.
    pub(super) fn finish(self, whole: f64, shift: f64, count: usize) -> f64 {
        match self {
            Self::Mean => whole / count as f64,
            Self::L2 => whole.sqrt(),
            Self::LogSum => whole.ln(),
            Self::LogSumExp => whole.ln() + shift,
            _ => whole,
        }
    }
}
