//! Operators that pick, place and count elements by their indices.

use ndarray::{ArrayD, Axis, Dimension, IxDyn, SliceInfoElem};

use super::known::Constants;
use crate::error::Cause;
use crate::onnx::shapes;
use crate::onnx::tensor::{Tensor, map_tensor};

pub(super) fn evaluate(constants: &mut Constants<'_>) -> Result<Option<Tensor>, Cause> {
    Ok(Some(match constants.node.operator.as_str() {
        "GatherND" if constants.int("batch_dims", 0)? == 0 => gather_nd(constants)?,
        "GatherElements" => gather_elements(constants)?,
        "ScatterND" => scatter_nd(constants)?,
        "ScatterElements" => scatter_elements(constants)?,
        "NonZero" => non_zero(constants)?,
        "Trilu" => triangle(constants)?,
        "CumSum" => sums(constants)?,
        "OneHot" => one_hot(constants)?,
        "EyeLike" => eye(constants)?,
        _ => return Ok(None),
    }))
}

/// Rows of indices, each of which names a part of the data.
fn rows(indices: &Tensor, shape: &[usize]) -> Result<(usize, Vec<Vec<usize>>), Cause> {
    let depth = *indices.shape().last().ok_or_else(|| Cause::msg("its indices have no axis"))?;
    if depth > shape.len() || depth == 0 {
        return Err(Cause::msg(format!("its indices have {depth} places, and the data is {shape:?}")));
    }
    let indices = indices.to_ints()?;
    let place =
        |row: &[i64]| row.iter().zip(shape).map(|(&index, &length)| shapes::axis(index, length)).collect();
    let rows = indices
        .chunks(depth)
        .map(place)
        .collect::<Result<_, _>>()
        .map_err(|cause: Cause| cause.context("an index"))?;
    Ok((depth, rows))
}

/// The part of an array whose first axes are at these places.
fn part(places: &[usize], rank: usize) -> Vec<SliceInfoElem> {
    let at = places.iter().map(|&place| SliceInfoElem::Index(place as isize));
    let all = SliceInfoElem::Slice { start: 0, end: None, step: 1 };
    at.chain(std::iter::repeat_n(all, rank - places.len())).collect()
}

fn gather_nd(constants: &mut Constants<'_>) -> Result<Tensor, Cause> {
    let (data, indices) = (constants.input(0)?, constants.input(1)?);
    let (depth, rows) = rows(indices, data.shape())?;
    let leading = &indices.shape()[..indices.shape().len() - 1];
    let shape = [leading, &data.shape()[depth..]].concat();
    constants.budget.take(&shape)?;
    let misfit = || Cause::msg(format!("it gives no {shape:?}"));
    Ok(map_tensor!(data, array => {
        let parts = rows.iter().flat_map(|row| {
            array.slice(&part(row, array.ndim())[..]).iter().copied().collect::<Vec<_>>()
        });
        ArrayD::from_shape_vec(IxDyn(&shape), parts.collect()).map_err(|_| misfit())?
    }))
}

/// The place in `data` that a place in the indices stands for.
fn along(place: &IxDyn, axis: usize, index: i64, shape: &[usize]) -> Result<IxDyn, Cause> {
    let mut place = place.clone();
    place[axis] = shapes::axis(index, shape[axis]).map_err(|cause| cause.context("an index"))?;
    let fits = place.slice().iter().zip(shape).all(|(place, length)| place < length);
    if fits { Ok(place) } else { Err(Cause::msg(format!("its indices are larger than {shape:?}"))) }
}

/// Places of `indices` with those of the data along an axis.
fn places(indices: &Tensor, axis: usize, shape: &[usize]) -> Result<Vec<IxDyn>, Cause> {
    if indices.shape().len() != shape.len() {
        return Err(Cause::msg(format!("its indices {:?} have not the axes of {shape:?}", indices.shape())));
    }
    let values = indices.to_ints()?;
    let all = ndarray::indices(IxDyn(indices.shape())).into_iter();
    all.zip(values).map(|(place, index)| along(&place, axis, index, shape)).collect()
}

