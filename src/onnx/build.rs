//! A graph becomes a program, node by node.
//!
//! Every value keeps the shape that ONNX gives it, with the batch axis as 1; the tensor of the program
//! has the same elements, and kernels see it in whatever shape they take.

use std::collections::HashMap;
use std::sync::Arc;

use super::batch::{Follower, Stands};
use super::builder::Builder;
use super::call::Call;
use super::constants;
use super::fold::Budget;
use super::graph::Graph;
use super::items::Items;
use super::layout::{BatchLayout, Place};
use super::node::{Branch, Node};
use super::ops;
use super::tensor::{Shared, Tensor};
use super::value::{Runtime, Value};
use crate::error::Cause;
use crate::gpu::{Gpu, Program, TensorId};
use crate::kernel::{Concat, Rearrange};

/// The program of a graph that is checked, folded and fused, and how its outputs stand in the file.
pub(super) fn program(
    gpu: &Gpu,
    graph: &Graph,
    items: &Items,
    budget: Budget,
) -> Result<(Program, BatchLayout), Cause> {
    let mut builder = Builder::new(Program::new(gpu), budget);
    let inputs = graph.inputs.iter().zip(&items.inputs);
    let inputs = inputs.map(|(input, seen)| builder.input(&input.name, &seen.item(), input.kind));
    let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
    let given = builder.network(graph, items, &inputs)?;
    for given in &given {
        let item = given.place.item();
        builder.give(&given.name, given.id, &item).map_err(|cause| of_output(&given.name, cause))?;
    }
    let outputs = given.into_iter().map(|given| (given.name, given.place)).collect();
    let inputs =
        graph.inputs.iter().zip(&items.inputs).map(|(input, seen)| (input.name.clone(), seen.clone()));
    Ok((builder.program, BatchLayout::new(inputs.collect(), outputs)))
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
    let given = given.map(|given| Ok((given.name, program.reshape(given.id, &given.place.item())?)));
    let given = given.collect::<Result<_, Cause>>()?;
    Ok((builder.program, given))
}

/// What a graph gives.
struct Given {
    name: String,
    id: TensorId,
    place: Place,
}

fn of_output(name: &str, cause: Cause) -> Cause {
    cause.context(format!("output {name:?}"))
}

fn given(tensors: Vec<Tensor>) -> Vec<Value> {
    tensors.into_iter().map(Value::from).collect()
}

/// Where the items stand in an output.
fn place(items: &Items, follower: &Follower, name: &str, value: &Value) -> Place {
    let shape = value.shape();
    let stands = if follower.is_alone() {
        (items.are_batched() && shape.first() == Some(&1)).then_some(Stands { axis: 0, outer: 1 })
    } else {
        follower.stands(name)
    };
    Place { shape: shape.to_vec(), stands, kind: value.kind() }
}

/// The branch that is run, where the node has some and its condition is known.
fn branch<'a>(node: &'a Node, values: &HashMap<&str, Value>) -> Result<Option<&'a Branch>, Cause> {
    let condition = node.inputs.first().and_then(|name| values.get(name.as_str()));
    match (&node.operator[..], condition) {
        ("If", Some(Value::Constant(condition))) if node.opset.is_some() => {
            let name = if condition.to_scalar()? != 0.0 { "then_branch" } else { "else_branch" };
            let missing = || Cause::msg(format!("its {name} is missing"));
            node.attributes.branch(name)?.ok_or_else(missing).map(Some)
        }
        _ => Ok(None),
    }
}

/// A `Squeeze` that names no axis drops those of 1, and would drop that of one item.
fn with_axes(node: &Node, values: &HashMap<&str, Value>, follower: &Follower) -> Node {
    let mut node = node.clone();
    let names = node.inputs.len() == 1 && !node.attributes.has("axes");
    let [input] = &node.inputs[..] else { return node };
    let (Some(value), Some(stands)) = (values.get(&input[..]), follower.stands(input)) else { return node };
    if node.operator == "Squeeze" && names && !follower.is_alone() {
        let axes =
            value.shape().iter().enumerate().filter(|&(axis, &length)| length == 1 && axis != stands.axis);
        let axes = axes.map(|(axis, _)| axis as i64).collect();
        node.attributes = node.attributes.with_ints("axes", axes);
    }
    node
}

impl Builder {
    /// Adds every node; what the outputs are.
    fn network(&mut self, graph: &Graph, items: &Items, inputs: &[TensorId]) -> Result<Vec<Given>, Cause> {
        let mut values: HashMap<&str, Value> = HashMap::new();
        for ((input, seen), &id) in graph.inputs.iter().zip(&items.inputs).zip(inputs) {
            let runtime = Runtime { id, shape: seen.shape.clone(), kind: input.kind };
            values.insert(&input.name, Value::Runtime(runtime));
        }
        let some_input = graph.inputs.first().and_then(|input| values.get(input.name.as_str())).cloned();
        values.extend(
            graph.constants.iter().map(|(name, tensor)| (name.as_str(), Value::Constant(Arc::clone(tensor)))),
        );
        let mut follower = Follower::new(items, graph.inputs.iter().map(|input| &input.name[..]));
        self.nodes(&graph.nodes, &mut values, &mut follower)?;
        let output = |name: &String| {
            let value = values.get(name.as_str()).cloned();
            let value = value.ok_or_else(|| Cause::msg(format!("nothing gives the output {name:?}")))?;
            follower.check_output(name).map_err(|cause| of_output(name, cause))?;
            let place = place(items, &follower, name, &value);
            let id = self.output(name, value, some_input.as_ref()).map_err(|cause| of_output(name, cause))?;
            Ok(Given { name: name.clone(), id, place })
        };
        graph.outputs.iter().map(output).collect()
    }

