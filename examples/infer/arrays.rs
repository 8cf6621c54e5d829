//! Arrays in files of NumPy.

use gapless::onnx::Constant;
use ndarray::ArrayD;
use ndarray_npy::{ReadNpyError, ReadNpyExt, read_npy, write_npy};

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

    /// The values as a program takes them.
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

    pub(crate) fn to_constant(&self) -> Constant {
        match self {
            Self::Floats(values) => values.clone().into(),
            Self::Whole(values) => values.clone().into(),
            Self::Flags(values) => values.clone().into(),
        }
    }
}

type Attempt = fn(&str) -> Result<Values, ReadNpyError>;

/// Reads floats, whole numbers or flags.
pub(crate) fn read(path: &str) -> Result<Values, Problem> {
    let attempts: [Attempt; 12] = [
        |path| read_npy::<_, ArrayD<f32>>(path).map(Values::Floats),
        |path| read_npy::<_, ArrayD<f64>>(path).map(|array| Values::Floats(array.mapv(|value| value as f32))),
        |path| read_npy::<_, ArrayD<i64>>(path).map(Values::Whole),
        |path| read_npy::<_, ArrayD<i32>>(path).map(|array| Values::Whole(array.mapv(i64::from))),
        |path| read_npy::<_, ArrayD<u8>>(path).map(|array| Values::Whole(array.mapv(i64::from))),
        |path| read_npy::<_, ArrayD<i8>>(path).map(|array| Values::Whole(array.mapv(i64::from))),
        |path| read_npy::<_, ArrayD<i16>>(path).map(|array| Values::Whole(array.mapv(i64::from))),
        |path| read_npy::<_, ArrayD<u16>>(path).map(|array| Values::Whole(array.mapv(i64::from))),
        |path| read_npy::<_, ArrayD<u32>>(path).map(|array| Values::Whole(array.mapv(i64::from))),
        |path| read_npy::<_, ArrayD<u64>>(path).map(|array| Values::Whole(array.mapv(|value| value as i64))),
        |path| read_npy::<_, ArrayD<bool>>(path).map(Values::Flags),
        halves,
    ];
    for attempt in attempts {
        match attempt(path) {
            Err(ReadNpyError::WrongDescriptor(_)) => {}
            result => return result.map_err(|error| format!("{path}: {error}").into()),
        }
    }
    Err(format!("{path}: floats, whole numbers or flags would fit").into())
}

/// Halves are read by their bits, which stand in the file as whole numbers of 16 bits do.
fn halves(path: &str) -> Result<Values, ReadNpyError> {
    let mut bytes = std::fs::read(path)?;
    if let Some(place) = bytes.windows(5).take(256).position(|word| word == b"'<f2'") {
        bytes[place..place + 5].copy_from_slice(b"'<u2'");
    }
    let bits = ArrayD::<u16>::read_npy(&bytes[..])?;
    Ok(Values::Floats(bits.mapv(|bits| f32::from(half::f16::from_bits(bits)))))
}

pub(crate) fn write(path: &str, values: &ArrayD<f32>) -> Result<(), Problem> {
    write_npy(path, values).map_err(|error| format!("{path}: {error}").into())
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
