//! Operators that look values up by places, put others there, or compare places.

use ndarray::{ArrayD, IxDyn};

use super::arithmetic::{chosen, join};
use super::movement::{joined, part, transposed};
use crate::error::Cause;
use crate::kernel::{BinaryOp, CumSum, Gather, GatherNd};
use crate::onnx::call::{Call, Operator, seen_as};
use crate::onnx::shapes;
use crate::onnx::tensor::Tensor;
use crate::onnx::value::Value;

pub(super) fn find(operator: &str) -> Option<Operator> {
    Some(match operator {
        "GatherND" => gather_nd,
        "GatherElements" => gather_elements,
        "ScatterND" | "ScatterElements" => scattered,
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
    let mut pairs = indices.shape().iter().zip(data.shape()).enumerate();
    let stands_in = pairs.all(|(at, (own, whole))| at == axis || own <= whole);
    if indices.shape().len() != rank || !stands_in {
        return Err(Cause::msg(format!("{:?} looks up nothing in {:?}", indices.shape(), data.shape())));
    }
    let mut rows = data;
    for other in (0..rank).filter(|&other| other != axis) {
        rows = part(call, &rows, other, 0..indices.shape()[other])?;
    }
    let order: Vec<usize> = (0..rank).filter(|&place| place != axis).chain([axis]).collect();
    let (rows, indices) = (transposed(call, &rows, &order)?, transposed(call, &indices, &order)?);
    let shape = [indices.shape(), &[1]].concat();
    let found = looked_up(call, &rows, &seen_as(indices, shape)?, rank - 1)?;
    let mut back = vec![0; rank];
    order.iter().enumerate().for_each(|(place, &axis)| back[axis] = place);
    Ok(vec![transposed(call, &found, &back)?])
}

/// The places of the values, with those of others, which stand behind them, where they are put: both are looked up in one
/// row. Where things are put decides what is computed, so it is known.
fn scattered(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let (data, updates) = (call.value(0)?.clone(), call.value(2)?.clone());
    let indices = call.constant(1).map_err(|cause| cause.context("where values are put"))?.cloned();
    let flat = |value: &Value| shapes::count(value.shape()).unwrap_or(0);
    let (len, others) = (flat(&data), flat(&updates));
    call.take(&[len + others])?;
    let counted = |from: usize, value: &Value| {
        let places: Vec<i64> = (from..from + flat(value)).map(|place| place as i64).collect();
        Tensor::ints(&places).reshaped(value.shape())
    };
    let places = [Some(counted(0, &data)?), indices, Some(counted(len, &updates)?)];
    let places = Value::from(call.folded(places)?);
    let both = joined(call, &[seen_as(data.clone(), vec![len])?, seen_as(updates, vec![others])?], 0)?;
    let ids =
        [call.as_it_is(&both.of_kind(data.kind()), &[len + others])?, call.ints_of(&places, data.shape())?];
    Ok(vec![call.add(Gather::new(0), &ids)?.of_kind(data.kind())])
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
        Value::from(Tensor::I64(ArrayD::from_shape_fn(IxDyn(&along), place)))
    };
    let hot = join(call, BinaryOp::Equal, &indices, &places(0.0))?;
    let from_the_end = join(call, BinaryOp::Equal, &indices, &places(-depth))?;
    let hot = join(call, BinaryOp::Max, &hot, &from_the_end)?;
    let value = |place: usize| Value::from(values.at(place));
    Ok(vec![chosen(call, &hot, [&value(1), &value(0)], values.kind())?])
}

/// The upper or lower triangle of each matrix; the rest is 0.
fn triangle(call: &mut Call<'_>) -> Result<Vec<Value>, Cause> {
    let x = call.value(0)?.clone();
    let [.., rows, columns] = *x.shape() else {
        return Err(Cause::msg(format!("{:?} is no matrix", x.shape())));
    };
    call.take(&[rows, columns])?;
    let all = Tensor::Bool(ArrayD::from_elem(IxDyn(&[rows, columns]), true));
    let away = call.constant(1)?.cloned();
    let kept = Value::from(call.folded([Some(all), away])?);
    let zero = Value::from(Tensor::I64(ArrayD::zeros(IxDyn(&[]))));
    Ok(vec![chosen(call, &kept, [&x, &zero], x.kind())?])
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
