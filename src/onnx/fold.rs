//! Computes at load what depends on constants only.
//!
//! Shapes, axes and weights of most models go through a few such nodes. An operator that is not here
//! is computed by the twins (see `build`).

mod arithmetic;
mod index;
mod learned;
mod movement;
mod reduce;

pub(super) use self::movement::shape;

use super::graph::Node;
use super::tensor::{Shared, Tensor, elements};
use crate::error::Cause;

/// Elements that constants may still grow by, so that a small file cannot ask for all memory.
#[derive(Clone, Debug)]
pub(super) struct Budget(usize);

/// What a model may compute whose constants are small.
const BASE: usize = 1 << 26;

impl Budget {
    /// A budget for a model whose file has so many elements.
    pub(super) fn new(elements: usize) -> Self {
        Self(elements.saturating_mul(8).saturating_add(BASE))
    }

    /// Takes the elements of a shape from it before they are allocated.
    pub(super) fn take(&mut self, shape: &[usize]) -> Result<(), Cause> {
        let wanted = elements(shape)?;
        self.0 = self.0.checked_sub(wanted).ok_or_else(|| {
            Cause::msg(format!("its constants grow by {shape:?} beyond what a file of its size may compute"))
        })?;
        Ok(())
    }
}

/// Constants that a node reads; `None` where an input is left out.
pub(super) struct Constants<'a> {
    pub(super) node: &'a Node,
    pub(super) inputs: &'a [Option<Shared>],
    pub(super) budget: &'a mut Budget,
}

impl<'a> Constants<'a> {
    /// An input that is required.
    fn input(&self, index: usize) -> Result<&'a Tensor, Cause> {
        let missing = || Cause::msg(format!("input {index} is missing"));
        self.optional(index).ok_or_else(missing)
    }

    fn optional(&self, index: usize) -> Option<&'a Tensor> {
        self.inputs.get(index)?.as_deref()
    }

    /// Whole numbers from an attribute (older opsets) or an input (newer ones).
    fn ints(&self, name: &str, index: usize) -> Result<Option<Vec<i64>>, Cause> {
        if let Some(values) = self.node.attributes.ints(name)? {
            return Ok(Some(values.to_vec()));
        }
        self.optional(index).map(Tensor::to_ints).transpose()
    }

    fn int(&self, name: &str, default: i64) -> Result<i64, Cause> {
        Ok(self.node.attributes.int(name)?.unwrap_or(default))
    }
}

/// What the node gives; `None` where its operator is not computed here.
pub(super) fn evaluate(constants: &mut Constants<'_>) -> Result<Option<Vec<Tensor>>, Cause> {
    if constants.node.opset.is_none() {
        return Ok(None);
    }
    let Some(given) = computed(constants)? else { return Ok(None) };
    // Each is no larger than what it reads, or was taken before; together they may still grow.
    given.iter().try_for_each(|tensor| constants.budget.take(tensor.shape()))?;
    Ok(Some(given))
}

fn computed(constants: &mut Constants<'_>) -> Result<Option<Vec<Tensor>>, Cause> {
    if let Some(given) = movement::evaluate(constants)? {
        return Ok(Some(given));
    }
    if let Some(given) = learned::evaluate(constants)? {
        return Ok(Some(given));
    }
    let one = match reduce::evaluate(constants)? {
        Some(one) => Some(one),
        None => arithmetic::evaluate(constants)?,
    };
    let one = match one {
        Some(one) => Some(one),
        None => index::evaluate(constants)?,
    };
    Ok(one.map(|one| vec![one]))
}
