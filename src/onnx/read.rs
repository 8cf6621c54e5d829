//! A `TensorProto` becomes a [`Tensor`]; nothing is allocated before its size was compared.

use std::path::Path;

use ndarray::{ArrayD, IxDyn};

use super::external;
use super::half;
use super::proto::TensorProto;
use super::tensor::{Bits, Kind, Tensor, elements};
use crate::error::Cause;

/// `TensorProto.DataType`, as far as networks use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DataType {
    F32,
    U8,
    I8,
    U16,
    I16,
    I32,
    I64,
    Bool,
    F16,
    F64,
    U32,
    U64,
    Bf16,
}

impl DataType {
    /// The type of this number in the file.
    pub(super) fn new(number: i32) -> Result<Self, Cause> {
        Ok(match number {
            1 => Self::F32,
            2 => Self::U8,
            3 => Self::I8,
            4 => Self::U16,
            5 => Self::I16,
            6 => Self::I32,
            7 => Self::I64,
            9 => Self::Bool,
            10 => Self::F16,
            11 => Self::F64,
            12 => Self::U32,
            13 => Self::U64,
            16 => Self::Bf16,
            8 => return Err(Cause::msg("its elements are strings, which no kernel takes")),
            _ => {
                return Err(Cause::msg(format!("its elements are of the type {number}, which is not taken")));
            }
        })
    }

    pub(super) fn kind(self) -> Kind {
        match self {
            Self::F32 | Self::F16 | Self::F64 | Self::Bf16 => Kind::Float,
            Self::Bool => Kind::Bool,
            Self::U8 | Self::I8 => Kind::Int(Bits::Few { bits: 8, signed: self == Self::I8 }),
            Self::U16 | Self::I16 => Kind::Int(Bits::Few { bits: 16, signed: self == Self::I16 }),
            _ => Kind::INT,
        }
    }

    /// A whole number as this type holds it: what is beyond starts again at the other end.
    pub(super) fn wrapped(self, value: i64) -> i64 {
        match self {
            Self::U8 => i64::from(value as u8),
            Self::I8 => i64::from(value as i8),
            Self::U16 => i64::from(value as u16),
            Self::I16 => i64::from(value as i16),
            Self::U32 => i64::from(value as u32),
            Self::I32 => i64::from(value as i32),
            _ => value,
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 | Self::Bool => 1,
            Self::U16 | Self::I16 | Self::F16 | Self::Bf16 => 2,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::I64 | Self::F64 | Self::U64 => 8,
        }
    }
}

/// Reads a tensor. External data is looked for in `folder`.
pub(super) fn tensor(proto: &TensorProto, folder: Option<&Path>) -> Result<Tensor, Cause> {
    let shape = proto.dims.iter().map(|&axis| length(axis)).collect::<Result<Vec<_>, _>>()?;
    let data_type = DataType::new(proto.data_type.unwrap_or(0))?;
    let count = elements(&shape)?;
    let bytes = count * data_type.bytes();
    if proto.data_location == Some(1) {
        let data = external::read(&proto.external_data, folder, bytes)?;
        return raw(data_type, &shape, &data);
    }
    match &proto.raw_data {
        Some(data) if data.len() == bytes => raw(data_type, &shape, data),
        Some(data) if !data.is_empty() => {
            Err(Cause::msg(format!("it has {} bytes, and its shape {shape:?} wants {bytes}", data.len())))
        }
        _ => typed(proto, data_type, &shape, count),
    }
}

fn length(axis: i64) -> Result<usize, Cause> {
    usize::try_from(axis).map_err(|_| Cause::msg(format!("an axis has the length {axis}")))
}

