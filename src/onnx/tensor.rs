//! Tensors whose values are known when the model is read.

use std::ops::Range;
use std::sync::Arc;

use ndarray::{ArrayD, Axis, IxDyn, Slice};

use super::half;
use crate::error::Cause;

/// Most elements of a constant, and of all that are computed from the file's.
pub(super) const MOST: usize = 1 << 30;

/// Most axes of a tensor.
pub(super) const MOST_AXES: usize = 8;

/// A constant: weights, shapes, axes.
///
/// Doubles and bf16 are floats here, whole numbers of 16 and more bits are i64. Halves stay halves, even behind a
/// `Cast` to f32, and bytes stay bytes, until somebody computes with them.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tensor {
    F32(ArrayD<f32>),
    F16(ArrayD<u16>),
    I64(ArrayD<i64>),
    I8(ArrayD<i8>),
    U8(ArrayD<u8>),
    Bool(ArrayD<bool>),
}

/// What the elements of a value are, as far as operators distinguish them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Float,
    Int(Bits),
    Bool,
}

/// How many bits whole numbers have: what is computed with few starts again at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bits {
    /// More than floats tell apart.
    All,
    Few {
        bits: u32,
        signed: bool,
    },
}

impl Kind {
    /// Whole numbers of 32 and more bits.
    pub(super) const INT: Self = Self::Int(Bits::All);
    pub(super) const I8: Self = Self::Int(Bits::Few { bits: 8, signed: true });
    pub(super) const U8: Self = Self::Int(Bits::Few { bits: 8, signed: false });

    pub(super) fn is_int(self) -> bool {
        matches!(self, Self::Int(_))
    }
}

/// The same expression for whatever the elements are; gives a tensor of the same elements.
macro_rules! map_tensor {
    ($tensor:expr, $array:ident => $result:expr) => {
        match $tensor {
            $crate::onnx::tensor::Tensor::F32($array) => $crate::onnx::tensor::Tensor::F32($result),
            $crate::onnx::tensor::Tensor::F16($array) => $crate::onnx::tensor::Tensor::F16($result),
            $crate::onnx::tensor::Tensor::I64($array) => $crate::onnx::tensor::Tensor::I64($result),
            $crate::onnx::tensor::Tensor::I8($array) => $crate::onnx::tensor::Tensor::I8($result),
            $crate::onnx::tensor::Tensor::U8($array) => $crate::onnx::tensor::Tensor::U8($result),
            $crate::onnx::tensor::Tensor::Bool($array) => $crate::onnx::tensor::Tensor::Bool($result),
        }
    };
}
pub(super) use map_tensor;

/// The same expression for whatever the elements are; gives the expression's value.
macro_rules! with_tensor {
    ($tensor:expr, $array:ident => $result:expr) => {
        match $tensor {
            $crate::onnx::tensor::Tensor::F32($array) => $result,
            $crate::onnx::tensor::Tensor::F16($array) => $result,
            $crate::onnx::tensor::Tensor::I64($array) => $result,
            $crate::onnx::tensor::Tensor::I8($array) => $result,
            $crate::onnx::tensor::Tensor::U8($array) => $result,
            $crate::onnx::tensor::Tensor::Bool($array) => $result,
        }
    };
}

impl Tensor {
    pub(super) fn shape(&self) -> &[usize] {
        with_tensor!(self, array => array.shape())
    }

