//! Arrays in files of NumPy.

use gapless::file::{self, NewFile};
use gapless::gpu;
use gapless::kernel::{self, Element};
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

    /// The values as an input of floats takes them.
    ///
    /// # Errors
    /// A whole number from 2^24 on, which floats do not tell from the next.
    pub(crate) fn to_floats(&self) -> Result<ArrayD<f32>, Problem> {
        Ok(match self {
            Self::Floats(values) => values.clone(),
            Self::Whole(values) => match values.iter().find(|value| value.unsigned_abs() >= 1 << 24) {
                Some(value) => return Err(format!("{value} is beyond the whole numbers below 2^24").into()),
                None => values.mapv(|value| value as f32),
            },
            Self::Flags(values) => values.mapv(|value| f32::from(u8::from(value))),
        })
    }

    /// The values as an input of whole numbers takes them.
    ///
    /// # Errors
    /// A fraction, or a number that 32 bits do not hold.
    pub(crate) fn to_ints(&self) -> Result<ArrayD<i32>, Problem> {
        let odd = match self {
            Self::Floats(values) => values
                .iter()
                .find(|value| value.fract() != 0.0 || value.abs() >= 2_147_483_648.0)
                .map(f32::to_string),
            Self::Whole(values) => {
                values.iter().find(|value| value.unsigned_abs() >= 1 << 31).map(i64::to_string)
            }
            Self::Flags(_) => None,
        };
        if let Some(odd) = odd {
            return Err(format!("{odd} is no whole number of 32 bits").into());
        }
        Ok(match self {
            Self::Floats(values) => values.mapv(|value| value as i32),
            Self::Whole(values) => values.mapv(|value| value as i32),
            Self::Flags(values) => values.mapv(i32::from),
        })
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
    let attempts: [Attempt; 12] = [
        |bytes| array::<f32>(bytes).map(Values::Floats),
        |bytes| array::<f64>(bytes).map(|array| Values::Floats(array.mapv(|value| value as f32))),
        |bytes| array::<i64>(bytes).map(Values::Whole),
        |bytes| array::<i32>(bytes).map(|array| Values::Whole(array.mapv(i64::from))),
        |bytes| array::<u8>(bytes).map(|array| Values::Whole(array.mapv(i64::from))),
        |bytes| array::<i8>(bytes).map(|array| Values::Whole(array.mapv(i64::from))),
        |bytes| array::<i16>(bytes).map(|array| Values::Whole(array.mapv(i64::from))),
        |bytes| array::<u16>(bytes).map(|array| Values::Whole(array.mapv(i64::from))),
        |bytes| array::<u32>(bytes).map(|array| Values::Whole(array.mapv(i64::from))),
        |bytes| array::<u64>(bytes).map(|array| Values::Whole(array.mapv(|value| value as i64))),
        |bytes| array::<bool>(bytes).map(Values::Flags),
        halves,
    ];
    let bytes = file::read(path, MOST)?;
    for attempt in attempts {
        match attempt(&bytes) {
            Err(ViewNpyError::WrongDescriptor(_)) => {}
            result => return result.map_err(|error| format!("{path}: {error}").into()),
        }
    }
    Err(format!("{path}: floats, whole numbers or flags would fit").into())
}

/// Halves are read by their bits, which stand in the file as whole numbers of 16 bits do.
fn halves(bytes: &[u8]) -> Result<Values, ViewNpyError> {
    let mut bytes = bytes.to_vec();
    if let Some(place) = bytes.windows(5).take(256).position(|word| word == b"'<f2'") {
        bytes[place..place + 5].copy_from_slice(b"'<u2'");
    }
    let bits = array::<u16>(&bytes)?;
    Ok(Values::Floats(bits.mapv(|bits| f32::from(half::f16::from_bits(bits)))))
}

fn array<'a, T: Clone + 'a>(bytes: &'a [u8]) -> Result<ArrayD<T>, ViewNpyError>
where
    ArrayViewD<'a, T>: ViewNpyExt<'a>,
{
    Ok(ArrayViewD::<T>::view_npy(bytes)?.to_owned())
}

/// Ends a file with these values; whole numbers have 64 bits there, as they have in most models.
pub(crate) fn write(mut file: NewFile, values: &Array) -> Result<(), Problem> {
    match values {
        Array::Floats(values) => values.write_npy(&mut file)?,
        Array::Ints(values) => values.mapv(i64::from).write_npy(&mut file)?,
    }
    Ok(file.finish()?)
}

/// An array of an item, or of an output.
#[derive(Clone, Debug)]
pub(crate) enum Array {
    Floats(ArrayD<f32>),
    Ints(ArrayD<i32>),
}

/// The arrays of an item.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrays(pub(crate) Vec<Array>);

impl gpu::Item for Arrays {
    const ELEMENT: Option<Element> = None;

    fn arrays(&self) -> usize {
        self.0.len()
    }

    fn array(&self, index: usize) -> kernel::Values<'_> {
        match &self.0[index] {
            Array::Floats(values) => kernel::Values::F32(values.view()),
            Array::Ints(values) => kernel::Values::I32(values.view()),
        }
    }
}

/// Name, shape, mean and range, and how many values are NaN: these are in no range.
pub(crate) fn describe(name: &str, values: &Array) -> String {
    match values {
        Array::Floats(values) => describe_floats(name, values),
        Array::Ints(values) => {
            let (least, most) = (values.iter().min(), values.iter().max());
            let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len() as f64;
            let range =
                least.zip(most).map_or_else(String::new, |(least, most)| format!(", from {least} to {most}"));
            format!("{name} {:?}: mean {mean:.6}{range}", values.shape())
        }
    }
}

fn describe_floats(name: &str, values: &ArrayD<f32>) -> String {
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
