//! A tensor of any shape and one of several kinds of number.

use ndarray::{Array, ArrayD, Dimension};

use super::Number;

/// A tensor: numbers of one kind in some shape.
///
/// Images are `U8` before they are normalised and `F32` after.
///
/// ```
/// use gapless::doc::Tensor;
/// use ndarray::array;
/// let tensor = Tensor::from(array![[1.0_f32, 2.0], [3.0, 4.0]]);
/// assert_eq!(tensor.shape(), [2, 2]);
/// assert_eq!(tensor.get::<f32>().unwrap()[[1, 0]], 3.0);
/// assert!(tensor.get::<u8>().is_none());
/// ```
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each is named after its numbers")]
pub enum Tensor {
    U8(ArrayD<u8>),
    I8(ArrayD<i8>),
    U16(ArrayD<u16>),
    I16(ArrayD<i16>),
    U32(ArrayD<u32>),
    I32(ArrayD<i32>),
    U64(ArrayD<u64>),
    I64(ArrayD<i64>),
    F32(ArrayD<f32>),
    F64(ArrayD<f64>),
}

/// Does the same with the array inside, whatever its numbers are.
macro_rules! each {
    ($tensor:expr, $array:ident => $what:expr) => {
        match $tensor {
            $crate::doc::Tensor::U8($array) => $what,
            $crate::doc::Tensor::I8($array) => $what,
            $crate::doc::Tensor::U16($array) => $what,
            $crate::doc::Tensor::I16($array) => $what,
            $crate::doc::Tensor::U32($array) => $what,
            $crate::doc::Tensor::I32($array) => $what,
            $crate::doc::Tensor::U64($array) => $what,
            $crate::doc::Tensor::I64($array) => $what,
            $crate::doc::Tensor::F32($array) => $what,
            $crate::doc::Tensor::F64($array) => $what,
        }
    };
}
#[cfg(any(feature = "image", feature = "wire"))]
pub(crate) use each;

impl Tensor {
    /// The shape.
    pub fn shape(&self) -> &[usize] {
        each!(self, array => array.shape())
    }

    /// The array, where its numbers are of this kind.
    pub fn get<T: Number>(&self) -> Option<&ArrayD<T>> {
        T::of(self)
    }

    /// The kind of number, by its Rust name.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::U8(_) => "u8",
            Self::I8(_) => "i8",
            Self::U16(_) => "u16",
            Self::I16(_) => "i16",
            Self::U32(_) => "u32",
            Self::I32(_) => "i32",
            Self::U64(_) => "u64",
            Self::I64(_) => "i64",
            Self::F32(_) => "f32",
            Self::F64(_) => "f64",
        }
    }

    /// The numbers as `f32`, each rounded to the nearest.
    #[expect(clippy::unnecessary_cast, reason = "one expression stands for every kind")]
    pub fn to_f32(&self) -> ArrayD<f32> {
        each!(self, array => array.mapv(|number| number as f32))
    }
}

impl<T: Number, D: Dimension> From<Array<T, D>> for Tensor {
    fn from(array: Array<T, D>) -> Self {
        T::tensor(array.into_dyn())
    }
}
