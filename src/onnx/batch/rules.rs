//! What each operator does to the items.

use super::places::{Part, joined};
use super::seen::{Seen, Stands, Stop, meet};
use super::{steps, views};
use crate::onnx::shapes;
use crate::onnx::value::Value;

/// Where the items stand in each output, one for each that was given.
pub(super) fn follow(seen: &Seen<'_>) -> Result<Vec<Option<Stands>>, Stop> {
    Ok(vec![one(seen)?; seen.given.len()])
}

/// Whether an operator works on single values of several that are repeated into one shape.
pub(super) fn repeats(operator: &str) -> bool {
    let numbers =
        matches!(operator, "Add" | "Sub" | "Mul" | "Div" | "Pow" | "Mod" | "Sum" | "Mean" | "Min" | "Max");
    let compared = matches!(operator, "Equal" | "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual");
    numbers || compared || matches!(operator, "And" | "Or" | "Xor" | "Where" | "PRelu" | "Clip")
}

/// Where the items stand in the outputs, which is the same in all.
fn one(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    match seen.node.operator.as_str() {
        "Identity" | "Cast" | "CastLike" | "Dropout" | "IsInf" => Ok(seen.stands(0)),
        // Its bounds are single values.
        "Clip" if (1..seen.inputs.len()).any(|index| seen.stands(index).is_some()) => Err(Stop::Alone),
        operator if repeats(operator) => broadcast(seen),
        "Softmax" | "LogSoftmax" => softmax(seen),
        "TopK" => along(seen, -1),
        "CumSum" => cum_sum(seen),
        "Trilu" => {
            let rank = seen.shape(0)?.len();
            off(seen, &[rank.saturating_sub(1), rank.saturating_sub(2)])
        }
        "LayerNormalization" | "RMSNormalization" => from_axis(seen, "axis", -1),
        "BatchNormalization" | "LRN" => off_channels(seen),
        "QuantizeLinear" | "DequantizeLinear" => quantised(seen),
        "ArgMax" | "ArgMin" => {
            let axis = shapes::axis(seen.int("axis", 0)?, seen.shape(0)?.len())?;
            reduced(seen, &[axis])
        }
        operator if operator.starts_with("Reduce") => reduce(seen),
        "MaxPool" if seen.given.len() > 1 => meet("its indices count through all items"),
        "Conv"
        | "ConvTranspose"
        | "MaxPool"
        | "AveragePool"
        | "GlobalAveragePool"
        | "GlobalMaxPool"
        | "InstanceNormalization"
        | "GroupNormalization"
        | "DepthToSpace"
        | "SpaceToDepth" => planes(seen),
        "Gemm" => gemm(seen),
        "MatMul" => mat_mul(seen),
        "Attention" => attention(seen),
        "Gather" => gather(seen),
        "GatherND" => gather_nd(seen),
        "Concat" => concat(seen),
        "Range" if steps::counts_items(seen) => Ok(Some(Stands { axis: 0, outer: 1 })),
        "Shape" | "Size" | "Constant" | "Range" => Ok(None),
        _ => match views::follow(seen) {
            Some(stands) => stands,
            None => each_value(seen),
        },
    }
}

/// Functions of single values; an operator that is not known here is no such function.
fn each_value(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    let stands = seen.stands(0);
    if crate::onnx::ops::is_of_single_values(&seen.node.operator) {
        return Ok(stands);
    }
    meet("what it does to items is not known")
}

fn broadcast(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    let rank = seen.gives(0).len();
    let mut parts = Vec::new();
    for (index, value) in seen.inputs.iter().enumerate() {
        let Some(value) = value else { continue };
        parts.push(Part { shape: value.shape(), stands: seen.stands(index) });
    }
    let old = seen.opset() < 7 && (seen.node.attributes.has("axis") || seen.node.operator == "PRelu");
    if old && (1..parts.len()).any(|index| seen.stands(index).is_some()) {
        return meet("it broadcasts items as old opsets did");
    }
    if old {
        parts.truncate(1);
    }
    joined(&parts, rank)
}

/// One axis is worked on; the items stand in another.
fn off(seen: &Seen<'_>, axes: &[usize]) -> Result<Option<Stands>, Stop> {
    match seen.stands(0) {
        Some(stands) if axes.contains(&stands.axis) => meet("it works along the items"),
        stands => Ok(stands),
    }
}

fn along(seen: &Seen<'_>, default: i64) -> Result<Option<Stands>, Stop> {
    let axis = shapes::axis(seen.int("axis", default)?, seen.shape(0)?.len())?;
    off(seen, &[axis])
}

