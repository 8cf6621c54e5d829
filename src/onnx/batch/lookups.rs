//! What operators do to the items that look values up by places, or put others there.

use super::seen::{Seen, Stands, Stop, meet};
use super::steps;
use crate::onnx::shapes;

pub(super) fn gather(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
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
pub(super) fn gather_nd(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    let (data, indices) = (seen.shape(0)?, seen.shape(1)?);
    let many = indices.last().copied().unwrap_or(0);
    let batch = shapes::length(seen.int("batch_dims", 0)?)?;
    match (seen.stands(0), seen.stands(1)) {
        (None, None) => Ok(None),
        (Some(one), Some(other)) if one == other && one.axis < batch => Ok(Some(one)),
        (None, Some(stands)) if (batch..indices.len() - 1).contains(&stands.axis) => Ok(Some(stands)),
        (Some(stands), None) if stands.axis >= batch + many => {
            Ok(Some(Stands { axis: stands.axis + indices.len() - 1 - batch - many, ..stands }))
        }
        (Some(Stands { axis, .. }), None) | (None, Some(Stands { axis, .. })) if axis < batch => {
            Err(Stop::Alone)
        }
        (Some(Stands { axis: 0, outer: 1 }), Some(stands))
            if data[0] == 1
                && batch == 0
                && stands.axis + 1 < indices.len()
                && steps::begin_with_their_item(seen, 1, many) =>
        {
            Ok(Some(stands))
        }
        _ => meet("it looks up items by items"),
    }
}

/// Each row of places is that of a row of values: what is one row where the others have one for each item is for the
/// first item alone.
pub(super) fn row_by_row(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    let axis = shapes::axis(seen.int("axis", 0)?, seen.shape(0)?.len())?;
    let first = seen.stands(0);
    let all_alike = (1..seen.inputs.len()).all(|index| seen.stands(index) == first);
    match first {
        first if all_alike && first.is_none_or(|stands| stands.axis != axis) => Ok(first),
        _ => meet("it looks up items by items"),
    }
}

/// What is put into every item alike: the items are behind the axes that places are of.
pub(super) fn scatter_nd(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    let (indices, depth) = (seen.shape(1)?, seen.shape(1)?.last().copied().unwrap_or(0));
    match (seen.stands(0), seen.stands(1), seen.stands(2)) {
        (None, None, None) => Ok(None),
        (Some(of_data), None, Some(stands)) if of_data.axis >= depth => {
            let same =
                stands.axis + depth == of_data.axis + indices.len() - 1 && stands.outer == of_data.outer;
            if same { Ok(Some(of_data)) } else { meet("it puts values of items to others") }
        }
        (Some(of_data), None, None) if of_data.axis >= depth => Err(Stop::Alone),
        _ => meet("it puts values to the places of items"),
    }
}

pub(super) fn one_hot(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    if (1..3).any(|index| seen.stands(index).is_some()) {
        return meet("its depth or its values come with the items");
    }
    let axis = shapes::axis(seen.int("axis", -1)?, seen.shape(0)?.len() + 1)?;
    let behind = |stands: Stands| Stands { axis: stands.axis + usize::from(axis <= stands.axis), ..stands };
    Ok(seen.stands(0).map(behind))
}

/// Each grid is that of its image.
pub(super) fn image_by_image(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    match (seen.stands(0), seen.stands(1)) {
        (Some(one), Some(other)) if one == other && one.axis == 0 => Ok(Some(one)),
        (Some(Stands { axis: 0, .. }), None) | (None, Some(Stands { axis: 0, .. })) => Err(Stop::Alone),
        (None, None) => Ok(None),
        _ => meet("it looks up items by items"),
    }
}