fn gather_elements(constants: &mut Constants<'_>) -> Result<Tensor, Cause> {
    let (data, indices) = (constants.input(0)?, constants.input(1)?);
    let axis = shapes::axis(constants.int("axis", 0)?, data.shape().len())?;
    let places = places(indices, axis, data.shape())?;
    let shape = indices.shape().to_vec();
    constants.budget.take(&shape)?;
    let misfit = || Cause::msg(format!("it gives no {shape:?}"));
    Ok(map_tensor!(data, array => {
        let values = places.iter().map(|place| array[place.clone()]).collect();
        ArrayD::from_shape_vec(IxDyn(&shape), values).map_err(|_| misfit())?
    }))
}

/// The same for whatever both tensors hold; they hold the same.
macro_rules! placed {
    ($data:expr, $updates:expr, $array:ident, $new:ident => $place:expr) => {
        match ($data, $updates) {
            (Tensor::I64($array), Tensor::I64($new)) => {
                let mut $array = $array.clone();
                $place;
                Tensor::I64($array)
            }
            (Tensor::Bool($array), Tensor::Bool($new)) => {
                let mut $array = $array.clone();
                $place;
                Tensor::Bool($array)
            }
            (data, updates) => {
                let (mut $array, $new) = (data.to_f32(), &updates.to_f32());
                $place;
                Tensor::F32($array)
            }
        }
    };
}

fn only_replaces(constants: &Constants<'_>) -> Result<(), Cause> {
    match constants.node.attributes.text("reduction")?.unwrap_or("none") {
        "none" => Ok(()),
        other => Err(Cause::msg(format!("the reduction {other:?} is not supported"))),
    }
}

fn scatter_nd(constants: &mut Constants<'_>) -> Result<Tensor, Cause> {
    only_replaces(constants)?;
    let (data, indices, updates) = (constants.input(0)?, constants.input(1)?, constants.input(2)?);
    let (depth, rows) = rows(indices, data.shape())?;
    let size: usize = data.shape()[depth..].iter().product();
    if updates.len() != rows.len() * size {
        return Err(Cause::msg(format!(
            "its updates are {:?}, and {} × {size} are placed",
            updates.shape(),
            rows.len()
        )));
    }
    Ok(placed!(data, updates, array, new => {
        let rank = array.ndim();
        let mut values = new.iter();
        for row in &rows {
            array.slice_mut(&part(row, rank)[..]).iter_mut().zip(&mut values).for_each(|(old, &new)| *old = new);
        }
    }))
}

fn scatter_elements(constants: &mut Constants<'_>) -> Result<Tensor, Cause> {
    only_replaces(constants)?;
    let (data, indices, updates) = (constants.input(0)?, constants.input(1)?, constants.input(2)?);
    let axis = shapes::axis(constants.int("axis", 0)?, data.shape().len())?;
    let places = places(indices, axis, data.shape())?;
    if updates.len() != places.len() {
        return Err(Cause::msg(format!(
            "its updates are {:?}, and there are {} indices",
            updates.shape(),
            places.len()
        )));
    }
    Ok(placed!(data, updates, array, new => {
        places.iter().zip(new.iter()).for_each(|(place, &new)| array[place.clone()] = new);
    }))
}

/// One row of places for each axis.
fn non_zero(constants: &mut Constants<'_>) -> Result<Tensor, Cause> {
    let tensor = constants.input(0)?;
    let (flags, rank) = (super::arithmetic::flags(tensor), tensor.shape().len().max(1));
    let found: Vec<IxDyn> = flags.indexed_iter().filter(|(_, flag)| **flag).map(|(place, _)| place).collect();
    constants.budget.take(&[rank, found.len()])?;
    Ok(Tensor::I64(ArrayD::from_shape_fn(IxDyn(&[rank, found.len()]), |at| {
        found[at[1]].slice().get(at[0]).map_or(0, |&place| place as i64)
    })))
}

/// The upper or lower triangle of each matrix; the rest is 0.
fn triangle(constants: &Constants<'_>) -> Result<Tensor, Cause> {
    let tensor = constants.input(0)?;
    let k = constants
        .optional(1)
        .map(Tensor::to_ints)
        .transpose()?
        .map_or(0, |k| k.first().copied().unwrap_or(0));
    let upper = constants.int("upper", 1)? != 0;
    let rank = tensor.shape().len();
    if rank < 2 {
        return Err(Cause::msg(format!("{:?} is no matrix", tensor.shape())));
    }
    let kept = |row: usize, column: usize| {
        let away = column as i64 - row as i64;
        if upper { away >= k } else { away <= k }
    };
    Ok(map_tensor!(tensor, array => {
        let mut array = array.clone();
        for (place, value) in array.indexed_iter_mut() {
            if !kept(place[rank - 2], place[rank - 1]) {
                *value = Default::default();
            }
        }
        array
    }))
}

