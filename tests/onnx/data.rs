//! Tensors of ONNX's test data.

use gapless::onnx::proto::TensorProto;
use ndarray::{ArrayD, IxDyn};
use prost::Message;

/// The values of a test tensor.
#[derive(Clone, Debug)]
pub(crate) enum Data {
    Floats(ArrayD<f32>),
    Ints(ArrayD<i64>),
    Flags(ArrayD<bool>),
}

impl Data {
    /// Reads a file of ONNX's test data, which keeps its values in `raw_data`.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let proto = TensorProto::decode(bytes).map_err(|error| error.to_string())?;
        let shape: Vec<usize> = proto.dims.iter().map(|&axis| axis as usize).collect();
        let raw = proto.raw_data.unwrap_or_default();
        Ok(match proto.data_type.unwrap_or(0) {
            1 => Self::Floats(values(&shape, &raw, f32::from_le_bytes)?),
            11 => Self::Floats(values(&shape, &raw, |bytes| f64::from_le_bytes(bytes) as f32)?),
            6 => Self::Ints(values(&shape, &raw, |bytes| i32::from_le_bytes(bytes).into())?),
            7 => Self::Ints(values(&shape, &raw, i64::from_le_bytes)?),
            2 => Self::Ints(values(&shape, &raw, |[byte]: [u8; 1]| byte.into())?),
            3 => Self::Ints(values(&shape, &raw, |bytes| i8::from_le_bytes(bytes).into())?),
            9 => Self::Flags(values(&shape, &raw, |[byte]: [u8; 1]| byte != 0)?),
            other => return Err(format!("test data of the type {other}")),
        })
    }

    /// As a program sees it: all values are floats.
    pub(crate) fn floats(&self) -> ArrayD<f32> {
        match self {
            Self::Floats(array) => array.clone(),
            Self::Ints(array) => array.mapv(|value| value as f32),
            Self::Flags(array) => array.mapv(|value| f32::from(u8::from(value))),
        }
    }
}

fn values<const N: usize, T>(
    shape: &[usize],
    raw: &[u8],
    value: impl Fn([u8; N]) -> T,
) -> Result<ArrayD<T>, String> {
    let values = raw.as_chunks::<N>().0.iter().map(|&bytes| value(bytes)).collect();
    ArrayD::from_shape_vec(IxDyn(shape), values).map_err(|error| error.to_string())
}
