//! What is known of a node and of its values while items are followed.

use std::collections::HashMap;

use super::within::Alike;
use crate::error::Cause;
use crate::onnx::node::Node;
use crate::onnx::tensor::{Shared, Tensor};
use crate::onnx::value::Value;

/// Where the items of a batch stand: in an axis of `outer · items · inner` values, of which there are `outer · inner`
/// in a batch of 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::onnx) struct Stands {
    pub(in crate::onnx) axis: usize,
    pub(in crate::onnx) outer: usize,
}

/// What a value has of the batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Trace {
    /// `None` where it is the same for all items, or where an item has all of it.
    pub(super) stands: Option<Stands>,
    /// How the values of a constant grow with the batch; `None` where none does.
    pub(super) counts: Option<Shared>,
    /// What is added to the values of a constant for each item before; `None` where nothing is. It has those of the
    /// first item.
    pub(super) steps: Option<Shared>,
    /// Places that come with the items.
    pub(super) places: Option<Places>,
    /// Where the rows of all items are equal, as far as is known.
    pub(super) alike: Option<Alike>,
}

impl Trace {
    /// Whether the value is the same for all items, as far as is known.
    pub(super) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the value is what the file says only where all rows are alike.
    pub(super) fn is_cut(&self) -> bool {
        self.alike.as_ref().is_some_and(|alike| alike.only)
    }
}

/// Values of every item that are places of an axis: from 0 to below `below`, and so much more for each item before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) below: usize,
    pub(super) step: usize,
}

/// Why the items cannot be followed further.
#[derive(Debug)]
pub(super) enum Stop {
    /// They would see each other; what the node does to them.
    Meet(String),
    /// The file allows no other batch than one of 1 item.
    Alone,
    Failed(Cause),
}

impl From<Cause> for Stop {
    fn from(cause: Cause) -> Self {
        Self::Failed(cause)
    }
}

pub(super) fn meet<T>(what: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Meet(what.into()))
}

/// A node with what is known of its values.
pub(super) struct Seen<'a> {
    pub(super) node: &'a Node,
    pub(super) inputs: &'a [Option<Value>],
    pub(super) given: &'a [Value],
    pub(super) traces: &'a HashMap<String, Trace>,
}

impl Seen<'_> {
    pub(super) fn trace(&self, index: usize) -> Option<&Trace> {
        self.traces.get(self.node.inputs.get(index)?)
    }

    pub(super) fn stands(&self, index: usize) -> Option<Stands> {
        self.trace(index).and_then(|trace| trace.stands)
    }

    pub(super) fn value(&self, index: usize) -> Result<&Value, Stop> {
        let missing = || Cause::msg(format!("its input {index} is missing"));
        Ok(self.inputs.get(index).and_then(Option::as_ref).ok_or_else(missing)?)
    }

    pub(super) fn shape(&self, index: usize) -> Result<&[usize], Stop> {
        Ok(self.value(index)?.shape())
    }

    pub(super) fn constant(&self, index: usize) -> Option<&Tensor> {
        match self.inputs.get(index)?.as_ref()? {
            Value::Constant(tensor) => Some(tensor),
            Value::Runtime(_) => None,
        }
    }

    pub(super) fn int(&self, name: &str, default: i64) -> Result<i64, Stop> {
        Ok(self.node.attributes.int(name)?.unwrap_or(default))
    }

    /// Whole numbers from an attribute (older opsets) or a constant input (newer ones).
    pub(super) fn ints(&self, name: &str, index: usize) -> Result<Option<Vec<i64>>, Stop> {
        if let Some(values) = self.node.attributes.ints(name)? {
            return Ok(Some(values.to_vec()));
        }
        Ok(self.constant(index).map(Tensor::to_ints).transpose()?)
    }

    /// How such numbers grow with the batch, one for each.
    pub(super) fn counts(&self, index: usize) -> Option<Vec<i64>> {
        self.trace(index)?.counts.as_ref()?.to_ints().ok()
    }

    /// What is added to the values of a constant for each item before.
    pub(super) fn steps(&self, index: usize) -> Option<&Tensor> {
        self.trace(index)?.steps.as_deref()
    }

    pub(super) fn places(&self, index: usize) -> Option<Places> {
        self.trace(index)?.places
    }

    pub(super) fn alike(&self, index: usize) -> Option<&Alike> {
        self.trace(index)?.alike.as_ref()
    }

    pub(super) fn opset(&self) -> i64 {
        self.node.opset.unwrap_or(1)
    }

    /// The shape of an output.
    pub(super) fn gives(&self, index: usize) -> &[usize] {
        self.given.get(index).map_or(&[], Value::shape)
    }
}
