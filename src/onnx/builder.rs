//! The program that a model becomes, with its constants and names.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::fold::Budget;
use super::tensor::Shared;
use super::value::Value;
use crate::error::Cause;
use crate::gpu::{Program, TensorId};
use crate::kernel::{Rearrange, Spec};

/// The program so far.
pub(super) struct Builder {
    pub(super) program: Program,
    pub(super) budget: Budget,
    /// Constants that are tensors of the program, by their address and whether halves stay halves; each is
    /// kept so that no address is reused.
    constants: HashMap<(usize, bool), (Shared, TensorId)>,
    names: HashSet<String>,
}

impl Builder {
    /// What is built is added to `program`.
    pub(super) fn new(program: Program, budget: Budget) -> Self {
        let names = program.tensor_names().map(str::to_owned).collect();
        Self { program, budget, constants: HashMap::new(), names }
    }

    pub(super) fn input(&mut self, name: &str, item: &[usize]) -> Result<TensorId, Cause> {
        self.names.insert(name.into());
        Ok(self.program.input(name, Spec::floats(item))?)
    }

    /// The tensor of the program with these values as floats, whatever its shape is.
    pub(super) fn tensor(&mut self, name: &str, value: &Value) -> Result<TensorId, Cause> {
        self.tensor_of(name, value, false)
    }

    /// The same for a kernel that reads constants of halves as they are.
    pub(super) fn weight(&mut self, name: &str, value: &Value) -> Result<TensorId, Cause> {
        self.tensor_of(name, value, true)
    }

    fn tensor_of(&mut self, name: &str, value: &Value, takes_halves: bool) -> Result<TensorId, Cause> {
        let tensor = match value {
            Value::Runtime(runtime) => return Ok(runtime.id),
            Value::Constant(tensor) => tensor,
        };
        let halves = if takes_halves { tensor.halves() } else { None };
        let key = (Arc::as_ptr(tensor) as usize, halves.is_some());
        if let Some((_, id)) = self.constants.get(&key) {
            return Ok(*id);
        }
        let name = self.free_name(name);
        let id = match halves {
            Some(halves) => self.program.constant_f16(&name, halves.clone())?,
            None => self.program.constant(&name, tensor.to_f32())?,
        };
        self.constants.insert(key, (Arc::clone(tensor), id));
        Ok(id)
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
