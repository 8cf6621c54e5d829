//! Where a document and a batch stand in the source.
//!
//! Both are types and not numbers, so that a place in the source is never mistaken for a count.

use std::fmt;

/// Place of a document in the source, counted from zero without gaps.
///
/// It is given once, when the document is pulled, and never changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Position(pub(crate) u64);

/// Place of a batch in the run, counted from zero without gaps.
///
/// It is given once, when the line cuts the batch, and never changed; in source order the results
/// are sorted by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct BatchIndex(pub(crate) u64);

macro_rules! place {
    ($name:ident) => {
        impl $name {
            /// The place as a number, from zero.
            ///
            #[doc = concat!("```\n# use gapless::", stringify!($name), ";\nassert_eq!(", stringify!($name), "::default().get(), 0);\n```")]
            pub fn get(self) -> u64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

place!(Position);
place!(BatchIndex);

/// A place, and one within it.
pub(crate) type Within = (u64, usize);

impl Position {
    pub(crate) fn whole(self) -> Within {
        (self.0, 0)
    }
}

/// These by their places; of two in one place the first comes first.
///
/// Only places are sorted: the standard library's sort is a thousand lines of code for each type that is.
pub(crate) fn in_order<T>(items: impl IntoIterator<Item = T>, place: impl Fn(&T) -> Within) -> Vec<T> {
    let items = Vec::from_iter(items);
    let places: Vec<_> = items.iter().map(place).zip(0..).collect();
    if places.is_sorted() {
        return items;
    }
    let mut items: Vec<_> = items.into_iter().map(Some).collect();
    order(places).filter_map(|at| items[at].take()).collect()
}

fn order(mut places: Vec<(Within, usize)>) -> impl Iterator<Item = usize> {
    places.sort_unstable();
    places.into_iter().map(|(_, at)| at)
}
