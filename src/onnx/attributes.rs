//! Attributes of a node, looked up by name and type.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::node::Branch;
use super::proto::{AttributeProto, GraphProto};
use super::read;
use super::tensor::Shared;
use crate::error::Cause;

/// The attributes of one node.
#[derive(Clone, Debug, Default)]
pub(super) struct Attributes(HashMap<String, Attribute>);

#[derive(Clone, Debug)]
enum Attribute {
    Float(f32),
    Int(i64),
    Text(String),
    Tensor(Shared),
    Floats(Vec<f32>),
    Ints(Vec<i64>),
    Branch(Arc<Branch>),
    /// A list of graphs, or something else that no supported operator has.
    Other,
}

impl Attributes {
    /// `branch` reads the graph of an attribute.
    pub(super) fn new(
        protos: Vec<AttributeProto>,
        folder: Option<&Path>,
        branch: &dyn Fn(GraphProto) -> Result<Branch, Cause>,
    ) -> Result<Self, Cause> {
        let mut attributes = HashMap::with_capacity(protos.len());
        for proto in protos {
            let name = proto.name.clone().unwrap_or_default();
            let value = attribute(proto, folder, branch)
                .map_err(|cause| cause.context(format!("attribute {name}")))?;
            attributes.insert(name, value);
        }
        Ok(Self(attributes))
    }

    /// The same with whole numbers of this name.
    pub(super) fn with_ints(mut self, name: &str, values: Vec<i64>) -> Self {
        self.0.insert(name.into(), Attribute::Ints(values));
        self
    }

    /// The same with a float of this name.
    pub(super) fn with_float(mut self, name: &str, value: f32) -> Self {
        self.0.insert(name.into(), Attribute::Float(value));
        self
    }

    /// The same with a whole number of this name.
    pub(super) fn with_int(mut self, name: &str, value: i64) -> Self {
        self.0.insert(name.into(), Attribute::Int(value));
        self
    }

    /// The same with a text of this name.
    pub(super) fn with_text(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.into(), Attribute::Text(value.into()));
        self
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn int(&self, name: &str) -> Result<Option<i64>, Cause> {
        self.find(name, "a whole number", |attribute| match attribute {
            Attribute::Int(value) => Some(*value),
            _ => None,
        })
    }

    pub(super) fn float(&self, name: &str) -> Result<Option<f32>, Cause> {
        self.find(name, "a float", |attribute| match attribute {
            Attribute::Float(value) => Some(*value),
            _ => None,
        })
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Cause> {
        self.find(name, "text", |attribute| match attribute {
            Attribute::Text(value) => Some(value.as_str()),
            _ => None,
        })
    }

    pub(super) fn tensor(&self, name: &str) -> Result<Option<Shared>, Cause> {
        self.find(name, "a tensor", |attribute| match attribute {
            Attribute::Tensor(value) => Some(Arc::clone(value)),
            _ => None,
        })
    }

    pub(super) fn branch(&self, name: &str) -> Result<Option<&Branch>, Cause> {
        self.find(name, "a graph", |attribute| match attribute {
            Attribute::Branch(value) => Some(&**value),
            _ => None,
        })
    }

    /// The graphs among the attributes.
    pub(super) fn branches(&self) -> impl Iterator<Item = &Branch> {
        self.0.values().filter_map(|attribute| match attribute {
            Attribute::Branch(branch) => Some(&**branch),
            _ => None,
        })
    }

    pub(super) fn ints(&self, name: &str) -> Result<Option<&[i64]>, Cause> {
        self.find(name, "whole numbers", |attribute| match attribute {
            Attribute::Ints(values) => Some(values.as_slice()),
            _ => None,
        })
    }

    pub(super) fn floats(&self, name: &str) -> Result<Option<&[f32]>, Cause> {
        self.find(name, "floats", |attribute| match attribute {
            Attribute::Floats(values) => Some(values.as_slice()),
            _ => None,
        })
    }

    fn find<'a, T>(
        &'a self,
        name: &str,
        wanted: &str,
        value: impl Fn(&'a Attribute) -> Option<T>,
    ) -> Result<Option<T>, Cause> {
        let Some(attribute) = self.0.get(name) else { return Ok(None) };
        let wrong = || Cause::msg(format!("the attribute {name} is not {wanted}"));
        value(attribute).ok_or_else(wrong).map(Some)
    }
}

/// `AttributeProto.type` decides; before it there was only the field that is set.
fn attribute(
    proto: AttributeProto,
    folder: Option<&Path>,
    branch: &dyn Fn(GraphProto) -> Result<Branch, Cause>,
) -> Result<Attribute, Cause> {
    let kind = proto.kind.unwrap_or(0);
    Ok(match kind {
        1 => Attribute::Float(proto.f.unwrap_or(0.0)),
        2 => Attribute::Int(proto.i.unwrap_or(0)),
        3 => Attribute::Text(text(&proto.s.unwrap_or_default())),
        4 => {
            let tensor = proto.t.ok_or_else(|| Cause::msg("the tensor is missing"))?;
            Attribute::Tensor(Arc::new(read::tensor(&tensor, folder)?))
        }
        5 => {
            let graph = proto.g.ok_or_else(|| Cause::msg("the graph is missing"))?;
            Attribute::Branch(Arc::new(branch(graph)?))
        }
        6 => Attribute::Floats(proto.floats),
        7 => Attribute::Ints(proto.ints),
        0 => return guessed(proto, folder),
        _ => Attribute::Other,
    })
}

fn guessed(proto: AttributeProto, folder: Option<&Path>) -> Result<Attribute, Cause> {
    let AttributeProto { f, i, s, t, floats, ints, .. } = proto;
    Ok(match (f, i, s, t) {
        (Some(value), ..) => Attribute::Float(value),
        (_, Some(value), ..) => Attribute::Int(value),
        (_, _, Some(value), _) => Attribute::Text(text(&value)),
        (.., Some(tensor)) => Attribute::Tensor(Arc::new(read::tensor(&tensor, folder)?)),
        _ if !floats.is_empty() => Attribute::Floats(floats),
        _ => Attribute::Ints(ints),
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
