//! How the values of constants grow with the number of items: shapes and what is computed from them.
//!
//! A constant that is computed from the shape of a value has what it has for one item; beside it stands, for each of
//! its values, whether that is the same for any number of items, so many for each, or neither.

use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};

use super::seen::{Seen, Stop};
use crate::onnx::fold::{self, Budget, Constants};
use crate::onnx::tensor::{Shared, Tensor};
use crate::onnx::value::Value;

/// The same for any number of items.
pub(super) const FIXED: i64 = 0;
/// So many for each item.
pub(super) const ITEMS: i64 = 1;
/// Neither.
pub(super) const MIXED: i64 = 2;

/// One count for all values of this shape.
pub(super) fn all(shape: &[usize], count: i64) -> Tensor {
    Tensor::I64(ArrayD::from_elem(IxDyn(shape), count))
}

/// The counts of every output of a node that gave constants; `None` where nothing grows.
pub(super) fn follow(seen: &Seen<'_>, budget: &mut Budget) -> Result<Vec<Option<Shared>>, Stop> {
    let computed = computed(seen, budget)?;
    let outputs = seen.given.iter().enumerate().map(|(index, value)| {
        let counts = match &computed {
            Some(counts) => counts.get(index).cloned().flatten(),
            None => Some(all(value.shape(), MIXED)),
        };
        counts.filter(grows).map(Arc::new)
    });
    Ok(outputs.collect())
}

fn grows(counts: &Tensor) -> bool {
    counts.to_ints().is_ok_and(|counts| counts.iter().any(|&count| count != FIXED))
}

/// The counts of the outputs; `None` where they grow in no way that is followed.
fn computed(seen: &Seen<'_>, budget: &mut Budget) -> Result<Option<Vec<Option<Tensor>>>, Stop> {
    let any = |from: usize| (from..seen.inputs.len()).any(|index| seen.counts(index).is_some());
    Ok(match seen.node.operator.as_str() {
        "Shape" => Some(vec![Some(shape(seen)?)]),
        "Size" => Some(vec![seen.stands(0).map(|_| all(&[], ITEMS))]),
        _ if !any(0) => Some(vec![None; seen.given.len()]),
        "Identity" | "Cast" | "Neg" | "Abs" | "Floor" | "Ceil" | "Round" => {
            Some(vec![seen.trace(0).and_then(|trace| trace.counts.as_deref().cloned())])
        }
        "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" | "Transpose" | "Gather" | "Slice" | "Split"
            if !any(1) =>
        {
            moved(seen, 0..1, budget)?
        }
        "Expand" | "ConstantOfShape" | "Tile" => {
            Some(vec![None]).filter(|_| seen.counts(0).is_none() || shaped(seen))
        }
        "Concat" => moved(seen, 0..seen.inputs.len(), budget)?,
        "Where" if seen.counts(0).is_none() => moved(seen, 1..3, budget)?,
        "Add" | "Sub" | "Mul" | "Div" | "Equal" => binary(seen),
        "ReduceProd" => product(seen),
        _ => None,
    })
}

/// A filled tensor takes its shape from the numbers, and no value.
fn shaped(seen: &Seen<'_>) -> bool {
    seen.node.operator == "ConstantOfShape"
}

fn shape(seen: &Seen<'_>) -> Result<Tensor, Stop> {
    let mut counts = vec![FIXED as usize; seen.shape(0)?.len()];
    if let Some(stands) = seen.stands(0) {
        counts[stands.axis] = ITEMS as usize;
    }
    Ok(Tensor::ints(&fold::shape(seen.node, &counts)?))
}

/// An operator that moves values moves their counts as well.
fn moved(
    seen: &Seen<'_>,
    moves: std::ops::Range<usize>,
    budget: &mut Budget,
) -> Result<Option<Vec<Option<Tensor>>>, Stop> {
    let counted = |(index, value): (usize, &Option<Value>)| match value {
        Some(Value::Constant(tensor)) if moves.contains(&index) => {
            let counts = seen.trace(index).and_then(|trace| trace.counts.clone());
            Some(counts.unwrap_or_else(|| Arc::new(all(tensor.shape(), FIXED))))
        }
        Some(Value::Constant(tensor)) => Some(Arc::clone(tensor)),
        _ => None,
    };
    let inputs: Vec<Option<Shared>> = seen.inputs.iter().enumerate().map(counted).collect();
    let given = fold::evaluate(&mut Constants { node: seen.node, inputs: &inputs, budget })?;
    Ok(given.map(|given| given.into_iter().map(Some).collect()))
}

/// A value with its count.
type Counted = (f64, i64);

fn binary(seen: &Seen<'_>) -> Option<Vec<Option<Tensor>>> {
    let join: fn(Counted, Counted) -> i64 = match seen.node.operator.as_str() {
        "Add" | "Sub" => |one, other| match (one, other) {
            ((_, FIXED), (_, FIXED)) => FIXED,
            ((_, ITEMS), (_, ITEMS)) | ((_, ITEMS), (0.0, FIXED)) | ((0.0, FIXED), (_, ITEMS)) => ITEMS,
            _ => MIXED,
        },
        "Mul" => |one, other| match (one.1, other.1) {
            (FIXED, FIXED) => FIXED,
            (ITEMS, FIXED) | (FIXED, ITEMS) => ITEMS,
            _ => MIXED,
        },
        "Div" => |one, other| match (one.1, other.1) {
            (FIXED, FIXED) | (ITEMS, ITEMS) => FIXED,
            (ITEMS, FIXED) if one.0 % other.0 == 0.0 => ITEMS,
            _ => MIXED,
        },
        // No number of items is 0 or less.
        _ => |one, other| match (one, other) {
            ((_, FIXED), (_, FIXED)) | ((_, ITEMS), (_, ITEMS)) => FIXED,
            ((each, ITEMS), (fixed, FIXED)) | ((fixed, FIXED), (each, ITEMS))
                if each > 0.0 && fixed <= 0.0 =>
            {
                FIXED
            }
            _ => MIXED,
        },
    };
    let (one, other) = (counted(seen, 0)?, counted(seen, 1)?);
    let shape = IxDyn(seen.gives(0));
    let (one, other) = (one.broadcast(shape.clone())?, other.broadcast(shape)?);
    let counts = ndarray::Zip::from(&one).and(&other).map_collect(|&one, &other| join(one, other));
    Some(vec![Some(Tensor::I64(counts))])
}

fn counted(seen: &Seen<'_>, index: usize) -> Option<ArrayD<Counted>> {
    let values = seen.constant(index)?.to_f32();
    let counts = seen.counts(index).unwrap_or_else(|| vec![FIXED; values.len()]);
    let pairs = values.iter().zip(counts).map(|(&value, count)| (f64::from(value), count)).collect();
    ArrayD::from_shape_vec(values.raw_dim(), pairs).ok()
}

/// All values multiplied: one of them may grow.
fn product(seen: &Seen<'_>) -> Option<Vec<Option<Tensor>>> {
    let counts = seen.counts(0)?;
    let growing = counts.iter().filter(|&&count| count != FIXED).count();
    let whole = seen.gives(0).iter().product::<usize>() == 1;
    (whole && growing == 1 && !counts.contains(&MIXED)).then(|| vec![Some(all(seen.gives(0), ITEMS))])
}
