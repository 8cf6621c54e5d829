//! Operators that look values up by places, put others there, or compare places.

use std::sync::Arc;

use ndarray::{Array2, ArrayD, Dimension, IxDyn};

use super::arithmetic::join;
use super::movement::{cut, joined, transposed};
use crate::error::Cause;
use crate::kernel::{BinaryOp, CumSum, Gather, GatherNd, Select};
use crate::onnx::call::{Call, Operator, seen_as};
use crate::onnx::shapes::{self, Taken};
use crate::onnx::tensor::{Kind, Tensor};
use crate::onnx::value::Value;

pub(super) fn find(operator: &str) -> Option<Operator> {
    Some(match operator {
        "GatherND" => gather_nd,
        "GatherElements" => gather_elements,
        "ScatterND" => scatter_nd,
        "ScatterElements" | "Scatter" => scatter_elements,
        "OneHot" => one_hot,
        "Trilu" => triangle,
        "CumSum" => cum_sum,
        _ => return None,
    })
}

fn gather_nd(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let (data, indices) = (call.value(0)?.clone(), call.value(1)?.clone());
    let batch = shapes::length(call.int("batch_dims", 0)?)?;
    looked_up(call, &data, &indices, batch).map(|value| vec![value])
}

fn looked_up(call: &mut Call<'_>, data: &Value, indices: &Value, batch: usize) -> Result<Value, Cause> {
    let ids = [call.as_it_is(data, data.shape())?, call.as_it_is(indices, indices.shape())?];
    Ok(call.add(GatherNd::new(batch), &ids)?.of_kind(data.kind()))
}

/// With its axis as the last one, each row of places looks up in one row of values.
fn gather_elements(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let (data, indices) = (call.value(0)?.clone(), call.value(1)?.clone());
    let rank = data.shape().len();
    let axis = shapes::axis(call.int("axis", 0)?, rank)?;
    let fits = |(place, (own, whole)): (usize, (&usize, &usize))| place == axis || own <= whole;
    if indices.shape().len() != rank || !indices.shape().iter().zip(data.shape()).enumerate().all(fits) {
        return Err(Cause::msg(format!("{:?} looks up nothing in {:?}", indices.shape(), data.shape())));
    }
    let all = |axis_of: usize| Taken::all(axis_of);
    let taken: Vec<Taken> = (0..rank)
        .map(|place| if place == axis { all(data.shape()[place]) } else { all(indices.shape()[place]) })
        .collect();
    let data = cut(call, &data, &taken)?;
    let order: Vec<usize> = (0..rank).filter(|&place| place != axis).chain([axis]).collect();
    let [data, indices] = [data, indices].map(|value| permuted(call, &value, &order));
    let (data, indices) = (data?, indices?);
    let shape = [indices.shape(), &[1]].concat();
    let found = looked_up(call, &data, &seen_as(indices, shape)?, rank - 1)?;
    let mut back = vec![0; rank];
    order.iter().enumerate().for_each(|(place, &axis)| back[axis] = place);
    Ok(vec![permuted(call, &found, &back)?])
}

/// The value with its axes in this order, also where it is known.
pub(super) fn permuted(call: &mut Call<'_>, value: &Value, order: &[usize]) -> Result<Value, Cause> {
    let Value::Constant(tensor) = value else { return transposed(call, value, order) };
    call.take(tensor.shape())?;
    Ok(Value::Constant(Arc::new(tensor.permuted(order))))
}

/// Where each value of a tensor comes from, once others are put into it: from its own places, or behind them from
/// those of the others.
struct Placed(Vec<i64>);

impl Placed {
    fn new(len: usize) -> Self {
        Self((0..len as i64).collect())
    }

    /// The values of `data`, with those of `updates` where they were put.
    fn of(self, call: &mut Call<'_>, data: &Value, updates: &Value) -> Result<Vec<Value>, Cause> {
        if call.text("reduction", "none")? != "none" {
            return Err(Cause::msg("values that are put to others are not reduced with them"));
        }
        let flat = |value: &Value| seen_as(value.clone(), vec![shapes::count(value.shape()).unwrap_or(0)]);
        let both = joined(call, &[flat(data)?, flat(updates)?], 0)?;
        let (both_shape, places) = (both.shape().to_vec(), Value::Constant(Arc::new(Tensor::ints(&self.0))));
        call.take(&[self.0.len()])?;
        let ids = [
            call.as_it_is(&both.of_kind(data.kind()), &both_shape)?,
            call.ints_of(&places, &[self.0.len()])?,
        ];
        let placed = call.add(Gather::new(0), &ids)?;
        Ok(vec![seen_as(placed, data.shape().to_vec())?.of_kind(data.kind())])
    }
}

/// Indices that are known: where things are put decides what is computed.
fn known_places(call: &Call<'_>) -> Result<Tensor, Cause> {
    let places = call.constant(1).map_err(|cause| cause.context("where values are put"))?;
    places.cloned().ok_or_else(|| Cause::msg("its indices are missing"))
}

fn scatter_nd(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let (data, indices, updates) = (call.value(0)?.clone(), known_places(call)?, call.value(2)?.clone());
    let depth = indices.shape().last().copied().unwrap_or(0);
    if !(1..=data.shape().len()).contains(&depth) {
        return Err(Cause::msg(format!("{:?} are no places of {:?}", indices.shape(), data.shape())));
    }
    let (axes, inner) = data.shape().split_at(depth);
    let wanted = [&indices.shape()[..indices.shape().len() - 1], inner].concat();
    if updates.shape() != wanted {
        return Err(Cause::msg(format!("its updates are {:?}, and {wanted:?} are placed", updates.shape())));
    }
    let (len, inner) = (shapes::count(data.shape()).unwrap_or(0), shapes::count(inner).unwrap_or(0));
    let mut placed = Placed::new(len);
    for (number, row) in indices.to_ints()?.chunks(depth).enumerate() {
        let at = row.iter().zip(axes).try_fold(0, |at, (&index, &axis)| {
            shapes::axis(index, axis)
                .map(|place| at * axis + place)
                .map_err(|cause| cause.context("an index"))
        })?;
        for place in 0..inner {
            placed.0[at * inner + place] = (len + number * inner + place) as i64;
        }
    }
    placed.of(call, &data, &updates)
}

