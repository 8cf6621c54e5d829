//! Constants that a node reads, and how much they may grow by.

use crate::error::Cause;
use crate::onnx::node::Node;
use crate::onnx::tensor::{Shared, Tensor, elements};

/// Elements that constants may still grow by, so that a small file cannot ask for all memory.
#[derive(Clone, Debug)]
pub(in crate::onnx) struct Budget(usize);

/// What a model may compute whose constants are small.
const BASE: usize = 1 << 26;

impl Budget {
    /// A budget for a model whose file has so many elements.
    pub(in crate::onnx) fn new(elements: usize) -> Self {
        Self(elements.saturating_mul(8).saturating_add(BASE))
    }

    /// Takes the elements of a shape from it before they are allocated.
    pub(in crate::onnx) fn take(&mut self, shape: &[usize]) -> Result<(), Cause> {
        let wanted = elements(shape)?;
        self.0 = self.0.checked_sub(wanted).ok_or_else(|| {
            Cause::msg(format!("its constants grow by {shape:?} beyond what a file of its size may compute"))
        })?;
        Ok(())
    }
}

/// Constants that a node reads; `None` where an input is left out.
pub(in crate::onnx) struct Constants<'a> {
    pub(in crate::onnx) node: &'a Node,
    pub(in crate::onnx) inputs: &'a [Option<Shared>],
    pub(in crate::onnx) budget: &'a mut Budget,
}

impl<'a> Constants<'a> {
    /// An input that is required.
    pub(in crate::onnx) fn input(&self, index: usize) -> Result<&'a Tensor, Cause> {
        let missing = || Cause::msg(format!("input {index} is missing"));
        self.optional(index).ok_or_else(missing)
    }

    pub(in crate::onnx) fn optional(&self, index: usize) -> Option<&'a Tensor> {
        self.inputs.get(index)?.as_deref()
    }

    /// Whole numbers from an attribute (older opsets) or an input (newer ones).
    pub(in crate::onnx) fn ints(&self, name: &str, index: usize) -> Result<Option<Vec<i64>>, Cause> {
        if let Some(values) = self.node.attributes.ints(name)? {
            return Ok(Some(values.to_vec()));
        }
        self.optional(index).map(Tensor::to_ints).transpose()
    }

    pub(in crate::onnx) fn int(&self, name: &str, default: i64) -> Result<i64, Cause> {
        Ok(self.node.attributes.int(name)?.unwrap_or(default))
    }
}
