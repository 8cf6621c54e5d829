//! Constants that no rule of `fold` computes go through the twins once, when the model is read.

use super::builder::Builder;
use super::call::Call;
use super::fold::{self, Budget};
use super::node::Node;
use super::ops;
use super::tensor::{Shared, Tensor};
use super::value::{Runtime, Value};
use crate::error::Cause;
use crate::gpu::{Gpu, Program};
use crate::kernel::Spec;
use crate::kernel::ints::NONE;
use crate::stage::Rows as _;

/// More multiply-adds would take seconds: such a model is not one that was meant.
const MOST_MULTIPLY_ADDS: u64 = 1 << 32;

/// What a node gives for constants: its first input plays the item of a program of this node alone.
pub(super) fn compute(
    node: &Node,
    known: &[Option<Shared>],
    budget: &mut Budget,
) -> Result<Vec<Tensor>, Cause> {
    let mut builder = Builder::new(Program::new(&Gpu::cpu()), budget.clone());
    let first = known.first().and_then(Option::as_ref).ok_or_else(|| Cause::msg("its input 0 is missing"))?;
    if first.len() == 0 {
        return Err(Cause::msg("its input is a constant without elements"));
    }
    let id = builder.input("x", first.shape(), first.kind())?;
    let mut inputs: Vec<Option<Value>> =
        known.iter().map(|input| input.clone().map(Value::Constant)).collect();
    let (shape, kind) = (first.shape().to_vec(), first.kind());
    inputs[0] = Some(Value::Runtime(Runtime { id, shape, kind }));
    let given = ops::map(&mut Call::new(&mut builder, node, inputs))?;
    given.iter().try_for_each(|value| budget.take(value.shape()))?;
    let mut any = false;
    for (index, value) in given.iter().enumerate() {
        if let Value::Runtime(runtime) = value {
            let name = index.to_string();
            let id = if runtime.kind.is_int() {
                builder.ints(&name, value)?
            } else {
                builder.tensor(&name, value)?
            };
            builder.give(&name, id, &runtime.shape)?;
            any = true;
        }
    }
    let mut results = if any { run(&builder.program, first)? } else { Vec::new() }.into_iter();
    let known = |value| match value {
        Value::Constant(tensor) => Ok(tensor.as_ref().clone()),
        Value::Runtime(runtime) => {
            let array = results.next().ok_or_else(|| Cause::msg("an output is missing"))?;
            Ok(fold::of_kind(&array, runtime.kind))
        }
    };
    given.into_iter().map(known).collect()
}

/// The outputs for one item, in order.
fn run(program: &Program, item: &Tensor) -> Result<Vec<Tensor>, Cause> {
    let wanted = program.plan(1)?.multiply_adds();
    if wanted > MOST_MULTIPLY_ADDS {
        return Err(Cause::msg(format!("constants would take {wanted} multiply-adds")));
    }
    let tensors = match item.kind().is_int() {
        true => {
            item.check_i32()?;
            program.run_once(&item.to_i32()?)?
        }
        false => program.run_once(&item.to_f32())?,
    };
    let row = tensors.row(0);
    let output = |(name, spec): (&str, &Spec)| match row.ints(name) {
        Some(ints) if ints.iter().any(|&value| value == NONE) => {
            Err(Cause::msg("32 bits do not hold a whole number that it gives"))
        }
        Some(ints) => Ok(Tensor::I64(ints.mapv(i64::from))),
        None => Ok(Tensor::F32(row.view(name).to_shape(&spec.shape[..])?.into_owned())),
    };
    program.outputs().map(output).collect()
}
