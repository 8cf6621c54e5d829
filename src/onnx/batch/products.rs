//! What sums of products do to the items.

use super::places::{Part, joined};
use super::seen::{Seen, Stands, Stop, meet};
use crate::onnx::ops::Equation;

pub(super) fn gemm(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
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
pub(super) fn mat_mul(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
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

/// The items have a label, which the output has too, and with which every input that has it stands.
pub(super) fn einsum(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    let shapes = (0..seen.inputs.len()).map(|index| seen.shape(index)).collect::<Result<Vec<_>, _>>()?;
    let ranks: Vec<usize> = shapes.iter().map(|shape| shape.len()).collect();
    let equation = Equation::new(seen.node.attributes.text("equation")?.unwrap_or(""), &ranks)?;
    let labelled =
        |index: usize| seen.stands(index).map(|stands| (equation.terms[index][stands.axis], stands.outer));
    let Some((label, outer)) = (0..ranks.len()).find_map(labelled) else { return Ok(None) };
    for (index, term) in equation.terms.iter().enumerate() {
        match labelled(index) {
            Some(other) if other != (label, outer) => {
                return meet("it multiplies the items of one value with those of another");
            }
            None if term.contains(&label) => return Err(Stop::Alone),
            _ => {}
        }
    }
    match equation.output.iter().position(|other| *other == label) {
        Some(axis) => Ok(Some(Stands { axis, outer })),
        None => meet("it sums over the items"),
    }
}

/// A product whose other factor, scales and zero points are known.
pub(super) fn with_known(seen: &Seen<'_>) -> Result<Option<Stands>, Stop> {
    if (1..seen.inputs.len()).any(|index| seen.stands(index).is_some()) {
        return meet("its weights come with the items");
    }
    match seen.stands(0) {
        Some(stands) if stands.axis + 1 == seen.shape(0)?.len() => Err(Stop::Alone),
        stands => Ok(stands),
    }
}
