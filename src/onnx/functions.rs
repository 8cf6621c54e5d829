//! Functions of the file: their nodes are put in the place of each use.

use std::collections::HashMap;

use super::node::is_onnx;
use super::proto::{AttributeProto, FunctionProto, NodeProto};
use crate::error::Cause;

/// Most nodes that functions may become, so that a small file cannot ask for all memory.
const MOST_NODES: usize = 1 << 20;
/// Most functions inside one another.
const DEEPEST: usize = 32;

/// The functions of a file, by domain and name.
pub(super) struct Functions(HashMap<(String, String), FunctionProto>);

impl Functions {
    pub(super) fn new(functions: Vec<FunctionProto>) -> Result<Self, Cause> {
        let mut known = HashMap::new();
        for function in functions {
            let key = key(function.domain.as_deref(), function.name.as_deref());
            if let Some(twice) = known.insert(key, function) {
                return Err(Cause::msg(format!(
                    "there are two functions called {:?}",
                    twice.name.unwrap_or_default()
                )));
            }
        }
        Ok(Self(known))
    }

    /// The nodes with every use of a function replaced by the nodes of that.
    pub(super) fn inlined(&self, nodes: Vec<NodeProto>) -> Result<Vec<NodeProto>, Cause> {
        if self.0.is_empty() {
            return Ok(nodes);
        }
        let mut done = Inlined { functions: &self.0, nodes: Vec::with_capacity(nodes.len()), uses: 0 };
        nodes.into_iter().try_for_each(|node| done.add(node, 0))?;
        Ok(done.nodes)
    }
}

fn key(domain: Option<&str>, name: Option<&str>) -> (String, String) {
    let domain = if is_onnx(domain) { "" } else { domain.unwrap_or_default() };
    (domain.into(), name.unwrap_or_default().into())
}

struct Inlined<'a> {
    functions: &'a HashMap<(String, String), FunctionProto>,
    nodes: Vec<NodeProto>,
    /// Uses so far: each gives the values inside it names of their own.
    uses: usize,
}

impl Inlined<'_> {
    /// Adds a node, or the nodes of the function that it uses.
    fn add(&mut self, node: NodeProto, depth: usize) -> Result<(), Cause> {
        let functions = self.functions;
        let Some(function) = functions.get(&key(node.domain.as_deref(), node.op_type.as_deref())) else {
            self.nodes.push(node);
            return Ok(());
        };
        let name = function.name.clone().unwrap_or_default();
        if depth >= DEEPEST || self.nodes.len() >= MOST_NODES {
            return Err(Cause::msg(format!("the function {name:?} becomes too many nodes, or uses itself")));
        }
        self.uses += 1;
        let scope = Scope::new(function, &node, self.uses);
        for inner in &function.node {
            let inner =
                scope.node(inner, &node).map_err(|cause| cause.context(format!("function {name:?}")))?;
            self.add(inner, depth + 1)?;
        }
        Ok(())
    }
}

/// What the names inside one use of a function are outside of it.
struct Scope<'a> {
    names: HashMap<&'a str, &'a str>,
    defaults: &'a [AttributeProto],
    prefix: String,
}

impl<'a> Scope<'a> {
    fn new(function: &'a FunctionProto, node: &'a NodeProto, number: usize) -> Self {
        let inner = function.input.iter().chain(&function.output).map(String::as_str);
        // Inputs that are left out at the end have no name outside.
        let inputs =
            node.input.iter().map(String::as_str).chain(std::iter::repeat("")).take(function.input.len());
        let outer = inputs.chain(node.output.iter().map(String::as_str));
        let prefix = format!("{}#{number}/", function.name.as_deref().unwrap_or_default());
        Self { names: inner.zip(outer).collect(), defaults: &function.attribute_proto, prefix }
    }

    fn name(&self, inner: &str) -> String {
        match self.names.get(inner) {
            _ if inner.is_empty() => String::new(),
            Some(outer) => (*outer).to_owned(),
            None => format!("{}{inner}", self.prefix),
        }
    }

    /// A node of the function, as it stands outside of it.
    fn node(&self, inner: &NodeProto, outer: &NodeProto) -> Result<NodeProto, Cause> {
        if inner.attribute.iter().any(|attribute| attribute.g.is_some()) {
            return Err(Cause::msg("it has a node with a graph of its own"));
        }
        Ok(NodeProto {
            input: inner.input.iter().map(|name| self.name(name)).collect(),
            output: inner.output.iter().map(|name| self.name(name)).collect(),
            name: outer.name.clone().or_else(|| inner.name.clone()),
            attribute: inner.attribute.iter().filter_map(|one| self.attribute(one, outer)).collect(),
            ..inner.clone()
        })
    }

    /// An attribute, or the one of the use that it stands for; `None` where that is left out.
    fn attribute(&self, inner: &AttributeProto, outer: &NodeProto) -> Option<AttributeProto> {
        let Some(wanted) = inner.ref_attr_name.as_deref().filter(|name| !name.is_empty()) else {
            return Some(inner.clone());
        };
        let given = outer.attribute.iter().chain(self.defaults);
        let value = given.into_iter().find(|one| one.name.as_deref() == Some(wanted))?;
        Some(AttributeProto { name: inner.name.clone(), ..value.clone() })
    }
}
