//! What a function may return: a `Result` with any error, or a value.

use std::path::PathBuf;
use std::sync::Arc;

use super::Output;
use crate::error::Cause;

/// What functions given to gapless may return: a `Result` whose error becomes a [`Cause`], or, where nothing can
/// fail, the value alone.
///
/// Errors are all that `?` turns into a `Cause`: types that implement [`std::error::Error`], boxed ones, those of
/// `anyhow`, texts. Values without a `Result` are those that are an [`Output`], and tuples and arrays of anything.
/// Any other type is returned as `Ok::<_, Cause>(…)`, or is made an output.
///
/// ```
/// use gapless::{Cause, Pipeline, parallel};
/// use std::error::Error;
/// let parse = |text: &mut String| text.parse::<f32>(); // an error of std
/// let root = |batch: &[f32]| batch.iter().map(|x| x.sqrt()).collect::<Vec<_>>(); // none
/// let check = |_: &mut String, root: &f32| -> Result<f32, Box<dyn Error + Send + Sync>> {
///     if root.is_nan() { Err("it has no root")? }
///     Ok(*root)
/// };
/// let documents = ["4", "9"].map(String::from);
/// let mut run = Pipeline::new(parse, root).then(check).run(documents);
/// assert_eq!(run.next().unwrap()?.output(), Some(&vec![2.0, 3.0]));
///
/// struct Photo(u8);
/// let open = |byte: &mut u8| Ok::<_, Cause>(Photo(*byte));
/// assert_eq!(parallel(open, [7]).collect().unwrap()[0].0, 7);
/// # Ok::<(), gapless::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "a function given to gapless cannot return `{Self}`",
    label = "it returns `{Self}`",
    note = "it may return a `Result` whose error becomes a `gapless::Cause`: one that implements `std::error::Error + Send + Sync`, a boxed one, an `anyhow::Error`, a text",
    note = "where nothing fails it may return a number, a text, a `Vec`, an array, a tuple, or what has an `impl gapless::Output`; any other value as `Ok::<_, gapless::Cause>(…)`"
)]
pub trait IntoResult: sealed::Sealed {
    /// What comes of it where nothing fails.
    type Value;

    #[doc(hidden)]
    fn into_result(self) -> Result<Self::Value, Cause>;
}

mod sealed {
    pub trait Sealed {}
    impl<T, E> Sealed for Result<T, E> {}
    impl<T: super::Output> Sealed for T {}
}

impl<T, E: Into<Cause>> IntoResult for Result<T, E> {
    type Value = T;

    fn into_result(self) -> Result<T, Cause> {
        self.map_err(Into::into)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Output> IntoResult for T {
    type Value = T;

    fn into_result(self) -> Result<T, Cause> {
        Ok(self)
    }
}

macro_rules! values {
    ($([$($generic:tt)*] $type:ty),*) => {
        $(impl<$($generic)*> sealed::Sealed for $type {}

        impl<$($generic)*> IntoResult for $type {
            type Value = Self;

            fn into_result(self) -> Result<Self, Cause> {
                Ok(self)
            }
        })*
    };
}

values!(
    [T, const N: usize] [T; N],
    [A, B] (A, B),
    [A, B, C] (A, B, C),
    [A, B, C, D] (A, B, C, D),
    [T] Arc<T>,
    [] PathBuf
);
