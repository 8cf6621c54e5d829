//! Values as bytes, between a process and its child.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use ndarray::{Array, ArrayD, Dimension, IxDyn};

use crate::error::Cause;

/// A value that can be sent to another process of the same program.
///
/// Both ends are the same program on the same machine, so there is no version and no other byte order.
///
/// ```
/// use gapless::Cause;
/// use gapless::parallel::process::Transfer;
///
/// struct Photo { name: String, bytes: Vec<u8> }
///
/// impl Transfer for Photo {
///     fn encode(&self, out: &mut Vec<u8>) {
///         self.name.encode(out);
///         self.bytes.encode(out);
///     }
///     fn decode(bytes: &mut &[u8]) -> Result<Self, Cause> {
///         Ok(Self { name: Transfer::decode(bytes)?, bytes: Transfer::decode(bytes)? })
///     }
/// }
///
/// let mut out = Vec::new();
/// Photo { name: "cat".into(), bytes: vec![1, 2] }.encode(&mut out);
/// assert_eq!(Photo::decode(&mut &out[..]).unwrap().bytes, [1, 2]);
/// assert!(Photo::decode(&mut &out[..5]).is_err());
/// ```
pub trait Transfer: Sized {
    /// Puts the value behind what stands in `out`.
    fn encode(&self, out: &mut Vec<u8>);

    /// Takes a value off the front of `bytes`.
    ///
    /// # Errors
    /// The bytes are not those of such a value.
    fn decode(bytes: &mut &[u8]) -> Result<Self, Cause>;

    /// Several values, one after the other.
    #[doc(hidden)]
    fn encode_all(values: &[Self], out: &mut Vec<u8>) {
        values.iter().for_each(|value| value.encode(out));
    }

    /// So many values.
    #[doc(hidden)]
    fn decode_all(count: usize, bytes: &mut &[u8]) -> Result<Vec<Self>, Cause> {
        // A count that lies must not take memory: most values need a byte at least.
        let mut values = Vec::with_capacity(count.min(bytes.len()));
        for _ in 0..count {
            values.push(Self::decode(bytes)?);
        }
        Ok(values)
    }
}

/// Takes so many bytes off the front.
pub(super) fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8], Cause> {
    let (taken, rest) = bytes
        .split_at_checked(count)
        .ok_or_else(|| Cause::msg(format!("{} bytes where a value of {count} should be", bytes.len())))?;
    *bytes = rest;
    Ok(taken)
}

macro_rules! numbers {
    ($($type:ty),*) => { $(
        impl Transfer for $type {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn decode(bytes: &mut &[u8]) -> Result<Self, Cause> {
                let taken = take(bytes, size_of::<Self>())?;
                Ok(Self::from_le_bytes(taken.try_into()?))
            }
        }
    )* };
}

numbers!(u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64);

impl Transfer for u8 {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(*self);
    }

    fn decode(bytes: &mut &[u8]) -> Result<Self, Cause> {
        Ok(take(bytes, 1)?[0])
    }

    fn encode_all(values: &[Self], out: &mut Vec<u8>) {
        out.extend_from_slice(values);
    }

    fn decode_all(count: usize, bytes: &mut &[u8]) -> Result<Vec<Self>, Cause> {
        Ok(take(bytes, count)?.to_vec())
    }
}

impl Transfer for () {
    fn encode(&self, _: &mut Vec<u8>) {}

    fn decode(_: &mut &[u8]) -> Result<Self, Cause> {
        Ok(())
    }

    fn decode_all(count: usize, _: &mut &[u8]) -> Result<Vec<Self>, Cause> {
        Ok(vec![(); count])
    }
}

impl Transfer for bool {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn decode(bytes: &mut &[u8]) -> Result<Self, Cause> {
        match u8::decode(bytes)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(Cause::msg(format!("{other} is no bool"))),
        }
    }
}

impl Transfer for char {
    fn encode(&self, out: &mut Vec<u8>) {
        u32::from(*self).encode(out);
    }

    fn decode(bytes: &mut &[u8]) -> Result<Self, Cause> {
        Ok(Self::try_from(u32::decode(bytes)?)?)
    }
}

impl<T: Transfer> Transfer for Vec<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.len().encode(out);
        T::encode_all(self, out);
    }

    fn decode(bytes: &mut &[u8]) -> Result<Self, Cause> {
        let count = usize::decode(bytes)?;
        T::decode_all(count, bytes)
    }
}

impl Transfer for String {
    fn encode(&self, out: &mut Vec<u8>) {
        self.len().encode(out);
        out.extend_from_slice(self.as_bytes());
    }

    fn decode(bytes: &mut &[u8]) -> Result<Self, Cause> {
        Ok(Self::from_utf8(Vec::decode(bytes)?)?)
    }
}

impl Transfer for PathBuf {
    fn encode(&self, out: &mut Vec<u8>) {
        let bytes = self.as_os_str().as_bytes();
        bytes.len().encode(out);
        out.extend_from_slice(bytes);
    }

    fn decode(bytes: &mut &[u8]) -> Result<Self, Cause> {
        Ok(OsString::from_vec(Vec::decode(bytes)?).into())
    }
}

impl<T: Transfer> Transfer for Option<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.is_some().encode(out);
        self.iter().for_each(|value| value.encode(out));
    }

    fn decode(bytes: &mut &[u8]) -> Result<Self, Cause> {
        bool::decode(bytes)?.then(|| T::decode(bytes)).transpose()
    }
}

macro_rules! tuples {
    ($(($($name:ident $index:tt),*)),*) => { $(
        impl<$($name: Transfer),*> Transfer for ($($name,)*) {
            fn encode(&self, out: &mut Vec<u8>) {
                $(self.$index.encode(out);)*
            }

            fn decode(bytes: &mut &[u8]) -> Result<Self, Cause> {
                Ok(($($name::decode(bytes)?,)*))
            }
        }
    )* };
}

tuples!((A 0, B 1), (A 0, B 1, C 2), (A 0, B 1, C 2, D 3));

impl<T: Transfer + Clone, N: Dimension> Transfer for Array<T, N> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.shape().to_vec().encode(out);
        match self.as_slice() {
            Some(values) => T::encode_all(values, out),
            None => self.iter().for_each(|value| value.encode(out)),
        }
    }

    fn decode(bytes: &mut &[u8]) -> Result<Self, Cause> {
        let shape: Vec<usize> = Transfer::decode(bytes)?;
        let count = shape.iter().try_fold(1_usize, |count, side| count.checked_mul(*side));
        let count = count.ok_or_else(|| Cause::msg("a shape that overflows"))?;
        let values = T::decode_all(count, bytes)?;
        Ok(ArrayD::from_shape_vec(IxDyn(&shape), values)?.into_dimensionality()?)
    }
}
