//! Operators that make, move and select elements.

use ndarray::{ArrayD, Axis, IxDyn};

use super::known::Constants;
use crate::error::Cause;
use crate::onnx::half;
use crate::onnx::read::DataType;
use crate::onnx::shapes;
use crate::onnx::tensor::{Kind, Tensor, map_tensor};

pub(super) fn evaluate(constants: &mut Constants<'_>) -> Result<Option<Vec<Tensor>>, Cause> {
    let one = match constants.node.operator.as_str() {
        "Split" => return split(constants).map(Some),
        "Constant" => constant(constants)?,
        "ConstantOfShape" => constant_of_shape(constants)?,
        "Range" => range(constants)?,
        "Identity" => constants.input(0)?.clone(),
        "Cast" => cast(constants)?,
        "CastLike" => of_kind(constants.input(0)?, constants.input(1)?.kind()),
        "Shape" => Tensor::ints(&shape(constants.node, constants.input(0)?.shape())?),
        "Size" => Tensor::I64(ArrayD::from_elem(IxDyn(&[]), constants.input(0)?.len() as i64)),
        "Reshape" => reshape(constants)?,
        "Flatten" => flatten(constants)?,
        "Squeeze" => squeeze(constants)?,
        "Unsqueeze" => unsqueeze(constants)?,
        "Transpose" => transpose(constants)?,
        "Expand" => expand(constants)?,
        "Gather" => gather(constants)?,
        "Slice" => slice(constants)?,
        "Concat" => concat(constants)?,
        _ => return Ok(None),
    };
    Ok(Some(vec![one]))
}

fn constant(constants: &Constants<'_>) -> Result<Tensor, Cause> {
    let attributes = &constants.node.attributes;
    let floats = |values: &[f32]| ArrayD::from_shape_fn(IxDyn(&[values.len()]), |index| values[index[0]]);
    if let Some(tensor) = attributes.tensor("value")? {
        return Ok(tensor.as_ref().clone());
    }
    if let Some(value) = attributes.float("value_float")? {
        return Ok(Tensor::scalar(value));
    }
    if let Some(value) = attributes.int("value_int")? {
        return Ok(Tensor::I64(ArrayD::from_elem(IxDyn(&[]), value)));
    }
    if let Some(values) = attributes.floats("value_floats")? {
        return Ok(Tensor::F32(floats(values)));
    }
    match attributes.ints("value_ints")? {
        Some(values) => Ok(Tensor::ints(values)),
        None => Err(Cause::msg("its value is missing, or no tensor of numbers")),
    }
}

fn constant_of_shape(constants: &mut Constants<'_>) -> Result<Tensor, Cause> {
    let shape = shapes::lengths(&constants.input(0)?.to_ints()?)?;
    constants.budget.take(&shape)?;
    let Some(value) = constants.node.attributes.tensor("value")? else {
        return Ok(Tensor::F32(ArrayD::zeros(IxDyn(&shape))));
    };
    if value.len() != 1 {
        return Err(Cause::msg(format!("its value has the shape {:?}", value.shape())));
    }
    Ok(map_tensor!(&*value, array => {
        let value = array.iter().next().copied().unwrap_or_default();
        ArrayD::from_elem(IxDyn(&shape), value)
    }))
}

fn range(constants: &mut Constants<'_>) -> Result<Tensor, Cause> {
    let parts = [constants.input(0)?, constants.input(1)?, constants.input(2)?];
    let count = |count: f64| {
        let fits = count.is_finite() && count <= (1_u64 << 30) as f64;
        if fits { Ok(count.max(0.0) as usize) } else { Err(Cause::msg("the range has no end")) }
    };
    if let [Tensor::I64(_), Tensor::I64(_), Tensor::I64(_)] = parts {
        let first = |tensor: &Tensor| tensor.to_ints().map(|values| values.first().copied().unwrap_or(0));
        let (start, limit, step) = (first(parts[0])?, first(parts[1])?, first(parts[2])?);
        let len = count(((limit as f64 - start as f64) / step as f64).ceil())?;
        constants.budget.take(&[len])?;
        let value = |index: usize| start.wrapping_add(step.wrapping_mul(index as i64));
        return Ok(Tensor::ints(&(0..len).map(value).collect::<Vec<_>>()));
    }
    let [start, limit, step] = [parts[0].to_scalar()?, parts[1].to_scalar()?, parts[2].to_scalar()?];
    let len = count(f64::from((limit - start) / step).ceil())?;
    constants.budget.take(&[len])?;
    Ok(Tensor::F32(ArrayD::from_shape_fn(IxDyn(&[len]), |index| start + step * index[0] as f32)))
}

