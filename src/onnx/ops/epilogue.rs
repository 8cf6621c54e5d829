//! The epilogue of a convolution or a product: its kernel does what was fused into it where it can, else kernels
//! behind it do.

use super::activation::activate;
use super::arithmetic::join;
use crate::error::Cause;
use crate::kernel::{Activation, BinaryOp};
use crate::onnx::call::Call;
use crate::onnx::value::Value;

/// What a node's kernel does beside its own, and what is left for others.
pub(super) struct Epilogue {
    /// What the kernel adds.
    pub(super) residual: Option<Value>,
    /// What it does then.
    pub(super) activation: Activation,
    added_after: Option<Value>,
    activated_after: Activation,
}

impl Epilogue {
    /// For a kernel that gives this shape. It adds no value that would be repeated, and no constant.
    pub(super) fn of(call: &Call<'_>, shape: &[usize]) -> Self {
        let activation = call.node.fused.activation;
        match call.residual.clone() {
            Some(value) if !(matches!(value, Value::Runtime(_)) && value.shape() == shape) => Self {
                residual: None,
                activation: Activation::None,
                added_after: Some(value),
                activated_after: activation,
            },
            residual => Self { residual, activation, added_after: None, activated_after: Activation::None },
        }
    }

    /// For a kernel that does nothing beside its own.
    pub(super) fn behind(call: &Call<'_>) -> Self {
        let (added_after, activated_after) = (call.residual.clone(), call.node.fused.activation);
        Self { residual: None, activation: Activation::None, added_after, activated_after }
    }

    /// What the kernel gave, after all that it did not do itself.
    pub(super) fn finish(self, call: &mut Call<'_>, given: Value) -> Result<Value, Cause> {
        let sum = match self.added_after {
            Some(added) => join(call, BinaryOp::Add, &given, &added)?,
            None => given,
        };
        activate(call, sum, self.activated_after)
    }
}
