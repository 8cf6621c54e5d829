//! The arrays of the command line, and what they fix of a model.

use std::path::Path;

use gapless::onnx::{Dim, Input, Model};

use crate::arrays::{self, Values};
use crate::options::Options;
use crate::terminal::Problem;

/// The arrays of the command line, each with the input that it is for.
///
/// # Errors
/// An input that the model has not, or that is given twice, or an array that cannot be read or has no values.
pub(crate) fn given(options: &Options, model: &Model) -> Result<Vec<(Input, Values)>, Problem> {
    let inputs: Vec<Input> = model.inputs().cloned().collect();
    let mut given: Vec<(Input, Values)> = Vec::new();
    for text in &options.inputs {
        let (input, path) = parts(text, &inputs)?;
        if given.iter().any(|(other, _)| other.name == input.name) {
            return Err(format!("--input {text}: {} is given already", input.name).into());
        }
        let values = arrays::read(path)?;
        if values.shape().contains(&0) {
            return Err(format!("--input {text}: it has no values, its shape is {:?}", values.shape()).into());
        }
        given.push((input.clone(), values));
    }
    Ok(given)
}

/// The input and the file that `[NAME=]FILE` means.
fn parts<'a>(text: &'a str, inputs: &'a [Input]) -> Result<(&'a Input, &'a str), Problem> {
    let path = |input: &Input| text.strip_prefix(&input.name[..])?.strip_prefix('=');
    if let Some(named) = inputs.iter().find_map(|input| Some((input, path(input)?))) {
        return Ok(named);
    }
    let is_path = !text.contains('=') || Path::new(text).exists();
    match inputs {
        [only] if is_path => Ok((only, text)),
        [] => Err(format!("--input {text}: the model has no inputs").into()),
        _ => {
            let names: Vec<String> = inputs.iter().map(ToString::to_string).collect();
            Err(format!("--input {text}: NAME=FILE would fit, with one of {}", names.join(", ")).into())
        }
    }
}

/// The model with all that the options say of it.
pub(crate) fn said(mut model: Model, options: &Options) -> Model {
    for (symbol, length) in &options.dims {
        model = model.dim(symbol, *length);
    }
    for (input, axis) in &options.batch_axes {
        model = model.batch_axis(input, *axis);
    }
    match &options.batch {
        Some(symbol) => model.batch(symbol),
        None => model,
    }
}

/// The model with everything fixed that does not come with an item, and with the lengths that it leaves open.
pub(crate) fn fixed(
    mut model: Model,
    options: &Options,
    inputs: &[(Input, Values)],
) -> Result<Model, Problem> {
    if let Some(name) =
        options.bound.iter().find(|name| !inputs.iter().any(|(input, _)| input.name == **name))
    {
        return Err(format!("--bind {name}: --input gives no array for it").into());
    }
    let batches: Vec<Batch> =
        inputs.iter().map(|(input, values)| Batch::new(&model, input, values)).collect();
    let leading =
        (batches.iter().zip(inputs)).find(|(batch, (_, values))| batch.is_open() && values.is_per_item());
    let leading = leading.map(|(batch, _)| batch.clone());
    let floats = inputs.iter().any(|(_, values)| values.is_per_item());
    for ((input, values), batch) in inputs.iter().zip(&batches) {
        let common = match &leading {
            Some(leading) if values.is_per_item() => !batch.is_open() && batch.items != Some(leading.items()),
            Some(leading) => batch != leading,
            None => floats && !values.is_per_item(),
        };
        model = if common || options.bound.contains(&input.name) {
            model.bind(&input.name, values.to_constant())
        } else {
            model.input_like(&input.name, values.shape())?
        };
    }
    Ok(model)
}

/// The batch of an input: what the file calls it, and how many items the array has.
#[derive(Clone, PartialEq)]
struct Batch {
    called: Option<Dim>,
    items: Option<usize>,
}

impl Batch {
    fn new(model: &Model, input: &Input, values: &Values) -> Self {
        let axis = model.open_batch_axis(&input.name);
        let one = || (input.dims.len() >= 2 && input.dims[0] == Dim::Fixed(1)).then_some(0);
        let items = axis.or_else(one).and_then(|axis| values.shape().get(axis).copied());
        Self { called: axis.map(|axis| input.dims.get(axis).cloned().unwrap_or(Dim::Unknown)), items }
    }

    fn is_open(&self) -> bool {
        self.called.is_some()
    }

    fn items(&self) -> usize {
        self.items.unwrap_or(1)
    }
}
