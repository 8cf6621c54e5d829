//! A value of a model while it is built.

use std::sync::Arc;

use super::tensor::{Kind, Shared, Tensor};
use crate::gpu::TensorId;

/// A value of the model while it is built.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Constant(Shared),
    Runtime(Runtime),
}

/// A value that every item has.
#[derive(Clone, Debug)]
pub(super) struct Runtime {
    pub(super) id: TensorId,
    /// As ONNX has it; the tensor of the program has the same elements.
    pub(super) shape: Vec<usize>,
    pub(super) kind: Kind,
}

impl From<Tensor> for Value {
    fn from(tensor: Tensor) -> Self {
        Self::Constant(Arc::new(tensor))
    }
}

impl Value {
    /// One float.
    pub(super) fn number(value: f32) -> Self {
        Tensor::scalar(value).into()
    }

    pub(super) fn shape(&self) -> &[usize] {
        match self {
            Self::Constant(tensor) => tensor.shape(),
            Self::Runtime(runtime) => &runtime.shape,
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Constant(tensor) => tensor.kind(),
            Self::Runtime(runtime) => runtime.kind,
        }
    }
}
