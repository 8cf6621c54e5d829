//! What a tensor can be made of.

use super::Tensor;

mod sealed {
    pub trait Sealed {}
}

/// A number that a [`Tensor`] can be made of.
///
/// Networks and images take `u8` and `f32`; the others are what other programs write.
pub trait Number: Copy + Default + Send + Sync + sealed::Sealed + 'static {
    #[doc(hidden)]
    fn tensor(array: ndarray::ArrayD<Self>) -> Tensor;
    #[doc(hidden)]
    fn of(tensor: &Tensor) -> Option<&ndarray::ArrayD<Self>>;
}

macro_rules! numbers {
    ($($number:ty => $variant:ident),*) => { $(
        impl sealed::Sealed for $number {}
        impl Number for $number {
            fn tensor(array: ndarray::ArrayD<Self>) -> Tensor {
                Tensor::$variant(array)
            }

            fn of(tensor: &Tensor) -> Option<&ndarray::ArrayD<Self>> {
                if let Tensor::$variant(array) = tensor { Some(array) } else { None }
            }
        }
    )* };
}

numbers!(
    u8 => U8, i8 => I8, u16 => U16, i16 => I16, u32 => U32, i32 => I32, u64 => U64, i64 => I64,
    f32 => F32, f64 => F64
);
