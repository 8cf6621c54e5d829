//! `x · (1 + erf(x / √2)) / 2`, which is `Gelu` since opset 20.

use std::f32::consts::{FRAC_1_SQRT_2, SQRT_2};

use super::whole::{Function, Seen, either_way, near};
use crate::onnx::node::Node;

/// The product of a value, one half and one more than an error function, in any order.
pub(super) fn find(seen: &Seen<'_>, product: &Node) -> Option<Function> {
    either_way(product).find_map(|(inner, outer)| {
        let (place, inner) = seen.giver(inner).filter(|(_, inner)| inner.operator == "Mul")?;
        either_way(inner).find_map(|(one, other)| {
            let orders = [[one, other, outer], [one, outer, other], [outer, one, other]];
            let (x, mut parts) = orders.into_iter().find_map(|[half, x, sum]| gelu(seen, half, x, sum))?;
            parts.push(place);
            Some(Function::of("Gelu", x, parts))
        })
    })
}

/// The value and the places of the sum's parts, if these are the factors.
fn gelu<'a>(seen: &Seen<'_>, half: &str, x: &'a String, sum: &str) -> Option<(&'a String, Vec<usize>)> {
    seen.number(half).filter(|half| near(*half, 0.5))?;
    let (sum_place, sum) = seen.giver(sum).filter(|(_, sum)| sum.operator == "Add")?;
    let (erf_place, erf) = either_way(sum).find_map(|(one, erf)| {
        seen.number(one).filter(|one| near(*one, 1.0))?;
        seen.giver(erf).filter(|(_, erf)| erf.operator == "Erf")
    })?;
    let (share_place, share) = seen.giver(erf.inputs.first()?)?;
    let scaled = match (share.operator.as_str(), share.inputs.as_slice()) {
        ("Div", [value, root]) => value == x && seen.number(root).is_some_and(|root| near(root, SQRT_2)),
        ("Mul", _) => either_way(share).any(|(value, factor)| {
            value == x && seen.number(factor).is_some_and(|factor| near(factor, FRAC_1_SQRT_2))
        }),
        _ => false,
    };
    scaled.then(|| (x, vec![sum_place, erf_place, share_place]))
}
