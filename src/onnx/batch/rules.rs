//! What each operator does to the items.

use super::places::{Part, joined};
use super::seen::{Seen, Stands, Stop, meet};
use super::{lookups, products, steps, views};
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
        "OneHot" => lookups::one_hot(seen),
        "GridSample" => lookups::image_by_image(seen),
        "GatherElements" | "ScatterElements" => lookups::row_by_row(seen),
        "ScatterND" => lookups::scatter_nd(seen),
        "Einsum" => products::einsum(seen),
        "Trilu" => {
            let rank = seen.shape(0)?.len();
            off(seen, &[rank.saturating_sub(1), rank.saturating_sub(2)])
        }
        "LayerNormalization" | "RMSNormalization" => from_axis(seen, "axis", -1),
        "BatchNormalization" | "LRN" => off_channels(seen),
        "QuantizeLinear" | "DequantizeLinear" => quantised(seen),
        "DynamicQuantizeLinear" if seen.stands(0).is_some() => meet("its scale is that of all items"),
        "DynamicQuantizeLinear" => Ok(None),
        "ArgMax" | "ArgMin" => {
            let axis = shapes::axis(seen.int("axis", 0)?, seen.shape(0)?.len())?;
            reduced(seen, &[axis])
        }
        operator if operator.starts_with("Reduce") => reduce(seen),
        "MaxPool" if seen.given.len() > 1 => meet("its indices count through all items"),
        "Conv"
        | "ConvInteger"
        | "QLinearConv"
        | "ConvTranspose"
        | "MaxPool"
        | "AveragePool"
        | "GlobalAveragePool"
        | "GlobalMaxPool"
        | "InstanceNormalization"
        | "GroupNormalization"
        | "Col2Im"
        | "DepthToSpace"
        | "SpaceToDepth" => planes(seen),
        "Gemm" => products::gemm(seen),
        "MatMulInteger" if (2..seen.inputs.len()).any(|index| seen.stands(index).is_some()) => {
            meet("its zero points come with the items")
        }
        "MatMul" | "MatMulInteger" => products::mat_mul(seen),
        "QLinearMatMul" => products::with_known(seen),
        "Attention" => attention(seen),
        "Gather" => lookups::gather(seen),
        "GatherND" => lookups::gather_nd(seen),
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
