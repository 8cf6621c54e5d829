//! Operators that change a shape, cut, repeat or put borders: what they do to the items.

use super::counts::{FIXED, ITEMS};
use super::places::reshaped;
use super::seen::{Seen, Stands, Stop, meet};
use crate::onnx::shapes;

/// An end of a slice that means all items: exporters write the largest number of a kind, or this one.
const NO_BATCH_HAS: i64 = 1_000_000_000;

/// Where the items stand; `None` where the operator is none of these.
pub(super) fn follow(seen: &Seen<'_>) -> Option<Result<Option<Stands>, Stop>> {
    Some(match seen.node.operator.as_str() {
        "Transpose" => transpose(seen),
        "Reshape" => reshape(seen),
        "Flatten" => flatten(seen),
        "Squeeze" => squeeze(seen),
        "Unsqueeze" => unsqueeze(seen),
        "Slice" => slice(seen),
        "Split" => split(seen),
        "Expand" => expand(seen),
        "ConstantOfShape" => filled(seen),
        "Tile" => tile(seen),
        "Resize" => resize(seen),
        "Pad" | "Upsample" => same_length(seen),
        _ => return None,
    })
}

fn transpose(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    let order = shapes::permutation(seen.node.attributes.ints("perm")?, seen.shape(0)?.len())?;
    let moved = |stands: Stands| {
        let axis = order.iter().position(|&axis| axis == stands.axis).unwrap_or(0);
        Stands { axis, ..stands }
    };
    Ok(seen.stands(0).map(moved))
}

/// The axis that has the items is the one whose length grows with them: named so, kept, or what is left.
fn reshape(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    let wanted = seen.ints("shape", 1)?.unwrap_or_default();
    let counts = seen.counts(1).unwrap_or_else(|| vec![FIXED; wanted.len()]);
    let keeps = seen.int("allowzero", 0)? == 0;
    let stands = seen.stands(0);
    let has = |place: usize| {
        counts[place] == ITEMS
            || (keeps && wanted[place] == 0 && stands.is_some_and(|stands| stands.axis == place))
    };
    if counts.iter().any(|count| ![FIXED, ITEMS].contains(count)) {
        return meet("its shape is computed from the number of items");
    }
    let axes: Vec<usize> = (0..wanted.len()).filter(|&place| has(place)).collect();
    let rest = wanted.iter().position(|&length| length == -1);
    match (stands, &axes[..]) {
        (None, []) => Ok(None),
        (None, _) => meet("its shape has the number of items, and its values have not"),
        (Some(stands), axes) => {
            let axis = match axes {
                [axis] => *axis,
                [] => rest.ok_or(Stop::Alone)?,
                _ => return meet("two axes of its shape have the number of items"),
            };
            reshaped(seen.shape(0)?, stands, seen.gives(0), axis).map(Some)
        }
    }
}

fn flatten(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    let Some(stands) = seen.stands(0) else { return Ok(None) };
    let rank = seen.shape(0)?.len() as i64;
    let at = seen.int("axis", 1)?;
    let at = if at < 0 { at + rank } else { at };
    let axis = usize::from(stands.axis as i64 >= at);
    reshaped(seen.shape(0)?, stands, seen.gives(0), axis).map(Some)
}

fn squeeze(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    let Some(stands) = seen.stands(0) else { return Ok(None) };
    let shape = seen.shape(0)?;
    let dropped = match seen.ints("axes", 1)? {
        Some(given) => shapes::axes(&given, shape.len())?,
        None => (0..shape.len()).filter(|&axis| shape[axis] == 1).collect(),
    };
    if dropped.contains(&stands.axis) {
        return Err(Stop::Alone);
    }
    let gone = dropped.iter().filter(|axis| **axis < stands.axis).count();
    Ok(Some(Stands { axis: stands.axis - gone, ..stands }))
}

fn unsqueeze(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    let Some(stands) = seen.stands(0) else { return Ok(None) };
    let added = shapes::axes(&seen.ints("axes", 1)?.unwrap_or_default(), seen.gives(0).len())?;
    let mut kept = (0..seen.gives(0).len()).filter(|axis| !added.contains(axis));
    Ok(kept.nth(stands.axis).map(|axis| Stands { axis, ..stands }))
}

