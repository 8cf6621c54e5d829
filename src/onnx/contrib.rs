//! Operators that ONNX Runtime writes into files that it optimised, as the operators of ONNX that they stand for.

use super::attributes::Attributes;
use super::node::Node;
use crate::error::Cause;

/// The domain of ONNX Runtime's own operators.
const DOMAIN: &str = "com.microsoft";
/// From this version on ONNX has all that is written here.
const OPSET: i64 = 20;

/// The nodes that a node stands for: itself where it is none of these.
pub(super) fn expanded(node: Node) -> Result<Vec<Node>, Cause> {
    let simplified = node.opset.is_some() && node.operator == "SimplifiedLayerNormalization";
    if node.domain != DOMAIN && !simplified {
        return Ok(vec![node]);
    }
    let mut written = Written { node: &node, nodes: Vec::new() };
    let known = written.expand().map_err(|cause| cause.context(node.describe()))?;
    let nodes = written.nodes;
    Ok(if known.is_some() { nodes } else { vec![node] })
}

/// A node, and what is written in its place.
struct Written<'a> {
    node: &'a Node,
    nodes: Vec<Node>,
}

impl Written<'_> {
    /// None where it is not known, or says what is not.
    fn expand(&mut self) -> Result<Option<()>, Cause> {
        match &self.node.operator[..] {
            "Gelu" => self.gelu(0, "none"),
            "BiasGelu" => self.gelu(2, "none"),
            "FastGelu" => self.gelu(2, "tanh"),
            "QuickGelu" => {
                let alpha = self.float("alpha", 1.702)?;
                self.last("Swish", &[self.input(0)], Attributes::default().with_float("alpha", alpha));
                Ok(Some(()))
            }
            "FusedConv" => self.fused("Conv", true),
            "FusedGemm" => self.fused("Gemm", false),
            "FusedMatMul" => self.mat_mul(),
            "SimplifiedLayerNormalization" => {
                let inputs = [self.input(0), self.input(1)];
                self.normalised("RMSNormalization", &inputs, 1e-5)
            }
            "SkipLayerNormalization" => self.skip_normalised("LayerNormalization", 4),
            "SkipSimplifiedLayerNormalization" => self.skip_normalised("RMSNormalization", 3),
            "MultiHeadAttention" => self.heads(),
            "Attention" => self.packed_heads(),
            _ => Ok(None),
        }
    }

    fn input(&self, index: usize) -> String {
        self.node.inputs.get(index).cloned().unwrap_or_default()
    }

    /// An input that may be left out.
    fn optional(&self, index: usize) -> Option<String> {
        Some(self.input(index)).filter(|name| !name.is_empty())
    }

    /// Whether one of these inputs, or a later output than these, is asked for.
    fn has_more(&self, inputs: impl IntoIterator<Item = usize>, outputs: usize) -> bool {
        let read = inputs.into_iter().any(|index| self.optional(index).is_some());
        read || self.node.outputs.iter().skip(outputs).any(|output| !output.is_empty())
    }

    fn float(&self, name: &str, default: f32) -> Result<f32, Cause> {
        Ok(self.node.attributes.float(name)?.unwrap_or(default))
    }

    fn int(&self, name: &str, default: i64) -> Result<i64, Cause> {
        Ok(self.node.attributes.int(name)?.unwrap_or(default))
    }

    fn output(&self) -> String {
        self.node.outputs.first().cloned().unwrap_or_default()
    }

    /// A node that gives values of these names.
    fn write(&mut self, operator: &str, inputs: &[String], attributes: Attributes, outputs: Vec<String>) {
        self.nodes.push(Node {
            name: self.node.name.clone(),
            operator: operator.into(),
            opset: Some(self.node.opset.unwrap_or(OPSET).max(OPSET)),
            domain: String::new(),
            inputs: inputs.to_vec(),
            outputs,
            attributes,
        });
    }

    /// A node in between; the name of what it gives.
    fn then(&mut self, operator: &str, inputs: &[String], attributes: Attributes) -> String {
        let name = format!("{}.{}", self.output(), self.nodes.len());
        self.write(operator, inputs, attributes, vec![name.clone()]);
        name
    }

    /// The node that gives the first output.
    fn last(&mut self, operator: &str, inputs: &[String], attributes: Attributes) {
        let output = self.output();
        self.write(operator, inputs, attributes, vec![output]);
    }

    /// The sum with another value, where there is one.
    fn plus(&mut self, value: String, other: Option<String>) -> String {
        match other {
            Some(other) => self.then("Add", &[value, other], Attributes::default()),
            None => value,
        }
    }

    /// Of the first input, and of a bias with it where there may be one.
    fn gelu(&mut self, inputs: usize, approximate: &str) -> Result<Option<()>, Cause> {
        let bias = if inputs > 1 { self.optional(1) } else { None };
        let x = self.plus(self.input(0), bias);
        self.last("Gelu", &[x], Attributes::default().with_text("approximate", approximate));
        Ok(Some(()))
    }

    /// A convolution or product, a residual behind it where there may be one, and an activation.
    fn fused(&mut self, operator: &str, has_residual: bool) -> Result<Option<()>, Cause> {
        let name = self.node.attributes.text("activation")?.unwrap_or("").to_owned();
        let numbers = match self.node.attributes.floats("activation_params")? {
            Some(numbers) => numbers.to_vec(),
            None => ["activation_alpha", "activation_beta"]
                .iter()
                .filter_map(|name| self.node.attributes.float(name).transpose())
                .collect::<Result<_, _>>()?,
        };
        let attributes = Attributes::default();
        let (activation, attributes) = match (&name[..], &numbers[..]) {
            ("Relu" | "Tanh" | "Sigmoid" | "Softplus" | "Softsign", _) => (&name[..], attributes),
            ("LeakyRelu" | "Elu", &[alpha, ..]) => (&name[..], attributes.with_float("alpha", alpha)),
            ("LeakyRelu" | "Elu", []) => (&name[..], attributes),
            ("HardSigmoid", &[alpha, beta]) => {
                (&name[..], attributes.with_float("alpha", alpha).with_float("beta", beta))
            }
            ("Clip", &[low, high]) => return self.clipped(operator, has_residual, [low, high]),
            _ => return Ok(None),
        };
        let x = self.hosted(operator, has_residual);
        self.last(activation, &[x], attributes);
        Ok(Some(()))
    }

    fn hosted(&mut self, operator: &str, has_residual: bool) -> String {
        let inputs: Vec<String> = (0..3).map(|index| self.input(index)).collect();
        let x = self.then(operator, &inputs, self.node.attributes.clone());
        let residual = if has_residual { self.optional(3) } else { None };
        self.plus(x, residual)
    }

    fn clipped(&mut self, operator: &str, has_residual: bool, ends: [f32; 2]) -> Result<Option<()>, Cause> {
        let x = self.hosted(operator, has_residual);
        let [low, high] = ends.map(|end| self.number(end));
        self.last("Clip", &[x, low, high], Attributes::default());
        Ok(Some(()))
    }

    fn number(&mut self, value: f32) -> String {
        self.then("Constant", &[], Attributes::default().with_float("value_float", value))
    }

    fn mat_mul(&mut self) -> Result<Option<()>, Cause> {
        if self.int("transBatchA", 0)? != 0 || self.int("transBatchB", 0)? != 0 {
            return Ok(None);
        }
        let inputs = [self.input(0), self.input(1)];
        let x = match [self.int("transA", 0)? != 0, self.int("transB", 0)? != 0] {
            [false, false] => self.then("MatMul", &inputs, Attributes::default()),
            [a, b] => {
                let (one, other) = (if a { "ki" } else { "ik" }, if b { "jk" } else { "kj" });
                let equation = format!("...{one},...{other}->...ij");
                self.then("Einsum", &inputs, Attributes::default().with_text("equation", &equation))
            }
        };
        let alpha = self.float("alpha", 1.0)?;
        let alpha = self.number(alpha);
        self.last("Mul", &[x, alpha], Attributes::default());
        Ok(Some(()))
    }

    fn normalised(&mut self, operator: &str, inputs: &[String], epsilon: f32) -> Result<Option<()>, Cause> {
        if self.has_more([], 1) {
            return Ok(None);
        }
        let attributes = Attributes::default().with_float("epsilon", self.float("epsilon", epsilon)?);
        self.last(operator, inputs, attributes.with_int("axis", self.int("axis", -1)?));
        Ok(Some(()))
    }

    /// Of the sum of two values, and of a bias with them, which is an output too.
    fn skip_normalised(&mut self, operator: &str, bias: usize) -> Result<Option<()>, Cause> {
        if self.node.outputs.iter().skip(1).take(2).any(|output| !output.is_empty()) {
            return Ok(None);
        }
        let (sum, bias) = (self.plus(self.input(0), self.optional(1)), self.optional(bias));
        let sum = self.plus(sum, bias);
        if let Some(output) = self.node.outputs.get(3).filter(|output| !output.is_empty()) {
            self.write("Identity", std::slice::from_ref(&sum), Attributes::default(), vec![output.clone()]);
        }
        let scales = if operator == "LayerNormalization" { 2..4 } else { 2..3 };
        let inputs: Vec<String> = [sum].into_iter().chain(scales.map(|index| self.input(index))).collect();
        let attributes = Attributes::default().with_float("epsilon", self.float("epsilon", 1e-12)?);
        self.last(operator, &inputs, attributes.with_int("axis", -1));
        Ok(Some(()))
    }

    /// Queries, keys and values, and a bias of all three behind each other.
    fn heads(&mut self) -> Result<Option<()>, Cause> {
        let whole = [1, 2].into_iter().all(|index| self.optional(index).is_some());
        if !whole || self.has_more([4].into_iter().chain(6..self.node.inputs.len()), 1) {
            return Ok(None);
        }
        let mut given = [self.input(0), self.input(1), self.input(2)];
        if let Some(bias) = self.optional(3) {
            let parts = self.three_of(bias, 0);
            for (value, part) in given.iter_mut().zip(parts) {
                *value = self.plus(std::mem::take(value), Some(part));
            }
        }
        self.attention(given, self.optional(5))
    }

    /// One weight of queries, keys and values.
    fn packed_heads(&mut self) -> Result<Option<()>, Cause> {
        let uneven = self.node.attributes.has("qkv_hidden_sizes") || self.int("do_rotary", 0)? != 0;
        if uneven || self.has_more([3, 4].into_iter().chain(6..self.node.inputs.len()), 1) {
            return Ok(None);
        }
        let all = self.then("MatMul", &[self.input(0), self.input(1)], Attributes::default());
        let all = self.plus(all, self.optional(2));
        let given = self.three_of(all, -1);
        self.attention(given, self.optional(5))
    }

    fn three_of(&mut self, value: String, axis: i64) -> [String; 3] {
        let name = self.nodes.len();
        let parts = [0, 1, 2].map(|part| format!("{}.{name}.{part}", self.output()));
        let attributes = Attributes::default().with_int("axis", axis).with_int("num_outputs", 3);
        self.write("Split", &[value], attributes, parts.to_vec());
        parts
    }

    fn attention(&mut self, [q, k, v]: [String; 3], mask: Option<String>) -> Result<Option<()>, Cause> {
        let heads = self.int("num_heads", 0)?;
        let mut attributes =
            Attributes::default().with_int("q_num_heads", heads).with_int("kv_num_heads", heads);
        attributes = attributes.with_int("is_causal", self.int("unidirectional", 0)?);
        let scale = self.float("scale", 0.0)?;
        if scale != 0.0 {
            attributes = attributes.with_float("scale", scale);
        }
        let inputs: Vec<String> = [q, k, v].into_iter().chain(mask).collect();
        self.last("Attention", &inputs, attributes);
        Ok(Some(()))
    }
}
