//! Operators that move values: transposed, cut, joined, repeated, gathered.

use std::ops::Range;

use ndarray::ArrayD;

use crate::error::Cause;
use crate::kernel::{Concat, Gather, Rearrange};
use crate::onnx::call::Operator;
use crate::onnx::call::{Call, seen_as};
use crate::onnx::shapes::{self, Taken};
use crate::onnx::tensor::{Kind, Tensor};
use crate::onnx::value::Value;

pub(super) fn find(operator: &str) -> Option<Operator> {
    Some(match operator {
        "Transpose" => transpose,
        "Slice" => slice,
        "Split" => split,
        "Concat" => concat,
        "Expand" => expand,
        "Tile" => tile,
        "Gather" => gather,
        "DepthToSpace" => depth_to_space,
        "SpaceToDepth" => space_to_depth,
        _ => return None,
    })
}

fn transpose(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let x = call.value(0)?.clone();
    let order = shapes::permutation(call.ints("perm")?, x.shape().len())?;
    Ok(vec![transposed(call, &x, &order)?])
}

/// A transposition that moves axes of 1 only is a view.
pub(super) fn transposed(call: &mut Call<'_>, x: &Value, order: &[usize]) -> Result<Value, Cause> {
    let shape: Vec<usize> = order.iter().map(|&axis| x.shape()[axis]).collect();
    if let Value::Constant(tensor) = x {
        call.take(tensor.shape())?;
        return Ok(tensor.permuted(order).into());
    }
    let long: Vec<usize> = order.iter().copied().filter(|&axis| x.shape()[axis] > 1).collect();
    if long.is_sorted() {
        return seen_as(x.clone(), shape);
    }
    let (kind, id) = (x.kind(), call.as_it_is(x, x.shape())?);
    Ok(call.add(Rearrange::transpose(order), &[id])?.of_kind(kind))
}

/// Starts, ends and axes are attributes before opset 10 and inputs since.
fn slice(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let missing = || Cause::msg("starts or ends are missing");
    let starts = call.known_ints("starts", 1)?.ok_or_else(missing)?;
    let ends = call.known_ints("ends", 2)?.ok_or_else(missing)?;
    let (axes, steps) = (call.known_ints("axes", 3)?, call.known_ints("steps", 4)?);
    let x = call.value(0)?.clone();
    let taken = shapes::slices(x.shape(), &starts, &ends, axes.as_deref(), steps.as_deref())?;
    Ok(vec![cut(call, &x, &taken)?])
}

/// What is taken of every axis.
fn cut(call: &mut Call<'_>, x: &Value, taken: &[Taken]) -> Result<Value, Cause> {
    let whole = taken.iter().zip(x.shape()).all(|(taken, &axis)| *taken == Taken::all(axis));
    if whole {
        return Ok(x.clone());
    }
    if taken.iter().any(|taken| taken.len == 0) {
        return Ok(empty(taken.iter().map(|taken| taken.len).collect(), x.kind()));
    }
    let starts: Vec<i64> = taken.iter().map(|taken| taken.start as i64).collect();
    let ends: Vec<i64> = taken.iter().map(|taken| taken.end as i64).collect();
    let steps: Vec<i64> = taken.iter().map(|taken| taken.step as i64).collect();
    let (kind, id) = (x.kind(), call.as_it_is(x, x.shape())?);
    Ok(call.add(Rearrange::slice(starts, ends, steps), &[id])?.of_kind(kind))
}

/// Some places of an axis.
pub(super) fn part(
    call: &mut Call<'_>,
    x: &Value,
    axis: usize,
    places: Range<usize>,
) -> Result<Value, Cause> {
    if let Value::Constant(tensor) = x {
        return Ok(tensor.part(axis, places).into());
    }
    let mut taken: Vec<Taken> = x.shape().iter().map(|&axis| Taken::all(axis)).collect();
    taken[axis] = Taken { start: places.start, end: places.end as isize, step: 1, len: places.len() };
    cut(call, x, &taken)
}

/// What has no elements is known.
fn empty(shape: Vec<usize>, kind: Kind) -> Value {
    let none = ArrayD::zeros(ndarray::IxDyn(&shape));
    Value::from(match kind {
        Kind::Float => Tensor::F32(none),
        Kind::Int(_) => Tensor::I64(none.mapv(|_: f32| 0)).narrowed(kind),
        Kind::Bool => Tensor::Bool(none.mapv(|_: f32| false)),
    })
}