fn from_axis(seen: &Seen<'_>, name: &str, default: i64) -> Result<Option<Stands>, Stop> {
    let rank = seen.shape(0)?.len();
    let axis = shapes::axis(seen.int(name, default)?, rank)?;
    if (1..seen.inputs.len()).any(|index| seen.stands(index).is_some()) {
        return meet("its scale comes with the items");
    }
    off(seen, &(axis..rank).collect::<Vec<_>>())
}

fn cum_sum(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    let axis = seen.constant(1).and_then(|axis| axis.to_ints().ok()).unwrap_or_default();
    off(seen, &shapes::axes(&axis, seen.shape(0)?.len())?)
}

/// Scales and zero points are of all values, or of an axis that is not that of the items.
fn quantised(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    if (1..seen.inputs.len()).any(|index| seen.stands(index).is_some()) {
        return meet("its scale comes with the items");
    }
    let scale = seen.inputs.get(1).and_then(Option::as_ref);
    if scale.is_none_or(|scale| shapes::count(scale.shape()) == Some(1)) {
        Ok(seen.stands(0))
    } else {
        along(seen, 1)
    }
}

fn softmax(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    if seen.opset() >= 13 { along(seen, -1) } else { from_axis(seen, "axis", 1) }
}

fn off_channels(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    off(seen, &[1])
}

/// Planes of the first axis are worked on each on its own.
fn planes(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    if (1..seen.inputs.len()).any(|index| seen.stands(index).is_some()) {
        return meet("its weights come with the items");
    }
    match seen.stands(0) {
        Some(stands) if stands.axis != 0 => meet("it works along the items"),
        stands => Ok(stands),
    }
}

fn reduce(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    let rank = seen.shape(0)?.len();
    let given = seen.ints("axes", 1)?.unwrap_or_default();
    if given.is_empty() && seen.int("noop_with_empty_axes", 0)? != 0 {
        return Ok(seen.stands(0));
    }
    let axes = if given.is_empty() { (0..rank).collect() } else { shapes::axes(&given, rank)? };
    reduced(seen, &axes)
}

fn reduced(seen: &Seen<'_>, axes: &[usize]) -> Result<Option<Stands>, Stop> {
    let Some(stands) = seen.stands(0) else { return Ok(None) };
    if axes.contains(&stands.axis) {
        return meet("it reduces the items to one");
    }
    let gone = if seen.int("keepdims", 1)? != 0 {
        0
    } else {
        axes.iter().filter(|axis| **axis < stands.axis).count()
    };
    Ok(Some(Stands { axis: stands.axis - gone, ..stands }))
}

fn gemm(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    let turned = [seen.int("transA", 0)? != 0, seen.int("transB", 0)? != 0];
    let a = place_in_product(seen, 0, if turned[0] { [1, 0] } else { [0, 1] })?;
    let b = place_in_product(seen, 1, if turned[1] { [1, 0] } else { [0, 1] })?;
    let rank = 2;
    let product = product(a, b)?;
    let shape = seen.gives(0);
    let whole = Part { shape, stands: product };
    match seen.inputs.get(2).and_then(Option::as_ref) {
        Some(added) => joined(&[whole, Part { shape: added.shape(), stands: seen.stands(2) }], rank),
        None => Ok(product),
    }
}

/// Rows and columns of one matrix of a product, by its axes.
fn place_in_product(seen: &Seen<'_>, index: usize, order: [usize; 2]) -> Result<Option<Stands>, Stop> {
    let Some(stands) = seen.stands(index) else { return Ok(None) };
    let axis = order[stands.axis.min(1)];
    if axis == 1 - index { contracted(seen, 1 - index) } else { Ok(Some(Stands { axis, ..stands })) }
}

/// The items stand in the axis that is summed over: beside values of a fixed number there can only be one.
fn contracted<T>(seen: &Seen<'_>, other: usize) -> Result<T, Stop> {
    if seen.stands(other).is_none() { Err(Stop::Alone) } else { meet("it sums over the items") }
}

fn product(a: Option<Stands>, b: Option<Stands>) -> Result<Option<Stands>, Stop> {
    match (a, b) {
        (Some(one), Some(other)) if one != other => {
            meet("it multiplies the items of one value with those of another")
        }
        (a, b) => Ok(a.or(b)),
    }
}

