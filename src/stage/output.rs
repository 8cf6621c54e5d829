//! What a batch becomes, and how it is split into rows.

use ndarray::{Array, ArrayView, Axis, Dimension, RemoveAxis};

/// What a GPU stage returns for a batch.
///
/// An output that has rows has one a document; another number is a failure of the stage.
/// Numbers, text, `()` and [`Whole`] have none; `Vec` has one an element, and an ndarray one an
/// index of its first axis. A type of your own needs one line:
///
/// ```
/// struct Histogram([u32; 256]);
/// impl gapless::Output for Histogram {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not known as the output of a GPU half",
    label = "a GPU half gives `{Self}`",
    note = "wrap it in `gapless::Whole(…)`, or write `impl gapless::Output for {Self} {{}}`"
)]
pub trait Output: Sized + Send + Sync {
    /// Most bytes that one document adds to the output, where the type alone tells: the size of a value
    /// that owns no memory, and of one element of a `Vec` of such. `None` where it may own any amount.
    ///
    /// By default known for a type that needs no drop. It decides how many documents may be in flight
    /// where that was left open.
    const ROW_BYTES: Option<usize> = plain_bytes::<Self>();

    /// Number of rows, where the output can be split into rows.
    fn rows(&self) -> Option<usize> {
        None
    }
}

/// Bytes of a value that owns no memory: one that needs no drop. `None` for any other.
pub(crate) const fn plain_bytes<T>() -> Option<usize> {
    if std::mem::needs_drop::<T>() { None } else { Some(size_of::<T>()) }
}

/// An output that can be split into rows, one a document.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no rows: it belongs to the batch as a whole",
    note = "a GPU half that gives one value a document returns a `Vec` or an `ndarray::Array`; `Batch::output` gives what it returned"
)]
pub trait Rows: Output {
    /// One document's part of the output.
    type Row<'a>
    where
        Self: 'a;

    /// The row at `index`, from 0.
    ///
    /// # Panics
    /// If `index` is not below [`Output::rows`].
    fn row(&self, index: usize) -> Self::Row<'_>;
}

/// An output that can be taken apart into rows that own what is theirs.
pub trait IntoRows: Rows {
    /// One document's part of the output.
    type Own;

    /// All rows, in their order.
    fn into_rows(self) -> impl Iterator<Item = Self::Own>;
}

/// An output without rows: it belongs to the batch as a whole, whatever its type.
///
/// ```
/// use gapless::{Output, Whole};
/// assert_eq!(vec![1, 2, 3].rows(), Some(3));
/// assert_eq!(Whole(vec![1, 2, 3]).rows(), None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Whole<T>(pub T);

impl<T: Send + Sync> Output for Whole<T> {}

macro_rules! outputs_without_rows {
    ($($type:ty),*) => { $(impl Output for $type {})* };
}

outputs_without_rows!(
    (),
    bool,
    char,
    String,
    u8,
    u16,
    u32,
    u64,
    u128,
    usize,
    i8,
    i16,
    i32,
    i64,
    i128,
    isize,
    f32,
    f64,
    std::time::Duration,
    std::time::Instant
);

impl<T: Send + Sync> Output for Vec<T> {
    const ROW_BYTES: Option<usize> = plain_bytes::<T>();

    fn rows(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<T: Send + Sync> Rows for Vec<T> {
    type Row<'a>
        = &'a T
    where
        Self: 'a;

    fn row(&self, index: usize) -> &T {
        &self[index]
    }
}

impl<T: Send + Sync> IntoRows for Vec<T> {
    type Own = T;

    fn into_rows(self) -> impl Iterator<Item = T> {
        self.into_iter()
    }
}

impl<T: Send + Sync, D: Dimension> Output for Array<T, D> {
    fn rows(&self) -> Option<usize> {
        self.shape().first().copied()
    }
}

impl<T: Send + Sync, D: RemoveAxis> Rows for Array<T, D> {
    type Row<'a>
        = ArrayView<'a, T, D::Smaller>
    where
        Self: 'a;

    fn row(&self, index: usize) -> Self::Row<'_> {
        self.index_axis(Axis(0), index)
    }
}

impl<T: Clone + Send + Sync, D: RemoveAxis> IntoRows for Array<T, D> {
    type Own = Array<T, D::Smaller>;

    fn into_rows(self) -> impl Iterator<Item = Self::Own> {
        let rows = self.len_of(Axis(0));
        (0..rows).map(move |row| self.index_axis(Axis(0), row).to_owned())
    }
}
