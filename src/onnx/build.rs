//! A graph becomes a program, node by node.
//!
//! Every value keeps the shape that ONNX gives it, with the batch axis as 1; the tensor of the program
//! has the same elements, and kernels see it in whatever shape they take.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::call::Call;
use super::fold::{self, Budget, Constants};
use super::fuse::Fused;
use super::graph::{Graph, Node};
use super::items::Items;
use super::ops;
use super::tensor::{Kind, Shared};
use super::twins;
use crate::error::Cause;
use crate::gpu::{Gpu, Program, TensorId};
use crate::kernel::{Concat, Rearrange, Spec};

/// A value of the model while it is built.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Constant(Shared),
    Runtime(Runtime),
}

/// A value that every item has.
#[derive(Clone, Debug)]
pub(super) struct Runtime {
    pub(super) id: TensorId,
    /// As ONNX has it; the tensor of the program has the same elements.
    pub(super) shape: Vec<usize>,
    pub(super) kind: Kind,
}

impl Value {
    pub(super) fn shape(&self) -> &[usize] {
        match self {
            Self::Constant(tensor) => tensor.shape(),
            Self::Runtime(runtime) => &runtime.shape,
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Constant(tensor) => tensor.kind(),
            Self::Runtime(runtime) => runtime.kind,
        }
    }
}

/// The program so far.
pub(super) struct Builder {
    pub(super) program: Program,
    pub(super) budget: Budget,
    /// Constants that are tensors of the program, by their address and whether halves stay halves; each is
    /// kept so that no address is reused.
    constants: HashMap<(usize, bool), (Shared, TensorId)>,
    names: HashSet<String>,
}

/// The program of a graph that is checked, folded and fused.
pub(super) fn program(gpu: &Gpu, graph: &Graph, items: &Items, budget: Budget) -> Result<Program, Cause> {
    let mut builder = Builder::new(Program::new(gpu), budget);
    let inputs = graph.inputs.iter().zip(&items.shapes);
    let inputs = inputs.map(|(input, shape)| builder.input(&input.name, items.item(shape)));
    let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
    for given in builder.network(graph, items, &inputs)? {
        builder.give(&given.name, given.id, &given.shape).map_err(|cause| of_output(&given.name, cause))?;
    }
    Ok(builder.program)
}

/// A graph as a part of a program: the program with it, and the tensors that it gives.
pub(super) fn part(
    program: Program,
    graph: &Graph,
    (items, inputs): (&Items, &[TensorId]),
    budget: Budget,
) -> Result<(Program, Vec<(String, TensorId)>), Cause> {
    let mut builder = Builder::new(program, budget);
    let given = builder.network(graph, items, inputs)?.into_iter();
    let program = &mut builder.program;
    let given = given.map(|given| Ok((given.name, program.reshape(given.id, &given.shape)?)));
    let given = given.collect::<Result<_, Cause>>()?;
    Ok((builder.program, given))
}

/// What a graph gives.
struct Given {
    name: String,
    id: TensorId,
    /// Of an item.
    shape: Vec<usize>,
}

fn of_output(name: &str, cause: Cause) -> Cause {
    cause.context(format!("output {name:?}"))
}

impl Builder {
    /// What is built is added to `program`.
    pub(super) fn new(program: Program, budget: Budget) -> Self {
        let names = program.tensor_names().map(str::to_owned).collect();
        Self { program, budget, constants: HashMap::new(), names }
    }