/// Little-endian values, as many as the shape wants.
fn raw(data_type: DataType, shape: &[usize], data: &[u8]) -> Result<Tensor, Cause> {
    fn all<const N: usize, T>(data: &[u8], shape: &[usize], value: impl Fn([u8; N]) -> T) -> ArrayD<T> {
        let (chunks, _) = data.as_chunks::<N>();
        array(shape, chunks.iter().map(|&bytes| value(bytes)).collect())
    }
    Ok(match data_type {
        DataType::F32 => Tensor::F32(all(data, shape, f32::from_le_bytes)),
        DataType::F64 => Tensor::F32(all(data, shape, |bytes| f64::from_le_bytes(bytes) as f32)),
        DataType::F16 => Tensor::F16(all(data, shape, u16::from_le_bytes)),
        DataType::Bf16 => Tensor::F32(all(data, shape, |bytes| half::from_bf16(u16::from_le_bytes(bytes)))),
        DataType::Bool => Tensor::Bool(all(data, shape, |[byte]| byte != 0)),
        DataType::U8 => Tensor::U8(all(data, shape, |[byte]| byte)),
        DataType::I8 => Tensor::I8(all(data, shape, i8::from_le_bytes)),
        DataType::U16 => Tensor::I64(all(data, shape, |bytes| u16::from_le_bytes(bytes).into())),
        DataType::I16 => Tensor::I64(all(data, shape, |bytes| i16::from_le_bytes(bytes).into())),
        DataType::U32 => Tensor::I64(all(data, shape, |bytes| u32::from_le_bytes(bytes).into())),
        DataType::I32 => Tensor::I64(all(data, shape, |bytes| i32::from_le_bytes(bytes).into())),
        DataType::I64 => Tensor::I64(all(data, shape, i64::from_le_bytes)),
        DataType::U64 => {
            let values = data.as_chunks().0.iter().map(|&bytes| signed(u64::from_le_bytes(bytes)));
            Tensor::I64(array(shape, values.collect::<Result<_, _>>()?))
        }
    })
}

/// Values in the field of their type.
fn typed(proto: &TensorProto, data_type: DataType, shape: &[usize], count: usize) -> Result<Tensor, Cause> {
    let checked = |given: usize| match given == count {
        true => Ok(()),
        false => Err(Cause::msg(format!("it has {given} values, and its shape {shape:?} wants {count}"))),
    };
    let halves = || proto.int32_data.iter().map(|&value| value as u16);
    Ok(match data_type {
        DataType::F32 => {
            checked(proto.float_data.len())?;
            Tensor::F32(array(shape, proto.float_data.clone()))
        }
        DataType::F64 => {
            checked(proto.double_data.len())?;
            Tensor::F32(array(shape, proto.double_data.iter().map(|&value| value as f32).collect()))
        }
        DataType::I64 => {
            checked(proto.int64_data.len())?;
            Tensor::I64(array(shape, proto.int64_data.clone()))
        }
        DataType::U32 | DataType::U64 => {
            checked(proto.uint64_data.len())?;
            let values = proto.uint64_data.iter().map(|&value| signed(value));
            Tensor::I64(array(shape, values.collect::<Result<_, _>>()?))
        }
        _ => {
            checked(proto.int32_data.len())?;
            match data_type {
                DataType::F16 => Tensor::F16(array(shape, halves().collect())),
                DataType::Bf16 => Tensor::F32(array(shape, halves().map(half::from_bf16).collect())),
                DataType::Bool => {
                    Tensor::Bool(array(shape, proto.int32_data.iter().map(|&value| value != 0).collect()))
                }
                _ => Tensor::I64(array(shape, proto.int32_data.iter().map(|&value| value.into()).collect()))
                    .narrowed(data_type.kind()),
            }
        }
    })
}

fn signed(value: u64) -> Result<i64, Cause> {
    i64::try_from(value).map_err(|_| Cause::msg(format!("the value {value} is more than 2^63 - 1")))
}