/// The lengths are an attribute before opset 13 and an input since; opset 18 can name a number of parts.
fn split(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let x = call.value(0)?.clone();
    let axis = shapes::axis(call.int("axis", 0)?, x.shape().len())?;
    let given = call.known_ints("split", 1)?;
    let parts = shapes::split(x.shape()[axis], given.as_deref(), call.node.outputs.len())?;
    let mut start = 0;
    let mut outputs = Vec::with_capacity(parts.len());
    for len in parts {
        outputs.push(part(call, &x, axis, start..start + len)?);
        start += len;
    }
    Ok(outputs)
}

fn concat(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let first = call.value(0)?;
    let (rank, kind) = (first.shape().len(), first.kind());
    let default = if call.opset() < 4 { 1 } else { i64::MAX };
    let axis = shapes::axis(call.int("axis", default)?, rank)?;
    let values = (0..call.count()).map(|index| call.value(index).cloned()).collect::<Result<Vec<_>, _>>()?;
    if let Some(other) = values.iter().find(|value| value.shape().len() != rank) {
        return Err(Cause::msg(format!("tensors of {rank} and {} axes are joined", other.shape().len())));
    }
    let mut values: Vec<Value> = values.into_iter().filter(|value| !value.shape().contains(&0)).collect();
    while values.len() > 1 {
        let parts = with_an_activation(&values).map(|part| joined(call, part, axis));
        values = parts.collect::<Result<_, _>>()?;
    }
    let whole = values.pop().ok_or_else(|| Cause::msg("nothing is joined"))?;
    Ok(vec![whole.of_kind(kind)])
}

/// Parts of up to four; constants stand together with the activation that they need.
fn with_an_activation(values: &[Value]) -> impl Iterator<Item = &[Value]> {
    let mut rest = values;
    std::iter::from_fn(move || {
        let is_constant = |value: &Value| matches!(value, Value::Constant(_));
        let part = if rest.iter().take(4).all(is_constant) { rest.len().min(1) } else { rest.len().min(4) };
        let (part, behind) = rest.split_at(part);
        rest = behind;
        (!part.is_empty()).then_some(part)
    })
}

pub(super) fn joined(call: &mut Call<'_>, values: &[Value], axis: usize) -> Result<Value, Cause> {
    if let [only] = values {
        return Ok(only.clone());
    }
    let ids =
        values.iter().map(|value| call.as_it_is(value, value.shape())).collect::<Result<Vec<_>, _>>()?;
    call.add(Concat::new(axis), &ids)
}

fn expand(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let wanted = call.known_ints("shape", 1)?.ok_or_else(|| Cause::msg("its shape is missing"))?;
    let x = call.value(0)?.clone();
    let shape = shapes::broadcast(x.shape(), &shapes::lengths(&wanted)?)?;
    Ok(vec![expanded(call, &x, &shape)?])
}

pub(super) fn expanded(call: &mut Call<'_>, x: &Value, shape: &[usize]) -> Result<Value, Cause> {
    if shapes::count(x.shape()) == shapes::count(shape) {
        return seen_as(x.clone(), shape.to_vec());
    }
    let (kind, id) = (x.kind(), call.as_it_is(x, x.shape())?);
    Ok(call.add(Rearrange::expand(shape), &[id])?.of_kind(kind))
}

/// An axis that is repeated gets one of 1 before it, which is expanded.
fn tile(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let x = call.value(0)?.clone();
    let repeats = call.known_ints("repeats", 1)?.ok_or_else(|| Cause::msg("its repeats are missing"))?;
    let repeats = shapes::lengths(&repeats)?;
    if repeats.len() != x.shape().len() {
        return Err(Cause::msg(format!("{repeats:?} does not repeat the axes of {:?}", x.shape())));
    }
    let pairs = || x.shape().iter().zip(&repeats);
    // An axis that stays, or that is one value, needs none before it.
    let split = |axis, times| axis > 1 && times > 1;
    let apart =
        pairs().flat_map(|(&axis, &times)| if split(axis, times) { vec![1, axis] } else { vec![axis] });
    let apart: Vec<usize> = apart.collect();
    let repeated = pairs().flat_map(|(&axis, &times)| {
        if split(axis, times) { vec![times, axis] } else { vec![axis.saturating_mul(times)] }
    });
    let repeated: Vec<usize> = repeated.collect();
    let shape = pairs().map(|(axis, times)| axis.saturating_mul(*times)).collect();
    let apart = seen_as(x, apart)?;
    let whole = expanded(call, &apart, &repeated)?;
    Ok(vec![seen_as(whole, shape)?])
}

