//! What an item of a model is: the shapes of its inputs, with or without a batch axis.

use std::collections::HashMap;

use super::graph::{Dim, Input};
use super::tensor::elements;
use crate::error::Cause;

/// The shapes of all inputs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Items {
    /// Whether the first axis of every input, which is 1, is that of the batch.
    pub(super) batch: bool,
    /// Shapes that the model sees, in the order of the inputs.
    pub(super) shapes: Vec<Vec<usize>>,
}

impl Items {
    /// Finds the shapes: those given, symbols that are given, and a batch axis of 1.
    pub(super) fn new(
        inputs: &[Input],
        dims: &HashMap<String, usize>,
        shapes: &HashMap<String, Vec<usize>>,
    ) -> Result<Self, Cause> {
        let known: Vec<Vec<Dim>> = inputs.iter().map(|input| known(input, dims, shapes)).collect();
        let batch = known.iter().all(|axes| axes.len() >= 2 && may_be_batch(&axes[0]));
        let shapes = inputs.iter().zip(&known).map(|(input, axes)| {
            shape(axes, batch).map_err(|cause| cause.context(format!("input {:?}", input.name)))
        });
        Ok(Self { batch, shapes: shapes.collect::<Result<_, _>>()? })
    }

    /// The shape of an item of a tensor that the model sees in this shape.
    pub(super) fn item<'a>(&self, shape: &'a [usize]) -> &'a [usize] {
        match shape {
            [1, rest @ ..] if self.batch => rest,
            _ => shape,
        }
    }
}

/// The shapes of inputs that are tensors of a program: these have the shape of an item, with or without an axis for
/// the batch, and say what the model leaves open.
pub(super) fn given(
    inputs: &[Input],
    (dims, shapes): (&HashMap<String, usize>, &HashMap<String, Vec<usize>>),
    given: &HashMap<&str, &[usize]>,
) -> Result<HashMap<String, Vec<usize>>, Cause> {
    let shape = |input: &Input| {
        let (axes, item) = (known(input, dims, shapes), given.get(input.name.as_str()));
        let item =
            item.ok_or_else(|| Cause::msg(format!("no tensor is given for its input {:?}", input.name)))?;
        let shape = with_batch(&axes, item).ok_or_else(|| {
            let axes: Vec<String> = axes.iter().map(Dim::to_string).collect();
            Cause::msg(format!(
                "its input {:?} takes [{}], and {item:?} is given",
                input.name,
                axes.join(", ")
            ))
        })?;
        Ok((input.name.clone(), shape))
    };
    inputs.iter().map(shape).collect()
}

/// An item's shape as the model sees it, if these axes can have it.
fn with_batch(axes: &[Dim], item: &[usize]) -> Option<Vec<usize>> {
    let batch = (axes.len() == item.len() + 1).then_some(1);
    let shape: Vec<usize> = batch.into_iter().chain(item.iter().copied()).collect();
    let fits = |(axis, length): (&Dim, &usize)| !matches!(axis, Dim::Fixed(fixed) if fixed != length);
    (axes.len() == shape.len() && axes.iter().zip(&shape).all(fits)).then_some(shape)
}

/// The axes with what the caller said about them.
fn known(input: &Input, dims: &HashMap<String, usize>, shapes: &HashMap<String, Vec<usize>>) -> Vec<Dim> {
    if let Some(shape) = shapes.get(&input.name) {
        return shape.iter().map(|&axis| Dim::Fixed(axis)).collect();
    }
    let fixed = |axis: &Dim| match axis {
        Dim::Symbol(symbol) => dims.get(symbol).map_or_else(|| axis.clone(), |&length| Dim::Fixed(length)),
        Dim::Fixed(_) | Dim::Unknown => axis.clone(),
    };
    input.dims.iter().map(fixed).collect()
}

fn may_be_batch(axis: &Dim) -> bool {
    !matches!(axis, Dim::Fixed(length) if *length != 1)
}

fn shape(axes: &[Dim], batch: bool) -> Result<Vec<usize>, Cause> {
    let length = |(place, axis): (usize, &Dim)| match axis {
        Dim::Fixed(length) => Ok(*length),
        Dim::Symbol(_) | Dim::Unknown if batch && place == 0 => Ok(1),
        Dim::Symbol(symbol) => {
            Err(Cause::msg(format!("axis {place} is {symbol:?}: give its length with dim({symbol:?}, …)")))
        }
        Dim::Unknown => Err(Cause::msg(format!(
            "the length of axis {place} is not known: give the shape with input_shape"
        ))),
    };
    let shape = axes.iter().enumerate().map(length).collect::<Result<Vec<_>, _>>()?;
    match elements(&shape)? {
        0 => Err(Cause::msg(format!("its shape {shape:?} has no elements"))),
        _ => Ok(shape),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::tensor::Kind;

    fn input(name: &str, dims: &[Dim]) -> Input {
        Input { name: name.into(), kind: Kind::Float, dims: dims.to_vec() }
    }

    fn symbol(name: &str) -> Dim {
        Dim::Symbol(name.into())
    }

    fn items(inputs: &[Input], dims: &[(&str, usize)]) -> Result<Items, String> {
        let dims = dims.iter().map(|&(name, length)| (name.into(), length)).collect();
        Items::new(inputs, &dims, &HashMap::new()).map_err(|cause| cause.to_string())
    }

    #[test]
    fn a_first_axis_that_is_symbolic_or_1_is_the_batch() {
        for first in [symbol("n"), Dim::Unknown, Dim::Fixed(1)] {
            let found = items(&[input("x", &[first, Dim::Fixed(3)])], &[]).unwrap();
            assert_eq!(found, Items { batch: true, shapes: vec![vec![1, 3]] });
            assert_eq!((found.item(&[1, 5, 7]), found.item(&[2, 5])), (&[5, 7][..], &[2, 5][..]));
        }
    }

    #[test]
    fn a_whole_tensor_is_an_item_where_an_input_has_no_batch_axis() {
        let whole = [Dim::Fixed(2), Dim::Fixed(3)];
        let found = items(&[input("x", &whole), input("y", &[Dim::Fixed(1), Dim::Fixed(3)])], &[]).unwrap();
        assert_eq!(found, Items { batch: false, shapes: vec![vec![2, 3], vec![1, 3]] });
        assert_eq!(found.item(&[1, 3]), [1, 3]);
        assert!(!items(&[input("x", &[Dim::Fixed(1)])], &[]).unwrap().batch, "one axis is no batch axis");
    }

    #[test]
    fn an_axis_of_unknown_length_is_asked_for() {
        let image = [input("x", &[symbol("n"), symbol("h")])];
        let error = items(&image, &[]).unwrap_err();
        assert_eq!(error, r#"input "x": axis 1 is "h": give its length with dim("h", …)"#);
        assert_eq!(items(&image, &[("h", 5)]).unwrap().shapes, [[1, 5]]);
        let fixed = items(&image, &[("h", 5), ("n", 4)]).unwrap();
        assert_eq!(fixed, Items { batch: false, shapes: vec![vec![4, 5]] });
        let unknown = items(&[input("x", &[Dim::Fixed(2), Dim::Unknown])], &[]).unwrap_err();
        assert!(unknown.contains("input_shape"), "{unknown}");
    }

    #[test]
    fn a_shape_without_elements_or_with_too_many_is_refused() {
        assert!(items(&[input("x", &[Dim::Fixed(1), Dim::Fixed(0)])], &[]).is_err());
        let huge = [Dim::Fixed(1), Dim::Fixed(usize::MAX), Dim::Fixed(2)];
        assert!(items(&[input("x", &huge)], &[]).is_err());
    }
}
