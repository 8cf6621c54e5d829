//! Weights of whole numbers stay bytes: what a convolution or product makes of them is multiplied by their scale behind it.

use std::collections::HashMap;
use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};

use crate::error::Cause;
use crate::onnx::attributes::Attributes;
use crate::onnx::fold::Budget;
use crate::onnx::graph::Graph;
use crate::onnx::node::Node;
use crate::onnx::shapes;
use crate::onnx::tensor::{Kind, Shared, Tensor};

/// Weights that were quantised, by the name of what they are dequantised to.
struct Weights {
    /// Less their zero points.
    bytes: ArrayD<i8>,
    /// One, or one for each place of the axis.
    scale: ArrayD<f32>,
    axis: usize,
}

/// Puts the scale of weights behind what reads them, where that has one for each of its output channels, or one in all.
pub(in crate::onnx) fn keep_bytes(graph: &mut Graph, budget: &mut Budget) -> Result<(), Cause> {
    let constants = &graph.constants;
    let weights = graph
        .nodes
        .iter()
        .filter_map(|node| Some((node.outputs.first()?.clone(), weights(node, constants)?)));
    let weights: HashMap<String, Weights> = weights.collect();
    if weights.is_empty() {
        return Ok(());
    }
    let mark = mark(graph);
    let mut nodes = Vec::with_capacity(graph.nodes.len());
    for node in std::mem::take(&mut graph.nodes) {
        match node.inputs.get(1).and_then(|name| Some((name, weights.get(name)?))) {
            Some((name, weights)) if fits(&node, weights) => {
                budget.take(weights.bytes.shape())?;
                let name = format!("{name}{mark}");
                graph
                    .constants
                    .entry(name.clone())
                    .or_insert_with(|| Arc::new(Tensor::I8(weights.bytes.clone())));
                nodes.extend(scaled_behind(node, (name, &mark), weights, &mut graph.constants)?);
            }
            _ => nodes.push(node),
        }
    }
    graph.nodes = nodes;
    // What nobody reads as floats any more is not made such.
    graph.keep_what_is_read();
    Ok(())
}

/// What no name of the graph has in it.
fn mark(graph: &Graph) -> String {
    let names: Vec<&String> =
        graph.constants.keys().chain(graph.nodes.iter().flat_map(|node| &node.outputs)).collect();
    let mut mark = String::from(".bytes");
    while names.iter().any(|name| name.contains(&mark)) {
        mark.push('\'');
    }
    mark
}

/// What this node dequantises, where it is constant and 8 bits hold it.
fn weights(node: &Node, constants: &HashMap<String, Shared>) -> Option<Weights> {
    let int = |name, default| Some(node.attributes.int(name).ok()?.unwrap_or(default));
    if node.operator != "DequantizeLinear" || node.opset? < 10 || int("block_size", 0)? != 0 {
        return None;
    }
    let constant = |index: usize| constants.get(node.inputs.get(index)?);
    let (x, scale) = (constant(0)?, constant(1)?.to_f32());
    if !matches!(x.kind(), Kind::I8 | Kind::U8) {
        return None;
    }
    let axis = shapes::axis(int("axis", 1)?, x.shape().len()).ok()?;
    let has_places = scale.len() == 1 || scale.shape() == [x.shape()[axis]];
    if !has_places || !scale.iter().all(|scale| scale.is_finite()) {
        return None;
    }
    let zeros = match node.inputs.get(2).filter(|name| !name.is_empty()) {
        Some(_) => constant(2)?.to_ints().ok()?,
        None => vec![0],
    };
    if zeros.len() != 1 && zeros.len() != scale.len() {
        return None;
    }
    let inner: usize = x.shape()[axis + 1..].iter().product();
    let values = x.to_ints().ok()?.into_iter().enumerate();
    let bytes = values.map(|(place, value)| {
        i8::try_from(value.checked_sub(zeros[place / inner.max(1) % zeros.len()])?).ok()
    });
    let bytes = ArrayD::from_shape_vec(IxDyn(x.shape()), bytes.collect::<Option<_>>()?).ok()?;
    Some(Weights { bytes, scale, axis })
}

/// Whether the scale of the weights is that of output channels of this node.
fn fits(node: &Node, weights: &Weights) -> bool {
    let number = |name| node.attributes.float(name).ok().flatten().unwrap_or(1.0);
    let turned = node.attributes.int("transB").ok().flatten().unwrap_or(0) != 0;
    let axis = match (&node.operator[..], weights.bytes.ndim()) {
        _ if node.opset.is_none() => return false,
        ("Conv", 3..) => 0,
        ("Gemm", 2) if number("alpha") == 1.0 && number("beta") == 1.0 => usize::from(!turned),
        ("MatMul", 2) => 1,
        _ => return false,
    };
    weights.scale.len() == 1 || weights.axis == axis
}

/// The node of the bytes, then the product with the scale, then the sum with the bias.
fn scaled_behind(
    mut node: Node,
    (bytes, mark): (String, &str),
    weights: &Weights,
    constants: &mut HashMap<String, Shared>,
) -> Result<Vec<Node>, Cause> {
    let behind = match &node.operator[..] {
        "Conv" => weights.bytes.ndim() - 2,
        _ => 0,
    };
    let name = node.outputs.first().cloned().unwrap_or_default();
    let named = |what: &str| format!("{name}{mark}.{what}");
    let next = |operator: &str, inputs: [String; 2], output: String| Node {
        name: format!("{}.{operator}", node.name),
        operator: operator.into(),
        inputs: inputs.into(),
        outputs: vec![output],
        attributes: Attributes::default(),
        ..node.clone()
    };
    let along = [vec![weights.scale.len()], vec![1; behind]].concat();
    let scale = Tensor::F32(weights.scale.clone()).reshaped(&along)?;
    constants.insert(named("scale"), Arc::new(scale));
    let bias = node.inputs.get(2).filter(|name| !name.is_empty()).cloned();
    let mut nodes = Vec::new();
    let scaled = if bias.is_some() { named("scaled") } else { name.clone() };
    nodes.push(next("Mul", [named("whole"), named("scale")], scaled.clone()));
    if let Some(bias) = bias {
        let bias = if behind > 0 {
            let shape: Vec<i64> = [vec![-1], vec![1; behind]].concat();
            constants.insert(named("bias_shape"), Arc::new(Tensor::ints(&shape)));
            nodes.push(next("Reshape", [bias, named("bias_shape")], named("bias")));
            named("bias")
        } else {
            bias
        };
        nodes.push(next("Add", [scaled, bias], name.clone()));
    }
    node.inputs[1] = bytes;
    node.inputs.truncate(2);
    node.outputs = vec![named("whole")];
    nodes.insert(0, node);
    Ok(nodes)
}
