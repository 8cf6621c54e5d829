//! `x · sigmoid(x)` and `x · HardSigmoid(x)`.

use super::whole::{Function, Seen, either_way, near};
use crate::onnx::node::Node;

/// The product of a value with its gate.
pub(super) fn find(seen: &Seen<'_>, product: &Node) -> Option<Function> {
    either_way(product).find_map(|(x, gated)| {
        let (place, gate) = seen.giver(gated)?;
        let operator = joined(gate).filter(|_| gate.inputs.first() == Some(x))?;
        Some(Function::of(operator, x, vec![place]))
    })
}

fn joined(gate: &Node) -> Option<&'static str> {
    let is = |name, default: f32, wanted| {
        gate.attributes.float(name).is_ok_and(|value| near(value.unwrap_or(default), wanted))
    };
    match gate.operator.as_str() {
        "Sigmoid" => Some("Swish"),
        "HardSigmoid" => (is("alpha", 0.2, 1.0 / 6.0) && is("beta", 0.5, 0.5)).then_some("HardSwish"),
        _ => None,
    }
}
