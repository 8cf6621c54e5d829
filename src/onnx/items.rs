//! What an item of a model is: the shapes of its inputs, and where the batch stands in each.

use std::collections::HashMap;

use super::graph::{Dim, Input};
use super::tensor::elements;
use crate::error::Cause;

/// What the caller says about the inputs.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    /// Lengths of symbolic axes.
    pub(super) dims: HashMap<String, usize>,
    /// Whole shapes of inputs.
    pub(super) shapes: HashMap<String, Vec<usize>>,
    /// The symbol that is the batch.
    pub(super) batch: Option<String>,
    /// The axis of an input that is the batch, or that none is.
    pub(super) axes: HashMap<String, Option<usize>>,
}

/// All inputs of a model, as one item has them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Items {
    /// In the order of the inputs.
    pub(super) inputs: Vec<Seen>,
}

/// An input as the model sees it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    /// With one item in the axis of the batch.
    pub(super) shape: Vec<usize>,
    /// The axis of the batch, which is 1; an item has the shape without it.
    pub(super) batch: Option<usize>,
    /// Whether the file leaves open how long that axis is.
    pub(super) open: bool,
    /// What the file calls it.
    pub(super) symbol: Option<String>,
}

impl Seen {
    /// The shape of an item.
    pub(super) fn item(&self) -> Vec<usize> {
        let kept = self.shape.iter().enumerate().filter(|(axis, _)| Some(*axis) != self.batch);
        kept.map(|(_, &length)| length).collect()
    }
}

impl Items {
    /// Finds the shapes: those given, symbols that are given, and a batch axis of 1.
    pub(super) fn new(inputs: &[Input], said: &Said) -> Result<Self, Cause> {
        let axes = inputs.iter().map(|input| Axes::new(input, said)).collect::<Result<Vec<_>, _>>()?;
        let open = axes.iter().any(|axes| axes.open.is_some());
        let fixed = open || axes.iter().all(Axes::may_be_one_item);
        let seen = inputs.iter().zip(axes).map(|(input, axes)| {
            axes.seen(input, fixed).map_err(|cause| cause.context(format!("input {:?}", input.name)))
        });
        Ok(Self { inputs: seen.collect::<Result<_, _>>()? })
    }

    /// Whether every input has an axis of the batch.
    pub(super) fn are_batched(&self) -> bool {
        self.inputs.iter().all(|input| input.batch.is_some())
    }
}

/// The axes of an input with what the caller said about them.
struct Axes {
    known: Vec<Dim>,
    /// The axis of the batch, where its length is left open.
    open: Option<usize>,
    /// Whether the caller said which axis is the batch.
    said: bool,
    /// Whether the caller gave the shape.
    shaped: bool,
}

impl Axes {
    fn new(input: &Input, said: &Said) -> Result<Self, Cause> {
        let known = known(input, said);
        let open = batch_axis(input, &known, said)
            .map_err(|cause| cause.context(format!("input {:?}", input.name)))?;
        let (name, shapes) = (&input.name, &said.shapes);
        Ok(Self { known, open, said: said.axes.contains_key(name), shaped: shapes.contains_key(name) })
    }

    /// Whether the file has one item, in a first axis of 1.
    fn may_be_one_item(&self) -> bool {
        !self.said && self.known.len() >= 2 && self.known[0] == Dim::Fixed(1)
    }

    /// `fixed` where a first axis of 1 is a batch of one item.
    fn seen(self, input: &Input, fixed: bool) -> Result<Seen, Cause> {
        if input.without_shape && !self.shaped {
            return Err(Cause::msg("the file says nothing of its shape: give it with input_shape"));
        }
        let batch = self.open.or((fixed && self.may_be_one_item()).then_some(0));
        let symbol = match batch.and_then(|axis| input.dims.get(axis)) {
            Some(Dim::Symbol(symbol)) => Some(symbol.clone()),
            _ => None,
        };
        Ok(Seen { shape: shape(&self.known, batch)?, batch, open: self.open.is_some(), symbol })
    }
}

/// The axis of the batch, where the file leaves open how long it is.
///
/// It is the one that the caller names, else the one whose symbol speaks of a batch, else a first axis that is open;
/// whether its items are on their own is found when the model is built.
fn batch_axis(input: &Input, known: &[Dim], said: &Said) -> Result<Option<usize>, Cause> {
    if let Some(axis) = said.axes.get(&input.name) {
        return match axis.map(|axis| known.get(axis)) {
            None => Ok(None),
            Some(Some(Dim::Fixed(length))) if *length != 1 => Err(Cause::msg(format!(
                "its axis {axis:?} has the length {length}, and is said to be the batch"
            ))),
            Some(Some(_)) => Ok(*axis),
            Some(None) => {
                Err(Cause::msg(format!("it has {} axes, and {axis:?} is said to be the batch", known.len())))
            }
        };
    }
    let left = |axis: usize| input.dims.get(axis).map_or(Dim::Unknown, |axis| with_length(axis, said));
    let is_batch =
        |axis: &Dim| matches!((axis, &said.batch), (Dim::Symbol(symbol), Some(batch)) if symbol == batch);
    let speaks = |axis: &Dim| matches!(axis, Dim::Symbol(symbol) if speaks_of_a_batch(symbol));
    let named = |is: &dyn Fn(&Dim) -> bool| {
        let mut places = (0..known.len()).filter(|&axis| is(&left(axis)) && may_be_one(&known[axis]));
        (places.next(), places.next())
    };
    match named(if said.batch.is_some() { &is_batch } else { &speaks }) {
        (Some(_), Some(_)) => Err(Cause::msg("two of its axes are the batch: name one with batch_axis")),
        (Some(axis), None) => Ok(Some(axis)),
        (None, _) if said.batch.is_some() => Ok(None),
        (None, _) => Ok((known.len() >= 2 && is_open(&left(0)) && may_be_one(&known[0])).then_some(0)),
    }
}

