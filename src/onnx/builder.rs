//! The program that a model becomes, with its constants and names.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::fold::Budget;
use super::tensor::{Kind, Shared, Tensor};
use super::value::Value;
use crate::error::Cause;
use crate::gpu::{Program, TensorId};
use crate::kernel::{Cast, Element, Rearrange, Spec};

/// What a kernel takes a value for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum As {
    Floats,
    /// Floats, of which constants may be halves or whole numbers of 8 bits.
    Weights,
    Ints,
}

/// The program so far.
pub(super) struct Builder {
    pub(super) program: Program,
    pub(super) budget: Budget,
    /// Constants that are tensors of the program, by their address and what they are seen as; each is
    /// kept so that no address is reused.
    constants: HashMap<(usize, As), (Shared, TensorId)>,
    /// Tensors of whole numbers as floats, and the other way around.
    casts: HashMap<TensorId, TensorId>,
    names: HashSet<String>,
}

impl Builder {
    /// What is built is added to `program`.
    pub(super) fn new(program: Program, budget: Budget) -> Self {
        let names = program.tensor_names().map(str::to_owned).collect();
        Self { program, budget, constants: HashMap::new(), casts: HashMap::new(), names }
    }

    pub(super) fn input(&mut self, name: &str, item: &[usize], kind: Kind) -> Result<TensorId, Cause> {
        self.names.insert(name.into());
        let spec = if kind.is_int() { Spec::ints(item) } else { Spec::floats(item) };
        Ok(self.program.input(name, spec)?)
    }

    /// The tensor of the program with these values as floats, whatever its shape is. Whole numbers that floats do not
    /// have are NaN.
    pub(super) fn tensor(&mut self, name: &str, value: &Value) -> Result<TensorId, Cause> {
        self.tensor_of(name, value, As::Floats)
    }

    /// The same as whole numbers of 32 bits. A constant that is larger than these is the largest of them: it is one that
    /// others are compared with.
    pub(super) fn ints(&mut self, name: &str, value: &Value) -> Result<TensorId, Cause> {
        self.tensor_of(name, value, As::Ints)
    }

    /// The same for a kernel that reads constants of halves and of whole numbers of 8 bits as they are.
    pub(super) fn weight(&mut self, name: &str, value: &Value) -> Result<TensorId, Cause> {
        self.tensor_of(name, value, As::Weights)
    }

    fn tensor_of(&mut self, name: &str, value: &Value, seen: As) -> Result<TensorId, Cause> {
        let tensor = match value {
            Value::Runtime(runtime) => return self.cast(runtime.id, seen),
            Value::Constant(tensor) => tensor,
        };
        let seen = match (seen, &**tensor) {
            (As::Weights, Tensor::F16(_) | Tensor::I8(_)) => seen,
            (As::Weights, _) => As::Floats,
            (seen, _) => seen,
        };
        let key = (Arc::as_ptr(tensor) as usize, seen);
        if let Some((_, id)) = self.constants.get(&key) {
            return Ok(*id);
        }
        let name = self.free_name(name);
        let id = match (seen, &**tensor) {
            (As::Weights, Tensor::F16(halves)) => self.program.constant_f16(&name, halves.clone())?,
            (As::Weights, Tensor::I8(bytes)) => self.program.constant_i8(&name, bytes.clone())?,
            (As::Ints, tensor) => self.program.constant_ints(&name, tensor.to_i32()?)?,
            (_, tensor) => self.program.constant(&name, tensor.to_f32())?,
        };
        self.constants.insert(key, (Arc::clone(tensor), id));
        Ok(id)
    }

    /// A tensor as the floats or the whole numbers that it is not.
    fn cast(&mut self, id: TensorId, seen: As) -> Result<TensorId, Cause> {
        let is_int = self.program.spec(id).is_some_and(|spec| spec.element == Element::I32);
        if is_int == (seen == As::Ints) {
            return Ok(id);
        }
        if let Some(cast) = self.casts.get(&id) {
            return Ok(*cast);
        }
        let kernel = if is_int { Cast::to_exact_floats() } else { Cast::to_ints() };
        let cast = self.program.add(kernel, &[id])?;
        self.casts.insert(id, cast);
        Ok(cast)
    }

    fn free_name(&mut self, name: &str) -> String {
        let mut free = format!("{name}#");
        while !self.names.insert(free.clone()) {
            free = format!("{name}#{}", self.names.len());
        }
        free
    }

    /// Makes a tensor an output in this shape; what no kernel gives is copied.
    pub(super) fn give(&mut self, name: &str, id: TensorId, shape: &[usize]) -> Result<(), Cause> {
        let id = self.program.reshape(id, shape)?;
        if self.program.output(name, id).is_ok() {
            return Ok(());
        }
        let copy = self.program.add(Rearrange::copy(), &[id])?;
        Ok(self.program.output(name, copy)?)
    }
}
