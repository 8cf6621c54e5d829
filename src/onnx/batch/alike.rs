//! Rows that are the same for all items: a token that is repeated for every item and every row of it.
//!
//! Some files put such a token before the frames of every item, and take as many rows from the front as there are items:
//! rows of the first item, which are those of all others only where they are alike. What a node cuts so may be read there
//! and nowhere else.

use super::rules;
use super::seen::{Seen, Stands, Stop, Trace, meet};
use super::within::{Alike, Within};
use crate::onnx::{ops, shapes};

/// Where the rows of the node's output are alike, in which the items stand so.
pub(super) fn follow(seen: &Seen<'_>, stands: Option<Stands>) -> Result<Option<Alike>, Stop> {
    let within = stands.and_then(|stands| found(seen, stands)).filter(|_| seen.given.len() == 1);
    let goes_on = matches!(seen.node.operator.as_str(), "Gather" | "Slice");
    let was_cut = goes_on && seen.alike(0).is_some_and(|alike| alike.only);
    let cut = was_cut || cuts(seen);
    let read = seen.node.reads().filter(|name| seen.traces.get(*name).is_some_and(Trace::is_cut)).count();
    match within {
        _ if seen.node.operator == "Shape" => Ok(None),
        _ if read > usize::from(was_cut) => meet("it reads some of the items for all"),
        None if cut => meet("it takes some of the items, or turns them around"),
        within => Ok(within.map(|within| Alike { only: cut && within != Within::All, within })),
    }
}

/// Whether a node takes fewer rows for each item than there are.
fn cuts(seen: &Seen<'_>) -> bool {
    let longer =
        |stands: Stands| seen.shape(0).is_ok_and(|shape| shape[stands.axis] > seen.gives(0)[stands.axis]);
    seen.node.operator == "Slice" && seen.stands(0).is_some_and(longer)
}

fn found(seen: &Seen<'_>, stands: Stands) -> Option<Within> {
    let own = || seen.alike(0).map(|alike| alike.within.clone());
    match seen.node.operator.as_str() {
        "Expand" | "Tile" if seen.stands(0).is_none() => repeated(seen, stands),
        "ConstantOfShape" => Some(Within::All),
        "Concat" => joined(seen, stands),
        "Gather" => picked(seen),
        "Slice" => sliced(seen),
        "Unsqueeze" | "Squeeze" | "Transpose" => own().filter(|within| *within == Within::All),
        "Identity" | "Cast" => own(),
        operator if rules::repeats(operator) => broadcast(seen),
        operator if ops::is_of_single_values(operator) => own(),
        _ => None,
    }
}

/// One row for all that the axis of the items has.
fn repeated(seen: &Seen<'_>, stands: Stands) -> Option<Within> {
    let shape = seen.shape(0).ok()?;
    let before = (stands.axis + shape.len()).checked_sub(seen.gives(0).len());
    before.is_none_or(|axis| shape[axis] == 1).then_some(Within::All)
}

/// What has no items is the same in all rows.
fn broadcast(seen: &Seen<'_>) -> Option<Within> {
    let rank = seen.gives(0).len();
    let mut all = (seen.opset() >= 7).then_some(Within::All)?;
    for (index, value) in seen.inputs.iter().enumerate() {
        let (Some(value), Some(_)) = (value, seen.stands(index)) else { continue };
        let within = match seen.alike(index)?.within.clone() {
            Within::Part(axis, places) => Within::Part(axis + rank - value.shape().len(), places),
            Within::All => Within::All,
        };
        all = all.and(within)?;
    }
    Some(all)
}

/// The first parts beside each other that are alike.
fn joined(seen: &Seen<'_>, stands: Stands) -> Option<Within> {
    let length_of = seen.gives(0);
    let axis = shapes::axis(seen.node.attributes.int("axis").ok()??, length_of.len()).ok()?;
    let (mut at, mut found) = (0, 0..0);
    for (index, value) in seen.inputs.iter().enumerate() {
        let length = *value.as_ref()?.shape().get(axis)?;
        let places = match seen.alike(index).map(|alike| &alike.within) {
            Some(Within::All) => at..at + length,
            Some(Within::Part(along, places)) if *along == axis => at + places.start..at + places.end,
            _ => 0..0,
        };
        match (found.is_empty(), found.end == places.start) {
            (true, _) => found = places,
            (false, true) => found.end = places.end,
            (false, false) => {}
        }
        at += length;
    }
    (axis != stands.axis).then(|| Within::part(axis, found, at)).flatten()
}

fn picked(seen: &Seen<'_>) -> Option<Within> {
    let (shape, alike) = (seen.shape(0).ok()?, seen.alike(0)?);
    let axis = shapes::axis(seen.int("axis", 0).ok()?, shape.len()).ok()?;
    let Within::Part(along, places) = &alike.within else {
        return seen.stands(1).is_none().then_some(Within::All);
    };
    let indices = seen.constant(1).filter(|_| *along == axis && seen.trace(1).is_none())?.to_ints().ok()?;
    let length = shape[axis] as i64;
    let inside = |&index: &i64| {
        let index = if index < 0 { index + length } else { index };
        usize::try_from(index).is_ok_and(|index| places.contains(&index))
    };
    indices.iter().all(inside).then_some(Within::All)
}

fn sliced(seen: &Seen<'_>) -> Option<Within> {
    let alike = seen.alike(0)?;
    let Within::Part(along, places) = &alike.within else { return Some(Within::All) };
    let (axes, starts) = (seen.ints("axes", 3).ok()?, seen.ints("starts", 1).ok()??);
    let (rank, taken) = (seen.gives(0).len(), seen.gives(0)[*along]);
    let axes = axes.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let place = axes.iter().position(|&axis| shapes::axis(axis, rank).is_ok_and(|axis| axis == *along));
    let Some(place) = place else { return Some(alike.within.clone()) };
    let steps = seen.ints("steps", 4).ok()?;
    let start = usize::try_from(starts[place]).ok()?;
    let one_by_one = steps.is_none_or(|steps| steps[place] == 1);
    (one_by_one && start >= places.start && start + taken <= places.end).then_some(Within::All)
}
