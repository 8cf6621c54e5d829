//! What an operator sees of its node: attributes, constants, activations, and the program to add to.

use std::sync::Arc;

use super::builder::Builder;
use super::fold::{self, Constants};
use super::node::Node;
use super::shapes;
use super::tensor::{Bits, Kind, Shared, Tensor};
use super::value::{Runtime, Value};
use crate::error::Cause;
use crate::gpu::TensorId;
use crate::kernel::{Cast, Element, Kernel};

/// What an operator does with its node: its outputs in order, trailing ones that nobody reads left out.
pub(super) type Operator = fn(&mut Call<'_>) -> Result<Vec<Value>, Cause>;

/// One node while it becomes kernels.
pub(super) struct Call<'a> {
    pub(super) node: &'a Node,
    builder: &'a mut Builder,
    inputs: Vec<Option<Value>>,
}

impl<'a> Call<'a> {
    pub(super) fn new(builder: &'a mut Builder, node: &'a Node, inputs: Vec<Option<Value>>) -> Self {
        Self { node, builder, inputs }
    }

    /// The opset of the model; operators of other domains were refused before.
    pub(super) fn opset(&self) -> i64 {
        self.node.opset.unwrap_or(1)
    }

    pub(super) fn int(&self, name: &str, default: i64) -> Result<i64, Cause> {
        Ok(self.node.attributes.int(name)?.unwrap_or(default))
    }

    pub(super) fn flag(&self, name: &str, default: bool) -> Result<bool, Cause> {
        Ok(self.int(name, i64::from(default))? != 0)
    }

    pub(super) fn float(&self, name: &str, default: f32) -> Result<f32, Cause> {
        Ok(self.node.attributes.float(name)?.unwrap_or(default))
    }

    pub(super) fn text(&self, name: &str, default: &'a str) -> Result<&'a str, Cause> {
        Ok(self.node.attributes.text(name)?.unwrap_or(default))
    }

    pub(super) fn ints(&self, name: &str) -> Result<Option<&'a [i64]>, Cause> {
        self.node.attributes.ints(name)
    }

    /// How many inputs there are, left out or not.
    pub(super) fn count(&self) -> usize {
        self.inputs.len()
    }

    pub(super) fn has(&self, index: usize) -> bool {
        self.optional(index).is_some()
    }

    pub(super) fn optional(&self, index: usize) -> Option<&Value> {
        self.inputs.get(index)?.as_ref()
    }

    pub(super) fn value(&self, index: usize) -> Result<&Value, Cause> {
        self.optional(index).ok_or_else(|| Cause::msg(format!("its input {index} is missing")))
    }

    pub(super) fn shape(&self, index: usize) -> Result<Vec<usize>, Cause> {
        Ok(self.value(index)?.shape().to_vec())
    }

    pub(super) fn kind(&self, index: usize) -> Result<Kind, Cause> {
        Ok(self.value(index)?.kind())
    }

    /// An input whose values are known; `None` where it is left out.
    pub(super) fn constant(&self, index: usize) -> Result<Option<&Tensor>, Cause> {
        match self.optional(index) {
            None => Ok(None),
            Some(Value::Constant(tensor)) => Ok(Some(tensor)),
            Some(Value::Runtime(_)) => {
                let name = &self.node.inputs[index];
                let hint = "it must be known when the model is read; an input of the model can be bound";
                Err(Cause::msg(format!("its input {index} ({name:?}) comes with every item: {hint}")))
            }
        }
    }

    /// Whole numbers from an attribute (older opsets) or a constant input (newer ones).
    pub(super) fn known_ints(&self, name: &str, index: usize) -> Result<Option<Vec<i64>>, Cause> {
        if let Some(values) = self.ints(name)? {
            return Ok(Some(values.to_vec()));
        }
        self.constant(index)?.map(Tensor::to_ints).transpose()
    }

