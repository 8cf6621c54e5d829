//! Where items stand in a value of several that are broadcast, and in the same values in another shape.

use super::seen::{Stands, Stop, meet};

/// One of several values that are repeated into one shape.
pub(super) struct Part<'a> {
    pub(super) shape: &'a [usize],
    pub(super) stands: Option<Stands>,
}

/// Where the items stand in values that are repeated into one shape of so many axes.
pub(super) fn joined(parts: &[Part<'_>], rank: usize) -> Result<Option<Stands>, Stop> {
    let mut found: Option<(Stands, usize)> = None;
    for part in parts {
        let Some(stands) = part.stands else { continue };
        let length = part.shape[stands.axis];
        let stands = Stands { axis: stands.axis + rank - part.shape.len(), ..stands };
        if found.is_some_and(|found| found != (stands, length)) {
            return meet("it joins the items of one value with those of another");
        }
        found = Some((stands, length));
    }
    let Some((stands, length)) = found else { return Ok(None) };
    for part in parts.iter().filter(|part| part.stands.is_none()) {
        let beside = (stands.axis + part.shape.len()).checked_sub(rank).map_or(1, |axis| part.shape[axis]);
        match beside {
            1 => {}
            _ if beside == length => return Err(Stop::Alone),
            _ => return meet(format!("it has {beside} values beside the items")),
        }
    }
    Ok(Some(stands))
}

/// Where items stand that stood in `before`, once an axis of `after` has them; both shapes have one item.
pub(super) fn reshaped(
    before: &[usize],
    stands: Stands,
    after: &[usize],
    axis: usize,
) -> Result<Stands, Stop> {
    let blocks = before[..stands.axis].iter().product::<usize>() * stands.outer;
    let (leading, length) = (after[..axis].iter().product::<usize>(), after[axis]);
    let fits = leading > 0 && blocks.is_multiple_of(leading) && length.is_multiple_of(blocks / leading);
    if fits {
        return Ok(Stands { axis, outer: blocks / leading });
    }
    meet("it moves values of one item to another")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(axis: usize, outer: usize) -> Stands {
        Stands { axis, outer }
    }

    fn joins(parts: &[(&[usize], Option<Stands>)]) -> Result<Option<Stands>, Stop> {
        let rank = parts.iter().map(|(shape, _)| shape.len()).max().unwrap_or(0);
        let parts: Vec<Part<'_>> = parts.iter().map(|&(shape, stands)| Part { shape, stands }).collect();
        joined(&parts, rank)
    }

    #[test]
    fn items_stand_where_all_values_have_them() {
        let x = (&[1, 4][..], Some(at(0, 1)));
        assert_eq!(joins(&[x, (&[4], None)]).unwrap(), Some(at(0, 1)));
        assert_eq!(joins(&[x, (&[3, 1, 4], Some(at(1, 1)))]).unwrap(), Some(at(1, 1)));
        assert!(matches!(joins(&[x, (&[4, 1], Some(at(1, 1)))]), Err(Stop::Meet(_))));
        assert!(matches!(joins(&[x, (&[7, 4], None)]), Err(Stop::Meet(_))), "a value for each item");
        assert!(matches!(joins(&[(&[12, 4], Some(at(0, 1))), (&[12, 1], None)]), Err(Stop::Alone)));
    }

    #[test]
    fn items_keep_their_place_in_another_shape_or_cannot_be_followed() {
        let heads = reshaped(&[1, 12, 5], at(0, 1), &[12, 5], 0).unwrap();
        assert_eq!(heads, at(0, 1), "the items are the outer part of the axis");
        assert_eq!(reshaped(&[12, 5], heads, &[1, 12, 5], 0).unwrap(), at(0, 1));
        assert_eq!(reshaped(&[12, 1, 5], at(1, 1), &[12, 5], 0).unwrap(), at(0, 12));
        assert!(reshaped(&[1, 4], at(0, 1), &[4, 1], 1).is_err(), "a transposition by reshape");
        assert!(reshaped(&[12, 5], at(0, 12), &[1, 12, 5], 0).is_err());
    }
}