    pub(super) fn len(&self) -> usize {
        with_tensor!(self, array => array.len())
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::F32(_) | Self::F16(_) => Kind::Float,
            Self::I64(_) => Kind::INT,
            Self::I8(_) => Kind::I8,
            Self::U8(_) => Kind::U8,
            Self::Bool(_) => Kind::Bool,
        }
    }

    /// The same with whole numbers of 64 bits, which are computed with.
    pub(super) fn widened(&self) -> Option<Self> {
        match self {
            Self::I8(array) => Some(Self::I64(array.mapv(i64::from))),
            Self::U8(array) => Some(Self::I64(array.mapv(i64::from))),
            Self::F32(_) | Self::F16(_) | Self::I64(_) | Self::Bool(_) => None,
        }
    }

    /// The same as bytes where whole numbers of this kind are such; those that are beyond start again at the other end.
    pub(super) fn narrowed(self, kind: Kind) -> Self {
        match (self, kind) {
            (Self::I64(array), Kind::I8) => Self::I8(array.mapv(|value| value as i8)),
            (Self::I64(array), Kind::U8) => Self::U8(array.mapv(|value| value as u8)),
            (other, _) => other,
        }
    }

    /// Whole numbers in one row, such as a shape.
    pub(super) fn ints(values: &[i64]) -> Self {
        Self::I64(ArrayD::from_shape_fn(IxDyn(&[values.len()]), |index| values[index[0]]))
    }

    pub(super) fn scalar(value: f32) -> Self {
        Self::F32(ArrayD::from_elem(IxDyn(&[]), value))
    }

    /// The values as floats, as kernels see them. Whole numbers are exact below 2^24.
    pub(super) fn to_f32(&self) -> ArrayD<f32> {
        match self {
            Self::F32(array) => array.clone(),
            Self::F16(array) => array.mapv(half::from_f16),
            Self::I64(array) => array.mapv(|value| value as f32),
            Self::I8(array) => array.mapv(f32::from),
            Self::U8(array) => array.mapv(f32::from),
            Self::Bool(array) => array.mapv(|value| f32::from(u8::from(value))),
        }
    }

    /// The values in row-major order, where they are whole numbers.
    pub(super) fn to_ints(&self) -> Result<Vec<i64>, Cause> {
        match self {
            Self::I64(array) => Ok(array.iter().copied().collect()),
            Self::I8(array) => Ok(array.iter().map(|&value| value.into()).collect()),
            Self::U8(array) => Ok(array.iter().map(|&value| value.into()).collect()),
            Self::Bool(array) => Ok(array.iter().map(|&value| i64::from(value)).collect()),
            Self::F32(_) | Self::F16(_) => Err(Cause::msg("it is a tensor of floats, not of whole numbers")),
        }
    }

    /// The whole numbers or flags as 32 bits hold them; what is beyond becomes the largest or the least but one of these,
    /// of which the least stands for none.
    pub(super) fn to_i32(&self) -> Result<ArrayD<i32>, Cause> {
        let held = |value: i64| value.clamp(-i64::from(i32::MAX), i64::from(i32::MAX)) as i32;
        let ints = self.to_ints()?.into_iter().map(held).collect();
        Ok(ArrayD::from_shape_vec(IxDyn(self.shape()), ints)?)
    }

    /// Checks that 32 bits hold all whole numbers.
    pub(super) fn check_i32(&self) -> Result<(), Cause> {
        match self.to_ints()?.into_iter().find(|value| value.unsigned_abs() > i32::MAX.unsigned_abs().into())
        {
            Some(value) => Err(Cause::msg(format!("{value} is a whole number that 32 bits do not hold"))),
            None => Ok(()),
        }
    }

    /// The only value, as a float.
    pub(super) fn to_scalar(&self) -> Result<f32, Cause> {
        match (self.len(), self) {
            (1, Self::F32(array)) => Ok(array.iter().copied().sum()),
            (1, other) => Ok(other.to_f32().sum()),
            _ => Err(Cause::msg(format!("it has the shape {:?}, and one value is wanted", self.shape()))),
        }
    }

    /// The same with its axes in this order.
    pub(super) fn permuted(&self, order: &[usize]) -> Self {
        map_tensor!(self, array => array.view().permuted_axes(IxDyn(order)).as_standard_layout().into_owned())
    }

    /// Some places of an axis.
    pub(super) fn part(&self, axis: usize, places: Range<usize>) -> Self {
        map_tensor!(self, array => array.slice_axis(Axis(axis), Slice::from(places.clone())).to_owned())
    }

    /// One of its values in row-major order.
    pub(super) fn at(&self, place: usize) -> Self {
        map_tensor!(self, array => {
            ArrayD::from_elem(IxDyn(&[]), array.iter().nth(place).copied().unwrap_or_default())
        })
    }

    pub(super) fn reshaped(&self, shape: &[usize]) -> Result<Self, Cause> {
        if elements(shape)? != self.len() {
            let message = format!("{:?} cannot be seen as {shape:?}", self.shape());
            return Err(Cause::msg(message));
        }
        Ok(map_tensor!(self, array => reshape(array, shape)))
    }
}

fn reshape<T: Clone>(array: &ArrayD<T>, shape: &[usize]) -> ArrayD<T> {
    let values = array.iter().cloned().collect();
    ArrayD::from_shape_vec(IxDyn(shape), values).expect("the number of elements was compared")
}

/// Elements of a shape, where there are at most [`MOST`] in at most 8 axes; 0 is allowed.
///
/// Axes of 0 do not hide others that overflow, so that an array of the shape can be made.
pub(super) fn elements(shape: &[usize]) -> Result<usize, Cause> {
    if shape.len() > MOST_AXES {
        return Err(Cause::msg(format!("it has {} axes, and at most {MOST_AXES} are taken", shape.len())));
    }
    let mut axes = shape.iter().map(|&axis| axis.max(1));
    let counted = axes.try_fold(1_usize, usize::checked_mul);
    match counted {
        Some(count) if count <= MOST => Ok(if shape.contains(&0) { 0 } else { count }),
        _ => Err(Cause::msg(format!("the shape {shape:?} has more than 2^30 elements"))),
    }
}

/// A constant that several nodes may read.
pub(super) type Shared = Arc<Tensor>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_that_overflows_has_no_size() {
        assert_eq!(elements(&[2, 3]).unwrap(), 6);
        assert_eq!(elements(&[]).unwrap(), 1);
        assert_eq!(elements(&[3, 0, 2]).unwrap(), 0);
        assert!(elements(&[usize::MAX, 0, 2]).is_err());
        assert!(elements(&[1; 9]).is_err());
        assert!(elements(&[usize::MAX, 2]).is_err());
        assert!(elements(&[1 << 16, 1 << 16]).is_err());
    }

    #[test]
    fn halves_are_widened_when_they_are_used() {
        let halves = Tensor::F16(ArrayD::from_elem(IxDyn(&[2]), 0x3c00));
        assert_eq!(halves.to_f32(), ArrayD::from_elem(IxDyn(&[2]), 1.0_f32));
        assert_eq!(halves.kind(), Kind::Float);
    }

    #[test]
    fn floats_are_no_axes() {
        assert!(Tensor::scalar(1.0).to_ints().is_err());
        assert_eq!(Tensor::ints(&[1, -2]).to_ints().unwrap(), [1, -2]);
    }
}