/// As numpy's matmul: a vector is a row on the left and a column on the right.
fn mat_mul(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    let (a, b) = (seen.shape(0)?, seen.shape(1)?);
    let rank = a.len().max(b.len()).max(2);
    let mut places = [None; 2];
    for (index, shape) in [a, b].into_iter().enumerate() {
        let Some(stands) = seen.stands(index) else { continue };
        // The axis that is summed over is the last of the left, and the one before the last of the right.
        let summed = if index == 0 || shape.len() == 1 { shape.len() - 1 } else { shape.len() - 2 };
        if stands.axis == summed {
            return contracted(seen, 1 - index);
        }
        places[index] = Some(Stands { axis: stands.axis + rank - shape.len(), ..stands });
    }
    let Some(stands) = product(places[0], places[1])? else { return Ok(None) };
    let leading = stands.axis + 2 < rank;
    if !leading && places.iter().all(Option::is_some) {
        return meet("it multiplies the items of one value with those of another");
    }
    if leading {
        // A matrix for each of so many, beside the items.
        let part = |index: usize, shape| Part { shape, stands: seen.stands(index) };
        let of = |shape: &'_ [usize]| shape[..shape.len().saturating_sub(2)].to_vec();
        let (a_leading, b_leading) = (of(a), of(b));
        joined(&[part(0, &a_leading), part(1, &b_leading)], rank - 2)?;
    }
    // A vector leaves no axis.
    let gone = usize::from(a.len() == 1 && stands.axis == rank - 1);
    Ok(Some(Stands { axis: stands.axis - gone, ..stands }))
}

/// Rows attend to rows of their own item.
fn attention(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    let mut parts = Vec::new();
    for index in 0..seen.inputs.len().min(4) {
        let Some(shape) = seen.inputs[index].as_ref().map(Value::shape) else { continue };
        let stands = seen.stands(index);
        let whole = index < 3 || shape.len() == 4;
        match stands {
            Some(Stands { axis: 0, .. }) if whole => parts.push(Part { shape: &shape[..1], stands }),
            Some(_) => return meet("rows of several items attend to each other"),
            None if whole => parts.push(Part { shape: &shape[..1], stands }),
            None => {}
        }
    }
    // One of a mask is for all items, and one of keys is not.
    if seen.stands(0).is_none() != seen.stands(1).is_none()
        || seen.stands(0).is_none() != seen.stands(2).is_none()
    {
        return Err(Stop::Alone);
    }
    joined(&parts, 1)
}

fn gather(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    let (data, indices) = (seen.shape(0)?, seen.shape(1)?);
    let axis = shapes::axis(seen.int("axis", 0)?, data.len())?;
    match (seen.stands(0), seen.stands(1)) {
        (Some(of_data), Some(stands))
            if of_data == (Stands { axis, outer: 1 }) && steps::stay_in_their_item(seen, 1, data[axis]) =>
        {
            Ok(Some(Stands { axis: stands.axis + axis, ..stands }))
        }
        (_, Some(_)) if seen.steps(1).is_some() || seen.places(1).is_some_and(|places| places.step > 0) => {
            meet("it looks up by the places of items")
        }
        (Some(_), Some(_)) => meet("it looks up items by items"),
        (Some(stands), None) if stands.axis == axis => meet("it picks single items"),
        (Some(stands), None) if stands.axis < axis => Ok(Some(stands)),
        (Some(stands), None) => Ok(Some(Stands { axis: stands.axis + indices.len() - 1, ..stands })),
        (None, Some(stands)) => Ok(Some(Stands { axis: stands.axis + axis, ..stands })),
        (None, None) => Ok(None),
    }
}

/// Masks are looked up so: the first coordinate is the number of the item.
fn gather_nd(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    let (data, indices) = (seen.shape(0)?, seen.shape(1)?);
    let many = indices.last().copied().unwrap_or(0);
    match (seen.stands(0), seen.stands(1)) {
        (None, None) => Ok(None),
        (Some(Stands { axis: 0, outer: 1 }), Some(stands))
            if data[0] == 1
                && seen.int("batch_dims", 0)? == 0
                && stands.axis + 1 < indices.len()
                && steps::begin_with_their_item(seen, 1, many) =>
        {
            Ok(Some(stands))
        }
        _ => meet("it looks up items by items"),
    }
}

fn concat(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    let rank = seen.gives(0).len();
    let default = if seen.opset() < 4 { 1 } else { i64::MAX };
    let axis = shapes::axis(seen.int("axis", default)?, rank)?;
    let full = |value: &Option<Value>| value.as_ref().is_some_and(|value| !value.shape().contains(&0));
    let places: Vec<Option<Stands>> = (0..seen.inputs.len())
        .filter(|&index| full(&seen.inputs[index]))
        .map(|index| seen.stands(index))
        .collect();
    let Some(stands) = places.iter().find_map(|place| *place) else { return Ok(None) };
    if stands.axis == axis && places.len() > 1 {
        return meet("it joins something to the items");
    }
    if places.iter().any(Option::is_none) {
        return Err(Stop::Alone);
    }
    if places.iter().any(|place| *place != Some(stands)) {
        return meet("it joins the items of one value with those of another");
    }
    Ok(Some(stands))
}
