//! A model as plain data: nodes that read and give named values.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::Path;

use super::contrib;
use super::functions::Functions;
use super::node::{Node, Reader, initializers, is_onnx, name_of};
use super::proto::{ModelProto, OperatorSetIdProto, ValueInfoProto};
use super::read::DataType;
use super::tensor::{Kind, Shared};
use crate::error::{Cause, OneLine};

/// Nodes in order, constants, and what comes in and goes out.
#[derive(Clone, Debug, Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    pub(super) constants: HashMap<String, Shared>,
    pub(super) inputs: Vec<Input>,
    pub(super) outputs: Vec<String>,
}

/// An input of a model: a value that comes with every item, unless it is bound.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Input {
    /// Its name in the model.
    pub name: String,
    /// Its axes as the file has them.
    pub dims: Vec<Dim>,
    pub(super) kind: Kind,
    /// Whether the file says nothing of its shape.
    pub(super) without_shape: bool,
}

/// One axis of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dim {
    /// Its length.
    Fixed(usize),
    /// The name of a length that the model leaves open.
    Symbol(String),
    /// The model says nothing about it.
    Unknown,
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.without_shape {
            return write!(f, "{} of any shape", OneLine(&self.name));
        }
        let dims: Vec<String> = self.dims.iter().map(ToString::to_string).collect();
        write!(f, "{} [{}]", OneLine(&self.name), dims.join(", "))
    }
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(length) => write!(f, "{length}"),
            Self::Symbol(symbol) => OneLine(symbol).fmt(f),
            Self::Unknown => f.write_str("?"),
        }
    }
}

impl Graph {
    /// Reads the messages of a file. External data is looked for in `folder`.
    pub(super) fn new(proto: ModelProto, folder: Option<&Path>) -> Result<Self, Cause> {
        let reader = Reader { opset: opset(&proto.opset_import)?, folder };
        let functions = Functions::new(proto.functions)?;
        let mut graph = proto.graph.ok_or_else(|| Cause::msg("it has no graph: it is no ONNX model"))?;
        let constants = initializers(std::mem::take(&mut graph.initializer), folder)?;
        let inputs = graph.input.iter().filter(|input| !constants.contains_key(name_of(input)));
        let inputs = inputs.map(read_input).collect::<Result<Vec<_>, _>>()?;
        let outputs = graph.output.iter().map(|output| name_of(output).to_owned()).collect();
        let mut nodes = Vec::with_capacity(graph.node.len());
        for node in functions.inlined(graph.node)? {
            nodes.extend(contrib::expanded(reader.node(node)?)?);
        }
        let graph = Self { nodes, constants, inputs, outputs };
        graph.check_order()?;
        Ok(graph)
    }

    /// Every value is given once, before it is read.
    fn check_order(&self) -> Result<(), Cause> {
        let mut given: HashSet<&str> = self.constants.keys().map(String::as_str).collect();
        for input in &self.inputs {
            if !given.insert(&input.name) {
                return Err(Cause::msg(format!("there are two inputs called {:?}", input.name)));
            }
        }
        for node in &self.nodes {
            if let Some(missing) = node.reads().find(|name| !given.contains(name.as_str())) {
                let message = format!("{} reads {missing:?}, which nothing before it gives", node.describe());
                return Err(Cause::msg(message));
            }
            for output in node.outputs.iter().filter(|output| !output.is_empty()) {
                if !given.insert(output) {
                    let message = format!("{} gives {output:?}, which is given before", node.describe());
                    return Err(Cause::msg(message));
                }
            }
        }
        match self.outputs.iter().find(|output| !given.contains(output.as_str())) {
            Some(output) => Err(Cause::msg(format!("nothing gives the output {output:?}"))),
            None if self.outputs.is_empty() => Err(Cause::msg("the graph has no output")),
            None => Ok(()),
        }
    }

    /// Drops the nodes that no output depends on.
    pub(super) fn keep_what_is_read(&mut self) {
        let mut needed: HashSet<String> = self.outputs.iter().cloned().collect();
        let mut kept = Vec::with_capacity(self.nodes.len());
        for node in std::mem::take(&mut self.nodes).into_iter().rev() {
            if node.outputs.iter().any(|output| needed.contains(output)) {
                needed.extend(node.reads().cloned());
                kept.push(node);
            }
        }
        kept.reverse();
        self.nodes = kept;
        self.constants.retain(|name, _| needed.contains(name));
    }
}

/// The version of ONNX's own operators; models of before versions count as 1.
fn opset(imports: &[OperatorSetIdProto]) -> Result<i64, Cause> {
    let own = imports.iter().find(|import| is_onnx(import.domain.as_deref()));
    let version = own.map_or(1, |import| import.version.unwrap_or(1));
    if version < 1 { Err(Cause::msg(format!("its opset is {version}"))) } else { Ok(version) }
}

fn read_input(info: &ValueInfoProto) -> Result<Input, Cause> {
    let name = name_of(info).to_owned();
    let context = |cause: Cause| cause.context(format!("input {name:?}"));
    let tensor = info.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref());
    let tensor = tensor.ok_or_else(|| context(Cause::msg("it is no tensor")))?;
    let kind = DataType::new(tensor.elem_type.unwrap_or(0)).map_err(context)?.kind();
    let axes = tensor.shape.as_ref().map(|shape| shape.dim.as_slice()).unwrap_or_default();
    let dims = axes.iter().map(|axis| match (axis.dim_value, axis.dim_param.as_deref()) {
        (Some(length), _) => usize::try_from(length).map_or(Dim::Unknown, Dim::Fixed),
        (None, Some(symbol)) if !symbol.is_empty() => Dim::Symbol(symbol.into()),
        (None, _) => Dim::Unknown,
    });
    Ok(Input { kind, dims: dims.collect(), without_shape: tensor.shape.is_none(), name })
}
