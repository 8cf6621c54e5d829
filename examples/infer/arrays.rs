//! Arrays in files of NumPy.

use gapless::file::{self, NewFile};
use gapless::onnx::Constant;
use ndarray::{ArrayD, ArrayViewD};
use ndarray_npy::{ViewNpyError, ViewNpyExt, WriteNpyExt};

use crate::terminal::Problem;

/// What a file holds.
#[derive(Clone, Debug)]
pub(crate) enum Values {
    Floats(ArrayD<f32>),
    Whole(ArrayD<i64>),
    Flags(ArrayD<bool>),
}

impl Values {
    pub(crate) fn shape(&self) -> &[usize] {
        match self {
            Self::Floats(values) => values.shape(),
            Self::Whole(values) => values.shape(),
            Self::Flags(values) => values.shape(),
        }
    }

    /// Whether these are values that come with every item, and no sizes, flags or thresholds.
    pub(crate) fn is_per_item(&self) -> bool {
        matches!(self, Self::Floats(values) if values.ndim() > 0)
    }

    pub(crate) fn to_floats(&self) -> ArrayD<f32> {
        match self {
            Self::Floats(values) => values.clone(),
            Self::Whole(values) => values.mapv(|value| value as f32),
            Self::Flags(values) => values.mapv(|value| f32::from(u8::from(value))),
        }
    }

    pub(crate) fn to_constant(&self) -> Constant {
        match self {
            Self::Floats(values) => values.clone().into(),
            Self::Whole(values) => values.clone().into(),
            Self::Flags(values) => values.clone().into(),
        }
    }
}

type Attempt = fn(&[u8]) -> Result<Values, ViewNpyError>;

/// Most bytes of a file: what is longer was not meant.
const MOST: u64 = 1 << 36;

/// Reads floats, whole numbers or flags. No more memory is taken than the file has bytes, whatever its header says.
pub(crate) fn read(path: &str) -> Result<Values, Problem> {
    fn array<'a, T: Clone + 'a>(bytes: &'a [u8]) -> Result<ArrayD<T>, ViewNpyError>
    where
        ArrayViewD<'a, T>: ViewNpyExt<'a>,
    {
        Ok(ArrayViewD::<T>::view_npy(bytes)?.to_owned())
    }
    let attempts: [Attempt; 7] = [
        |bytes| array::<f32>(bytes).map(Values::Floats),
        |bytes| array::<f64>(bytes).map(|array| Values::Floats(array.mapv(|value| value as f32))),
        |bytes| array::<i64>(bytes).map(Values::Whole),
        |bytes| array::<i32>(bytes).map(|array| Values::Whole(array.mapv(i64::from))),
        |bytes| array::<u8>(bytes).map(|array| Values::Whole(array.mapv(i64::from))),
        |bytes| array::<i8>(bytes).map(|array| Values::Whole(array.mapv(i64::from))),
        |bytes| array::<bool>(bytes).map(Values::Flags),
    ];
    let bytes = file::read(path, MOST)?;
    for attempt in attempts {
        match attempt(&bytes) {
            Err(ViewNpyError::WrongDescriptor(_)) => {}
            result => return result.map_err(|error| format!("{path}: {error}").into()),
        }
    }
    Err(format!("{path}: f32, f64, i64, i32, u8, i8 or bool would fit").into())
}

/// Ends a file with these values.
pub(crate) fn write(mut file: NewFile, values: &ArrayD<f32>) -> Result<(), Problem> {
    values.write_npy(&mut file)?;
    Ok(file.finish()?)
}

/// Name, shape, mean and range, and how many values are NaN: these are in no range.
pub(crate) fn describe(name: &str, values: &ArrayD<f32>) -> String {
    let (shape, count) = (values.shape(), values.len());
    let nans = values.iter().filter(|value| value.is_nan()).count();
    if nans == count {
        return format!("{name} {shape:?}: NaN in all values");
    }
    let (least, most) = values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(least, most), &value| {
        (least.min(value), most.max(value))
    });
    let mean = values.mean().unwrap_or(f32::NAN);
    let but = if nans > 0 { format!(", NaN in {nans} of {count} values") } else { String::new() };
    format!("{name} {shape:?}: mean {mean:.6}, from {least:.6} to {most:.6}{but}")
}
