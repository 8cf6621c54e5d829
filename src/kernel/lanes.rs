//! Rows of values that invocations share: how many lanes each row gets, and how what they bring comes together.
//!
//! The choice depends on shapes alone, so that sums have the same order whatever the batch is.

use bytemuck::NoUninit;

use super::params::wgsl;
use super::{Access, Dispatch, Needs, grid, rounds};

/// Invocations of a workgroup.
const WORKGROUP: usize = 64;
/// So many rows keep a device busy with one invocation each.
const MANY: usize = 1024;
/// Values that one lane takes before another lane is worth its while.
const SHORT: usize = 4;

/// How what invocations bring comes together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Join {
    /// Through the memory of a workgroup, halving it step by step.
    Memory,
    /// Subgroup by subgroup, and then through the memory of a workgroup.
    Subgroups,
}

impl Join {
    /// Both, where a whole workgroup shares what it brings.
    pub(super) const ALL: [Self; 2] = [Self::Memory, Self::Subgroups];

    pub(super) fn needs(self) -> Needs {
        let own = Needs { subgroups: self == Self::Subgroups, ..Needs::rounds(self.rounds()) };
        Needs { workgroup_bytes: 4 * WORKGROUP as u32, ..own }
    }

    /// Most rounds of one join: of a subgroup it is not known how large it is.
    fn rounds(self) -> u32 {
        match self {
            Self::Memory => rounds::nested(&[WORKGROUP.ilog2() as usize]),
            Self::Subgroups => rounds::nested(&[WORKGROUP]),
        }
    }

    /// `sum_of_workgroup` of WGSL.
    pub(super) fn sum(self) -> &'static str {
        match self {
            Self::Memory => wgsl!("shared/sum"),
            Self::Subgroups => wgsl!("shared/sum_subgroups"),
        }
    }

    /// `of_lanes` of WGSL.
    fn lanes(self) -> &'static str {
        match self {
            Self::Memory => wgsl!("shared/lanes", "shared/lanes_memory"),
            Self::Subgroups => wgsl!("shared/lanes", "shared/lanes_subgroups"),
        }
    }
}

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

    /// The joins that make sense: which invocations of a workgroup are in one subgroup is not known, so a
    /// row must have the whole workgroup.
    pub(super) fn joins(&self) -> impl Iterator<Item = Join> {
        let whole = self.lanes() as usize == WORKGROUP;
        Join::ALL.into_iter().filter(move |join| *join == Join::Memory || whole)
    }

    /// Rounds of one walk of a lane along its row, of so many values each and with as many in loops of each.
    pub(super) fn walk(&self, at_once: usize, inner: &[usize]) -> u32 {
        let steps = self.len.div_ceil(at_once * self.lanes() as usize);
        rounds::nested(&[&[steps], inner].concat())
    }

    /// A dispatch of this shader, whose source is given without what all shaders of rows have. It walks along a
    /// row in so many rounds, and joins what lanes bring after each walk at most.
    pub(super) fn dispatch(
        &self,
        kernel: &'static str,
        (source, access): (&str, Access),
        params: &impl NoUninit,
        join: Join,
        walks: &[u32],
    ) -> Dispatch {
        let behind = [wgsl!("shared/linear", "shared/nan"), join.lanes()];
        let rounds = rounds::all(&walks.iter().flat_map(|&walk| [walk, join.rounds()]).collect::<Vec<_>>());
        Dispatch {
            kernel: kernel.into(),
            source: [&[source], &behind[..]].concat().concat().into(),
            access,
            constants: vec![("lanes".into(), f64::from(self.lanes()))],
            workgroups: self.workgroups(),
            params: bytemuck::bytes_of(params).to_vec(),
            needs: Needs { rounds, ..join.needs() },
        }
    }

    fn workgroups(&self) -> [u32; 2] {
        grid::fold(self.count().div_ceil(WORKGROUP / self.lanes() as usize) as u32)
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
    fn a_row_is_joined_by_subgroups_where_it_has_a_workgroup() {
        let joins = |len| Rows { outer: 1, len, inner: 1 }.joins().count();
        assert_eq!([joins(9), joins(128), joins(129), joins(1000)], [1, 1, 2, 2]);
    }

    #[test]
    fn there_are_workgroups_for_all_rows() {
        assert_eq!(Rows { outer: 65, len: 1, inner: 1 }.workgroups(), [2, 1]);
        assert_eq!(Rows { outer: 65, len: 1000, inner: 1 }.workgroups(), [65, 1]);
    }
}
