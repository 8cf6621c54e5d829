//! Arrays in files of NumPy.

use std::path::Path;

use gapless::onnx::Constant;
use ndarray::ArrayD;
use ndarray_npy::{ReadNpyError, read_npy, write_npy};

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

type Attempt = fn(&str) -> Result<Values, ReadNpyError>;

/// Reads floats, whole numbers or flags.
pub(crate) fn read(path: &str) -> Result<Values, Problem> {
    let attempts: [Attempt; 7] = [
        |path| read_npy::<_, ArrayD<f32>>(path).map(Values::Floats),
        |path| read_npy::<_, ArrayD<f64>>(path).map(|array| Values::Floats(array.mapv(|value| value as f32))),
        |path| read_npy::<_, ArrayD<i64>>(path).map(Values::Whole),
        |path| read_npy::<_, ArrayD<i32>>(path).map(|array| Values::Whole(array.mapv(i64::from))),
        |path| read_npy::<_, ArrayD<u8>>(path).map(|array| Values::Whole(array.mapv(i64::from))),
        |path| read_npy::<_, ArrayD<i8>>(path).map(|array| Values::Whole(array.mapv(i64::from))),
        |path| read_npy::<_, ArrayD<bool>>(path).map(Values::Flags),
    ];
    for attempt in attempts {
        match attempt(path) {
            Err(ReadNpyError::WrongDescriptor(_)) => {}
            Ok(values) if values.shape().contains(&0) => {
                return Err(format!("{path}: it is {:?}, without a value", values.shape()).into());
            }
            result => return result.map_err(|error| format!("{path}: {error}").into()),
        }
    }
    Err(format!("{path}: f32, f64, i64, i32, u8, i8 or bool would fit").into())
}

/// Checks that there is a folder for a file, before the work is done that is for it.
pub(crate) fn check_place(path: &str) -> Result<(), Problem> {
    let folder = Path::new(path).parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if !folder.is_dir() => {
            Err(format!("--output {path}: there is no folder {}", folder.display()).into())
        }
        _ => Ok(()),
    }
}

pub(crate) fn write(path: &str, values: &ArrayD<f32>) -> Result<(), Problem> {
    write_npy(path, values).map_err(|error| format!("{path}: {error}").into())
}

/// Name, shape, mean and range.
pub(crate) fn describe(name: &str, values: &ArrayD<f32>) -> String {
    let (least, most) = values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(least, most), &value| {
        (least.min(value), most.max(value))
    });
    let odd = values.iter().filter(|value| value.is_nan()).count();
    let odd = if odd > 0 { format!("; {odd} of {} are NaN", values.len()) } else { String::new() };
    let mean = values.mean().unwrap_or(f32::NAN);
    if least > most {
        return format!("{name} {:?}: no number{odd}", values.shape());
    }
    format!("{name} {:?}: mean {mean:.6}, from {least:.6} to {most:.6}{odd}", values.shape())
}