/// All items are taken, in their order, however many there are; of rows that are alike, as many for each.
fn slice(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    let starts = seen.ints("starts", 1)?.unwrap_or_default();
    let ends = seen.ints("ends", 2)?.unwrap_or_default();
    let axes = seen.ints("axes", 3)?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = seen.ints("steps", 4)?.unwrap_or_else(|| vec![1; starts.len()]);
    let (from, to) = (seen.counts(1), seen.counts(2));
    let count =
        |counts: &Option<Vec<i64>>, place: usize| counts.as_ref().map_or(FIXED, |counts| counts[place]);
    let (shape, stands) = (seen.shape(0)?, seen.stands(0));
    let mut taken = stands;
    for (place, &axis) in axes.iter().enumerate() {
        let axis = shapes::axis(axis, shape.len())?;
        let counts = [count(&from, place), count(&to, place)];
        let of_items = stands.is_some_and(|stands| stands.axis == axis);
        if !of_items && counts != [FIXED, FIXED] {
            return meet("it cuts at the number of items");
        }
        let (start, end) = (starts[place], ends[place]);
        let to_the_end = match counts[1] {
            FIXED => end >= NO_BATCH_HAS,
            ITEMS => end >= shape[axis] as i64,
            _ => false,
        };
        let from_the_start = start == 0 && counts[0] == FIXED;
        if of_items && !(from_the_start && to_the_end && steps[place] == 1) {
            let as_many = counts[1] == ITEMS && end > 0;
            if !(from_the_start && as_many && steps[place] == 1 && seen.alike(0).is_some()) {
                return meet("it takes some of the items, or turns them around");
            }
            taken = stands.map(|stands| Stands { outer: 1, ..stands });
        }
    }
    Ok(taken)
}

fn split(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    let axis = shapes::axis(seen.int("axis", 0)?, seen.shape(0)?.len())?;
    match seen.stands(0) {
        Some(stands) if stands.axis == axis => meet("it takes the items apart"),
        stands => Ok(stands),
    }
}

/// The items stand where they stood, or where the wanted shape has their number.
fn expand(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    let (shape, rank) = (seen.shape(0)?, seen.gives(0).len());
    let own = seen.stands(0).map(|stands| Stands { axis: stands.axis + rank - shape.len(), ..stands });
    let wanted = seen.ints("shape", 1)?.unwrap_or_default();
    let offset = rank - wanted.len();
    let named = named(seen, offset)?;
    match (own, named) {
        (None, named) => Ok(named),
        (Some(own), Some(named)) if own.axis != named.axis => {
            meet("two axes of its shape have the number of items")
        }
        (Some(own), None) => {
            let beside = own.axis.checked_sub(offset).map_or(1, |place| wanted[place]);
            if beside == 1 { Ok(Some(own)) } else { meet("it repeats the items") }
        }
        (own, _) => Ok(own),
    }
}

/// The axis of a wanted shape that has the number of items.
fn named(seen: &Seen<'_>, offset: usize) -> Result<Option<Stands>, Stop> {
    let index = usize::from(seen.node.operator != "ConstantOfShape");
    let counts = seen.counts(index).unwrap_or_default();
    if counts.iter().any(|count| ![FIXED, ITEMS].contains(count)) {
        return meet("its shape is computed from the number of items");
    }
    let mut axes =
        counts.iter().enumerate().filter(|(_, count)| **count == ITEMS).map(|(axis, _)| axis + offset);
    match (axes.next(), axes.next()) {
        (_, Some(_)) => meet("two axes of its shape have the number of items"),
        (axis, None) => Ok(axis.map(|axis| Stands { axis, outer: 1 })),
    }
}

fn filled(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    named(seen, 0)
}

fn tile(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    let repeats = seen.ints("repeats", 1)?.unwrap_or_default();
    let counts = seen.counts(1).unwrap_or_else(|| vec![FIXED; repeats.len()]);
    match (seen.stands(0), counts.iter().all(|&count| count == FIXED)) {
        (Some(stands), true) => {
            let times = repeats.get(stands.axis).map_or(1, |&times| times.max(1) as usize);
            Ok(Some(Stands { outer: stands.outer * times, ..stands }))
        }
        (Some(_), false) => meet("it repeats the items"),
        (None, _) => named(seen, 0),
    }
}

/// Of the sizes only that of the items' own axis grows with them.
fn resize(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    if seen.counts(1).is_some() || seen.counts(2).is_some() {
        return meet("its scales are computed from the number of items");
    }
    let rank = seen.gives(0).len();
    let axes = match seen.node.attributes.ints("axes")? {
        Some(axes) => axes.iter().map(|&axis| shapes::axis(axis, rank)).collect::<Result<Vec<_>, _>>()?,
        None => (0..rank).collect(),
    };
    let counts = seen.counts(3).unwrap_or_default();
    let own = seen.stands(0).map(|stands| stands.axis);
    let fits = |(count, axis): (&i64, &usize)| *count == FIXED || (*count == ITEMS && own == Some(*axis));
    if !counts.iter().zip(&axes).all(fits) {
        return meet("its sizes are computed from the number of items");
    }
    same_length(seen)
}

/// Borders and new sizes leave the axis of the items as it is.
fn same_length(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    let Some(stands) = seen.stands(0) else { return Ok(None) };
    if seen.gives(0).get(stands.axis) == Some(&seen.shape(0)?[stands.axis]) {
        return Ok(Some(stands));
    }
    meet("it adds to the items")
}
