//! Parts of a value in which all rows along the items are equal.

use std::ops::Range;

/// Where in a value all rows along the axis of the items are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Alike {
    pub(super) within: Within,
    /// Whether the value is what the file says there only: rows of one item stand for those of others.
    pub(super) only: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Within {
    All,
    /// In a part of another axis.
    Part(usize, Range<usize>),
}

impl Within {
    pub(super) fn part(axis: usize, places: Range<usize>, length: usize) -> Option<Self> {
        match places {
            places if places.is_empty() => None,
            places if places.len() == length => Some(Self::All),
            places => Some(Self::Part(axis, places)),
        }
    }

    pub(super) fn and(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::All, within) | (within, Self::All) => Some(within),
            (Self::Part(axis, one), Self::Part(same, other)) if axis == same => {
                let both = one.start.max(other.start)..one.end.min(other.end);
                (!both.is_empty()).then_some(Self::Part(axis, both))
            }
            _ => None,
        }
    }
}
