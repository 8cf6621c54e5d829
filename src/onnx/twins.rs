//! Constants that no rule of `fold` computes go through the twins once, when the model is read.

use ndarray::ArrayD;

use super::builder::Builder;
use super::call::Call;
use super::fold::{self, Budget};
use super::node::Node;
use super::ops;
use super::tensor::{Shared, Tensor};
use super::value::{Runtime, Value};
use crate::error::Cause;
use crate::gpu::{Gpu, Program};

/// More multiply-adds would take seconds: such a model is not one that was meant.
const MOST_MULTIPLY_ADDS: u64 = 1 << 32;

/// What a node gives for constants: its first input plays the item of a program of this node alone.
pub(super) fn compute(
    node: &Node,
    known: &[Option<Shared>],
    residual: Option<Shared>,
    budget: &mut Budget,
) -> Result<Vec<Tensor>, Cause> {
    let mut builder = Builder::new(Program::new(&Gpu::cpu()), budget.clone());
    let first = known.first().and_then(Option::as_ref).ok_or_else(|| Cause::msg("its input 0 is missing"))?;
    if first.len() == 0 {
        return Err(Cause::msg("its input is a constant without elements"));
    }
    let id = builder.input("x", first.shape())?;
    let mut inputs: Vec<Option<Value>> =
        known.iter().map(|input| input.clone().map(Value::Constant)).collect();
    let (shape, kind) = (first.shape().to_vec(), first.kind());
    inputs[0] = Some(Value::Runtime(Runtime { id, shape, kind }));
    let given = ops::map(&mut Call::new(&mut builder, node, inputs, residual.map(Value::Constant)))?;
    given.iter().try_for_each(|value| budget.take(value.shape()))?;
    let mut any = false;
    for (index, value) in given.iter().enumerate() {
        if let Value::Runtime(runtime) = value {
            builder.give(&index.to_string(), runtime.id, &runtime.shape)?;
            any = true;
        }
    }
    let mut results = if any { run(&builder.program, &first.to_f32())? } else { Vec::new() }.into_iter();
    let known = |value| match value {
        Value::Constant(tensor) => Ok(tensor.as_ref().clone()),
        Value::Runtime(runtime) => {
            let array = results.next().ok_or_else(|| Cause::msg("an output is missing"))?;
            Ok(fold::of_kind(&Tensor::F32(array), runtime.kind))
        }
    };
    given.into_iter().map(known).collect()
}

/// The outputs for one item, in order.
fn run(program: &Program, item: &ArrayD<f32>) -> Result<Vec<ArrayD<f32>>, Cause> {
    let wanted = program.plan(1)?.multiply_adds();
    if wanted > MOST_MULTIPLY_ADDS {
        return Err(Cause::msg(format!("constants would take {wanted} multiply-adds")));
    }
    let tensors = program.run_once(item)?;
    let first = |array: &ArrayD<f32>| array.index_axis(ndarray::Axis(0), 0).to_owned();
    Ok(tensors.iter().map(|(_, array)| first(array)).collect())
}
