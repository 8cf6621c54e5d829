//! Rules about shapes that constants and activations share.

use crate::error::Cause;

/// An axis that may count from the end, as its place.
pub(super) fn axis(axis: i64, rank: usize) -> Result<usize, Cause> {
    let signed_rank = rank as i64;
    let place = if axis < 0 { axis.saturating_add(signed_rank) } else { axis };
    if (0..signed_rank).contains(&place) {
        return Ok(place as usize);
    }
    Err(Cause::msg(format!("the axis {axis} is not one of {rank} axes")))
}

/// Several axes as their places, each named once, in order.
pub(super) fn axes(given: &[i64], rank: usize) -> Result<Vec<usize>, Cause> {
    let mut places = given.iter().map(|&one| axis(one, rank)).collect::<Result<Vec<_>, _>>()?;
    places.sort_unstable();
    if places.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Cause::msg(format!("an axis is named twice in {given:?}")));
    }
    Ok(places)
}

/// A length or a count.
pub(super) fn length(value: i64) -> Result<usize, Cause> {
    usize::try_from(value).map_err(|_| Cause::msg(format!("{value} is not a length")))
}

/// Values of a shape; `None` where they are too many to count.
pub(super) fn count(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |product, &axis| product.checked_mul(axis))
}

/// Lengths or counts.
pub(super) fn lengths(values: &[i64]) -> Result<Vec<usize>, Cause> {
    values.iter().map(|&value| length(value)).collect()
}

/// The shape of both together, as numpy broadcasts.
pub(super) fn broadcast(one: &[usize], other: &[usize]) -> Result<Vec<usize>, Cause> {
    let rank = one.len().max(other.len());
    let aligned = |shape: &[usize], place: usize| {
        (place + shape.len()).checked_sub(rank).map_or(1, |place| shape[place])
    };
    let joined = (0..rank).map(|place| match (aligned(one, place), aligned(other, place)) {
        (a, b) if a == b || b == 1 => Some(a),
        (1, b) => Some(b),
        _ => None,
    });
    let misfit = || Cause::msg(format!("the shapes {one:?} and {other:?} do not broadcast"));
    joined.collect::<Option<_>>().ok_or_else(misfit)
}

/// Whether a tensor of shape `one` can be repeated into `whole`.
pub(super) fn broadcasts_to(one: &[usize], whole: &[usize]) -> bool {
    broadcast(one, whole).is_ok_and(|joined| joined == whole)
}

/// The target of `Reshape`: 0 keeps an axis unless `allow_zero`, -1 takes what is left.
pub(super) fn reshape(shape: &[usize], wanted: &[i64], allow_zero: bool) -> Result<Vec<usize>, Cause> {
    let misfit = || Cause::msg(format!("{shape:?} cannot be seen as {wanted:?}"));
    let mut target = Vec::with_capacity(wanted.len());
    for (place, &axis) in wanted.iter().enumerate() {
        target.push(match axis {
            0 if !allow_zero => *shape.get(place).ok_or_else(misfit)?,
            -1 => 1,
            axis => length(axis)?,
        });
    }
    let elements = count(shape).ok_or_else(misfit)?;
    let mut open = wanted.iter().enumerate().filter(|(_, axis)| **axis == -1).map(|(place, _)| place);
    if let Some(place) = open.next() {
        let others = count(&target).filter(|&others| others > 0).ok_or_else(misfit)?;
        target[place] = elements / others;
    }
    if open.next().is_some() || count(&target) != Some(elements) {
        return Err(misfit());
    }
    Ok(target)
}

/// The shape without these axes of length 1; without axes, without all of length 1.
pub(super) fn squeeze(shape: &[usize], given: Option<&[i64]>) -> Result<Vec<usize>, Cause> {
    let dropped = match given {
        Some(given) => axes(given, shape.len())?,
        None => (0..shape.len()).filter(|&place| shape[place] == 1).collect(),
    };
    if let Some(&place) = dropped.iter().find(|&&place| shape[place] != 1) {
        return Err(Cause::msg(format!("axis {place} of {shape:?} is not of length 1")));
    }
    let kept = shape.iter().enumerate().filter(|(place, _)| !dropped.contains(place));
    Ok(kept.map(|(_, &axis)| axis).collect())
}

/// The shape with an axis of length 1 at each of these places of the result.
pub(super) fn unsqueeze(shape: &[usize], given: &[i64]) -> Result<Vec<usize>, Cause> {
    let rank = shape.len() + given.len();
    let places = axes(given, rank)?;
    let mut kept = shape.iter();
    let length = |place: usize| if places.contains(&place) { Some(1) } else { kept.next().copied() };
    Ok((0..rank).filter_map(length).collect())
}

