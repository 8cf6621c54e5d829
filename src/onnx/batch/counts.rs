//! How the values of constants grow with the number of items: shapes and what is computed from them.
//!
//! A constant that is computed from the shape of a value has what it has for one item; beside it stands, for each of
//! its values, whether that is the same for any number of items, so many for each, or neither.

use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};

use super::seen::{Seen, Stop, Trace};
use super::steps;
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

/// What every output of a node that gave constants has, but where the items stand.
pub(super) fn follow(seen: &Seen<'_>, budget: &mut Budget) -> Result<Vec<Trace>, Stop> {
    let all_mixed = |value: &Value| Some(Arc::new(all(value.shape(), MIXED)));
    let mixed =
        || seen.given.iter().map(|value| Trace { counts: all_mixed(value), ..Trace::default() }).collect();
    let Some(counts) = computed(seen, budget)? else { return Ok(mixed()) };
    let Some(steps) = steps::follow(seen, budget)? else { return Ok(mixed()) };
    let grows = |counts: &Option<Tensor>| counts.clone().filter(grows).map(Arc::new);
    let one = |place: usize, of: &[Option<Tensor>]| of.get(place).and_then(grows);
    let trace = |place| Trace { counts: one(place, &counts), steps: one(place, &steps), ..Trace::default() };
    Ok((0..seen.given.len()).map(trace).collect())
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
        // Numbers that are shapes, ends and repeats are in no value of the output.
        "Reshape" | "Slice" | "Expand" | "Tile" | "Resize" if seen.counts(0).is_none() => Some(vec![None]),
        "ConstantOfShape" => Some(vec![None]),
        "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" | "Transpose" | "Gather" | "Slice" | "Split"
            if !any(1) =>
        {
            moved(seen, |index| (index == 0).then(|| counts_of(seen, index)), budget)?
        }
        // As many numbers as there are items: each stands in its item, one after the other.
        "Range" => Some(vec![None]).filter(|_| steps::counts_items(seen)),
        "Concat" => moved(seen, |index| Some(counts_of(seen, index)), budget)?,
        "Where" if seen.counts(0).is_none() => {
            moved(seen, |index| (index > 0).then(|| counts_of(seen, index)), budget)?
        }
        "Add" | "Sub" | "Mul" | "Div" | "Equal" => binary(seen),
        "ReduceProd" => product(seen),
        _ => None,
    })
}

/// The counts of an input, also where it has none.
fn counts_of(seen: &Seen<'_>, index: usize) -> Shared {
    let shape = seen.constant(index).map(|tensor| tensor.shape().to_vec()).unwrap_or_default();
    let counts = seen.trace(index).and_then(|trace| trace.counts.clone());
    counts.unwrap_or_else(|| Arc::new(all(&shape, FIXED)))
}

fn shape(seen: &Seen<'_>) -> Result<Tensor, Stop> {
    let mut counts = vec![FIXED as usize; seen.shape(0)?.len()];
    if let Some(stands) = seen.stands(0) {
        counts[stands.axis] = ITEMS as usize;
    }
    Ok(Tensor::ints(&fold::shape(seen.node, &counts)?))
}

/// An operator that moves values moves what is known of them as well; `instead` stands in for an input.
pub(super) fn moved(
    seen: &Seen<'_>,
    instead: impl Fn(usize) -> Option<Shared>,
    budget: &mut Budget,
) -> Result<Option<Vec<Option<Tensor>>>, Stop> {
    let known = |(index, value): (usize, &Option<Value>)| match value {
        Some(Value::Constant(tensor)) => Some(instead(index).unwrap_or_else(|| Arc::clone(tensor))),
        _ => None,
    };
    let inputs: Vec<Option<Shared>> = seen.inputs.iter().enumerate().map(known).collect();
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
