//! Where items stand in the arrays that a model's file takes and gives.

use ndarray::{ArrayD, ArrayViewD, Axis, IxDyn, stack};

use super::batch::Stands;
use super::items::Seen;
use super::tensor::Kind;
use crate::error::{Cause, Error};
use crate::gpu::Scalar;

/// Where the items of a batch stand in the inputs and outputs of a model:
/// [`Model::program_with_layout`](super::Model::program_with_layout) gives it.
///
/// A program takes items and gives rows; arrays of a model's file have all of them, along some axis.
#[derive(Clone, Debug)]
pub struct BatchLayout {
    inputs: Vec<(String, Seen)>,
    outputs: Vec<(String, Place)>,
}

/// An output of a file, for one item.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) shape: Vec<usize>,
    pub(super) stands: Option<Stands>,
    pub(super) kind: Kind,
}

impl Place {
    /// The shape of an item: without the axis of the items where they have one of their own.
    pub(super) fn item(&self) -> Vec<usize> {
        let own = self.stands.map(|stands| stands.axis).filter(|&axis| self.shape[axis] == 1);
        let kept = self.shape.iter().enumerate().filter(|(axis, _)| Some(*axis) != own);
        kept.map(|(_, &length)| length).collect()
    }

    /// Rows in the order of the file.
    fn join<T: Scalar>(&self, rows: &[ArrayViewD<'_, T>]) -> Result<ArrayD<T>, Cause> {
        let numbers = rows.iter().flat_map(|row| row.iter());
        if self.kind != Kind::Float && numbers.into_iter().any(|value| value.is_none()) {
            return Err(Cause::msg(
                "it depends on a whole number that there is not: one that 32 bits do not hold, or a quotient by 0",
            ));
        }
        let Some(Stands { axis, outer }) = self.stands else {
            let one = rows.first().ok_or_else(|| Cause::msg("there are no rows"))?;
            return Ok(one.to_shape(IxDyn(&self.shape))?.into_owned());
        };
        let inner = self.shape[axis] / outer;
        let apart = [&self.shape[..axis], &[outer, inner], &self.shape[axis + 1..]].concat();
        let rows = rows.iter().map(|row| row.to_shape(IxDyn(&apart))).collect::<Result<Vec<_>, _>>()?;
        let views: Vec<ArrayViewD<'_, T>> = rows.iter().map(|row| row.view()).collect();
        let whole = stack(Axis(axis + 1), &views)?;
        let mut shape = self.shape.clone();
        shape[axis] *= views.len();
        Ok(whole.to_shape(IxDyn(&shape))?.into_owned())
    }
}

impl BatchLayout {
    pub(super) fn new(inputs: Vec<(String, Seen)>, outputs: Vec<(String, Place)>) -> Self {
        Self { inputs, outputs }
    }

    /// The axis of the batch in an input of the file; `None` where every item has all of it, or where there is no such
    /// input.
    pub fn batch_axis(&self, input: &str) -> Option<usize> {
        self.inputs.iter().find(|(name, _)| name == input)?.1.batch
    }

    /// The items of a file's array for an input, in order; one where the input has no axis of the batch.
    ///
    /// ```
    /// use gapless::Gpu;
    /// use gapless::onnx::Model;
    /// # if !std::path::Path::new("models/efficientnet-lite0.onnx").exists() { return Ok(()) }
    /// let model = Model::read("models/efficientnet-lite0.onnx")?; // of the repository
    /// let (_program, layout) = model.program_with_layout(&Gpu::cpu())?;
    /// let items = layout.split("input", &ndarray::Array::<f32, _>::zeros((2, 3, 224, 224)).into_dyn())?;
    /// assert_eq!((items.len(), items[0].shape()), (2, &[3, 224, 224][..]));
    /// # Ok::<(), gapless::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there is no such input, or the array does not have its shape.
    pub fn split<T: Scalar>(&self, input: &str, array: &ArrayD<T>) -> Result<Vec<ArrayD<T>>, Error> {
        let seen = self.inputs.iter().find(|(name, _)| name == input);
        let split =
            seen.ok_or_else(|| Cause::msg("there is no such input")).and_then(|(_, seen)| split(seen, array));
        split.map_err(|cause| failed("onnx::BatchLayout::split", input, cause))
    }

    /// The array of an output as the file has it, from the rows of all items in order.
    ///
    /// # Errors
    /// If there is no such output, no row, or a row has not the shape of an item; if whole numbers or flags depend on
    /// one that 32 bits do not hold.
    pub fn join<T: Scalar>(&self, output: &str, rows: &[ArrayViewD<'_, T>]) -> Result<ArrayD<T>, Error> {
        let place = self.outputs.iter().find(|(name, _)| name == output);
        let joined = place
            .ok_or_else(|| Cause::msg("there is no such output"))
            .and_then(|(_, place)| place.join(rows));
        joined.map_err(|cause| failed("onnx::BatchLayout::join", output, cause))
    }
}

fn split<T: Scalar>(seen: &Seen, array: &ArrayD<T>) -> Result<Vec<ArrayD<T>>, Cause> {
    let fits =
        |(axis, (wanted, given)): (usize, (&usize, &usize))| wanted == given || Some(axis) == seen.batch;
    let same = seen.shape.len() == array.ndim();
    if !same || !seen.shape.iter().zip(array.shape()).enumerate().all(fits) {
        return Err(Cause::msg(format!("it is {:?}, and {} would fit", array.shape(), wanted(seen))));
    }
    Ok(match seen.batch {
        Some(axis) => array.axis_iter(Axis(axis)).map(|item| item.to_owned()).collect(),
        None => vec![array.clone()],
    })
}

/// `[n, 3, 224, 224]`.
fn wanted(seen: &Seen) -> String {
    let length = |(axis, length): (usize, &usize)| {
        if Some(axis) == seen.batch { "n".to_owned() } else { length.to_string() }
    };
    format!("[{}]", seen.shape.iter().enumerate().map(length).collect::<Vec<_>>().join(", "))
}

fn failed(name: &'static str, of: &str, cause: Cause) -> Error {
    Error::Setting { name, reason: cause.context(format!("{of:?}")).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(from: f32, shape: &[usize]) -> ArrayD<f32> {
        let mut next = from;
        ArrayD::from_shape_simple_fn(IxDyn(shape), || {
            next += 1.0;
            next
        })
    }

    #[test]
    fn rows_stand_in_an_output_as_the_file_has_them() {
        let rows = [row(0.0, &[2, 3]), row(10.0, &[2, 3])];
        let views = rows.each_ref().map(|row| row.view());
        let place = |shape: &[usize], axis, outer| Place {
            shape: shape.into(),
            stands: Some(Stands { axis, outer }),
            kind: Kind::Float,
        };
        let second = place(&[2, 1, 3], 1, 1).join(&views).unwrap();
        assert_eq!(second.shape(), [2, 2, 3]);
        assert_eq!(second.index_axis(Axis(1), 1), rows[1]);
        let merged = place(&[6], 0, 2).join(&views).unwrap();
        assert_eq!(
            merged.into_raw_vec_and_offset().0,
            [1.0, 2.0, 3.0, 11.0, 12.0, 13.0, 4.0, 5.0, 6.0, 14.0, 15.0, 16.0]
        );
        let same = Place { shape: vec![2, 3], stands: None, kind: Kind::Float };
        assert_eq!(same.join(&views).unwrap(), rows[0]);
        assert_eq!((place(&[2, 1, 3], 1, 1).item(), place(&[6], 0, 2).item()), (vec![2, 3], vec![6]));
    }
}