fn cast(constants: &Constants<'_>) -> Result<Tensor, Cause> {
    let tensor = constants.input(0)?;
    let to = DataType::new(constants.int("to", 0)? as i32)?;
    Ok(match (to, of_kind(tensor, to.kind())) {
        // What is halves already is exact.
        (DataType::F16, Tensor::F32(array)) => Tensor::F16(array.mapv(half::to_f16)),
        (DataType::Bf16, Tensor::F32(array)) => Tensor::F32(array.mapv(half::rounded_to_bf16)),
        (to, Tensor::I64(array)) => Tensor::I64(array.mapv(|value| to.wrapped(value))).narrowed(to.kind()),
        (_, other) => other,
    })
}

/// The same values as floats, whole numbers or flags. Halves stay halves: they are widened where they are used.
pub(in crate::onnx) fn of_kind(tensor: &Tensor, kind: Kind) -> Tensor {
    if let Some(widened) = tensor.widened() {
        return if tensor.kind() == kind { tensor.clone() } else { of_kind(&widened, kind) };
    }
    let given = match (kind, tensor) {
        (Kind::Float, Tensor::F16(_) | Tensor::F32(_)) | (Kind::Int(_), Tensor::I64(_)) => tensor.clone(),
        (Kind::Bool, Tensor::Bool(_)) => tensor.clone(),
        (Kind::Float, other) => Tensor::F32(other.to_f32()),
        (Kind::Int(_), Tensor::Bool(array)) => Tensor::I64(array.mapv(i64::from)),
        (Kind::Int(_), other) => Tensor::I64(other.to_f32().mapv(|value| value as i64)),
        (Kind::Bool, other) => Tensor::Bool(other.to_f32().mapv(|value| value != 0.0)),
    };
    given.narrowed(kind)
}

/// What `Shape` gives of a tensor of this shape.
pub(in crate::onnx) fn shape(node: &crate::onnx::node::Node, shape: &[usize]) -> Result<Vec<i64>, Cause> {
    let rank = shape.len() as i64;
    let place = |axis: i64| if axis < 0 { axis.saturating_add(rank) } else { axis }.clamp(0, rank);
    let start = place(node.attributes.int("start")?.unwrap_or(0));
    let end = place(node.attributes.int("end")?.unwrap_or(rank)).max(start);
    Ok(shape[start as usize..end as usize].iter().map(|&axis| axis as i64).collect())
}

fn reshape(constants: &Constants<'_>) -> Result<Tensor, Cause> {
    let tensor = constants.input(0)?;
    let wanted = constants.ints("shape", 1)?.ok_or_else(|| Cause::msg("its shape is missing"))?;
    let allow_zero = constants.int("allowzero", 0)? == 1;
    tensor.reshaped(&shapes::reshape(tensor.shape(), &wanted, allow_zero)?)
}

fn flatten(constants: &Constants<'_>) -> Result<Tensor, Cause> {
    let tensor = constants.input(0)?;
    tensor.reshaped(&shapes::flatten(tensor.shape(), constants.int("axis", 1)?)?)
}

fn squeeze(constants: &Constants<'_>) -> Result<Tensor, Cause> {
    let tensor = constants.input(0)?;
    let axes = constants.ints("axes", 1)?;
    tensor.reshaped(&shapes::squeeze(tensor.shape(), axes.as_deref())?)
}

fn unsqueeze(constants: &Constants<'_>) -> Result<Tensor, Cause> {
    let tensor = constants.input(0)?;
    let axes = constants.ints("axes", 1)?.ok_or_else(|| Cause::msg("its axes are missing"))?;
    tensor.reshaped(&shapes::unsqueeze(tensor.shape(), &axes)?)
}

fn transpose(constants: &mut Constants<'_>) -> Result<Tensor, Cause> {
    let tensor = constants.input(0)?;
    let order = shapes::permutation(constants.node.attributes.ints("perm")?, tensor.shape().len())?;
    Ok(tensor.permuted(&order))
}

fn expand(constants: &mut Constants<'_>) -> Result<Tensor, Cause> {
    let wanted = shapes::lengths(&constants.input(1)?.to_ints()?)?;
    let shape = shapes::broadcast(constants.input(0)?.shape(), &wanted)?;
    constants.budget.take(&shape)?;
    let misfit = || Cause::msg(format!("it cannot be repeated into {shape:?}"));
    Ok(map_tensor!(constants.input(0)?, array => {
        array.broadcast(IxDyn(&shape)).ok_or_else(misfit)?.to_owned()
    }))
}