fn sums(constants: &Constants<'_>) -> Result<Tensor, Cause> {
    let (tensor, axis) = (constants.input(0)?, constants.input(1)?.to_ints()?);
    let &[axis] = &axis[..] else { return Err(Cause::msg("its axis is not one number")) };
    let axis = shapes::axis(axis, tensor.shape().len())?;
    let (exclusive, reverse) = (constants.int("exclusive", 0)? != 0, constants.int("reverse", 0)? != 0);
    Ok(match tensor {
        Tensor::I64(array) => Tensor::I64(summed(array.clone(), axis, exclusive, reverse, i64::wrapping_add)),
        other => Tensor::F32(summed(other.to_f32(), axis, exclusive, reverse, |a, b| a + b)),
    })
}

fn summed<T: Copy + Default>(
    mut array: ArrayD<T>,
    axis: usize,
    exclusive: bool,
    reverse: bool,
    add: fn(T, T) -> T,
) -> ArrayD<T> {
    for mut lane in array.lanes_mut(Axis(axis)) {
        let count = lane.len();
        let mut sum = T::default();
        for step in 0..count {
            let place = if reverse { count - 1 - step } else { step };
            let (before, after) = (sum, add(sum, lane[place]));
            lane[place] = if exclusive { before } else { after };
            sum = after;
        }
    }
    array
}

fn one_hot(constants: &mut Constants<'_>) -> Result<Tensor, Cause> {
    let (indices, depth, values) = (constants.input(0)?, constants.input(1)?, constants.input(2)?);
    let depth = shapes::length(depth.to_f32().first().map_or(0, |&depth| depth as i64))?;
    let rank = indices.shape().len() + 1;
    let axis = shapes::axis(constants.int("axis", -1)?, rank)?;
    let mut shape = indices.shape().to_vec();
    shape.insert(axis, depth);
    constants.budget.take(&shape)?;
    let indices = indices.to_f32();
    let is_hot = |place: &IxDyn| {
        let mut rest = place.slice().to_vec();
        let at = rest.remove(axis) as i64;
        let index = indices[IxDyn(&rest)] as i64;
        let index = if index < 0 { index + depth as i64 } else { index };
        index == at
    };
    if values.len() != 2 {
        return Err(Cause::msg("its values are not two"));
    }
    Ok(map_tensor!(values, array => {
        let [off, on] = [array.iter().next().copied(), array.iter().nth(1).copied()].map(Option::unwrap_or_default);
        ArrayD::from_shape_fn(IxDyn(&shape), |place| if is_hot(&place) { on } else { off })
    }))
}

fn eye(constants: &mut Constants<'_>) -> Result<Tensor, Cause> {
    let tensor = constants.input(0)?;
    let [rows, columns] = *tensor.shape() else {
        return Err(Cause::msg(format!("{:?} is no matrix", tensor.shape())));
    };
    let k = constants.int("k", 0)?;
    constants.budget.take(&[rows, columns])?;
    let ones = ArrayD::from_shape_fn(IxDyn(&[rows, columns]), |at| at[1] as i64 - at[0] as i64 == k);
    let kind = match constants.int("dtype", 0)? {
        0 => tensor.kind(),
        dtype => crate::onnx::read::DataType::new(dtype as i32)?.kind(),
    };
    Ok(super::movement::of_kind(&Tensor::Bool(ones), kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_run_either_way_with_and_without_what_stands_at_the_place() {
        let row = || ArrayD::from_shape_vec(IxDyn(&[3]), vec![1, 2, 4]).unwrap();
        let run = |exclusive, reverse| {
            summed(row(), 0, exclusive, reverse, i64::wrapping_add).into_raw_vec_and_offset().0
        };
        assert_eq!(run(false, false), [1, 3, 7]);
        assert_eq!(run(true, false), [0, 1, 3]);
        assert_eq!(run(false, true), [7, 6, 4]);
        assert_eq!(run(true, true), [6, 4, 0]);
    }
}