    /// One float from an attribute (older opsets) or a constant input (newer ones).
    pub(super) fn known_float(&self, name: &str, index: usize) -> Result<Option<f32>, Cause> {
        if let Some(value) = self.node.attributes.float(name)? {
            return Ok(Some(value));
        }
        self.constant(index)?.map(Tensor::to_scalar).transpose()
    }

    /// The tensor of an input as a kernel sees it: the same elements in this shape.
    pub(super) fn operand(&mut self, index: usize, shape: &[usize]) -> Result<TensorId, Cause> {
        let value = self.value(index)?.clone();
        self.tensor(&value, shape)
    }

    /// The tensor of any value in this shape, as floats: whole numbers that these do not have are NaN.
    pub(super) fn tensor(&mut self, value: &Value, shape: &[usize]) -> Result<TensorId, Cause> {
        let name = self.name_of(value);
        let id = self.builder.tensor(&name, value)?;
        Ok(self.builder.program.reshape(id, at_least_one_axis(shape))?)
    }

    /// The same as whole numbers of 32 bits.
    pub(super) fn ints_of(&mut self, value: &Value, shape: &[usize]) -> Result<TensorId, Cause> {
        if let Value::Constant(tensor) = value {
            tensor.check_i32()?;
        }
        self.bounds_of(value, shape)
    }

    /// The same for numbers that others are compared with, of which constants may be beyond 32 bits.
    pub(super) fn bounds_of(&mut self, value: &Value, shape: &[usize]) -> Result<TensorId, Cause> {
        let name = self.name_of(value);
        let id = self.builder.ints(&name, value)?;
        Ok(self.builder.program.reshape(id, at_least_one_axis(shape))?)
    }

    /// The same as what the value is: whole numbers, or floats, which flags are too.
    pub(super) fn as_it_is(&mut self, value: &Value, shape: &[usize]) -> Result<TensorId, Cause> {
        if value.kind().is_int() { self.ints_of(value, shape) } else { self.tensor(value, shape) }
    }

    /// The same for a kernel that reads constants of halves and of whole numbers of 8 bits as they are.
    pub(super) fn weight(&mut self, value: &Value, shape: &[usize]) -> Result<TensorId, Cause> {
        let name = self.name_of(value);
        let id = self.builder.weight(&name, value)?;
        Ok(self.builder.program.reshape(id, at_least_one_axis(shape))?)
    }

    /// The name of the input that this constant is, else that of the node's output.
    fn name_of(&self, value: &Value) -> String {
        if matches!(value, Value::Runtime(_)) {
            return String::new();
        }
        let same = |input: &Option<Value>| match (input, value) {
            (Some(Value::Constant(one)), Value::Constant(other)) => Arc::ptr_eq(one, other),
            _ => false,
        };
        let place = self.inputs.iter().position(same);
        let names = if place.is_some() { &self.node.inputs } else { &self.node.outputs };
        names.get(place.unwrap_or(0)).cloned().unwrap_or_default()
    }

    /// What a kernel gives, in the shape that the kernel says.
    pub(super) fn add(&mut self, kernel: impl Kernel, inputs: &[TensorId]) -> Result<Value, Cause> {
        let id = self.builder.program.add(kernel, inputs)?;
        Ok(self.given(id))
    }

    /// The tensor that a kernel gives.
    pub(super) fn added(&mut self, kernel: impl Kernel, inputs: &[TensorId]) -> Result<TensorId, Cause> {
        Ok(self.builder.program.add(kernel, inputs)?)
    }

    /// A tensor in another shape.
    pub(super) fn seen(&mut self, id: TensorId, shape: &[usize]) -> Result<TensorId, Cause> {
        Ok(self.builder.program.reshape(id, shape)?)
    }

    /// What a kernel gives that sees every activation without its first axis.
    pub(super) fn add_each(&mut self, kernel: impl Kernel, inputs: &[TensorId]) -> Result<Value, Cause> {
        let id = self.builder.program.add_each(kernel, inputs)?;
        Ok(self.given(id))
    }