fn gather(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let (data, indices) = (call.value(0)?.clone(), call.value(1)?.clone());
    let axis = shapes::axis(call.int("axis", 0)?, data.shape().len())?;
    if let Value::Constant(known) = &indices {
        let check = |index: i64| shapes::axis(index, data.shape()[axis]).map(|_| ());
        known.to_ints()?.into_iter().try_for_each(check).map_err(|cause| cause.context("an index"))?;
        if let (Value::Runtime(_), &[index]) = (&data, known.to_ints()?.as_slice()) {
            return one_place(call, &data, axis, index, &indices);
        }
    }
    let shape = gathered(data.shape(), axis, indices.shape());
    let ids = [call.as_it_is(&data, data.shape())?, call.as_it_is(&indices, indices.shape())?];
    let result = call.add(Gather::new(axis), &ids)?;
    Ok(vec![seen_as(result, shape)?.of_kind(data.kind())])
}

/// One place of an axis is a slice.
fn one_place(
    call: &mut Call<'_>,
    data: &Value,
    axis: usize,
    index: i64,
    indices: &Value,
) -> Result<Vec<Value>, Cause> {
    let start = shapes::axis(index, data.shape()[axis])?;
    let shape = gathered(data.shape(), axis, indices.shape());
    Ok(vec![seen_as(part(call, data, axis, start..start + 1)?, shape)?])
}

fn gathered(data: &[usize], axis: usize, indices: &[usize]) -> Vec<usize> {
    [&data[..axis], indices, &data[axis + 1..]].concat()
}

/// Sizes of a tensor `[n, c, h, w]` and of its blocks.
fn blocks(call: &Call<'_>, x: &Value) -> Result<[usize; 5], Cause> {
    let block = call.int("blocksize", 0)?;
    let block = usize::try_from(block).ok().filter(|&block| (1..=1 << 15).contains(&block));
    let block = block.ok_or_else(|| Cause::msg("its blocksize is missing or none"))?;
    match *x.shape() {
        [n, c, h, w] => Ok([n, c, h, w, block]),
        _ => Err(Cause::msg(format!("{:?} has not four axes", x.shape()))),
    }
}

fn depth_to_space(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let x = call.value(0)?.clone();
    let [n, c, h, w, block] = blocks(call, &x)?;
    let share = c / (block * block);
    let (apart, order) = match call.text("mode", "DCR")? {
        "DCR" => (vec![n, block, block, share, h, w], [0, 3, 4, 1, 5, 2]),
        "CRD" => (vec![n, share, block, block, h, w], [0, 1, 4, 2, 5, 3]),
        other => return Err(Cause::msg(format!("the mode {other:?} is not known"))),
    };
    let moved = transposed(call, &seen_as(x, apart)?, &order)?;
    Ok(vec![seen_as(moved, vec![n, share, h * block, w * block])?])
}

fn space_to_depth(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let x = call.value(0)?.clone();
    let [n, c, h, w, block] = blocks(call, &x)?;
    let apart = vec![n, c, h / block, block, w / block, block];
    let order = match call.text("mode", "DCR")? {
        "DCR" => [0, 3, 5, 1, 2, 4],
        "CRD" => [0, 1, 3, 5, 2, 4],
        other => return Err(Cause::msg(format!("the mode {other:?} is not known"))),
    };
    let moved = transposed(call, &seen_as(x, apart)?, &order)?;
    Ok(vec![seen_as(moved, vec![n, c * block * block, h / block, w / block])?])
}

/// A constant repeated to a shape.
pub(super) fn repeated(call: &mut Call<'_>, tensor: &Tensor, shape: &[usize]) -> Result<Value, Cause> {
    call.take(shape)?;
    let misfit = || Cause::msg(format!("{:?} cannot be repeated into {shape:?}", tensor.shape()));
    let floats = tensor.to_f32();
    let whole = floats.broadcast(ndarray::IxDyn(shape)).ok_or_else(misfit)?.to_owned();
    Ok(Value::from(Tensor::F32(whole)))
}
