//! Tensors, as numpy's bytes with their shape and type.

use ndarray::{ArrayD, IxDyn};

use super::proto::{DenseProto, LayoutProto, NdArrayProto};
use crate::doc::Tensor;
use crate::doc::tensor::each;
use crate::error::Cause;

/// Axes that a tensor may have: as many as numpy takes.
const MOST_AXES: usize = 64;

/// A number as bytes, least first.
trait Wired: Copy {
    const DTYPE: &'static str;
    fn put(self, bytes: &mut Vec<u8>);
}

macro_rules! wired {
    ($($number:ty: $dtype:literal),*) => { $(
        impl Wired for $number {
            const DTYPE: &'static str = $dtype;

            fn put(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }
        }
    )* };
}

wired!(
    u8: "|u1", i8: "|i1", u16: "<u2", i16: "<i2", u32: "<u4", i32: "<i4", u64: "<u8", i64: "<i8", f32: "<f4",
    f64: "<f8"
);

pub(super) fn to_proto(tensor: &Tensor) -> Result<NdArrayProto, Cause> {
    let shape: Result<Vec<u32>, _> = tensor.shape().iter().map(|side| u32::try_from(*side)).collect();
    let (buffer, dtype) = each!(tensor, array => bytes_of(array));
    let dense = DenseProto { buffer, shape: shape?, dtype: dtype.into() };
    Ok(NdArrayProto { layout: Some(LayoutProto::Dense(dense)), cls_name: "numpy".into() })
}

fn bytes_of<T: Wired>(array: &ArrayD<T>) -> (Vec<u8>, &'static str) {
    let mut bytes = Vec::with_capacity(array.len() * size_of::<T>());
    match array.as_slice() {
        Some(values) => values.iter().for_each(|value| value.put(&mut bytes)),
        None => array.iter().for_each(|value| value.put(&mut bytes)),
    }
    (bytes, T::DTYPE)
}

/// `None` where there is no array in the message.
pub(super) fn of_proto(proto: NdArrayProto) -> Result<Option<Tensor>, Cause> {
    match proto.layout {
        None => Ok(None),
        Some(LayoutProto::Sparse(_)) => Err(Cause::msg("a sparse tensor; only dense ones are read")),
        Some(LayoutProto::Dense(DenseProto { buffer, shape, dtype }))
            if buffer.is_empty() && shape.is_empty() =>
        {
            if dtype.is_empty() {
                Ok(None)
            } else {
                Err(Cause::msg("a tensor without its number"))
            }
        }
        Some(LayoutProto::Dense(dense)) => tensor(dense).map(Some),
    }
}

fn tensor(DenseProto { buffer, shape, dtype }: DenseProto) -> Result<Tensor, Cause> {
    let (big, kind) = match dtype.split_at_checked(1) {
        Some(("<" | "|" | "=", kind)) => (false, kind),
        Some((">", kind)) => (true, kind),
        _ => (false, dtype.as_str()),
    };
    if shape.len() > MOST_AXES {
        return Err(Cause::msg(format_args!("a tensor of {} axes", shape.len())));
    }
    let shape: Vec<usize> = shape.into_iter().map(|side| side as usize).collect();
    let parts = Parts { buffer: &buffer, shape: &shape, big };
    Ok(match kind {
        "u1" | "b1" => Tensor::U8(ArrayD::from_shape_vec(IxDyn(&shape), parts.checked(1)?.to_vec())?),
        "i1" => Tensor::I8(parts.array(i8::from_le_bytes)?),
        "u2" => Tensor::U16(parts.array(u16::from_le_bytes)?),
        "i2" => Tensor::I16(parts.array(i16::from_le_bytes)?),
        "u4" => Tensor::U32(parts.array(u32::from_le_bytes)?),
        "i4" => Tensor::I32(parts.array(i32::from_le_bytes)?),
        "u8" => Tensor::U64(parts.array(u64::from_le_bytes)?),
        "i8" => Tensor::I64(parts.array(i64::from_le_bytes)?),
        "f2" => Tensor::F32(parts.array(|bytes| half(u16::from_le_bytes(bytes)))?),
        "f4" => Tensor::F32(parts.array(f32::from_le_bytes)?),
        "f8" => Tensor::F64(parts.array(f64::from_le_bytes)?),
        _ => return Err(Cause::msg(format_args!("a tensor of numpy's type {dtype:?}"))),
    })
}

struct Parts<'a> {
    buffer: &'a [u8],
    shape: &'a [usize],
    big: bool,
}

impl Parts<'_> {
    /// The bytes, if they are as many as the shape needs.
    fn checked(&self, size: usize) -> Result<&[u8], Cause> {
        let needed = self.shape.iter().try_fold(size, |needed, side| needed.checked_mul(*side));
        if needed == Some(self.buffer.len()) {
            return Ok(self.buffer);
        }
        Err(Cause::msg(format_args!("a tensor {:?} in {} bytes", self.shape, self.buffer.len())))
    }

    fn array<T, const N: usize>(&self, of_little: impl Fn([u8; N]) -> T) -> Result<ArrayD<T>, Cause> {
        let values = self.checked(N)?.as_chunks::<N>().0.iter().map(|bytes| {
            let mut bytes = *bytes;
            if self.big {
                bytes.reverse();
            }
            of_little(bytes)
        });
        Ok(ArrayD::from_shape_vec(IxDyn(self.shape), values.collect())?)
    }
}

/// The value of a half float (IEEE 754 binary16).
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from((bits >> 10) & 31), f32::from(bits & 1023));
    match exponent {
        0 => sign * fraction * 2_f32.powi(-24),
        31 if fraction == 0.0 => sign * f32::INFINITY,
        31 => f32::NAN,
        _ => sign * (1024.0 + fraction) * 2_f32.powi(exponent - 25),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_floats_are_exact() {
        let cases = [
            (0x3C00, 1.0),
            (0xC000, -2.0),
            (0x7BFF, 65504.0),
            (0x0001, 2_f32.powi(-24)),
            (0x3555, 0.333_251_95),
        ];
        for (bits, value) in cases {
            assert_eq!(half(bits), value);
        }
        assert_eq!(half(0xFC00), f32::NEG_INFINITY);
        assert!(half(0x7E00).is_nan());
    }

    #[test]
    fn big_endian_numbers_are_read() {
        let dense = DenseProto { buffer: vec![0, 1, 2, 3], shape: vec![2], dtype: ">i2".into() };
        assert_eq!(tensor(dense).expect("two numbers"), Tensor::from(ndarray::array![1_i16, 0x203]));
    }

    #[test]
    fn a_shape_that_does_not_fit_its_bytes_is_an_error() {
        for shape in [vec![u32::MAX; 64], vec![3], vec![0], vec![u32::MAX, u32::MAX, 0, 4], vec![1; 65]] {
            let dense = DenseProto { buffer: vec![0; 4], shape, dtype: "<f4".into() };
            assert!(tensor(dense).is_err());
        }
    }
}
