//! One use of an operator, with the graphs that it runs.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::attributes::Attributes;
use super::proto::{GraphProto, NodeProto, TensorProto, ValueInfoProto};
use super::read;
use super::tensor::Shared;
use crate::error::Cause;

/// A graph that a node runs where it stands: it reads values of the graph around it.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) nodes: Vec<Node>,
    pub(super) constants: HashMap<String, Shared>,
    pub(super) outputs: Vec<String>,
    /// Names that it reads and does not give.
    captured: Vec<String>,
}

/// One use of an operator.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) operator: String,
    /// The version of ONNX's operators; `None` where the operator is of another domain.
    pub(super) opset: Option<i64>,
    /// That domain.
    pub(super) domain: String,
    /// Names of values; empty where an input is left out.
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
    pub(super) attributes: Attributes,
}

impl Node {
    /// `Conv "stem" (opset 11)`.
    pub(super) fn describe(&self) -> String {
        let name = if self.name.is_empty() { self.outputs.first() } else { Some(&self.name) };
        let version = self.opset.map_or_else(String::new, |opset| format!(" (opset {opset})"));
        format!("{} {:?}{version}", self.full_operator(), name.map_or("", String::as_str))
    }

    /// The operator with its domain, where that is not ONNX's own.
    pub(super) fn full_operator(&self) -> String {
        match &self.domain[..] {
            "" => self.operator.clone(),
            domain => format!("{domain} {}", self.operator),
        }
    }

    /// Every value that the node reads, also what its branches read.
    pub(super) fn reads(&self) -> impl Iterator<Item = &String> {
        let captured = self.attributes.branches().flat_map(|branch| &branch.captured);
        self.inputs.iter().chain(captured).filter(|name| !name.is_empty())
    }
}

pub(super) fn is_onnx(domain: Option<&str>) -> bool {
    matches!(domain, None | Some("" | "ai.onnx"))
}

pub(super) fn name_of(info: &ValueInfoProto) -> &str {
    info.name.as_deref().unwrap_or_default()
}

/// Constants by name. Each message is dropped once it is read: weights are not kept twice.
pub(super) fn initializers(
    protos: Vec<TensorProto>,
    folder: Option<&Path>,
) -> Result<HashMap<String, Shared>, Cause> {
    let mut constants = HashMap::new();
    for proto in protos {
        let name = proto.name.clone().unwrap_or_default();
        let tensor =
            read::tensor(&proto, folder).map_err(|cause| cause.context(format!("tensor {name:?}")))?;
        if constants.insert(name.clone(), Arc::new(tensor)).is_some() {
            return Err(Cause::msg(format!("there are two tensors called {name:?}")));
        }
    }
    Ok(constants)
}

/// How nodes are read.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) opset: i64,
    pub(super) folder: Option<&'a Path>,
}

/// Most graphs inside one another.
const DEEPEST: usize = 16;

impl Reader<'_> {
    pub(super) fn node(self, proto: NodeProto) -> Result<Node, Cause> {
        self.node_in(proto, 0)
    }

    /// A node of a graph that stands so deep in others.
    fn node_in(self, proto: NodeProto, depth: usize) -> Result<Node, Cause> {
        let ours = is_onnx(proto.domain.as_deref());
        let mut node = Node {
            name: proto.name.unwrap_or_default(),
            operator: proto.op_type.unwrap_or_default(),
            opset: ours.then_some(self.opset),
            domain: if ours { String::new() } else { proto.domain.unwrap_or_default() },
            inputs: proto.input,
            outputs: proto.output,
            attributes: Attributes::default(),
        };
        let branch = |graph| self.branch(graph, depth + 1);
        node.attributes = Attributes::new(proto.attribute, self.folder, &branch)
            .map_err(|cause| cause.context(node.describe()))?;
        Ok(node)
    }

    fn branch(self, proto: GraphProto, depth: usize) -> Result<Branch, Cause> {
        if depth > DEEPEST {
            return Err(Cause::msg(format!("more than {DEEPEST} graphs stand in one another")));
        }
        let constants = initializers(proto.initializer, self.folder)?;
        let nodes = proto.node.into_iter().map(|node| self.node_in(node, depth));
        let nodes = nodes.collect::<Result<Vec<_>, _>>()?;
        let outputs: Vec<String> = proto.output.iter().map(|output| name_of(output).to_owned()).collect();
        // What the node gives to each run of a loop's body are that graph's inputs.
        let inputs: Vec<String> = proto.input.iter().map(|input| name_of(input).to_owned()).collect();
        let given: HashSet<&String> =
            nodes.iter().flat_map(|node| &node.outputs).chain(constants.keys()).chain(&inputs).collect();
        let read = nodes.iter().flat_map(Node::reads).chain(&outputs);
        let captured = read.filter(|name| !given.contains(name)).cloned().collect();
        Ok(Branch { nodes, constants, outputs, captured })
    }
}