fn gather(constants: &mut Constants<'_>) -> Result<Tensor, Cause> {
    let (data, indices) = (constants.input(0)?, constants.input(1)?);
    let axis = shapes::axis(constants.int("axis", 0)?, data.shape().len())?;
    let length = data.shape()[axis];
    let places = indices.to_ints()?.into_iter().map(|index| shapes::axis(index, length));
    let places = places.collect::<Result<Vec<_>, _>>().map_err(|cause| cause.context("an index"))?;
    let mut shape = data.shape()[..axis].to_vec();
    shape.extend_from_slice(indices.shape());
    shape.extend_from_slice(&data.shape()[axis + 1..]);
    constants.budget.take(&shape)?;
    select(constants.input(0)?, axis, &places).reshaped(&shape)
}

fn select(data: &Tensor, axis: usize, places: &[usize]) -> Tensor {
    map_tensor!(data, array => array.select(Axis(axis), places))
}

fn slice(constants: &Constants<'_>) -> Result<Tensor, Cause> {
    let data = constants.input(0)?;
    let missing = || Cause::msg("starts or ends are missing");
    let starts = constants.ints("starts", 1)?.ok_or_else(missing)?;
    let ends = constants.ints("ends", 2)?.ok_or_else(missing)?;
    let (axes, steps) = (constants.ints("axes", 3)?, constants.ints("steps", 4)?);
    let taken = shapes::slices(data.shape(), &starts, &ends, axes.as_deref(), steps.as_deref())?;
    Ok(taken.iter().enumerate().fold(data.clone(), |part, (axis, taken)| {
        if part.shape()[axis] == taken.len && taken.step == 1 {
            return part;
        }
        select(&part, axis, &taken.places().collect::<Vec<_>>())
    }))
}

fn split(constants: &Constants<'_>) -> Result<Vec<Tensor>, Cause> {
    let data = constants.input(0)?;
    let axis = shapes::axis(constants.int("axis", 0)?, data.shape().len())?;
    let given = constants.ints("split", 1)?;
    let parts = shapes::split(data.shape()[axis], given.as_deref(), constants.node.outputs.len())?;
    let ends = parts.iter().scan(0, |end, &length| {
        *end += length;
        Some(*end)
    });
    let part = |(end, &length): (usize, &usize)| select(data, axis, &(end - length..end).collect::<Vec<_>>());
    Ok(ends.zip(&parts).map(part).collect())
}

fn concat(constants: &mut Constants<'_>) -> Result<Tensor, Cause> {
    let first = constants.input(0)?;
    let axis = Axis(shapes::axis(constants.int("axis", 1)?, first.shape().len())?);
    let all =
        (0..constants.inputs.len()).map(|index| constants.input(index)).collect::<Result<Vec<_>, _>>()?;
    let total = all.iter().map(|tensor| tensor.len()).fold(0, usize::saturating_add);
    constants.budget.take(&[total])?;
    Ok(match first {
        Tensor::I64(_) => Tensor::I64(joined(axis, &all, |tensor| match tensor {
            Tensor::I64(array) => Some(array.view()),
            _ => None,
        })?),
        Tensor::I8(_) => Tensor::I8(joined(axis, &all, |tensor| match tensor {
            Tensor::I8(array) => Some(array.view()),
            _ => None,
        })?),
        Tensor::U8(_) => Tensor::U8(joined(axis, &all, |tensor| match tensor {
            Tensor::U8(array) => Some(array.view()),
            _ => None,
        })?),
        Tensor::Bool(_) => Tensor::Bool(joined(axis, &all, |tensor| match tensor {
            Tensor::Bool(array) => Some(array.view()),
            _ => None,
        })?),
        Tensor::F32(_) | Tensor::F16(_) => {
            let floats: Vec<ArrayD<f32>> = all.iter().map(|tensor| tensor.to_f32()).collect();
            let views: Vec<_> = floats.iter().map(|array| array.view()).collect();
            Tensor::F32(ndarray::concatenate(axis, &views)?)
        }
    })
}

fn joined<'a, T: Clone + 'a>(
    axis: Axis,
    all: &[&'a Tensor],
    view: impl Fn(&'a Tensor) -> Option<ndarray::ArrayViewD<'a, T>>,
) -> Result<ArrayD<T>, Cause> {
    let mixed = || Cause::msg("tensors of different elements are joined");
    let views = all.iter().map(|&tensor| view(tensor)).collect::<Option<Vec<_>>>().ok_or_else(mixed)?;
    Ok(ndarray::concatenate(axis, &views)?)
}
