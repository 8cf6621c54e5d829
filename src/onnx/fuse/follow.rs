//! Activations and residual additions after a convolution or a product.

use super::line::Line;
use crate::kernel::Activation;
use crate::onnx::node::Node;

/// Whether its kernel adds a residual and computes an activation.
fn takes_more(host: &Node) -> bool {
    matches!(host.operator.as_str(), "Conv" | "Gemm" | "MatMul")
}

impl Line<'_> {
    /// The node at `place` taken into the one before it as its residual or its activation.
    pub(super) fn follow(&self, place: usize) -> Option<(usize, Node)> {
        let node = self.nodes[place].as_ref()?;
        if node.operator == "Add" { self.residual(node) } else { self.activated(node) }
    }

    fn activated(&self, node: &Node) -> Option<(usize, Node)> {
        let (place, host) = self.host(node.inputs.first()?)?;
        let fits = takes_more(host) && host.fused.activation == Activation::None;
        let activation = self.activation(node).filter(|_| fits)?;
        let mut host = host.clone();
        host.fused.activation = activation;
        host.outputs = vec![node.outputs.first()?.clone()];
        Some((place, host))
    }

    /// Only activations are added in the kernel; that they have one shape is looked at when the node
    /// becomes a kernel. Of two convolutions or products the later one adds the other.
    fn residual(&self, node: &Node) -> Option<(usize, Node)> {
        let [one, other] = node.inputs.as_slice() else { return None };
        let hosts = [(one, other), (other, one)].into_iter().filter_map(|(read, added)| {
            let (place, host) = self.host(read)?;
            let fits = takes_more(host) && host.fused.is_none();
            (fits && read != added && !self.constants.contains_key(added)).then_some((place, host, added))
        });
        let (place, host, added) = hosts.max_by_key(|(place, ..)| *place)?;
        let mut host = host.clone();
        host.fused.residual = Some(added.clone());
        host.outputs = vec![node.outputs.first()?.clone()];
        Some((place, host))
    }

    fn activation(&self, node: &Node) -> Option<Activation> {
        let float = |name, default| Some(node.attributes.float(name).ok()?.unwrap_or(default));
        match node.operator.as_str() {
            "Relu" => Some(Activation::Relu),
            "LeakyRelu" => Some(Activation::LeakyRelu(float("alpha", 0.01)?)),
            "Sigmoid" => Some(Activation::Sigmoid),
            "HardSigmoid" => Some(Activation::HardSigmoid(float("alpha", 0.2)?, float("beta", 0.5)?)),
            "HardSwish" => Some(Activation::HardSwish),
            "Swish" if float("alpha", 1.0)? == 1.0 => Some(Activation::Silu),
            "Tanh" => Some(Activation::Tanh),
            "Clip" => self.clip(node),
            _ => None,
        }
    }

    /// Its bounds, from attributes or from inputs that are constants.
    fn clip(&self, node: &Node) -> Option<Activation> {
        let bound = |name, index: usize, default| match node.inputs.get(index).filter(|name| !name.is_empty())
        {
            Some(input) => self.constants.get(input)?.to_scalar().ok(),
            None => Some(node.attributes.float(name).ok()?.unwrap_or(default)),
        };
        let (low, high) = (bound("min", 1, f32::NEG_INFINITY)?, bound("max", 2, f32::INFINITY)?);
        (low <= high).then_some(Activation::Clip(low, high))
    }
}
