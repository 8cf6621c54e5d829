//! Scales and shifts of channels go into the weights of what is before them.
//!
//! `BatchNormalization` at inference is `x · s + t` with `s = scale / sqrt(variance + epsilon)` and
//! `t = bias - mean · s` for each channel, and so are products and sums with constants.
//! Source: Ioffe and Szegedy, "Batch Normalization", 2015, section 3.1.

use ndarray::{ArrayD, IxDyn};

use super::line::Line;
use crate::onnx::node::Node;
use crate::onnx::tensor::{Kind, Tensor};

/// `x · scale + shift`, one or as many as channels.
struct Affine {
    scale: Vec<f32>,
    shift: Vec<f32>,
}

/// Where the channels of a node's output come from.
struct Channels {
    count: usize,
    /// Axes of the output; the channels are the second of a convolution and the last of a product.
    rank: usize,
    last: bool,
}

impl Line<'_> {
    /// The node at `place` taken into the weights of the one before it.
    pub(super) fn fold_affine(&mut self, place: usize) -> Option<(usize, Node)> {
        let node = self.nodes[place].as_ref()?;
        let (host_place, host, affine) =
            node.inputs.iter().take(2).enumerate().find_map(|(index, read)| {
                let (host_place, host) = self.host(read)?;
                let channels = self.channels(host)?;
                Some((host_place, host.clone(), self.affine(node, index, &channels)?))
            })?;
        let output = node.outputs.first()?.clone();
        let mut host = self.with_affine(host, &affine)?;
        host.outputs = vec![output];
        Some((host_place, host))
    }

    /// The output channels of a node whose weights are constants.
    fn channels(&self, host: &Node) -> Option<Channels> {
        let weight = self.constant(host.inputs.get(1))?;
        // Whole numbers stay such: their scale stands behind them.
        let weight = Some(weight).filter(|weight| weight.kind() == Kind::Float)?.shape();
        let bias = host.inputs.get(2).filter(|name| !name.is_empty());
        let known = bias.is_none_or(|name| self.constants.contains_key(name));
        let convolution = |count| Channels { count, rank: weight.len(), last: false };
        let product = |count, rank| Channels { count, rank, last: true };
        let int = |name| host.attributes.int(name).ok().flatten();
        let channels = match (host.operator.as_str(), weight) {
            ("Conv", &[count, _, _, ..]) => convolution(count),
            ("ConvTranspose", &[_, share, _, ..]) => {
                convolution(share.checked_mul(usize::try_from(int("group").unwrap_or(1)).ok()?)?)
            }
            ("Gemm", &[rows, columns]) => product(if int("transB") == Some(1) { rows } else { columns }, 2),
            // The rank of its output is not known: it is one at least.
            ("MatMul", &[_, columns]) => product(columns, 1),
            _ => return None,
        };
        (known && channels.count > 0).then_some(channels)
    }

    /// What `node` does to its input `index`, where it is the same for all values of a channel.
    fn affine(&self, node: &Node, index: usize, channels: &Channels) -> Option<Affine> {
        if node.operator == "BatchNormalization" {
            return (index == 0 && channels.rank > 1).then(|| self.batch_normalization(node, channels))?;
        }
        let [_, _] = node.inputs.as_slice() else { return None };
        let other = self.constant(node.inputs.get(1 - index))?;
        let values = channels.values(other)?;
        let (scale, shift) = match node.operator.as_str() {
            _ if node.opset.is_none_or(|opset| opset < 7) => return None,
            "Mul" => (values, vec![0.0]),
            "Add" => (vec![1.0], values),
            "Div" if index == 0 => (values.into_iter().map(f32::recip).collect(), vec![0.0]),
            "Sub" if index == 0 => (vec![1.0], values.into_iter().map(|value| -value).collect()),
            _ => return None,
        };
        Some(Affine { scale, shift })
    }

    fn batch_normalization(&self, node: &Node, channels: &Channels) -> Option<Affine> {
        if node.attributes.int("training_mode").ok()?.unwrap_or(0) != 0 {
            return None;
        }
        let epsilon = node.attributes.float("epsilon").ok()?.unwrap_or(1e-5);
        let values = |index: usize| {
            let tensor = self.constant(node.inputs.get(index))?;
            let fits = tensor.shape() == [channels.count];
            fits.then(|| tensor.to_f32().into_iter().collect::<Vec<f32>>())
        };
        let (scale, bias, mean, variance) = (values(1)?, values(2)?, values(3)?, values(4)?);
        let scale: Vec<f32> =
            scale.iter().zip(variance).map(|(scale, variance)| scale / (variance + epsilon).sqrt()).collect();
        let shift = bias.iter().zip(mean).zip(&scale).map(|((bias, mean), scale)| bias - mean * scale);
        Some(Affine { shift: shift.collect(), scale })
    }

    /// The node with new weights and a new bias; `None` where they would not be finite.
    fn with_affine(&mut self, mut host: Node, affine: &Affine) -> Option<Node> {
        let channels = self.channels(&host)?;
        let scale = |channel: usize| affine.scale[channel % affine.scale.len()];
        let shift = |channel: usize| affine.shift[channel % affine.shift.len()];
        let float = |name| Some(host.attributes.float(name).ok()?.unwrap_or(1.0));
        let beta = if host.operator == "Gemm" { float("beta")? } else { 1.0 };
        let old = match host.inputs.get(2).filter(|name| !name.is_empty()) {
            Some(name) => channels.bias(self.constants.get(name)?)?,
            None => vec![0.0],
        };
        let bias = (0..channels.count).map(|channel| {
            // What `Gemm` multiplies with beta again is divided by it.
            old[channel % old.len()] * scale(channel) + shift(channel) / beta
        });
        let bias: Vec<f32> = bias.collect();
        let scaled = affine.scale.iter().any(|&scale| scale != 1.0);
        let weight = match scaled {
            true => Some(self.scaled_weight(&host, &channels, scale)?),
            false => None,
        };
        if !bias.iter().chain(weight.iter().flatten()).all(|value| value.is_finite()) {
            return None;
        }
        let (weight_name, bias_name) = (host.inputs[1].clone(), format!("{}.bias", host.outputs.first()?));
        if let Some(weight) = weight {
            host.inputs[1] = self.add_constant(&weight_name, Tensor::F32(weight));
        }
        let bias = ArrayD::from_shape_vec(IxDyn(&[bias.len()]), bias).ok()?;
        host.inputs.resize(3, String::new());
        host.inputs[2] = self.add_constant(&bias_name, Tensor::F32(bias));
        Some(host)
    }

    fn scaled_weight(
        &mut self,
        host: &Node,
        channels: &Channels,
        scale: impl Fn(usize) -> f32,
    ) -> Option<ArrayD<f32>> {
        let weight = self.constants.get(&host.inputs[1])?.clone();
        self.budget.take(weight.shape()).ok()?;
        let mut weight = weight.to_f32();
        let shape = weight.shape().to_vec();
        let transposed = host.attributes.int("transB").ok()? == Some(1);
        let groups = channels.count / shape[1].max(1);
        for (index, value) in weight.indexed_iter_mut() {
            let channel = match host.operator.as_str() {
                "Conv" => index[0],
                "ConvTranspose" => index[0] / (shape[0] / groups.max(1)).max(1) * shape[1] + index[1],
                "Gemm" if transposed => index[0],
                _ => index[1],
            };
            *value *= scale(channel.min(channels.count - 1));
        }
        Some(weight)
    }
}

impl Channels {
    /// The values of a constant that is the same for all values of a channel.
    fn values(&self, tensor: &Tensor) -> Option<Vec<f32>> {
        let shape = tensor.shape();
        if shape.len() > self.rank || shape.contains(&0) {
            return None;
        }
        let channel_axis = if self.last { self.rank - 1 } else { 1 };
        let first = self.rank - shape.len();
        let fits = shape
            .iter()
            .enumerate()
            .all(|(place, &axis)| axis == 1 || (axis == self.count && first + place == channel_axis));
        fits.then(|| tensor.to_f32().into_iter().collect())
    }

    /// The bias that a node has: `[channels]`, or for `Gemm` what broadcasts to it.
    fn bias(&self, tensor: &Tensor) -> Option<Vec<f32>> {
        match tensor.shape() {
            [count] if *count == self.count => Some(tensor.to_f32().into_iter().collect()),
            _ if self.last => self.values(tensor),
            _ => None,
        }
    }
}