    /// Adds every node; what the outputs are.
    fn network(&mut self, graph: &Graph, items: &Items, inputs: &[TensorId]) -> Result<Vec<Given>, Cause> {
        let mut values: HashMap<&str, Value> = HashMap::new();
        for ((input, shape), &id) in graph.inputs.iter().zip(&items.shapes).zip(inputs) {
            let runtime = Runtime { id, shape: shape.clone(), kind: input.kind };
            values.insert(&input.name, Value::Runtime(runtime));
        }
        let some_input = graph.inputs.first().and_then(|input| values.get(input.name.as_str())).cloned();
        values.extend(
            graph.constants.iter().map(|(name, tensor)| (name.as_str(), Value::Constant(Arc::clone(tensor)))),
        );
        for node in &graph.nodes {
            let inputs = node.inputs.iter().map(|name| values.get(name.as_str()).cloned()).collect();
            let residual = node.fused.residual.as_ref().and_then(|name| values.get(name.as_str()).cloned());
            let given = self.node(node, inputs, residual).map_err(|cause| cause.context(node.describe()))?;
            values.extend(node.outputs.iter().map(String::as_str).zip(given));
        }
        let output = |name: &String| {
            let value = values.get(name.as_str()).cloned();
            let value = value.ok_or_else(|| Cause::msg(format!("nothing gives the output {name:?}")))?;
            let given = self.output(name, value, some_input.as_ref(), items);
            given.map_err(|cause| of_output(name, cause))
        };
        graph.outputs.iter().map(output).collect()
    }

    pub(super) fn input(&mut self, name: &str, item: &[usize]) -> Result<TensorId, Cause> {
        self.names.insert(name.into());
        Ok(self.program.input(name, Spec::floats(item))?)
    }

    /// What a node gives: computed now where its inputs are constants, else by kernels.
    pub(super) fn node(
        &mut self,
        node: &Node,
        inputs: Vec<Option<Value>>,
        residual: Option<Value>,
    ) -> Result<Vec<Value>, Cause> {
        let constant = |value: &Option<Value>| match value {
            Some(Value::Constant(tensor)) => Some(Some(Arc::clone(tensor))),
            None => Some(None),
            Some(Value::Runtime(_)) => None,
        };
        let known: Option<Vec<Option<Shared>>> = inputs.iter().map(constant).collect();
        let Some(known) = known else {
            return ops::map(&mut Call::new(self, node, inputs, residual));
        };
        if residual.is_none() {
            return self.constants_of(node, &known);
        }
        let alone = Node { fused: Fused::default(), ..node.clone() };
        let given = self.constants_of(&alone, &known)?;
        let call = &mut Call::new(self, node, inputs, residual);
        given.into_iter().map(|given| ops::finish(call, given)).collect()
    }

    /// What a node gives for constants.
    fn constants_of(&mut self, node: &Node, known: &[Option<Shared>]) -> Result<Vec<Value>, Cause> {
        let budget = &mut self.budget;
        let given = match fold::evaluate(&mut Constants { node, inputs: known, budget })? {
            Some(given) => given,
            None => twins::compute(node, known, &mut self.budget)?,
        };
        Ok(given.into_iter().map(|tensor| Value::Constant(Arc::new(tensor))).collect())
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

    /// The tensor of an output.
    fn output(
        &mut self,
        name: &str,
        value: Value,
        some_input: Option<&Value>,
        items: &Items,
    ) -> Result<Given, Cause> {
        let shape = items.item(value.shape()).to_vec();
        let id = match (&value, some_input) {
            (Value::Runtime(runtime), _) => runtime.id,
            (Value::Constant(_), Some(Value::Runtime(input))) => self.repeat_constant(name, &value, input)?,
            _ => return Err(Cause::msg("it depends on no input, and there is none")),
        };
        Ok(Given { name: name.into(), id, shape })
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

    /// A constant as an activation: every item has it. It is put behind an input, which is cut off again.
    fn repeat_constant(&mut self, name: &str, value: &Value, input: &Runtime) -> Result<TensorId, Cause> {
        let before: usize = input.shape.iter().product();
        let len: usize = value.shape().iter().product();
        let id = self.tensor(name, value)?;
        let row = self.program.reshape(id, &[len])?;
        let input = self.program.reshape(input.id, &[before])?;
        let both = self.program.add(Concat::new(0), &[input, row])?;
        let (start, end) = (before as i64, (before + len) as i64);
        Ok(self.program.add(Rearrange::slice([start], [end], [1]), &[both])?)
    }
}
