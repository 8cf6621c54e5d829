//! Rows of values that invocations share: how many lanes each row gets.
//!
//! The choice depends on shapes alone, so that sums have the same order whatever the batch is.

use std::borrow::Cow;

use super::grid;

/// Invocations of a workgroup.
const WORKGROUP: usize = 64;
/// So many rows keep a device busy with one invocation each.
const MANY: usize = 1024;
/// Values that one lane takes before another lane is worth its while.
const SHORT: usize = 4;

/// Rows of `len` values; neighbouring values of a row are `inner` apart, and `inner` rows lie side by side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rows {
    pub(super) outer: usize,
    pub(super) len: usize,
    pub(super) inner: usize,
}

impl Rows {
    /// The rows along `axis`, which is there.
    pub(super) fn along(shape: &[usize], axis: usize) -> Self {
        let product = |axes: &[usize]| axes.iter().product();
        Self { outer: product(&shape[..axis]), len: shape[axis], inner: product(&shape[axis + 1..]) }
    }

    pub(super) fn count(&self) -> usize {
        self.outer * self.inner
    }

    /// Lanes a row. Rows side by side are read best by neighbouring invocations with a row each.
    pub(super) fn lanes(&self) -> u32 {
        if self.inner >= 32 && self.count() >= MANY {
            return 1;
        }
        self.len.div_ceil(SHORT).next_power_of_two().min(WORKGROUP) as u32
    }

    pub(super) fn workgroups(&self) -> [u32; 2] {
        grid::fold(self.count().div_ceil(WORKGROUP / self.lanes() as usize) as u32)
    }

    /// The constant `lanes` of `shaders/shared/lanes.wgsl`.
    pub(super) fn constant(&self) -> (Cow<'static, str>, f64) {
        ("lanes".into(), f64::from(self.lanes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_rows_have_a_workgroup_and_short_ones_share_it() {
        let lanes = |outer, len, inner| Rows { outer, len, inner }.lanes();
        assert_eq!([lanes(1, 1, 1), lanes(1, 4, 1), lanes(1, 9, 1), lanes(1, 1000, 1)], [1, 1, 4, 64]);
        assert_eq!(lanes(4, 1000, 1024), 1);
    }

    #[test]
    fn there_are_workgroups_for_all_rows() {
        assert_eq!(Rows { outer: 65, len: 1, inner: 1 }.workgroups(), [2, 1]);
        assert_eq!(Rows { outer: 65, len: 1000, inner: 1 }.workgroups(), [65, 1]);
    }
}
