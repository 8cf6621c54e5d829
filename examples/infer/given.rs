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

/// The model with everything fixed that does not come with an item, and with the lengths that it leaves open.
pub(crate) fn fixed(mut model: Model, inputs: &[(Input, Values)]) -> Model {
    let floats = inputs.iter().any(|(_, values)| values.is_per_item());
    for (input, values) in inputs {
        if floats && !values.is_per_item() {
            model = model.bind(&input.name, values.to_constant());
        } else if input.dims.iter().skip(1).any(|axis| !matches!(axis, Dim::Fixed(_))) {
            let mut shape = values.shape().to_vec();
            if let (Some(first), None) = (shape.first_mut(), fixed_first(input)) {
                *first = 1;
            }
            model = model.input_shape(&input.name, &shape);
        }
    }
    model
}

/// The length of the first axis where it is fixed and no batch axis.
fn fixed_first(input: &Input) -> Option<usize> {
    match input.dims.first() {
        Some(Dim::Fixed(length)) if *length != 1 => Some(*length),
        _ => None,
    }
}