/// The shape as rows and columns, cut before this axis, which may be the end.
pub(super) fn flatten(shape: &[usize], at: i64) -> Result<[usize; 2], Cause> {
    let rank = shape.len() as i64;
    let place = if at < 0 { at.saturating_add(rank) } else { at };
    if !(0..=rank).contains(&place) {
        return Err(Cause::msg(format!("the axis {at} is not one of {rank} axes")));
    }
    let (rows, columns) = shape.split_at(place as usize);
    Ok([rows.iter().product(), columns.iter().product()])
}

/// The axes in their new order; by default turned round.
pub(super) fn permutation(given: Option<&[i64]>, rank: usize) -> Result<Vec<usize>, Cause> {
    let Some(given) = given else { return Ok((0..rank).rev().collect()) };
    if axes(given, rank)?.len() != rank {
        return Err(Cause::msg(format!("{given:?} does not order {rank} axes")));
    }
    given.iter().map(|&one| axis(one, rank)).collect()
}

/// Lengths of the parts of an axis: given, or as many equal ones, the last of which may be shorter.
pub(super) fn split(axis: usize, given: Option<&[i64]>, parts: usize) -> Result<Vec<usize>, Cause> {
    let lengths = match given {
        Some(given) => lengths(given)?,
        None if parts == 0 => return Err(Cause::msg("it is split into no parts")),
        None => {
            let part = axis.div_ceil(parts);
            (0..parts).map(|index| axis.saturating_sub(index * part).min(part)).collect()
        }
    };
    let total = lengths.iter().try_fold(0_usize, |sum, &length| sum.checked_add(length));
    if total == Some(axis) && lengths.len() == parts {
        return Ok(lengths);
    }
    Err(Cause::msg(format!("{lengths:?} are not {parts} parts of an axis of {axis}")))
}

/// What is taken of one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) start: usize,
    /// One past the last in the direction of the step; -1 where the first is the last, backwards.
    pub(super) end: isize,
    pub(super) step: isize,
    pub(super) len: usize,
}

impl Taken {
    /// The whole axis.
    pub(super) fn all(axis: usize) -> Self {
        Self { start: 0, end: axis as isize, step: 1, len: axis }
    }

    /// Places that are taken.
    pub(super) fn places(self) -> impl Iterator<Item = usize> {
        (0..self.len).map(move |index| (self.start as isize + index as isize * self.step) as usize)
    }

    /// `start:end:step` of an axis, as ONNX reads it.
    fn new(axis: usize, start: i64, end: i64, step: i64) -> Result<Self, Cause> {
        if step == 0 {
            return Err(Cause::msg("a slice has the step 0"));
        }
        let size = axis as i64;
        let from_end = |place: i64| if place < 0 { place.saturating_add(size) } else { place };
        let (low, high) = if step > 0 { (0, size) } else { (-1, size - 1) };
        let start = from_end(start).clamp(0, high.max(0));
        let end = from_end(end).clamp(low, high.max(low));
        let distance = if step > 0 { end - start } else { start - end };
        let len = if distance > 0 && size > 0 { (distance as u64).div_ceil(step.unsigned_abs()) } else { 0 };
        // A step past the end is a step to the end; so it fits an index.
        let step = step.clamp(-size.max(1), size.max(1)) as isize;
        Ok(Self { start: start as usize, end: end as isize, step, len: len as usize })
    }
}

/// What `Slice` takes of every axis.
pub(super) fn slices(
    shape: &[usize],
    starts: &[i64],
    ends: &[i64],
    given: Option<&[i64]>,
    steps: Option<&[i64]>,
) -> Result<Vec<Taken>, Cause> {
    let first: Vec<i64> = (0..starts.len() as i64).collect();
    let given = given.unwrap_or(&first);
    let ones = vec![1; starts.len()];
    let steps = steps.unwrap_or(&ones);
    if [ends.len(), given.len(), steps.len()] != [starts.len(); 3] {
        return Err(Cause::msg("starts, ends, axes and steps are not equally many"));
    }
    axes(given, shape.len())?;
    let mut taken: Vec<Taken> = shape.iter().map(|&axis| Taken::all(axis)).collect();
    for (index, &one) in given.iter().enumerate() {
        let place = axis(one, shape.len())?;
        taken[place] = Taken::new(shape[place], starts[index], ends[index], steps[index])?;
    }
    Ok(taken)
}

#[cfg(test)]
mod tests;