fn scatter_elements(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let (data, indices, updates) = (call.value(0)?.clone(), known_places(call)?, call.value(2)?.clone());
    let rank = data.shape().len();
    let axis = shapes::axis(call.int("axis", 0)?, rank)?;
    let fits = |(place, (own, whole)): (usize, (&usize, &usize))| place == axis || own <= whole;
    let alike = indices.shape() == updates.shape() && indices.shape().len() == rank;
    if !alike || !indices.shape().iter().zip(data.shape()).enumerate().all(fits) {
        let (places, updates) = (indices.shape(), updates.shape());
        return Err(Cause::msg(format!("{updates:?} are not put to {places:?} of {:?}", data.shape())));
    }
    let len = shapes::count(data.shape()).unwrap_or(0);
    let mut placed = Placed::new(len);
    let all = ndarray::indices(IxDyn(indices.shape())).into_iter();
    for (number, (mut at, index)) in all.zip(indices.to_ints()?).enumerate() {
        at[axis] = shapes::axis(index, data.shape()[axis]).map_err(|cause| cause.context("an index"))?;
        let place = at.slice().iter().zip(data.shape()).fold(0, |place, (at, axis)| place * axis + at);
        placed.0[place] = (len + number) as i64;
    }
    placed.of(call, &data, &updates)
}

/// Each place of a new axis is compared with the index, which may count from the end.
fn one_hot(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let indices = call.value(0)?.clone();
    let depth = call.constant(1)?.ok_or_else(|| Cause::msg("its depth is missing"))?.to_scalar()?;
    let values = call.constant(2)?.ok_or_else(|| Cause::msg("its values are missing"))?.clone();
    if depth.fract() != 0.0 || !(1.0..=16_777_216.0).contains(&depth) || values.shape() != [2] {
        return Err(Cause::msg(format!("{depth} places for {:?} values are none", values.shape())));
    }
    let rank = indices.shape().len() + 1;
    let axis = shapes::axis(call.int("axis", -1)?, rank)?;
    let mut shape = indices.shape().to_vec();
    shape.insert(axis, 1);
    let indices = seen_as(indices, shape)?;
    let mut along = vec![1; rank];
    along[axis] = depth as usize;
    call.take(&along)?;
    let places = |first: f32| {
        let place = |at: IxDyn| (at[axis] as f32 + first) as i64;
        Value::Constant(Arc::new(Tensor::I64(ArrayD::from_shape_fn(IxDyn(&along), place))))
    };
    let hot = join(call, BinaryOp::Equal, &indices, &places(0.0))?;
    let from_the_end = join(call, BinaryOp::Equal, &indices, &places(-depth))?;
    let hot = join(call, BinaryOp::Max, &hot, &from_the_end)?;
    let value = |place: usize| Value::Constant(Arc::new(values.at(place)));
    choose(call, &hot, &value(1), &value(0), values.kind())
}

/// The upper or lower triangle of each matrix; the rest is 0.
fn triangle(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let x = call.value(0)?.clone();
    let away = call.constant(1)?.map_or(Ok(vec![0]), Tensor::to_ints)?;
    let away = away.first().copied().unwrap_or(0);
    let [.., rows, columns] = *x.shape() else {
        return Err(Cause::msg(format!("{:?} is no matrix", x.shape())));
    };
    let upper = call.flag("upper", true)?;
    call.take(&[rows, columns])?;
    let kept = Array2::from_shape_fn((rows, columns), |(row, column)| {
        let right = column as i64 - row as i64;
        if upper { right >= away } else { right <= away }
    });
    let kept = Value::Constant(Arc::new(Tensor::Bool(kept.into_dyn())));
    let zero = Value::Constant(Arc::new(Tensor::I64(ArrayD::zeros(IxDyn(&[])))));
    choose(call, &kept, &x, &zero, x.kind())
}

/// Values of one where a flag is set, else those of the other, all of this kind.
fn choose(
    call: &mut Call<'_>,
    flag: &Value,
    one: &Value,
    other: &Value,
    kind: Kind,
) -> Result<Vec<Value>, Cause> {
    let wide = shapes::broadcast(&shapes::broadcast(flag.shape(), one.shape())?, other.shape())?;
    let mut ids = vec![call.tensor(flag, flag.shape())?];
    for value in [one, other] {
        let of_ints = kind.is_int();
        ids.push(if of_ints {
            call.ints_of(value, value.shape())?
        } else {
            call.tensor(value, value.shape())?
        });
    }
    Ok(vec![seen_as(call.add(Select::new(), &ids)?, wide)?.of_kind(kind)])
}

fn cum_sum(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let x = call.value(0)?.clone();
    let axis = call.constant(1)?.ok_or_else(|| Cause::msg("its axis is missing"))?.to_ints()?;
    let &[axis] = &axis[..] else { return Err(Cause::msg("its axis is not one number")) };
    let axis = shapes::axis(axis, x.shape().len())?;
    let kernel =
        CumSum::new(axis).exclusive(call.flag("exclusive", false)?).reverse(call.flag("reverse", false)?);
    let sums = call.each_as_it_is(kernel, &x)?;
    Ok(vec![call.wrapped(&sums, x.kind())?.of_kind(x.kind())])
}