/// What the file and the caller say of an input whose arrays have this shape, with any number of items.
pub(super) fn like(input: &Input, said: &Said, shape: &[usize]) -> Result<Vec<usize>, Cause> {
    let dims: Vec<Dim> = shape.iter().map(|_| Dim::Unknown).collect();
    let known = if input.without_shape { dims } else { known(input, said) };
    let one = || (known.len() >= 2 && known[0] == Dim::Fixed(1)).then_some(0);
    let batch = batch_axis(input, &known, said)?.or_else(one).filter(|&axis| axis < shape.len());
    let mut shape = shape.to_vec();
    if let Some(axis) = batch {
        shape[axis] = 1;
    }
    let fits = |(axis, length): (&Dim, &usize)| !matches!(axis, Dim::Fixed(fixed) if fixed != length);
    if known.len() == shape.len() && known.iter().zip(&shape).all(fits) {
        return Ok(shape);
    }
    let axes: Vec<String> = known.iter().map(Dim::to_string).collect();
    Err(Cause::msg(format!("it takes [{}], and the array is {shape:?} with one item", axes.join(", "))))
}

/// The axis of the batch of an input, where it is open.
pub(super) fn open_axis(input: &Input, said: &Said) -> Option<usize> {
    batch_axis(input, &known(input, said), said).ok().flatten()
}

/// Exporters call it `batch`, `batch_size`, `Batch`, `decoder_batch`; an expression of it is another length.
fn speaks_of_a_batch(symbol: &str) -> bool {
    let is_name = symbol.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
    is_name && symbol.to_ascii_lowercase().contains("batch")
}

fn is_open(axis: &Dim) -> bool {
    !matches!(axis, Dim::Fixed(_))
}

fn may_be_one(axis: &Dim) -> bool {
    !matches!(axis, Dim::Fixed(length) if *length != 1)
}

/// The shapes of inputs that are tensors of a program: these have the shape of an item, with or without an axis for
/// the batch, and say what the model leaves open.
pub(super) fn given(inputs: &[Input], said: &Said, given: &HashMap<&str, &[usize]>) -> Result<Said, Cause> {
    let mut all = said.clone();
    for input in inputs {
        let (axes, item) = (known(input, said), given.get(input.name.as_str()));
        let item =
            item.ok_or_else(|| Cause::msg(format!("no tensor is given for its input {:?}", input.name)))?;
        let batch = batch_axis(input, &axes, said)?.unwrap_or(0);
        let shape = with_batch(&axes, item, batch).ok_or_else(|| {
            let axes: Vec<String> = axes.iter().map(Dim::to_string).collect();
            Cause::msg(format!(
                "its input {:?} takes [{}], and {item:?} is given",
                input.name,
                axes.join(", ")
            ))
        })?;
        all.shapes.insert(input.name.clone(), shape);
    }
    Ok(all)
}

/// An item's shape as the model sees it, if these axes can have it.
fn with_batch(axes: &[Dim], item: &[usize], batch: usize) -> Option<Vec<usize>> {
    let mut shape = item.to_vec();
    if axes.len() == item.len() + 1 {
        shape.insert(batch, 1);
    }
    let fits = |(axis, length): (&Dim, &usize)| !matches!(axis, Dim::Fixed(fixed) if fixed != length);
    (axes.len() == shape.len() && axes.iter().zip(&shape).all(fits)).then_some(shape)
}

/// The axes with what the caller said about them.
fn known(input: &Input, said: &Said) -> Vec<Dim> {
    if let Some(shape) = said.shapes.get(&input.name) {
        return shape.iter().map(|&axis| Dim::Fixed(axis)).collect();
    }
    input.dims.iter().map(|axis| with_length(axis, said)).collect()
}

fn with_length(axis: &Dim, said: &Said) -> Dim {
    match axis {
        Dim::Symbol(symbol) => {
            said.dims.get(symbol).map_or_else(|| axis.clone(), |&length| Dim::Fixed(length))
        }
        Dim::Fixed(_) | Dim::Unknown => axis.clone(),
    }
}