    fn given(&self, id: TensorId) -> Value {
        let spec = self.builder.program.spec(id);
        let kind =
            if spec.is_some_and(|spec| spec.element == Element::I32) { Kind::INT } else { Kind::Float };
        Value::Runtime(Runtime { id, shape: spec.map(|spec| spec.shape.clone()).unwrap_or_default(), kind })
    }

    /// An input in another shape, as a value.
    pub(super) fn reshaped(&self, index: usize, shape: Vec<usize>) -> Result<Value, Cause> {
        seen_as(self.value(index)?.clone(), shape)
    }

    /// What a kernel gives that does the same to every value, in the shape of the value.
    pub(super) fn each_value(&mut self, kernel: impl Kernel, value: &Value) -> Result<Value, Cause> {
        let id = self.tensor(value, value.shape())?;
        seen_as(self.add(kernel, &[id])?, value.shape().to_vec())
    }

    /// The same for a kernel that takes whole numbers too.
    pub(super) fn each_as_it_is(&mut self, kernel: impl Kernel, value: &Value) -> Result<Value, Cause> {
        let id = self.as_it_is(value, value.shape())?;
        seen_as(self.add(kernel, &[id])?, value.shape().to_vec())
    }

    /// The value as whole numbers of this kind: those of few bits start again at the other end.
    pub(super) fn wrapped(&mut self, value: &Value, kind: Kind) -> Result<Value, Cause> {
        let value = match kind {
            Kind::Int(Bits::Few { bits, signed }) => {
                self.each_as_it_is(Cast::to_bits(bits, signed), value)?
            }
            _ => value.clone(),
        };
        Ok(value.of_kind(kind))
    }

    /// What the node gives for these constants in the place of its inputs, by the rules of folding.
    pub(super) fn folded(
        &mut self,
        inputs: impl IntoIterator<Item = Option<Tensor>>,
    ) -> Result<Tensor, Cause> {
        let inputs: Vec<Option<Shared>> = inputs.into_iter().map(|input| input.map(Arc::new)).collect();
        let mut constants = Constants { node: self.node, inputs: &inputs, budget: &mut self.builder.budget };
        let given = fold::evaluate(&mut constants)?.and_then(|given| given.into_iter().next());
        given.ok_or_else(|| Cause::msg("it is not folded"))
    }

    /// Whether the model names this output.
    pub(super) fn wants(&self, output: usize) -> bool {
        self.node.outputs.get(output).is_some_and(|name| !name.is_empty())
    }

    /// Takes the elements of a new constant from the budget.
    pub(super) fn take(&mut self, shape: &[usize]) -> Result<(), Cause> {
        self.builder.budget.take(shape)
    }
}

/// The same elements in another shape.
pub(super) fn seen_as(value: Value, shape: Vec<usize>) -> Result<Value, Cause> {
    match value {
        Value::Constant(tensor) => Ok(Value::from(tensor.reshaped(&shape)?)),
        Value::Runtime(runtime) => {
            if shapes::count(&runtime.shape) != shapes::count(&shape) {
                return Err(Cause::msg(format!("{:?} cannot be seen as {shape:?}", runtime.shape)));
            }
            Ok(Value::Runtime(Runtime { shape, ..runtime }))
        }
    }
}

impl Value {
    /// The same value, known to be whole numbers or flags.
    pub(super) fn of_kind(self, kind: Kind) -> Self {
        match self {
            Self::Runtime(runtime) => Self::Runtime(Runtime { kind, ..runtime }),
            constant => constant,
        }
    }
}

/// Kernels take tensors with axes; one value without an axis is one axis of 1.
fn at_least_one_axis(shape: &[usize]) -> &[usize] {
    if shape.is_empty() { &[1] } else { shape }
}
