//! Computes at load what depends on constants only.
//!
//! Shapes, axes and weights of most models go through a few such nodes. An operator that is not here
//! is computed by the twins (see `build`).

mod arithmetic;
mod index;
mod known;
mod learned;
mod movement;
mod reduce;

use std::sync::Arc;

pub(super) use self::known::{Budget, Constants};
pub(super) use self::movement::{of_kind, shape};
use super::tensor::{Kind, Tensor};
use crate::error::Cause;

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
    // Bytes are computed with as whole numbers of 64 bits, and start again at the other end behind that.
    let widened = constants.inputs.iter().map(|input| match input.as_deref().and_then(Tensor::widened) {
        Some(widened) => Some(Arc::new(widened)),
        None => input.clone(),
    });
    let (widened, kind) = (widened.collect::<Vec<_>>(), kind(constants));
    let mut constants = Constants { node: constants.node, inputs: &widened, budget: constants.budget };
    let one = match reduce::evaluate(&constants)? {
        Some(one) => Some(one),
        None => arithmetic::evaluate(&mut constants)?,
    };
    let one = match one {
        Some(one) => Some(one),
        None => index::evaluate(&mut constants)?,
    };
    Ok(one.map(|one| vec![one.narrowed(kind)]))
}

/// What the whole numbers are that a node gives.
fn kind(constants: &Constants<'_>) -> Kind {
    let place = match &constants.node.operator[..] {
        "NonZero" | "EyeLike" => return Kind::INT,
        "OneHot" => 2,
        "Where" => 1,
        _ => 0,
    };
    constants.optional(place).map_or(Kind::INT, Tensor::kind)
}