    /// Adds nodes in their order.
    fn nodes<'a>(
        &mut self,
        nodes: &'a [Node],
        values: &mut HashMap<&'a str, Value>,
        follower: &mut Follower,
    ) -> Result<(), Cause> {
        for node in nodes {
            let given = match branch(node, values).map_err(|cause| cause.context(node.describe()))? {
                Some(branch) => self.branch(node, branch, values, follower)?,
                None => {
                    let given = self.followed(node, values, follower);
                    given.map_err(|cause| cause.context(node.describe()))?
                }
            };
            values.extend(node.outputs.iter().map(String::as_str).zip(given));
        }
        Ok(())
    }

    /// Adds the nodes of the branch that is run.
    fn branch<'a>(
        &mut self,
        node: &Node,
        branch: &'a Branch,
        values: &mut HashMap<&'a str, Value>,
        follower: &mut Follower,
    ) -> Result<Vec<Value>, Cause> {
        let with_items = values.iter().filter(|(_, value)| matches!(value, Value::Runtime(_)));
        ops::check_nodes(&branch.nodes, with_items.map(|(&name, _)| name).collect())
            .map_err(|cause| cause.context(node.describe()))?;
        let known = branch.constants.iter();
        values.extend(known.map(|(name, tensor)| (name.as_str(), Value::Constant(Arc::clone(tensor)))));
        self.nodes(&branch.nodes, values, follower)?;
        let names = node.outputs.iter().zip(&branch.outputs);
        names
            .map(|(name, inner)| {
                follower.rename(inner, name);
                let value = values.get(inner.as_str()).cloned();
                value.ok_or_else(|| Cause::msg(format!("nothing gives {inner:?}")).context(node.describe()))
            })
            .collect()
    }

    /// What a node gives, if no item sees another in it.
    fn followed(
        &mut self,
        node: &Node,
        values: &HashMap<&str, Value>,
        follower: &mut Follower,
    ) -> Result<Vec<Value>, Cause> {
        let node = &with_axes(node, values, follower);
        let inputs: Vec<_> = node.inputs.iter().map(|name| values.get(name.as_str()).cloned()).collect();
        let given = self.node(node, inputs.clone())?;
        follower.follow(node, &inputs, &given, &mut self.budget)?;
        Ok(given)
    }

    /// What a node gives: computed now where its inputs are constants, else by kernels.
    pub(super) fn node(&mut self, node: &Node, inputs: Vec<Option<Value>>) -> Result<Vec<Value>, Cause> {
        let constant = |value: &Option<Value>| match value {
            Some(Value::Constant(tensor)) => Some(Some(Arc::clone(tensor))),
            None => Some(None),
            Some(Value::Runtime(_)) => None,
        };
        let known: Option<Vec<Option<Shared>>> = inputs.iter().map(constant).collect();
        match known {
            Some(known) => self.constants_of(node, &known),
            None => ops::map(&mut Call::new(self, node, inputs)),
        }
    }

    /// What a node gives for constants.
    fn constants_of(&mut self, node: &Node, known: &[Option<Shared>]) -> Result<Vec<Value>, Cause> {
        let computed = constants::of_node(node, known, &mut self.budget)?;
        Ok(given(computed.ok_or_else(|| Cause::msg("the operator is not supported"))?))
    }

    /// The tensor of an output.
    fn output(&mut self, name: &str, value: Value, some_input: Option<&Value>) -> Result<TensorId, Cause> {
        match (&value, some_input) {
            (Value::Runtime(runtime), _) if runtime.kind.is_int() => self.ints(name, &value),
            (Value::Runtime(_), _) => self.tensor(name, &value),
            (Value::Constant(_), Some(Value::Runtime(input))) => self.repeat_constant(name, &value, input),
            _ => Err(Cause::msg("it depends on no input, and there is none")),
        }
    }

    /// A constant as an activation: every item has it. It is put behind an input, which is cut off again.
    fn repeat_constant(&mut self, name: &str, value: &Value, input: &Runtime) -> Result<TensorId, Cause> {
        let before: usize = input.shape.iter().product();
        let len: usize = value.shape().iter().product();
        let input = Value::Runtime(input.clone());
        let [id, input] = match value.kind().is_int() {
            true => [self.ints(name, value)?, self.ints(name, &input)?],
            false => [self.tensor(name, value)?, self.tensor(name, &input)?],
        };
        let row = self.program.reshape(id, &[len])?;
        let input = self.program.reshape(input, &[before])?;
        let both = self.program.add(Concat::new(0), &[input, row])?;
        let (start, end) = (before as i64, (before + len) as i64);
        Ok(self.program.add(Rearrange::slice([start], [end], [1]), &[both])?)
    }
}
