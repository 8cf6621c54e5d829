//! A value of a model while it is built.

use super::tensor::{Kind, Shared};
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

impl Value {
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
