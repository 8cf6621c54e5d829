//! Numbers that go on from item to item: places of items, and what is computed from them.
//!
//! Exporters pick rows of a flattened batch by `item · length + place`. Such a constant has the numbers of the first item,
//! and beside each stands what is added for every item before.

use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};

use super::counts::{self, ITEMS};
use super::seen::{Places, Seen, Stop};
use crate::onnx::fold::Budget;
use crate::onnx::shapes;
use crate::onnx::tensor::{Shared, Tensor};
use crate::onnx::value::Value;

/// Whether a `Range` counts the items from 0.
pub(super) fn counts_items(seen: &Seen<'_>) -> bool {
    let number = |index: usize| seen.constant(index).and_then(|tensor| tensor.to_ints().ok());
    let fixed = |index: usize, wanted: i64| {
        seen.counts(index).is_none() && number(index).is_some_and(|values| values == [wanted])
    };
    let all =
        seen.counts(1).is_some_and(|counts| counts == [ITEMS]) && number(1).is_some_and(|limit| limit == [1]);
    fixed(0, 0) && all && fixed(2, 1)
}

/// The steps of every output of a node that gave constants; `None` where they are not followed.
pub(super) fn follow(seen: &Seen<'_>, budget: &mut Budget) -> Result<Option<Vec<Option<Tensor>>>, Stop> {
    if seen.node.operator == "Range" && counts_items(seen) {
        return Ok(Some(vec![Some(counts::all(&[1], 1))]));
    }
    let any = |from: usize| (from..seen.inputs.len()).any(|index| seen.steps(index).is_some());
    Ok(match seen.node.operator.as_str() {
        _ if !any(0) => Some(vec![None; seen.given.len()]),
        "Shape" | "Size" => Some(vec![None]),
        "Identity" | "Cast" | "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" | "Transpose" | "Expand"
            if !any(1) =>
        {
            counts::moved(seen, |index| (index == 0).then(|| steps_of(seen, index)), budget)?
        }
        // What is picked are other values, and which of them is a rule's to say.
        "Gather" | "GatherND" if seen.steps(0).is_none() => Some(vec![None]),
        "Concat" => counts::moved(seen, |index| Some(steps_of(seen, index)), budget)?,
        // Whether an item's number is one: exporters write it so into masks.
        "GreaterOrEqual" | "Greater" if holds_for_all(seen) => Some(vec![None]),
        "Add" => joined(seen, |one, other| one.1.wrapping_add(other.1)),
        "Sub" => joined(seen, |one, other| one.1.wrapping_sub(other.1)),
        "Mul" if !(any(1) && seen.steps(0).is_some()) => {
            joined(seen, |one, other| one.1.wrapping_mul(other.0).wrapping_add(one.0.wrapping_mul(other.1)))
        }
        _ => None,
    })
}

/// Whether numbers that only grow are above others in the first item, and so in all.
fn holds_for_all(seen: &Seen<'_>) -> bool {
    let grow = steps_of(seen, 0).to_ints().is_ok_and(|steps| steps.iter().all(|&step| step >= 0));
    let stays = seen.steps(1).is_none() && (0..2).all(|index| seen.counts(index).is_none());
    let first =
        matches!(seen.given, [Value::Constant(given)] if given.to_f32().iter().all(|&flag| flag != 0.0));
    grow && stays && first
}

/// The steps of an input, also where it has none.
fn steps_of(seen: &Seen<'_>, index: usize) -> Shared {
    let shape = seen.constant(index).map(|tensor| tensor.shape().to_vec()).unwrap_or_default();
    let steps = seen.trace(index).and_then(|trace| trace.steps.clone());
    steps.unwrap_or_else(|| Arc::new(counts::all(&shape, 0)))
}

/// A number with its step.
type Stepped = (i64, i64);

fn joined(seen: &Seen<'_>, join: fn(Stepped, Stepped) -> i64) -> Option<Vec<Option<Tensor>>> {
    let (one, other) = (stepped(seen, 0)?, stepped(seen, 1)?);
    let shape = IxDyn(seen.gives(0));
    let (one, other) = (one.broadcast(shape.clone())?, other.broadcast(shape)?);
    Some(vec![Some(Tensor::I64(
        ndarray::Zip::from(&one).and(&other).map_collect(|&one, &other| join(one, other)),
    ))])
}

fn stepped(seen: &Seen<'_>, index: usize) -> Option<ArrayD<Stepped>> {
    let tensor = seen.constant(index)?;
    let pairs = tensor.to_ints().ok()?.into_iter().zip(steps_of(seen, index).to_ints().ok()?).collect();
    ArrayD::from_shape_vec(IxDyn(tensor.shape()), pairs).ok()
}

/// The places that a node gives with the items: where the largest stands, and that beside what goes on with the items.
pub(super) fn places(seen: &Seen<'_>) -> Option<Places> {
    match seen.node.operator.as_str() {
        "ArgMax" | "ArgMin" => {
            let shape = seen.shape(0).ok()?;
            let axis = shapes::axis(seen.int("axis", 0).ok()?, shape.len()).ok()?;
            Some(Places { below: shape[axis], step: 0 })
        }
        "Identity" | "Cast" | "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => seen.places(0),
        "Add" => {
            let (places, index) =
                [(0, 1), (1, 0)].into_iter().find_map(|(one, other)| Some((seen.places(one)?, other)))?;
            let zero = seen.constant(index)?.to_ints().ok()?.iter().all(|&value| value == 0);
            let steps = seen.steps(index)?.to_ints().ok()?;
            let step = usize::try_from(*steps.first()?).ok()?;
            let same = steps.iter().all(|&other| other == steps[0]);
            (zero && same && places.step == 0).then_some(Places { step, ..places })
        }
        _ => None,
    }
}

/// Whether the first of every so many indices is the number of its item, and no other goes on with the items.
pub(super) fn begin_with_their_item(seen: &Seen<'_>, index: usize, many: usize) -> bool {
    let ints = |tensor: &Tensor| tensor.to_ints().unwrap_or_default();
    let (Some(values), Some(steps)) = (seen.constant(index).map(ints), seen.steps(index).map(ints)) else {
        return false;
    };
    let begins = |(place, (value, step)): (usize, (i64, i64))| match place % many {
        0 => (value, step) == (0, 1),
        _ => step == 0,
    };
    many > 0 && !values.is_empty() && values.into_iter().zip(steps).enumerate().all(begins)
}

/// Whether the indices of every item stay within its own part of an axis, which has so many places for each.
pub(super) fn stay_in_their_item(seen: &Seen<'_>, index: usize, places: usize) -> bool {
    if let Some(given) = seen.places(index) {
        return given.step == places && given.below <= places;
    }
    let own = |tensor: &Tensor| {
        let values = tensor.to_ints().unwrap_or_default();
        !values.is_empty() && values.iter().all(|&value| (0..places as i64).contains(&value))
    };
    let steps =
        |steps: &Tensor| steps.to_ints().is_ok_and(|steps| steps.iter().all(|&step| step == places as i64));
    seen.constant(index).is_some_and(own) && seen.steps(index).is_some_and(steps)
}