fn shape(axes: &[Dim], batch: Option<usize>) -> Result<Vec<usize>, Cause> {
    let length = |(place, axis): (usize, &Dim)| match axis {
        Dim::Fixed(length) => Ok(*length),
        Dim::Symbol(_) | Dim::Unknown if batch == Some(place) => Ok(1),
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
        Input { name: name.into(), kind: Kind::Float, dims: dims.to_vec(), without_shape: false }
    }

    fn symbol(name: &str) -> Dim {
        Dim::Symbol(name.into())
    }

    fn items(inputs: &[Input], dims: &[(&str, usize)]) -> Result<Items, String> {
        let dims = dims.iter().map(|&(name, length)| (name.into(), length)).collect();
        Items::new(inputs, &Said { dims, ..Said::default() }).map_err(|cause| cause.to_string())
    }

    /// Shape, batch axis and whether it is open, of every input.
    fn seen(items: &Items) -> Vec<(Vec<usize>, Option<usize>, bool)> {
        items.inputs.iter().map(|input| (input.shape.clone(), input.batch, input.open)).collect()
    }

    #[test]
    fn a_first_axis_that_is_open_or_1_may_be_the_batch() {
        for (first, open) in [(symbol("n"), true), (Dim::Unknown, true), (Dim::Fixed(1), false)] {
            let found = items(&[input("x", &[first, Dim::Fixed(3)])], &[]).unwrap();
            assert_eq!(seen(&found), [(vec![1, 3], Some(0), open)]);
            assert_eq!(found.inputs[0].item(), [3]);
        }
    }

    #[test]
    fn an_axis_that_is_called_a_batch_is_one_wherever_it_stands() {
        let state = input("h", &[Dim::Fixed(2), symbol("batch"), Dim::Fixed(4)]);
        let found = items(&[input("x", &[symbol("batch"), Dim::Fixed(3)]), state.clone()], &[]).unwrap();
        assert_eq!(seen(&found), [(vec![1, 3], Some(0), true), (vec![2, 1, 4], Some(1), true)]);
        assert_eq!(found.inputs[1].item(), [2, 4]);
        let sequence = input("x", &[symbol("time"), symbol("batch_size"), Dim::Fixed(3)]);
        let found = items(std::slice::from_ref(&sequence), &[("time", 7)]).unwrap();
        assert_eq!(seen(&found), [(vec![7, 1, 3], Some(1), true)]);
        let said =
            Said { batch: Some("time".into()), dims: [("batch_size".into(), 2)].into(), ..Said::default() };
        let found = Items::new(&[sequence], &said).unwrap();
        assert_eq!(seen(&found), [(vec![1, 2, 3], Some(0), true)], "the caller knows better");
        let twice = input("x", &[symbol("batch"), symbol("batch")]);
        assert!(items(&[twice], &[]).unwrap_err().contains("two of its axes are the batch"));
    }

    #[test]
    fn a_vector_of_a_batch_has_an_item_without_axes() {
        let inputs = [input("x", &[symbol("batch"), Dim::Fixed(3)]), input("length", &[symbol("batch")])];
        let found = items(&inputs, &[]).unwrap();
        assert_eq!(found.inputs[1].item(), [0; 0]);
        assert!(items(&[input("x", &[symbol("n")])], &[]).unwrap_err().contains(r#"dim("n", …)"#));
    }

    #[test]
    fn an_input_beside_a_batch_may_be_whole_for_every_item() {
        let inputs = [input("x", &[symbol("n"), Dim::Fixed(3)]), input("threshold", &[Dim::Fixed(1)])];
        let found = items(&inputs, &[]).unwrap();
        assert_eq!(seen(&found), [(vec![1, 3], Some(0), true), (vec![1], None, false)]);
        assert!(!found.are_batched());
    }

    #[test]
    fn a_whole_tensor_is_an_item_where_an_input_has_no_batch_axis() {
        let whole = [Dim::Fixed(2), Dim::Fixed(3)];
        let found = items(&[input("x", &whole), input("y", &[Dim::Fixed(1), Dim::Fixed(3)])], &[]).unwrap();
        assert_eq!(seen(&found), [(vec![2, 3], None, false), (vec![1, 3], None, false)]);
        let one = items(&[input("x", &[Dim::Fixed(1)])], &[]).unwrap();
        assert_eq!(seen(&one), [(vec![1], None, false)], "one axis is no batch axis");
        let said = Said { axes: [("x".into(), None)].into(), ..Said::default() };
        let said = Items::new(&[input("x", &[Dim::Fixed(1), Dim::Fixed(3)])], &said).unwrap();
        assert_eq!(seen(&said), [(vec![1, 3], None, false)]);
    }

    #[test]
    fn an_axis_of_unknown_length_is_asked_for() {
        let image = [input("x", &[symbol("n"), symbol("h")])];
        let error = items(&image, &[]).unwrap_err();
        assert_eq!(error, r#"input "x": axis 1 is "h": give its length with dim("h", …)"#);
        assert_eq!(items(&image, &[("h", 5)]).unwrap().inputs[0].shape, [1, 5]);
        let fixed = items(&image, &[("h", 5), ("n", 4)]).unwrap();
        assert_eq!(seen(&fixed), [(vec![4, 5], None, false)]);
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