fn array<T>(shape: &[usize], values: Vec<T>) -> ArrayD<T> {
    ArrayD::from_shape_vec(IxDyn(shape), values).expect("the number of values was compared")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proto(data_type: i32, dims: &[i64]) -> TensorProto {
        TensorProto { data_type: Some(data_type), dims: dims.to_vec(), ..TensorProto::default() }
    }

    fn raw_proto(data_type: i32, dims: &[i64], data: &[u8]) -> TensorProto {
        TensorProto { raw_data: Some(data.to_vec()), ..proto(data_type, dims) }
    }

    fn refused(proto: &TensorProto) -> String {
        tensor(proto, None).unwrap_err().to_string()
    }

    #[test]
    fn raw_data_of_every_type_is_read() {
        let read = |number, data: &[u8]| tensor(&raw_proto(number, &[1], data), None).unwrap();
        assert_eq!(read(1, &2.5_f32.to_le_bytes()).to_scalar().unwrap(), 2.5);
        assert_eq!(read(11, &2.5_f64.to_le_bytes()).to_scalar().unwrap(), 2.5);
        assert_eq!(read(10, &[0, 0x3c]).to_scalar().unwrap(), 1.0);
        assert_eq!(read(16, &[0x80, 0x3f]).to_scalar().unwrap(), 1.0);
        assert_eq!(read(9, &[2]).to_ints().unwrap(), [1]);
        let ints: [(i32, &[u8], i64); 8] = [
            (2, &[255], 255),
            (3, &[255], -1),
            (4, &[255, 255], 65535),
            (5, &[255, 255], -1),
            (6, &[255; 4], -1),
            (7, &[255; 8], -1),
            (12, &[255; 4], 4_294_967_295),
            (13, &[1, 0, 0, 0, 0, 0, 0, 0], 1),
        ];
        for (number, data, value) in ints {
            assert_eq!(read(number, data).to_ints().unwrap(), [value], "type {number}");
        }
    }

    #[test]
    fn values_in_the_field_of_their_type_are_read() {
        let floats = TensorProto { float_data: vec![1.0, 2.0], ..proto(1, &[2]) };
        assert_eq!(tensor(&floats, None).unwrap().to_f32().sum(), 3.0);
        let halves = TensorProto { int32_data: vec![0x3c00, 0x3c00], ..proto(10, &[2]) };
        assert_eq!(tensor(&halves, None).unwrap().to_f32().sum(), 2.0);
        let bytes = TensorProto { int32_data: vec![3], ..proto(2, &[]) };
        assert_eq!(tensor(&bytes, None).unwrap().to_ints().unwrap(), [3]);
        let wide = TensorProto { uint64_data: vec![3, 4], ..proto(13, &[2]) };
        assert_eq!(tensor(&wide, None).unwrap().to_ints().unwrap(), [3, 4]);
    }

    #[test]
    fn a_shape_that_claims_more_than_there_is_takes_no_memory() {
        assert_eq!(
            refused(&raw_proto(1, &[1 << 28], &[0; 8])),
            "it has 8 bytes, and its shape [268435456] wants 1073741824"
        );
        assert!(refused(&proto(1, &[1 << 40])).contains("more than 2^30 elements"));
        assert!(refused(&proto(1, &[i64::MAX, i64::MAX])).contains("more than 2^30 elements"));
        assert!(refused(&proto(1, &[i64::MAX, 0])).contains("more than 2^30 elements"));
        assert_eq!(refused(&proto(7, &[1 << 20])), "it has 0 values, and its shape [1048576] wants 1048576");
    }

    #[test]
    fn what_is_no_tensor_of_numbers_is_refused() {
        assert_eq!(refused(&proto(1, &[-1])), "an axis has the length -1");
        assert_eq!(refused(&proto(8, &[1])), "its elements are strings, which no kernel takes");
        assert_eq!(refused(&proto(0, &[1])), "its elements are of the type 0, which is not taken");
        assert!(refused(&raw_proto(13, &[1], &[255; 8])).contains("more than 2^63 - 1"));
    }

    #[test]
    fn a_tensor_without_elements_is_read() {
        assert_eq!(tensor(&proto(7, &[0]), None).unwrap().to_ints().unwrap(), Vec::<i64>::new());
    }
}
