//! Layer normalisation as it was written before there was an operator for it: by the mean and the variance of the last
//! axis, or by the mean square alone.

use super::whole::{Function, Seen, either_way, near};
use crate::onnx::attributes::Attributes;
use crate::onnx::node::Node;

/// `(x - mean) / √(variance + epsilon) · scale + bias`.
pub(super) fn find_layer(seen: &Seen<'_>, last: usize) -> Option<Function> {
    either_way(seen.node(last)?).find_map(|(scaled, bias)| {
        let (scaled_at, scaled) = seen.giver(scaled).filter(|(_, node)| node.operator == "Mul")?;
        either_way(scaled).find_map(|(normal, scale)| {
            quotients(seen, normal).find_map(|Quotient { value, squares, reads, epsilon, mut parts }| {
                // The difference is read for itself and for its square.
                let (away_at, away) =
                    seen.giver_of(value, 1 + reads).filter(|(_, node)| node.operator == "Sub")?;
                let [x, of_x] = &away.inputs[..] else { return None };
                let (center_at, center) = seen.giver(of_x).filter(|(_, center)| is_mean(seen, center))?;
                (center.inputs.first() == Some(x)).then_some(())?;
                parts.extend([scaled_at, squares, away_at, center_at]);
                function(seen, "LayerNormalization", &[x, scale, bias], epsilon, parts)
            })
        })
    })
}

/// `x / √(mean of x² + epsilon) · scale`.
pub(super) fn find_rms(seen: &Seen<'_>, last: usize) -> Option<Function> {
    either_way(seen.node(last)?).find_map(|(normal, scale)| {
        quotients(seen, normal).find_map(|Quotient { value, squares, epsilon, mut parts, .. }| {
            parts.push(squares);
            function(seen, "RMSNormalization", &[value, scale], epsilon, parts)
        })
    })
}

/// A value divided by the root of the mean of its squares.
struct Quotient<'a> {
    value: &'a String,
    /// The node that squares it, and how often that reads it.
    squares: usize,
    reads: usize,
    epsilon: f32,
    /// The other nodes.
    parts: Vec<usize>,
}

/// The quotient that this value is, whichever factor is its divisor.
fn quotients<'a>(seen: &Seen<'a>, name: &str) -> impl Iterator<Item = Quotient<'a>> {
    let found = seen.giver(name);
    let both = found.into_iter().flat_map(|(at, node)| {
        let ways: Vec<_> = either_way(node).take(if node.operator == "Mul" { 2 } else { 1 }).collect();
        ways.into_iter().map(move |(value, divisor)| (at, node, value, divisor))
    });
    let quotients: Vec<Quotient<'a>> = both.filter_map(|found| quotient(seen, found)).collect();
    quotients.into_iter()
}

/// `value / √(mean of squares + epsilon)`, or the value times one over that root.
fn quotient<'a>(
    seen: &Seen<'a>,
    (at, node, value, divisor): (usize, &Node, &'a String, &String),
) -> Option<Quotient<'a>> {
    let mut parts = vec![at];
    let (mut root_at, mut root) = seen.giver(divisor)?;
    match node.operator.as_str() {
        "Div" => {}
        "Mul" => {
            let under = match (root.operator.as_str(), &root.inputs[..]) {
                ("Reciprocal", [under]) => under,
                ("Div", [one, under]) if seen.number(one).is_some_and(|one| near(one, 1.0)) => under,
                _ => return None,
            };
            parts.push(root_at);
            (root_at, root) = seen.giver(under)?;
        }
        _ => return None,
    }
    let sum = (root.operator == "Sqrt").then(|| root.inputs.first()).flatten()?;
    let (sum_at, sum) = seen.giver(sum).filter(|(_, sum)| sum.operator == "Add")?;
    let (mean, epsilon) = either_way(sum).find_map(|(mean, epsilon)| Some((mean, seen.number(epsilon)?)))?;
    let (mean_at, mean) = seen.giver(mean).filter(|(_, mean)| epsilon >= 0.0 && is_mean(seen, mean))?;
    let (squares, square) = seen.giver(mean.inputs.first()?)?;
    parts.extend([root_at, sum_at, mean_at]);
    Some(Quotient { value, squares, reads: squared(square, value, seen)?, epsilon, parts })
}

/// How often the square of a value reads it, if it is one.
fn squared(node: &Node, of: &String, seen: &Seen<'_>) -> Option<usize> {
    let [one, other] = &node.inputs[..] else { return None };
    match node.operator.as_str() {
        "Pow" if one == of && seen.number(other).is_some_and(|power| power == 2.0) => Some(1),
        "Mul" if one == of && other == of => Some(2),
        _ => None,
    }
}

/// Whether it is the mean of the last axis, which stays as one of 1.
fn is_mean(seen: &Seen<'_>, node: &Node) -> bool {
    let attribute = node.attributes.ints("axes").ok().flatten().map(<[i64]>::to_vec);
    let given = || seen.constant(node.inputs.get(1)?)?.to_ints().ok();
    let keeps = node.attributes.int("keepdims").is_ok_and(|keep| keep != Some(0));
    node.operator == "ReduceMean" && keeps && attribute.or_else(given).as_deref() == Some(&[-1])
}

/// The node in newer opsets, if its factors are constants of one axis.
fn function(
    seen: &Seen<'_>,
    operator: &'static str,
    inputs: &[&String],
    epsilon: f32,
    parts: Vec<usize>,
) -> Option<Function> {
    let inputs: Vec<String> = inputs.iter().map(|name| (*name).clone()).collect();
    let is_row = |name: &String| seen.constant(name).is_some_and(|factor| factor.shape().len() == 1);
    let attributes = Attributes::default().with_float("epsilon", epsilon);
    inputs[1..].iter().all(is_row).then_some(Function { operator, inputs, attributes, parts })
}
